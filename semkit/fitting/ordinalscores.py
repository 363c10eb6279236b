"""Factor scores from ordinal and continuous answers: modes of the posterior distribution.

    eta^ = argmax  sum_j log P(y_j | eta) - (eta - m)' C^-1 (eta - m) / 2

with ``P = Phi((tau_u - nu - l'eta) / s) - Phi((tau_l - nu - l'eta) / s)`` for an ordinal answer between thresholds,
the normal density for a continuous one, and mean ``m`` and covariances ``C`` of the factors given the covariates.  The
sum is concave; Newton's method runs over all respondents at once.

References
----------
Skrondal & Rabe-Hesketh (2004), Generalized Latent Variable Modeling, sec. 7.4 (empirical Bayes modal scores); Muthen
(1984), Psychometrika 49, 115-132.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from semkit.errors import NotSupportedError, Problem
from semkit.estimate.implied import imply
from semkit.fitting.ordinal import OrdinalSolution

FloatArray = NDArray[np.float64]

_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Posterior:
    """What modes are sought of, for ``n`` respondents, ``p`` outcomes and ``m`` factors.

    Parameters
    ----------
    upper, lower : ndarray (n, p)
        Limits less ``nu``, in units of the residual; infinite at the ends.  For continuous outcomes both hold the
        standardised distance ``(y - nu) / s``.
    ordinal : ndarray (p,) of bool
    seen : ndarray (n, p)
        1, or 0 for gaps.
    loadings : ndarray (p, m)
        In units of the residual.
    mean : ndarray (n, m)
    precision : ndarray (m, m)
    """

    upper: FloatArray
    lower: FloatArray
    ordinal: NDArray[np.bool_]
    seen: FloatArray
    loadings: FloatArray
    mean: FloatArray
    precision: FloatArray

    def value(self, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log posterior ``(n,)``, gradient ``(n, m)``, minus the Hessian ``(n, m, m)``."""
        line = eta @ self.loadings.T
        high, low = self.upper - line, self.lower - line
        # both limits in the left tail, where differences of the distribution function keep their digits
        turn = self.ordinal & (low > 0.0)
        p = np.where(turn, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
        p = np.maximum(p, _TINY)
        phi_high, phi_low = _normal(high), _normal(low)
        first = (phi_low - phi_high) / p
        second = first**2 + (_times(high, phi_high) - _times(low, phi_low)) / p
        log = np.where(self.ordinal, np.log(p), -0.5 * np.where(self.ordinal, 0.0, high) ** 2) * self.seen
        slope = np.where(self.ordinal, first, np.where(self.ordinal, 0.0, high)) * self.seen
        bend = np.where(self.ordinal, np.maximum(second, 1e-10), 1.0) * self.seen
        gap = eta - self.mean
        pulled = gap @ self.precision
        hessian = self.precision + np.einsum("np,pm,pk->nmk", bend, self.loadings, self.loadings, optimize=True)
        return log.sum(axis=1) - 0.5 * np.sum(gap * pulled, axis=1), slope @ self.loadings - pulled, hessian


def _normal(t: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-0.5 * np.minimum(t * t, 1400.0)) / np.sqrt(2.0 * np.pi))


def _times(t: FloatArray, height: FloatArray) -> FloatArray:
    return np.asarray(np.where(np.isfinite(t), t, 0.0) * height)


def modes(posterior: Posterior, max_iterations: int = 60) -> tuple[FloatArray, FloatArray]:
    """Posterior modes ``(n, m)`` and inverse curvatures ``(n, m, m)``."""
    eta = posterior.mean.copy()
    best, gradient, hessian = posterior.value(eta)
    for _ in range(max_iterations):
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        if float(np.abs(step).max(initial=0.0)) < 1e-10:
            break
        length = np.ones(len(eta))
        for _ in range(30):
            value, new_gradient, new_hessian = posterior.value(eta + length[:, None] * step)
            worse = value < best - 1e-9 * (1.0 + np.abs(best))
            if not worse.any():
                break
            length[worse] *= 0.5
        eta = eta + length[:, None] * step
        best, gradient, hessian = value, new_gradient, new_hessian
    return eta, np.asarray(np.linalg.inv(hessian))


def posteriors(solution: OrdinalSolution) -> list[Posterior]:
    """The posterior of each group's respondents.

    Raises
    ------
    NotSupportedError
        ``fitting.no-posterior-modes``: correlated residuals, an outcome that stands in an equation, a residual
        variance that is not positive.
    """
    out = []
    names = solution.table.variables.ov
    for g, group in enumerate(solution.responses.groups):
        block = group.block
        implied = imply(block, solution.minimum.x, solution.responses.given)
        pick = np.array([block.eta.index(name) for name in solution.table.variables.lv], dtype=np.int64)
        residual = implied.matrices.theta[0][np.ix_(group.y, group.y)]
        spread = np.diagonal(residual)
        _refuse(solution, block.eta, residual)
        s = np.sqrt(spread)
        data = solution.data[g]
        y, x = data[:, group.y], data[:, [names.index(name) for name in solution.table.variables.ov_x]]
        seen = ~np.isnan(y)
        cuts = group.thresholds.at(solution.parameters[None])[0]
        nu = implied.matrices.nu[0][group.y]
        upper, lower = np.zeros_like(y), np.zeros_like(y)
        for j in range(y.shape[1]):
            if not group.ordinal[j]:
                upper[:, j] = lower[:, j] = np.where(seen[:, j], y[:, j] - nu[j], 0.0) / s[j]
                continue
            limits = (np.concatenate([[-np.inf], cuts[group.variable == j], [np.inf]]) - nu[j]) / s[j]
            answer = np.where(seen[:, j], y[:, j], 0.0).astype(np.int64)
            upper[:, j], lower[:, j] = limits[answer + 1], limits[answer]
        mean = implied.eta_mean[0][pick] + x @ implied.a[0][np.ix_(pick, group.x_eta)].T
        out.append(Posterior(upper, lower, group.ordinal, seen.astype(np.float64),
                             implied.matrices.lambda_[0][np.ix_(group.y, pick)] / s[:, None], mean,
                             np.linalg.inv(implied.eta_cov[0][np.ix_(pick, pick)])))
    return out


def _refuse(solution: OrdinalSolution, eta: tuple[str, ...], residual: FloatArray) -> None:
    inside = [name for name in solution.outcomes if name in eta]
    spread = np.diagonal(residual)
    what = ""
    if inside:
        what = f"{', '.join(inside)} stand in equations of their own"
    elif np.any(np.abs(residual - np.diag(spread)) > 1e-12):
        what = "the model has correlated residuals: answers are not independent given the factors"
    elif np.any(spread <= 0.0):
        what = "a residual variance is not positive"
    if what:
        raise NotSupportedError(Problem("fitting.no-posterior-modes", "predict()", what,
                                        "indicators with independent residuals",
                                        "Fit the measurement model alone, or use means of items."))


def modal_scores(solution: OrdinalSolution) -> tuple[list[FloatArray], list[FloatArray]]:
    """Scores ``(n, m)`` and their standard errors (inverse curvature) of each group."""
    found = [modes(posterior) for posterior in posteriors(solution)]
    errors = [np.sqrt(np.diagonal(curve, axis1=1, axis2=2)) for _, curve in found]
    return [eta for eta, _ in found], errors
