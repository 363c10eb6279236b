"""Likelihood ratio tests of models with latent products, corrected for scores that are not those of the model.

There is no saturated model to correct two chi-squares with.  What a difference of log-likelihoods needs is the trace
of ``A^-1 B``, observed information and covariance matrix of the scores (that of a sampling design, too), along the
directions that the larger model has and the restricted one has not:

    c = (tr[(Z'AZ)^-1 Z'BZ] - tr[(Z_0'A Z_0)^-1 Z_0'B Z_0]) / df,   T = 2 (logl - logl_0) / c

With both traces at the larger model's estimates ``c`` is positive (Satorra 2000, where only the mean is corrected).

References
----------
Satorra (2000), in Heijmans, Pollock & Satorra (eds), Innovations in Multivariate Statistical Analysis, 233-247;
Asparouhov & Muthen (2005), Proc. Federal Committee on Statistical Methodology (pseudo likelihood ratios under weights,
strata and clusters).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.tests import Test, chi_square_p, scaled
from semkit.fitting.measures import loglikelihoods
from semkit.interaction.crossing import product_rows

if TYPE_CHECKING:
    from semkit.fitting.moderated import ModeratedSolution

FloatArray = NDArray[np.float64]


def score_trace(information: FloatArray, meat: FloatArray, basis: FloatArray) -> float:
    """``tr[(Z'AZ)^-1 Z'BZ]`` of information ``A`` and scores' covariances ``B`` ``(q, q)`` along ``Z (q, r)``."""
    if not basis.shape[1]:
        return 0.0
    return float(np.trace(np.linalg.pinv(basis.T @ information @ basis) @ (basis.T @ meat @ basis)))


def products_test(solution: ModeratedSolution) -> Test:
    """``2 (logl - logl of the model without products)``, as it is."""
    stat = float(2.0 * (solution.logl - loglikelihoods(solution.linear)[0]))
    df = solution.n_free - solution.linear.n_free
    return Test("likelihood.ratio", stat, df, chi_square_p(stat, df), label="model without products")


def scaled_products_test(solution: ModeratedSolution) -> Test:
    """The same over its scaling factor; NaN where the estimates did not converge."""
    plain = products_test(solution)
    table, basis = solution.table, solution.basis
    rows = product_rows(table)
    products = np.unique([table.unique[k] for k, row in enumerate(table.free_rows) if rows[row]]).astype(np.int64)
    _, values, right = np.linalg.svd(basis[products])
    rank = int(np.sum(values > 1e-10))
    both = solution.observed_information, solution.meat
    if not all(np.isfinite(part).all() for part in both):
        trace = float("nan")
    else:
        trace = score_trace(*both, basis) - score_trace(*both, basis @ right[rank:].T)
    return scaled(plain.stat, int(plain.df), trace, "likelihood.ratio.scaled", "model without products (scaled)")
