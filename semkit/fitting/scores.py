"""Factor scores from whatever each respondent answered, their precision, and predicted observed values.

With ``W`` the inverse of the implied covariances of the variables answered (zero elsewhere), ``C = Cov(eta)`` and
``M = Cov(y, eta)``:

- regression: ``E(eta) + M'W (y - mu)``, error covariance ``C - M'W M``
- Bartlett: ``E(eta) + (K'V K)^-1 K'V (y - mu)``, error covariance ``(K'V K)^-1 - C``, with the slopes ``K`` of what
  was observed on the latent variables, the covariance matrix ``N`` of the rest, and ``V`` the inverse of
  ``K C K' + N``; the same as with ``N^-1`` (Woodbury) but also right when some error variances are zero.  ``K`` is
  the loadings, and for an observed outcome its slopes on factors: effects of covariates are part of ``N``.

Without a mean structure latent intercepts are 0 and observed variables have their sample means, so that factors which
covariates predict have the same scores as with one.

The reliability of a score is its squared correlation with the factor: ``1 - e / C`` and ``C / (C + e)``.

References
----------
Thurstone (1935), The Vectors of Mind; Bartlett (1937), British Journal of Psychology 28, 97-104; Skrondal &
Rabe-Hesketh (2004), Generalized Latent Variable Modeling, ch. 7; Beauducel & Rabe (2009), Journal of Educational and
Behavioral Statistics 34, 396-412 (determinacy).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import OptionError, Problem, spelling, suggest
from semkit.estimate.implied import Implied
from semkit.estimate.layout import Block
from semkit.numerics.em import masked_inverse

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]

METHODS = ("regression", "bartlett", "ebm")
KINDS = ("lv", "se", "reliability", "ov")


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of one group: ``value``, ``error`` (standard errors) and ``reliability``, each ``(n, k)``."""

    value: FloatArray
    error: FloatArray
    reliability: FloatArray


def scores(
    implied: Implied, data: FloatArray, pick: list[int], method: str, *, means: bool = True,
    centre: FloatArray | None = None,
) -> Scores:
    """Scores of the elements ``pick`` of eta.

    Parameters
    ----------
    implied : Implied
        Of a batch of one.
    data : ndarray (n, p)
        NaN where nothing was answered.
    pick : list of int
    method : {"regression", "bartlett"}
    means : bool
        Whether the model has means; else scores are around zero.
    centre : ndarray (p,), optional
        What data are compared with if the model has no means, for example weighted ones; by default their own.

    Returns
    -------
    Scores
        NaN where the answers do not determine a Bartlett score.
    """
    seen = ~np.isnan(data)
    mask, index = np.unique(seen, axis=0, return_inverse=True) if not seen.all() else (seen[:1], np.zeros(len(data)))
    index = np.asarray(index, dtype=np.int64).ravel()
    cov = implied.eta_cov[0]
    if method == "regression":
        w, _ = masked_inverse(implied.sigma, mask)
        cross = implied.cross[0]
        weight = w @ cross
        error = cov - cross.T @ weight
        spread = np.diagonal(error, axis1=1, axis2=2)[:, pick]
        share = 1.0 - spread / np.diagonal(cov)[pick]
    else:
        slopes, rest = given_factors(implied, pick)
        own = cov[np.ix_(pick, pick)]
        w, _ = masked_inverse((slopes @ own @ slopes.T + rest)[None], mask)
        short, spread = _bartlett(slopes, w, own)
        weight = np.zeros((len(mask), len(slopes), len(cov)))
        weight[:, :, pick] = short
        share = np.diagonal(own) / (np.diagonal(own) + spread)
    if means or centre is None:
        centre = implied.mu[0] if means else data.mean(axis=0)
    level = implied.eta_mean[0][pick] if means else 0.0
    z = np.where(seen, data - centre, 0.0)
    value = level + np.einsum("np,npk->nk", z, weight[:, :, pick][index]) if len(mask) > 1 else (
        level + z @ weight[0][:, pick])
    return Scores(value, np.sqrt(np.maximum(spread, 0.0))[index], share[index])


