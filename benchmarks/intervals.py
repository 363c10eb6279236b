"""Populations for the coverage of intervals and the level of tests.

The data are a function of :data:`SEED`; ``coverage.R`` reads the same numbers from binary files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

FloatArray = NDArray[np.float64]
SEED = 20261122
REPLICATIONS = 1000
MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f"
COLUMNS = ("x1", "x2", "x3", "x4", "x5", "x6")
LOADING = np.array([0.8, 0.7, 0.6, 0.8, 0.7, 0.6])
SLOPE = 0.5
# shares of the five categories
SHARES = np.array([0.46, 0.26, 0.14, 0.09, 0.05])


@dataclass(frozen=True)
class Condition:
    """One study: how data arise, how many respondents, which options the fit gets."""

    name: str
    kind: str
    nobs: int
    estimator: str
    missing: str = "listwise"
    ordered: bool = False


CONDITIONS = (
    Condition("ML, normal data", "normal", 200, "ml"),
    Condition("ML, skewed data", "skewed", 300, "ml"),
    Condition("MLR, skewed data", "skewed", 300, "mlr"),
    Condition("FIML, 20 % missing at random", "missing", 300, "ml", missing="fiml"),
    Condition("WLSMV, five skewed categories", "ordinal200", 200, "wlsmv", ordered=True),
    Condition("WLSMV, five skewed categories", "ordinal500", 500, "wlsmv", ordered=True),
)
KINDS = tuple(dict.fromkeys(c.kind for c in CONDITIONS))


def truth() -> dict[str, float]:
    """Population values of the free parameters, by ``lhs op rhs``."""
    marker = LOADING[[0, 3]]
    out = {}
    for j, name in enumerate("fg"):
        for k in range(1, 3):
            out[f"{name} =~ {COLUMNS[3 * j + k]}"] = LOADING[3 * j + k] / marker[j]
    out["g ~ f"] = SLOPE * marker[1] / marker[0]
    for k, column in enumerate(COLUMNS):
        out[f"{column} ~~ {column}"] = 1.0 - LOADING[k] ** 2
        out[f"{column} ~1 "] = 0.0
    out["f ~~ f"] = marker[0] ** 2
    out["g ~~ g"] = marker[1] ** 2 * (1.0 - SLOPE**2)
    for column in COLUMNS:
        for t, cut in enumerate(cuts(), start=1):
            out[f"{column} | t{t}"] = float(cut)
    return out


def cuts() -> FloatArray:
    """Thresholds of the five categories."""
    return np.asarray(ndtri(np.cumsum(SHARES)[:-1]))


def samples(kind: str) -> FloatArray:
    """All data sets ``(REPLICATIONS, n, 6)``; NaN where missing.

    Skewed: factors and errors are centred chi-square with 3 degrees of freedom, and every respondent's answers are
    multiplied by one random number with mean square 1; covariances stay what they were, kurtosis does not.
    Missing: ``x2 x3 x5 x6`` are missing for three in ten, more often the higher ``x1`` (for ``x2 x3``) and ``x4``.
    """
    nobs = next(c.nobs for c in CONDITIONS if c.kind == kind)
    rng = np.random.default_rng([SEED, KINDS.index(kind)])

    def draw(*shape: int) -> FloatArray:
        if kind == "skewed":
            return np.asarray((rng.chisquare(3, shape) - 3.0) / np.sqrt(6.0))
        return rng.standard_normal(shape)

    f = draw(REPLICATIONS, nobs, 1)
    g = SLOPE * f + np.sqrt(1.0 - SLOPE**2) * draw(REPLICATIONS, nobs, 1)
    eta = np.concatenate([np.repeat(f, 3, axis=2), np.repeat(g, 3, axis=2)], axis=2)
    data = LOADING * eta + np.sqrt(1.0 - LOADING**2) * draw(REPLICATIONS, nobs, 6)
    if kind == "skewed":
        spread = 0.35
        data *= np.exp(spread * rng.standard_normal((REPLICATIONS, nobs, 1)) - spread**2)
    if kind == "missing":
        chance = rng.uniform(size=(REPLICATIONS, nobs, 6))
        for seen, columns in ((0, (1, 2)), (3, (4, 5))):
            share = 1.0 / (1.0 + np.exp(1.05 - 1.2 * data[:, :, seen]))
            for k in columns:
                data[:, :, k] = np.where(chance[:, :, k] < share, np.nan, data[:, :, k])
    if kind.startswith("ordinal"):
        data = 1.0 + np.searchsorted(cuts(), data).astype(np.float64)
    return np.asarray(data)
