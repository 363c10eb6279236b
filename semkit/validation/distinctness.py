"""Discriminant validity and factorability as array functions on correlation matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semkit.result import FloatArray


def _blocks(corr: FloatArray, first: Sequence[int], second: Sequence[int]) -> tuple[FloatArray, FloatArray, FloatArray]:
    a, b = np.asarray(first), np.asarray(second)
    upper_a, upper_b = np.triu_indices(a.size, 1), np.triu_indices(b.size, 1)
    return (
        corr[np.ix_(a, b)].ravel(),
        corr[np.ix_(a, a)][upper_a],
        corr[np.ix_(b, b)][upper_b],
    )


def htmt(corr: FloatArray, first: Sequence[int], second: Sequence[int]) -> float:
    """Heterotrait-monotrait ratio: mean absolute correlation between the constructs' items, over the
    geometric mean of the mean absolute correlations within them.

    Assumes equal loadings within a construct.  NaN for a construct with fewer than two items.
    Source: Henseler, Ringle & Sarstedt (2015), J. of the Academy of Marketing Science 43,
    with absolute correlations (HTMT+: Ringle, Sarstedt, Sinkovics & Sinkovics 2023).

    Parameters
    ----------
    corr : ndarray (p, p)
    first, second : sequence of int
        Rows of the two constructs' items.
    """
    hetero, mono_a, mono_b = (np.abs(block) for block in _blocks(corr, first, second))
    if not mono_a.size or not mono_b.size:
        return float("nan")
    scale = float(np.sqrt(mono_a.mean() * mono_b.mean()))
    return float(hetero.mean()) / scale if scale > 0 else float("nan")


def htmt2(corr: FloatArray, first: Sequence[int], second: Sequence[int]) -> float:
    """Like :func:`htmt` with geometric means throughout, consistent for unequal loadings, too.

    NaN for a construct with fewer than two items, or when a correlation is exactly 0.
    Source: Roemer, Schuberth & Henseler (2021), Industrial Management & Data Systems 121.
    """
    blocks = [np.abs(block) for block in _blocks(corr, first, second)]
    if any(not block.size or not (block > 0).all() for block in blocks):
        return float("nan")
    hetero, mono_a, mono_b = (float(np.log(block).mean()) for block in blocks)
    return float(np.exp(hetero - 0.5 * (mono_a + mono_b)))


def sampling_adequacy(corr: FloatArray) -> tuple[float, FloatArray]:
    """Kaiser-Meyer-Olkin measure: ``sum r^2 / (sum r^2 + sum q^2)`` over pairs, q partial correlations.

    Source: Kaiser & Rice (1974), Educational and Psychological Measurement 34, 111-117.

    Parameters
    ----------
    corr : ndarray (p, p)
        Positive definite.

    Returns
    -------
    overall : float
    item : ndarray (p,)
    """
    inverse = np.linalg.inv(corr)
    scale = np.sqrt(np.diag(inverse))
    partial = inverse / np.outer(scale, scale)
    off = ~np.eye(corr.shape[0], dtype=bool)
    r2, q2 = np.where(off, corr**2, 0.0), np.where(off, partial**2, 0.0)
    item = r2.sum(axis=0) / (r2.sum(axis=0) + q2.sum(axis=0))
    return float(r2.sum() / (r2.sum() + q2.sum())), item


def sphericity(corr: FloatArray, n: int) -> tuple[float, int, float]:
    """Bartlett's test that all correlations are zero: ``-(n - 1 - (2p + 5) / 6) ln|R|``, chi-square with p(p - 1)/2 df.

    Source: Bartlett (1954), J. of the Royal Statistical Society B 16, 296-298.

    Returns
    -------
    chisq : float
    df : int
    pvalue : float
    """
    from scipy.special import chdtrc

    p = corr.shape[0]
    chisq = -(n - 1 - (2 * p + 5) / 6.0) * float(np.linalg.slogdet(corr)[1])
    df = p * (p - 1) // 2
    return chisq, df, float(chdtrc(df, chisq))