def given_factors(implied: Implied, factors: list[int]) -> tuple[FloatArray, FloatArray]:
    """Slopes ``(p, k)`` of the observed variables on the factors and covariances ``(p, p)`` of what is left.

    The other elements of eta are observed variables: ``d = A (alpha + B_df f + zeta)``, ``A = (I - B_dd)^-1``.
    """
    x = implied.matrices
    loadings, beta, psi = x.lambda_[0], x.beta[0], x.psi[0]
    others = [k for k in range(loadings.shape[1]) if k not in factors]
    inside = np.linalg.inv(np.eye(len(others)) - beta[np.ix_(others, others)])
    reach = loadings[:, others] @ inside
    slopes = loadings[:, factors] + reach @ beta[np.ix_(others, factors)]
    return slopes, reach @ psi[np.ix_(others, others)] @ reach.T + x.theta[0]


def _origin(block: Block, implied: Implied, level: FloatArray) -> FloatArray:
    """Means of eta where the model has no means: observed variables have their own ``level``, the rest follows."""
    beta = implied.matrices.beta[0]
    seen = [k for k, name in enumerate(block.eta) if name in block.observed]
    hidden = [k for k in range(block.m) if k not in seen]
    mean = np.zeros(block.m)
    mean[seen] = level[[block.observed.index(block.eta[k]) for k in seen]]
    inside = np.eye(len(hidden)) - beta[np.ix_(hidden, hidden)]
    mean[hidden] = np.linalg.solve(inside, beta[np.ix_(hidden, seen)] @ mean[seen])
    return mean


