"""Least squares under a sampling design: weights, and errors by linearisation or replicate weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semkit.errors import Note, NotSupportedError, OptionError, Problem, SampleError
from semkit.regression import leastsquares as ls
from semkit.result import FloatArray
from semkit.sample import Design, Sampling


@dataclass(frozen=True, eq=False)
class DesignErrors:
    """Covariance matrices under a design, raw and standardised, and the raw one of a simple random sample."""

    vcov: FloatArray
    std_vcov: FloatArray
    simple: FloatArray


def design_errors(
    sampling: Sampling, design: FloatArray, outcome: FloatArray, coef: FloatArray, scaling: FloatArray,
    powers: FloatArray,
) -> DesignErrors:
    """Covariance matrices of weighted least squares coefficients ``(k, k)``.

    Linearised: case ``i`` moves the coefficients by ``w_i (X'WX)^-1 x_i e_i`` and a variance by
    ``w_i [(v_i - mean)^2 - s^2]``; the covariance matrix of the totals of these influence values under the design is
    that of the estimates.  With replicate weights, coefficients and standardised coefficients are computed from each
    replicate.  The simple random sample has as many respondents, drawn one by one with equal probability.

    Parameters
    ----------
    sampling : Sampling
    design : ndarray (n, k)
    outcome : ndarray (n,)
    coef : ndarray (k,)
    scaling : ndarray (n, v)
        Variables whose standard deviations scale coefficients.
    powers : ndarray (k, v)

    Raises
    ------
    SampleError
        ``regression.replicate-singular``.

    References
    ----------
    Binder (1983), International Statistical Review 51, 279-292; Fuller (1975), Sankhya C 37, 117-132.
    """
    w, n, k = sampling.weights, len(outcome), len(coef)
    residual = outcome - design @ coef
    root = np.sqrt(w)[:, None]
    psi = np.linalg.pinv(design * root).T * root * residual[:, None]
    simple = n / (n - 1.0) * (psi / w[:, None]).T @ psi
    variance, out_var = weighted_variance(scaling, w), float(weighted_variance(outcome[:, None], w)[0])
    if sampling.replicates is None:
        spread = _variance_influence(np.column_stack([scaling, outcome]), w)
        joint = sampling.covariance(np.column_stack([psi, spread]))
        return DesignErrors(joint[:k, :k], ls.scaled_covariance(coef, variance, out_var, powers, joint), simple)
    each = sampling.replicates * (n / sampling.replicates.sum(axis=1, keepdims=True))
    b, variances, out, ok = ls.resampled_fits(design, outcome, scaling, each)
    failed = len(ok) - int(np.sum(ok))
    if failed:
        raise SampleError(Problem(
            "regression.replicate-singular", "design.replicates",
            f"{failed} of {len(ok)} replicates do not determine the coefficients",
            "predictors that vary in every replicate", "Leave out the covariate that is rare."))
    std = ls.standardise(coef, variance, powers, np.asarray(out_var))
    return DesignErrors(
        sampling.replicate_covariance(b, coef),
        sampling.replicate_covariance(ls.standardise(b, variances, powers, out), std), simple,
    )


def weighted_variance(values: FloatArray, weights: FloatArray) -> FloatArray:
    """``sum w (v - mean)^2 / sum w * n / (n - 1)`` of each column, ``(v,)``."""
    gap = values - weights @ values / weights.sum()
    return np.asarray(weights @ gap**2 / weights.sum() * len(values) / (len(values) - 1.0))


def _variance_influence(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Rows ``w_i [(v_i - mean)^2 - s^2 (n - 1) / n] / (n - 1)``: influence of each case on the weighted variances."""
    n = len(values)
    squares = (values - weights @ values / weights.sum()) ** 2
    return np.asarray(weights[:, None] * (squares - weights @ squares / weights.sum()) / (n - 1.0))


def used_design(design: Design | None, se: str | None, bootstrap: int) -> Design | None:
    """The design if it says anything, after refusing what does not go with it.

    Raises
    ------
    OptionError
        ``regression.se-with-design``.
    NotSupportedError
        ``regression.bootstrap-with-design``.
    """
    if design is None or design.trivial:
        return None
    if se is not None:
        raise OptionError(Problem("regression.se-with-design", "se", f"{se!r} with a design",
                                  "no se: the design determines the errors", "Leave se out."))
    if bootstrap:
        raise NotSupportedError(Problem("regression.bootstrap-with-design", "bootstrap", "resampling of respondents "
                                        "under a design", "bootstrap=0", "Bring bootstrap replicate weights: "
                                        "Design(replicates=Replicates(columns, 'bootstrap'))."))
    return design


def design_df(sampling: Sampling, coefficients: int) -> int:
    """Degrees of freedom of t: those of the design, less the slopes.

    Raises
    ------
    SampleError
        ``regression.few-units``.

    References
    ----------
    Korn & Graubard (1990), American Statistician 44, 270-276; Lumley (2010), Complex Surveys, sec. 5.2.
    """
    df = int(sampling.df) + 1 - coefficients
    if df < 1:
        raise SampleError(Problem("regression.few-units", "design", f"{int(sampling.df)} degrees of freedom of the "
                                  f"design for {coefficients} coefficients", f"at least {coefficients}",
                                  "Use fewer covariates; joining strata adds degrees of freedom."))
    return df


def design_note(sampling: Sampling) -> Note:
    """Respondents, units, degrees of freedom and effective N."""
    return Note("regression.design", "info", sampling.summary, "design")


def label(sampling: Sampling) -> str:
    """How the errors were made, for headers."""
    made = sampling.replication
    return "WLS (linearised)" if made is None else f"WLS ({made.type} replicates)"
