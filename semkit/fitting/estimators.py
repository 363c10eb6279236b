"""What each estimator stands for: discrepancy, information, errors and tests."""

from __future__ import annotations

from dataclasses import dataclass

from semkit.errors import Note


@dataclass(frozen=True, slots=True)
class Estimator:
    """Defaults that an estimator's name implies.

    Parameters
    ----------
    information, se, test : str
        What is used when nothing else is asked for.
    least_squares : bool
        Fitted to moments with divisor ``N - 1`` by least squares instead of by likelihood.
    """

    information: str
    se: str
    test: str
    least_squares: bool = False


ESTIMATORS: dict[str, Estimator] = {
    "ml": Estimator("expected", "standard", "standard"),
    "mlr": Estimator("observed", "robust.huber.white", "yuan.bentler.mplus"),
    "mlm": Estimator("expected", "robust.sem", "satorra.bentler"),
    "mlmv": Estimator("expected", "robust.sem", "scaled.shifted"),
    "mlmvs": Estimator("expected", "robust.sem", "mean.var.adjusted"),
    "mlf": Estimator("first.order", "standard", "standard"),
    "gls": Estimator("expected", "standard", "standard", True),
    "uls": Estimator("expected", "standard", "browne.residual.nt", True),
    "wls": Estimator("expected", "standard", "standard", True),
}

# tests of a chi-square statistic corrected for non-normality; the first one asked for gives the .scaled measures
SCALED = ("satorra.bentler", "yuan.bentler", "yuan.bentler.mplus", "mean.var.adjusted", "scaled.shifted")
RESIDUAL = ("browne.residual.nt", "browne.residual.nt.model", "browne.residual.adf", "browne.residual.adf.model")
# errors that need raw data or a given covariance matrix of the moments
ROBUST_ERRORS = ("robust.huber.white", "robust.sem")


def random_covariates(names: tuple[str, ...]) -> Note:
    """What least squares do with observed covariates: their moments are part of what is fitted, as in lavaan."""
    return Note("fitting.random-covariates", "info", "means, variances and covariances of covariates are estimated.",
                ", ".join(names), "Least squares fit the moments of all variables.")