def _bartlett(loadings: FloatArray, w: FloatArray, cov: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights ``(J, p, m)`` and error variances ``(J, m)`` in each pattern; NaN where not determined."""
    right = w @ loadings
    inner = loadings.T @ right
    size = np.sqrt(np.maximum(np.diagonal(inner, axis1=1, axis2=2), 1e-300))
    scaled = inner / (size[:, :, None] * size[:, None, :])
    inside = np.linalg.pinv(scaled, rcond=1e-10, hermitian=True) / (size[:, :, None] * size[:, None, :])
    unit = np.diagonal(inside @ inner, axis1=1, axis2=2)
    known = np.abs(unit - 1.0) < 1e-6
    weight = np.where(known[:, None, :], right @ inside, np.nan)
    error = np.diagonal(inside, axis1=1, axis2=2) - np.diagonal(cov)
    return weight, np.where(known, error, np.nan)


def factor_scores(fit: Fit, method: str = "regression") -> list[FloatArray]:
    """Scores of the latent variables by group."""
    return [part.value for part in _all_scores(fit, method)]


def _all_scores(fit: Fit, method: str) -> list[Scores]:
    method = "regression" if method in ("ebm", "empirical.bayes") else method  # the same for a linear model
    if method not in METHODS:
        raise OptionError(Problem("fitting.unknown-option-value", f"method={method!r}", "is not a known value",
                                  ", ".join(METHODS), "Choose one of them."))
    method = "regression" if method == "ebm" else method  # mean and mode are the same under normality
    _needs_data(fit, "predict()")
    own = fit.solution.posterior_moments()
    if own is not None:
        return _posterior(fit, own, method)
    out = []
    for block, implied, data, level in _groups(fit):
        pick = [block.eta.index(name) for name in fit.table.variables.lv]
        if method == "bartlett" and np.linalg.matrix_rank(given_factors(implied, pick)[0]) < len(pick):
            raise OptionError(Problem("fitting.no-bartlett-scores", "predict(method='bartlett')",
                                      "a factor has no indicators of its own (a second-order factor)",
                                      "method='regression'", "Use the regression method."))
        out.append(scores(implied, data, pick, method, means=block.means, centre=level))
    return out


def _posterior(fit: Fit, moments: list[tuple[FloatArray, FloatArray]], method: str) -> list[Scores]:
    """Scores of a model whose posterior distributions are not normal: their means and standard deviations."""
    if method != "regression":
        raise OptionError(Problem("fitting.no-bartlett-scores", f"predict(method={method!r})",
                                  "the posterior distributions are not normal", "method='regression'",
                                  "Posterior means or modes are what there is for such models."))
    out = []
    for block, implied, (mean, variance) in zip(fit.solution.layout.blocks, fit.solution.implied, moments, strict=True):
        total = np.array([implied.eta_cov[0, j, j] for j in (block.eta.index(n) for n in fit.table.variables.lv)])
        out.append(Scores(mean, np.sqrt(np.maximum(variance, 0.0)), 1.0 - variance / total))
    return out


def _groups(fit: Fit) -> Iterator[tuple[Block, Implied, FloatArray, FloatArray]]:
    """Block, implied moments, data and (weighted) sample means of each group."""
    solution = fit.solution
    means = [part.mean[0] for part in solution.moments]
    return zip(solution.layout.blocks, solution.implied, solution.data, means, strict=True)


def _needs_data(fit: Fit, where: str) -> None:
    if fit.solution.sample is None:
        raise OptionError(Problem("fitting.no-raw-data", where, "the model was fitted to moments",
                                  "a fit to raw data", "Fit with data instead of moments."))


def predicted(fit: Fit, method: str, what: str) -> pd.DataFrame:
    """The table behind :meth:`Fit.predict`."""
    import pandas as pd

    if what not in KINDS:
        raise OptionError(Problem("fitting.unknown-option-value", f"what={what!r}", "is not a known value",
                                  ", ".join(KINDS), suggest(str(what), KINDS).strip() or "Choose one of them."))
    if what == "ov":
        _needs_data(fit, "predict()")
        return pd.DataFrame(np.concatenate(_observed(fit)), columns=list(fit.table.variables.ov))
    parts = _all_scores(fit, method)
    if fit.solution.posterior_moments() is None:
        pick = [fit.solution.layout.blocks[0].eta.index(name) for name in fit.table.variables.lv]
        parts = [part if block.means else replace(part, value=part.value + _origin(block, implied, level)[pick])
                 for part, (block, implied, _, level) in zip(parts, _groups(fit), strict=True)]
    values = {"lv": [p.value for p in parts], "se": [p.error for p in parts],
              "reliability": [p.reliability for p in parts]}[what]
    return pd.DataFrame(np.concatenate(values), columns=list(fit.table.variables.lv))


def _observed(fit: Fit) -> list[FloatArray]:
    """``nu + Lambda eta^`` for indicators, ``alpha + B eta^`` for observed outcomes."""
    out = []
    for block, implied, data, level in _groups(fit):
        x = implied.matrices
        everything = list(range(block.m))
        eta = scores(implied, data, everything, "regression", means=block.means, centre=level).value
        outcomes = [k for k, name in enumerate(block.eta) if name in block.observed and np.any(x.beta[0, k] != 0.0)]
        structural = eta.copy()
        alpha = x.alpha[0] if block.means else np.zeros(block.m)
        structural[:, outcomes] = (alpha + eta @ x.beta[0].T)[:, outcomes]
        nu = x.nu[0] if block.means else level
        out.append(nu + structural @ x.lambda_[0].T)
    return out


def predicted_outcomes(fit: Fit, outcomes: tuple[str, ...], predictors: tuple[str, ...]) -> pd.DataFrame:
    """``mu_y + Sigma_yx Sigma_xx^-1 (x - mu_x)``: what the model expects of some observed variables given others.

    References
    ----------
    de Rooij, Karch, Fokkema, Bakk, Pratiwi & Kelderman (2023), Structural Equation Modeling 30, 132-148.
    """
    import pandas as pd

    _needs_data(fit, "predict_y()")
    names = fit.table.variables.ov
    wrong = [name for name in (*outcomes, *predictors) if name not in names]
    twice = [name for name in outcomes if name in predictors]
    problems = [Problem("fitting.unknown-variable", f'variable "{name}"', "is not an observed variable of the model",
                        ", ".join(names), spelling(name, names)) for name in dict.fromkeys(wrong)]
    problems += [Problem("fitting.predicts-itself", f'variable "{name}"', "is both outcome and predictor",
                         "different variables", "Name it once.") for name in twice]
    if problems or not outcomes or not predictors:
        raise OptionError(*(problems or [Problem("fitting.predicts-itself", "predict_y()", "no outcome or no predictor",
                                                 "at least one of each", "Name the outcomes.")]))
    y, x = ([names.index(name) for name in part] for part in (outcomes, predictors))
    out = []
    for block, implied, data, level in _groups(fit):
        centre = implied.mu[0] if block.means else level
        seen = ~np.isnan(data[:, x])
        mask, index = np.unique(seen, axis=0, return_inverse=True)
        w, _ = masked_inverse(implied.sigma[:, x][:, :, x], mask)
        slope = implied.sigma[0][np.ix_(y, x)] @ w
        z = np.where(seen, data[:, x] - centre[x], 0.0)
        out.append(centre[y] + np.einsum("nyx,nx->ny", slope[np.asarray(index).ravel()], z))
    return pd.DataFrame(np.concatenate(out), columns=list(outcomes))
