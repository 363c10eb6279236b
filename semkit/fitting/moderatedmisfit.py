"""Residual covariances of models with latent products over their errors.

The data of such a model are not normal, so that the variance of a residual comes from what every respondent adds to it
(its influence): ``(z_i z_j - s_ij) / N`` to the observed covariance, less ``s' A^-1 d sigma_ij / d theta / N`` with the
respondent's score ``s`` to the implied one.  Under a sampling design the totals' variances are the design's.

References
----------
Ogasawara (2001), Psychometrika 66, 421-436 (standardised residuals); Hampel (1974), Journal of the American Statistical
Association 69, 383-393.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem
from semkit.fitting.arguments import require_group
from semkit.fitting.misfit import over_root
from semkit.fitting.weighting import part_of

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.moderated import ModeratedSolution
    from semkit.fitting.moderation import ModeratedFit

FloatArray = NDArray[np.float64]


def residuals_over_errors(fit: ModeratedFit, type: str, group: int) -> pd.DataFrame:
    """The matrix behind :meth:`ModeratedFit.residuals` for ``"normalized"`` and ``"standardized"``.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-fiml``.
    """
    import pandas as pd

    solution = fit.moderated
    require_group(group, fit.table.n_groups)
    if solution.options.fiml:
        raise NotSupportedError(Problem("fitting.not-with-fiml", f"residuals({type!r})",
                                        "with missing='fiml' and latent products: needs complete data",
                                        "raw, cor, cor.bentler", "Use one of these."))
    cov, sigma = solution.observed[group].cov[0], solution.implied[group].sigma[0]
    unit = _variances(solution, group, moved=False)
    own = _variances(solution, group, moved=True) if type == "standardized" else unit
    names = list(fit.table.variables.ov)
    return pd.DataFrame(over_root(cov, sigma, own, unit), index=names, columns=names)


def _variances(solution: ModeratedSolution, group: int, *, moved: bool) -> FloatArray:
    """Variances ``(p, p)`` of observed covariances, or of these less the implied ones."""
    assert solution.sample is not None
    part, p = solution.sample.groups[group], solution.data[group].shape[1]
    rows, cols = np.tril_indices(p)
    z = part.data - solution.moments[group].mean[0]
    values = np.zeros((len(solution.case_scores), len(rows)))
    share = part.weights / part.weights.sum()
    values[part_of(solution, group)] = share[:, None] * (
        z[:, rows] * z[:, cols] - solution.moments[group].cov[0][rows, cols])
    if moved:
        slope = solution.objective.covariances(solution.theta)[group][:, rows, cols]
        values -= solution.case_scores @ (solution.bread_observed @ slope) / solution.total
    sampling = solution.sampling
    spread = values if sampling is None else sampling.deviations(values, small_sample=False)
    out = np.zeros((p, p))
    out[rows, cols] = out[cols, rows] = np.sum(spread**2, axis=0)
    return out
