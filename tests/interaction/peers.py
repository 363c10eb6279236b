"""Peers' cases of latent interactions by likelihood methods, and how fits are compared with them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

REFERENCE = Path(__file__).parents[1] / "reference"


def case_of(name: str) -> dict[str, Any]:
    """A case by folder and name."""
    found: dict[str, Any] = json.loads((REFERENCE / "numbers" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def data_of(name: str) -> pd.DataFrame:
    """Data that may be copied, or (skipping the test when it is not there) data that may only be read in place."""
    own = REFERENCE / "data" / name
    if own.exists():
        return pd.read_csv(own)
    root = os.environ.get("SEMKIT_REFERENCE")
    if not root:
        pytest.skip(f"SEMKIT_REFERENCE is not set: {name} may not be copied")
    return pd.read_csv(Path(root) / "peer_data" / name)


def worst(fit: Any, case: dict[str, Any]) -> tuple[float, float]:
    """Largest difference of an estimate in the peer's standard errors, and of an error relative to the peer's."""
    groups = {label: k + 1 for k, label in enumerate(fit.table.groups)}
    ours: dict[tuple[str, str, str, int], Any] = {}
    for row in fit.estimates.itertuples():
        group = groups.get(row.group, 1)
        ours[row.lhs, row.op, row.rhs, group] = row
        if row.op == "~~":
            ours[row.rhs, row.op, row.lhs, group] = row
    estimate = error = 0.0
    count = 0
    for row in case["estimates"]:
        found = ours[row["lhs"], row["op"], row["rhs"], row["group"]]
        if row["std.error"] is None:
            assert found.est == row["est"], row
            continue
        count += 1
        estimate = max(estimate, abs(found.est - row["est"]) / row["std.error"])
        error = max(error, abs(found.se / row["std.error"] - 1.0))
    assert count == len(fit.table.free_names)
    return estimate, error
