"""Covariance matrices of weighted totals under a sampling design: Taylor linearisation and replicate weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def totals(values: FloatArray, codes: IntArray, count: int) -> FloatArray:
    """Sums of rows with the same code, shape ``(count, k)``; codes without a row have 0.

    Rows are sorted once and summed in runs: there is no loop over the units.

    Parameters
    ----------
    values : ndarray (n, k)
    codes : ndarray (n,) of int
        0 to ``count - 1``.
    """
    out = np.zeros((count, values.shape[1]))
    if len(codes) == 0:
        return out
    if codes[0] >= 0 and np.all(codes[1:] > codes[:-1]):  # every row a unit of its own, already in order
        out[codes] = values
        return out
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    out[ordered[first]] = np.add.reduceat(values[order], first, axis=0)
    return out


def stratum_factors(sizes: FloatArray, rates: FloatArray) -> FloatArray:
    """``(1 - f_h) n_h / (n_h - 1)`` of each stratum; 0 for strata with a single unit or wholly observed.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., eq. 11.24 (first stage); Wolter (2007), Introduction to Variance
    Estimation, 2nd ed., eq. 6.2.
    """
    return np.asarray(np.where(sizes > 1, (1.0 - rates) * sizes / np.maximum(sizes - 1.0, 1.0), 0.0))


def deviations(
    unit: FloatArray, stratum: IntArray, sizes: FloatArray, rates: FloatArray, lone: str = "certainty"
) -> FloatArray:
    """Rows whose sum of outer products is the covariance matrix of a total.

    ``V = sum_h (1 - f_h) n_h / (n_h - 1) sum_c (t_hc - t_h.)(t_hc - t_h.)'``: variance between the units of a stratum
    as if they were drawn with replacement, corrected for the finite population.

    Parameters
    ----------
    unit : ndarray (C, k)
        Totals of the sampling units.
    stratum : ndarray (C,) of int
    sizes, rates : ndarray (H,)
        Number of sampled units, those without a respondent included, and share of the population's units sampled.
    lone : {"certainty", "adjust", "average"}
        A stratum with one unit adds nothing; or its squared distance from the mean of all units; or what other strata
        add on average.

    Returns
    -------
    ndarray (C, k)
        The weighted deviations ``d``; ``V = d'd``.

    References
    ----------
    Binder (1983), International Statistical Review 51, 279-292; Wolter (2007), ch. 6.
    """
    count = len(sizes)
    mean = totals(unit, stratum, count) / sizes[:, None]
    single = sizes == 1
    factor = stratum_factors(sizes, rates)
    centre = mean[stratum]
    if lone == "adjust" and single.any():
        centre = np.where(single[stratum][:, None], unit.mean(axis=0), centre)
        factor = np.where(single, 1.0 - rates, factor)
    if lone == "average" and single.any() and not single.all():
        factor = factor * (count / (count - int(single.sum())))
    return np.asarray((unit - centre) * np.sqrt(factor[stratum])[:, None])


def residualised(
    values: FloatArray, weights: FloatArray, base: FloatArray, margins: tuple[IntArray, ...]
) -> FloatArray:
    """Weighted values after what known margins explain has been taken out.

    Weights adjusted to known margins make any part of a variable that the margins explain known, too: its error is
    that of the residuals of the regression on the margins' indicators, weighted by the weights before adjustment.

    Parameters
    ----------
    values : ndarray (n, k)
        Weighted influence values ``w_i u_i``.
    weights, base : ndarray (n,)
        Weights after and before adjustment.
    margins : tuple of ndarray (n,) of int
        Level of each row in each margin.

    References
    ----------
    Deville & Sarndal (1992), Journal of the American Statistical Association 87, 376-382, result 5; Deville, Sarndal &
    Sautory (1993), Journal of the American Statistical Association 88, 1013-1020 (raking).
    """
    safe = np.where(weights > 0.0, weights, 1.0)
    plain = values / safe[:, None]
    indicator = np.concatenate([np.eye(int(codes.max()) + 1)[codes] for codes in margins], axis=1)
    root = np.sqrt(base)[:, None]
    slope, *_ = np.linalg.lstsq(indicator * root, plain * root, rcond=None)
    return np.asarray((plain - indicator @ slope) * weights[:, None])


def replicated(
    values: FloatArray, centre: FloatArray | None, scale: float, rscales: FloatArray
) -> FloatArray:
    """Rows whose sum of outer products is ``scale sum_r rscales_r (x_r - c)(x_r - c)'``.

    ``c`` is the mean of the replicates, or ``centre``.

    Parameters
    ----------
    values : ndarray (R, k)
        Estimates of the replicates.
    centre : ndarray (k,) or None
        The full-sample estimate, for mean squared errors.
    scale : float
    rscales : ndarray (R,)

    References
    ----------
    Wolter (2007), ch. 3 to 5; Judkins (1990), Journal of Official Statistics 6, 223-239 (Fay's method).
    """
    middle = values[rscales > 0].mean(axis=0) if centre is None else centre
    return np.asarray((values - middle) * np.sqrt(scale * rscales)[:, None])


def kish_effective(weights: FloatArray) -> float:
    """``(sum w)^2 / sum w^2``: how many equally weighted respondents give the same variance of a mean.

    References
    ----------
    Kish (1965), Survey Sampling, sec. 11.7; Kish (1992), Journal of Official Statistics 8, 183-200.
    """
    return float(weights.sum() ** 2 / np.sum(weights**2))
