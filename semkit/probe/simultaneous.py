"""Critical values that hold for all moderator values at once: simultaneous bands and the false discovery rate."""

from __future__ import annotations

from typing import Literal

import numpy as np

from semkit.result import FloatArray, Reference

Adjustment = Literal["none", "simultaneous", "fdr"]


def pointwise(reference: Reference, level: float) -> float:
    """Two-sided critical value of z or t."""
    from scipy.special import ndtri, stdtrit

    if reference.kind == "t" and reference.df is not None:
        return float(stdtrit(reference.df, 0.5 + level / 2.0))
    return float(ndtri(0.5 + level / 2.0))


def scheffe(reference: Reference, level: float, size: int) -> float:
    r"""Critical value of a band that covers the whole line of slopes with probability ``level``.

    ``sqrt(m F(level; m, df))`` (t) or ``sqrt(chi2(level; m))`` (z) for a slope made of ``m`` coefficients, because
    ``sup_u (g_u'(b - beta))^2 / g_u' V g_u <= (b - beta)' V^-1 (b - beta)``.

    References
    ----------
    Potthoff (1964), Psychometrika 29, 241-256; Bauer & Curran (2005), Multivariate Behavioral Research 40, 373-400.
    """
    from scipy.special import chdtri, fdtri

    if reference.kind == "t" and reference.df is not None:
        return float(np.sqrt(size * fdtri(size, reference.df, level)))
    return float(np.sqrt(chdtri(size, 1.0 - level)))


def scheffe_of_draws(draws: FloatArray, level: float) -> float:
    """The same from bootstrap draws ``(B, m)``: root of the ``level`` quantile of their Mahalanobis distances.

    The rank is ``ceil((B + 1) level)``, at most B.
    """
    centred = draws - draws.mean(axis=0)
    # draws that vary in fewer directions than coefficients (a product fixed by a constraint) have a singular V
    inverse = np.linalg.pinv(np.atleast_2d(np.cov(draws, rowvar=False)), hermitian=True)
    distance = np.sort(np.einsum("bi,ij,bj->b", centred, inverse, centred))
    rank = min(int(np.ceil((len(distance) + 1) * level - 1e-9)), len(distance))
    return float(np.sqrt(distance[rank - 1]))


def discovery_level(pvalues: FloatArray, level: float) -> float:
    r"""Pointwise confidence level at which the tests along a moderator keep the false discovery rate at ``1 - level``.

    With ordered p values the largest k with ``p_(k) <= k / m * alpha`` gives the threshold ``k alpha / m``; when there
    is none, ``alpha / m``, at which nothing is significant.

    Parameters
    ----------
    pvalues : ndarray (m,)
        At the moderator values that count.

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300; Esarey & Sumner (2018),
    Comparative Political Studies 51, 1144-1176.
    """
    alpha, m = 1.0 - level, pvalues.size
    steps = np.arange(1, m + 1) / m * alpha
    passed = np.flatnonzero(np.sort(pvalues) <= steps)
    return float(1.0 - steps[passed[-1] if passed.size else 0])
