"""Residuals over their errors: against what weighting a respondent does to them, against lavaan, and identities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk

TESTS = Path(__file__).parents[1]
PEER = json.loads((TESTS / "golden/residual_errors.json").read_text(encoding="utf-8"))
WHOLE = pd.read_csv(TESTS / "reference/data/HolzingerSwineford1939.csv")
GAPS = pd.read_csv(TESTS / "reference/data/HS_missing10.csv")
CFA = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
MIMIC = CFA + "\ntextual ~ visual + ageyr\nspeed ~ visual + ageyr\nvisual ~ agemo"
TWO = "f =~ a + b + c\ng =~ d + e + h"
FIML = {"missing": "fiml"}


def simulated(n: int, gaps: bool) -> pd.DataFrame:
    """Heavy tails; with ``gaps`` b, c and e are missing the more often the larger a and d are."""
    rng = np.random.default_rng(20)
    latent = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]], n)
    y = np.hstack([latent[:, [0]] * [1.0, 0.8, 0.9], latent[:, [1]] * [1.0, 0.8, 0.9]]) + 0.7 * rng.normal(size=(n, 6))
    y /= np.sqrt(rng.chisquare(7, n) / 5.0)[:, None]
    if gaps:
        for column, cause in ((1, 0), (2, 0), (4, 3)):
            y[rng.random(n) < 0.6 / (1.0 + np.exp(1.0 - 1.2 * y[:, cause])), column] = np.nan
    frame = pd.DataFrame(y, columns=list("abcdeh"))
    return frame.assign(w=rng.uniform(0.5, 2.0, n), who=np.where(np.arange(n) % 3, "one", "two"))


@pytest.mark.parametrize(("options", "base"), [
    ({}, "one"), (FIML, "one"), (FIML, "w"), ({"group": "who", "group_equal": "loadings"}, "one"),
    (FIML | {"group": "who", "group_equal": "loadings"}, "w"),
])
def test_errors_of_residuals_are_those_of_an_infinitesimal_jackknife(options: dict[str, Any], base: str) -> None:
    """Each respondent in turn weighs a thousandth more: influence without a score or an information matrix."""
    frame, step = simulated(100, "missing" in options).assign(one=1.0), 1e-3
    design = sk.Design(weights=base) if base == "w" else None
    fit = sk.cfa(TWO, frame, estimator="mlr", design=design, **options)

    def residuals(weights: np.ndarray) -> np.ndarray:
        one = sk.cfa(TWO, frame.assign(v=weights), estimator="mlr", design=sk.Design(weights="v"), **options)
        return np.stack([one.residuals("raw", group=g).to_numpy() for g in range(one.table.n_groups)])

    own = frame[base].to_numpy()
    whole = residuals(own)
    moved = np.stack([residuals(own * (1.0 + step * (np.arange(len(own)) == i))) for i in range(len(own))])
    wanted = np.sqrt(np.sum(((moved - whole) / step) ** 2, axis=0))
    off = ~np.eye(6, dtype=bool)
    for g in range(len(whole)):
        found = (fit.residuals("raw", group=g) / fit.residuals("standardized", group=g)).to_numpy()
        np.testing.assert_allclose(found[off], wanted[g][off], rtol=3e-3)


@pytest.mark.parametrize(("name", "model", "frame", "options"), [
    ("mimic", MIMIC, WHOLE, {}), ("mimic_means", MIMIC, WHOLE, {"meanstructure": True}),
    ("mimic_mlm", MIMIC, WHOLE, {"estimator": "mlm"}), ("gaps", CFA, GAPS, FIML),
    ("gaps_expected", CFA, GAPS, FIML | {"information": "expected"}),
    ("gaps_mlr", CFA, GAPS, FIML | {"estimator": "mlr"}), ("gaps_mimic", MIMIC, GAPS, FIML),
])
def test_residuals_over_their_errors_are_lavaans(
    name: str, model: str, frame: pd.DataFrame, options: dict[str, Any]
) -> None:
    fit = sk.sem(model, frame, **options)
    for type in ("normalized", "standardized"):
        if (name, type) == ("gaps_mlr", "standardized"):
            continue  # lavaan takes another sandwich, see docs/after-the-fit.md and the jackknife above
        found = fit.residuals(type).to_numpy()
        rows, cols = np.triu_indices(len(found))  # R's lower triangle, column by column
        wanted = np.array([np.nan if value is None else value for value in PEER[name][type]])
        keep = np.isfinite(wanted) & (np.abs(wanted) > 1e-5)
        assert keep.sum() > 0.8 * len(wanted)
        np.testing.assert_allclose(found[cols, rows][keep], wanted[keep], rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("options", [{"information": "expected"}, {"estimator": "mlr"}])
@pytest.mark.parametrize("type", ["normalized", "standardized"])
def test_full_information_without_gaps_is_the_complete_fit(options: dict[str, Any], type: str) -> None:
    frame = simulated(200, False)
    off = ~np.eye(6, dtype=bool)
    found, wanted = (sk.cfa(TWO, frame, missing=missing, meanstructure=True, **options).residuals(type).to_numpy()[off]
                     for missing in ("fiml", "listwise"))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [
    {"estimator": "gls"}, {"estimator": "uls"}, {"estimator": "wls"}, {"estimator": "mlr"}, {"estimator": "mlm"},
    {"likelihood": "wishart"}, FIML | {"estimator": "mlr"},
])
def test_groups_that_share_nothing_are_as_alone(options: dict[str, Any]) -> None:
    """Errors, residuals and indices; lavaan 0.6-14 mixes group sizes under least squares and Wishart likelihood."""
    frame = simulated(300, False)
    both = sk.cfa(TWO, frame, group="who", meanstructure=True, **options)
    indices = both.modification_indices().set_index(["group", "lhs", "op", "rhs"])["mi"]
    for g, name in enumerate(both.table.groups):
        one = sk.cfa(TWO, frame[frame["who"] == name], meanstructure=True, **options)
        own = both.estimates[both.estimates["group"] == name]
        np.testing.assert_allclose(own["se"], one.estimates["se"], rtol=1e-5)
        found = one.modification_indices().set_index(["lhs", "op", "rhs"])["mi"].dropna()
        np.testing.assert_allclose(indices.loc[name].loc[found.index], found, rtol=1e-4, atol=1e-6)
        for type in ("normalized", "standardized"):
            wanted, seen = one.residuals(type).to_numpy(), both.residuals(type, group=g).to_numpy()
            keep = np.isfinite(wanted) & (np.abs(wanted) > 1e-3)
            np.testing.assert_allclose(seen[keep], wanted[keep], rtol=1e-4)
