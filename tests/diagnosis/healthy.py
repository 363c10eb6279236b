"""200 fits with nothing wrong: models, sizes, groups, gaps and estimators in turn, data from the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

import semkit as sk

COUNT = 200


def factors(rng: np.random.Generator, n: int, k: int, items: int) -> pd.DataFrame:
    """``k`` factors that correlate about .4 with ``items`` indicators each; units differ by up to 10."""
    phi = np.full((k, k), 0.4) + 0.6 * np.eye(k)
    eta = rng.normal(size=(n, k)) @ np.linalg.cholesky(phi).T
    out = {}
    for j in range(k):
        for i in range(items):
            loading = rng.uniform(0.65, 0.85)
            unit = rng.choice([1.0, 1.0, 1.0, 5.0, 10.0])
            noise = np.sqrt(1.0 - loading**2) * rng.normal(size=n)
            out[f"x{j + 1}{i + 1}"] = rng.uniform(-2, 5) + unit * (loading * eta[:, j] + noise)
    return pd.DataFrame(out)


def measurement(k: int, items: int) -> str:
    return "\n".join(
        f"f{j} =~ " + " + ".join(f"x{j}{i}" for i in range(1, items + 1)) for j in range(1, k + 1)
    )


def one_factor(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    items = int(rng.integers(4, 8))
    return sk.cfa(measurement(1, items), factors(rng, n, 1, items), **options)


def two_factors(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    return sk.cfa(measurement(2, 3), factors(rng, n, 2, 3), **options)


def three_factors(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    return sk.cfa(measurement(3, 3), factors(rng, n, 3, 3), std_lv=True, **options)


def mediation(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    model = measurement(3, 3) + "\nf2 ~ a*f1\nf3 ~ b*f2 + c*f1\nind := a*b"
    return sk.sem(model, factors(rng, n, 3, 3), **options)


def paths(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    data = factors(rng, n, 4, 1)
    return sk.sem("x31 ~ x11 + x21\nx41 ~ x31 + x11", data, **options)


def covariates(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    data = factors(rng, n, 2, 3).assign(woman=rng.integers(0, 2, n), age=rng.integers(18, 65, n).astype(float))
    return sk.sem(measurement(2, 3) + "\nf2 ~ f1 + woman + age\nf1 ~ woman", data, **options)


def groups(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    data = factors(rng, 2 * n, 2, 3).assign(place=np.where(rng.uniform(size=2 * n) < 0.4, "Aruk", "Entikong"))
    equal = [(), ("loadings",), ("loadings", "intercepts")][int(rng.integers(3))]
    return sk.cfa(measurement(2, 3), data, group="place", group_equal=equal, **options)


def gaps(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    data = factors(rng, n, 2, 3)
    data = data.mask(rng.uniform(size=data.shape) < rng.uniform(0.02, 0.1))
    chosen = {"estimator": options["estimator"], "missing": "fiml" if rng.uniform() < 0.7 else "listwise"}
    return sk.cfa(measurement(2, 3), data, **chosen)


def ordinal(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    """Three categories, none of them rare."""
    z = factors(rng, max(n, 500), 2, 3)
    cuts = [[-0.5, 0.5], [-0.3, 0.6]][int(rng.integers(2))]
    data = ((z - z.mean()) / z.std()).apply(lambda column: np.searchsorted(cuts, column))
    return sk.cfa(measurement(2, 3), data, ordered=True, estimator=str(rng.choice(["wlsmv", "dwls", "ulsmv"])))


def clusters(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    """Places that matter, and weights: the errors know them."""
    village = rng.integers(0, 30, n)
    data = factors(rng, n, 2, 3).assign(village=village, weight=rng.uniform(0.5, 2.0, n))
    design = sk.Design(weights="weight", cluster="village")
    return sk.cfa(measurement(2, 3), data, design=design, nesting="village")


def least_squares(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    return sk.cfa(measurement(2, 3), factors(rng, n, 2, 3), estimator=str(rng.choice(["gls", "uls", "mlm", "mlmv"])))


def villages(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    """Places that make no difference."""
    data = factors(rng, n, 2, 3).assign(village=rng.integers(0, int(rng.integers(8, 40)), n))
    return sk.cfa(measurement(2, 3), data, nesting="village", **options)


def growth(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    start, slope = rng.normal(5.0, 1.0, n), rng.normal(0.5, 0.5, n)
    data = pd.DataFrame({f"t{k}": start + k * slope + rng.normal(0.0, 0.6, n) for k in range(5)})
    return sk.growth("i =~ 1*t0 + 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t0 + 1*t1 + 2*t2 + 3*t3 + 4*t4", data, **options)


def moderation(rng: np.random.Generator, n: int, options: dict[str, Any]) -> sk.Fit:
    n = max(n, 600)
    data = factors(rng, n, 2, 3)
    z = (data - data.mean()) / data.std()
    y = 0.3 * z["x11"] + 0.2 * z["x21"] + 0.15 * z["x11"] * z["x21"] + rng.normal(size=n)
    for i in range(1, 4):
        data[f"y{i}"] = 0.8 * y + 0.6 * rng.normal(size=n)
    return sk.sem(measurement(2, 3) + "\ng =~ y1 + y2 + y3\ng ~ f1 + f2 + f1:f2", data, **options)


KINDS: tuple[Callable[[np.random.Generator, int, dict[str, Any]], sk.Fit], ...] = (
    one_factor, two_factors, three_factors, mediation, paths, covariates, groups, gaps, villages, growth, moderation,
    ordinal, clusters, least_squares,
)


def healthy_fits() -> Iterator[tuple[str, sk.Fit]]:
    """The fits with a name each; every one from a seed of its own."""
    for k in range(COUNT):
        rng = np.random.default_rng([20261123, k])
        make = KINDS[k % len(KINDS)]
        options = {"estimator": ["ml", "mlr"][int(rng.integers(2))]}
        yield f"{make.__name__} {k}", make(rng, int(rng.integers(150, 600)), options)
