"""The bivariate standard normal distribution over arrays: density and distribution function."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, owens_t

FloatArray = NDArray[np.float64]

_FAR = 38.0  # beyond this the normal distribution function is 0 or 1 in double precision


def density(h: FloatArray | float, k: FloatArray | float, rho: FloatArray | float) -> FloatArray:
    """``phi2(h, k; rho)``, 0 at infinity; arguments are broadcast.

    ``(2 pi sqrt(1 - rho^2))^-1 exp(-(h^2 - 2 rho h k + k^2) / (2 (1 - rho^2)))``; it is also the derivative of
    :func:`distribution` by ``rho`` (Plackett 1954, Biometrika 41, 351-360).
    """
    a = np.clip(h, -_FAR, _FAR)
    b = np.clip(k, -_FAR, _FAR)
    rest = 1.0 - np.square(rho)
    return np.asarray(np.exp(-0.5 * (a * a - 2.0 * rho * a * b + b * b) / rest) / (2.0 * np.pi * np.sqrt(rest)))


def distribution(h: FloatArray | float, k: FloatArray | float, rho: FloatArray | float) -> FloatArray:
    """``P(X <= h, Y <= k)`` of a standard bivariate normal pair with correlation ``rho``.

    By Owen's function ``T``: ``[Phi(h) + Phi(k)] / 2 - T(h, (k - rho h) / (h s)) - T(k, (h - rho k) / (k s)) - d`` with
    ``s = sqrt(1 - rho^2)`` and ``d = 1/2`` where ``h`` and ``k`` have different signs, else 0.

    Parameters
    ----------
    h, k : float or ndarray
        Limits, infinite ones included; broadcast against each other.
    rho : float or ndarray
        Correlations from -1 to 1.

    Returns
    -------
    ndarray

    References
    ----------
    Owen (1956), Annals of Mathematical Statistics 27, 1075-1090; Patefield & Tandy (2000), Journal of
    Statistical Software 5(5) (the function T).

    Examples
    --------
    >>> float(distribution(0.0, 0.0, 0.5).round(12))  # 1/4 + arcsin(rho) / (2 pi)
    0.333333333333
    """
    a, b, r = np.broadcast_arrays(
        np.clip(np.asarray(h, dtype=np.float64), -_FAR, _FAR), np.clip(np.asarray(k, dtype=np.float64), -_FAR, _FAR),
        np.asarray(rho, dtype=np.float64),
    )
    inside = np.abs(r) < 1.0
    s = np.sqrt(np.where(inside, 1.0 - r * r, 1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        first = _slope(b - r * a, a, s)
        second = _slope(a - r * b, b, s)
    opposite = (a < 0.0) != (b < 0.0)
    low, high = ndtr(a), ndtr(b)
    out = 0.5 * (low + high) - owens_t(a, first) - owens_t(b, second) - 0.5 * opposite
    both = (a == 0.0) & (b == 0.0)
    if both.any():
        out = np.where(both, 0.25 + np.arcsin(r) / (2.0 * np.pi), out)
    if not inside.all():
        limit = np.where(r > 0.0, np.minimum(low, high), np.maximum(low + high - 1.0, 0.0))
        out = np.where(inside, out, limit)
    return np.asarray(np.maximum(out, 0.0))


def _slope(top: FloatArray, bottom: FloatArray, s: FloatArray) -> FloatArray:
    """``top / (bottom s)``; infinite with the sign of ``top`` where ``bottom`` is 0 (taken as a positive zero)."""
    return np.asarray(np.where(bottom == 0.0, np.copysign(np.inf, top), top / (bottom * s)))
