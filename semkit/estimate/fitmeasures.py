"""Fit measures: scalar functions of scalars, and residual summaries of matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, chdtri, chndtr, chndtrinc

FloatArray = NDArray[np.float64]


def noncentrality(stat: float, df: float, probability: float) -> float:
    """The non-centrality at which ``P(chi2 <= stat)`` is ``probability``; 0 when none is small enough."""
    if df <= 0 or float(chdtr(df, stat)) < probability:
        return 0.0
    return float(chndtrinc(stat, df, probability))


def rmsea(stat: float, df: float, nobs: float, groups: int = 1, scaling: float = 1.0) -> float:
    """``sqrt(G max(T - c df, 0) / (N df))``.

    Steiger & Lind (1980); Steiger (1998), SEM 5, 411-419 (groups); Brosseau-Liard, Savalei & Li (2012), MBR 47,
    904-930 (scaling ``c``).
    """
    if df < 0:
        return float("nan")
    if df == 0:
        return 0.0
    return float(np.sqrt(groups * max(stat - scaling * df, 0.0) / (nobs * df)))


def rmsea_interval(
    stat: float, df: float, nobs: float, groups: int = 1, scaling: float = 1.0, level: float = 0.90
) -> tuple[float, float]:
    """Interval of RMSEA from non-central chi-square; ``stat`` is the (scaled) statistic itself.

    Browne & Cudeck (1993); Li & Bentler (2006) for ``c`` times the non-centrality of the scaled statistic.
    """
    if df == 0:
        return 0.0, 0.0
    if df < 0 or scaling < 0.0:  # a robust scaling factor can be negative when the model explains next to nothing
        return float("nan"), float("nan")
    tail = 0.5 * (1.0 - level)
    factor = scaling * groups / (nobs * df)
    low = noncentrality(stat, df, 1.0 - tail)
    high = noncentrality(stat, df, tail)
    return float(np.sqrt(factor * low)), float(np.sqrt(factor * high))


def rmsea_below(stat: float, df: float, nobs: float, bound: float, groups: int = 1, scaling: float = 1.0) -> float:
    """``P(chi2 <= T)`` when RMSEA equals ``bound``; one minus it tests close fit (Browne & Cudeck 1993)."""
    if df == 0:
        return float("nan")
    return float(chndtr(stat, df, nobs * df * bound**2 / (groups * scaling)))


def cfi(stat: float, df: float, base: float, base_df: float, scaling: float = 1.0, base_scaling: float = 1.0) -> float:
    """``1 - max(T - c df, 0) / max(T - c df, T_b - c_b df_b, 0)`` (Bentler 1990; Brosseau-Liard & Savalei 2014).

    1 where both are zero but for rounding (a saturated model whose baseline fits as well); not a number with more
    parameters than moments.
    """
    if df < 0:
        return float("nan")
    top = max(stat - scaling * df, 0.0)
    bottom = max(stat - scaling * df, base - base_scaling * base_df, 0.0)
    return 1.0 if bottom < 1e-7 else 1.0 - top / bottom


def rni(stat: float, df: float, base: float, base_df: float, scaling: float = 1.0, base_scaling: float = 1.0) -> float:
    """``1 - (T - c df) / (T_b - c_b df_b)`` (McDonald & Marsh 1990)."""
    bottom = base - base_scaling * base_df
    return 1.0 if bottom == 0.0 else 1.0 - (stat - scaling * df) / bottom


def tli(stat: float, df: float, base: float, base_df: float, scaling: float = 1.0, base_scaling: float = 1.0) -> float:
    """``1 - [(T - c df) df_b] / [(T_b - c_b df_b) df]`` (Tucker & Lewis 1973)."""
    if df < 0:
        return float("nan")
    bottom = (base - base_scaling * base_df) * df
    return 1.0 if bottom == 0.0 else 1.0 - (stat - scaling * df) * base_df / bottom


def nfi(stat: float, base: float) -> float:
    """``(T_b - T) / T_b`` (Bentler & Bonett 1980)."""
    return (base - stat) / base if base else 1.0


def pnfi(stat: float, df: float, base: float, base_df: float) -> float:
    """``df / df_b`` times NFI (James, Mulaik & Brett 1982)."""
    return df / base_df * nfi(stat, base) if base_df else float("nan")


def rfi(stat: float, df: float, base: float, base_df: float) -> float:
    """``1 - (T / df) / (T_b / df_b)`` (Bollen 1986)."""
    if df == 0 or base == 0.0:
        return 1.0
    return 1.0 - (stat / df) / (base / base_df)


def ifi(stat: float, df: float, base: float) -> float:
    """``(T_b - T) / (T_b - df)`` (Bollen 1989)."""
    return (base - stat) / (base - df) if base != df else 1.0


def mfi(stat: float, df: float, nobs: float) -> float:
    """``exp(-(T - df) / 2N)`` (McDonald 1989)."""
    return float(np.exp(-0.5 * (stat - df) / nobs))


def ecvi(stat: float, npar: int, nobs: float) -> float:
    """``T / N + 2 q / N`` (Browne & Cudeck 1989)."""
    return stat / nobs + 2.0 * npar / nobs


def critical_n(stat: float, df: float, nobs: float, alpha: float) -> float:
    """``chi2_{1-alpha} / (T / N) + 1`` (Hoelter 1983)."""
    if df == 0 or stat <= 0.0:
        return float("nan")
    return float(chdtri(df, alpha)) / (stat / nobs) + 1.0


def gfi(noncentral: float, p: int, nobs: float) -> float:
    """``p / (p + 2 lambda / N)`` with the non-centrality ``lambda`` of Browne's residual statistic.

    Steiger (1989), EzPATH; Maiti & Mukherjee (1990), Psychometrika 55, 721-726.
    """
    return p / (p + 2.0 * max(noncentral, 0.0) / nobs)


def information_criteria(logl: float, npar: int, nobs: float) -> tuple[float, float, float]:
    """AIC, BIC and BIC with ``(N + 2) / 24`` (Akaike 1974; Schwarz 1978; Sclove 1987)."""
    return (
        -2.0 * logl + 2.0 * npar,
        -2.0 * logl + npar * float(np.log(nobs)),
        -2.0 * logl + npar * float(np.log((nobs + 2.0) / 24.0)),
    )


def residual_summaries(
    cov: FloatArray, sigma: FloatArray, mean: FloatArray | None, mu: FloatArray | None,
    slopes: FloatArray | None = None, slopes_hat: FloatArray | None = None, x_sd: FloatArray | None = None,
) -> dict[str, tuple[float, float]]:
    """Mean squared residuals of one group: ``(with means, without)`` of each kind.

    - ``rmr``: raw differences;
    - ``bentler``: divided by the sample standard deviations (SRMR);
    - ``bollen``: differences of correlations, diagonal left out (CRMR);
    - ``mplus``: differences of correlations with relative differences of variances.

    Given covariates, ``cov`` and ``mean`` are residual covariances and intercepts, and slopes count too (with the
    standard deviations of the covariates), except in ``mplus``.
    This is what lavaan 0.7 reports; lavaan 0.6-14 leaves the slopes out of sums and counts alike.

    References
    ----------
    Joreskog & Sorbom (1981); Bentler (1995), EQS manual; Bollen (1989), p. 258; Asparouhov & Muthen (2018).
    """
    p = cov.shape[0]
    s, i = np.sqrt(np.diagonal(cov)), np.sqrt(np.abs(np.diagonal(sigma)))
    raw = cov - sigma
    bentler = raw / (s[:, None] * s)
    bollen = cov / (s[:, None] * s) - sigma / (i[:, None] * i)
    on_diagonal = _squares(np.diagonal(bentler))
    below = 0.5 * (_squares(bollen) - _squares(np.diagonal(bollen)))  # the matrices are symmetric
    sums = {
        "rmr": (0.5 * (_squares(raw) + _squares(np.diagonal(raw))), p * (p + 1) / 2),
        "bentler": (0.5 * (_squares(bentler) + on_diagonal), p * (p + 1) / 2),
        "bollen": (below, p * (p - 1) / 2),
        "mplus": (below + on_diagonal, p * (p + 1) / 2),
    }
    gaps: dict[str, float] = dict.fromkeys(sums, 0.0)
    extra: dict[str, int] = dict.fromkeys(sums, 0)
    if mean is not None and mu is not None:
        relative = float(np.sum(((mean - mu) / s) ** 2))
        gaps = {"rmr": float(np.sum((mean - mu) ** 2)), "bentler": relative, "bollen": relative,
                "mplus": float(np.sum((mean / s - mu / i) ** 2))}
        for name in extra:
            extra[name] = p
    if slopes is not None and slopes_hat is not None and x_sd is not None:
        relative = float(np.sum(((slopes - slopes_hat) * x_sd / s[:, None]) ** 2))
        for name, value in (("rmr", float(np.sum((slopes - slopes_hat) ** 2))), ("bentler", relative),
                            ("bollen", relative)):
            gaps[name] += value
            extra[name] += int(slopes.size)
    return {
        name: ((total + gaps[name]) / max(count + extra[name], 1), total / max(count, 1))
        for name, (total, count) in sums.items()
    }


def _squares(values: FloatArray) -> float:
    return float(np.sum(values * values))


def gfi_lisrel_sums(
    cov: FloatArray, sigma_inv: FloatArray, mean: FloatArray | None, mu: FloatArray | None, fixed: tuple[int, ...] = ()
) -> tuple[float, float]:
    """``e'V e`` and ``s'V s`` with normal-theory weights at the implied moments (Joreskog & Sorbom 1981).

    Moments among fixed covariates are left out of ``s``.
    """
    gap = sigma_inv @ cov - np.eye(cov.shape[0])
    free = cov.copy()
    free[np.ix_(fixed, fixed)] = 0.0
    ws = sigma_inv @ free
    top, bottom = 0.5 * float(np.sum(gap * gap.T)), 0.5 * float(np.sum(ws * ws.T))
    if mean is not None and mu is not None:
        level = mean.copy()
        level[list(fixed)] = 0.0
        top += float((mean - mu) @ sigma_inv @ (mean - mu))
        bottom += float(level @ sigma_inv @ level)
    return top, bottom


def gfi_lisrel_conditional(
    observed: tuple[FloatArray, FloatArray, FloatArray], implied: tuple[FloatArray, FloatArray, FloatArray],
    x_cov: FloatArray, x_mean: FloatArray,
) -> tuple[float, float]:
    """The same given covariates: residual covariances, and coefficients weighted by ``Omega^-1 x E(1 x)(1 x)'``.

    Parameters
    ----------
    observed, implied : tuple of residual covariances (p, p), slopes (p, k), intercepts (p,)
    """
    w = np.linalg.inv(implied[0])
    k = len(x_mean)
    second = np.empty((k + 1, k + 1))
    second[0, 0], second[0, 1:], second[1:, 0] = 1.0, x_mean, x_mean
    second[1:, 1:] = x_cov + np.outer(x_mean, x_mean)
    have = np.column_stack([observed[2], observed[1]])
    gap = have - np.column_stack([implied[2], implied[1]])
    ws, we = w @ observed[0], w @ (observed[0] - implied[0])
    top = 0.5 * float(np.sum(we * we.T)) + float(np.sum((w @ gap @ second) * gap))
    bottom = 0.5 * float(np.sum(ws * ws.T)) + float(np.sum((w @ have @ second) * have))
    return top, bottom
