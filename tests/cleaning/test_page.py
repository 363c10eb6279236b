"""The page about cleaning says what the code does: defaults, flags, rules, and the figures of the border file."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import semkit as sk
from semkit.cleaning.flags import FLAGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cleaning.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def border() -> sk.Cleaned:
    forms = [sk.load_instrument(n) for n in ("collaborative_network", "government_role", "marketing_performance")]
    return sk.clean(sk.read_responses(ROOT / "examples/border_collaboration/border_synthetic.csv", forms))


def test_every_setting_and_default_is_on_the_page() -> None:
    plan = sk.CleaningPlan()
    for entry in fields(plan):
        assert f"`{entry.name}`" in PAGE or f"{entry.name}=" in PAGE, entry.name
    for name in ("seconds_per_item", "run_minimum", "run_share", "max_missing", "reverse_gap", "mahalanobis_p",
                 "attention_fails"):  # fmt: skip
        assert f"`{name}` ({getattr(plan, name)})" in PAGE, name
    assert all(f"`{flag}`" in PAGE for flag in FLAGS)


def test_the_flow_on_the_page_is_the_flow_of_the_file(border: sk.Cleaned) -> None:
    for row in border.flow.itertuples():
        assert f"| {row.step} | {row.removed} | {row.remaining} |" in PAGE


def test_the_ledger_on_the_page_is_in_the_ledger(border: sk.Cleaned) -> None:
    shown = PAGE.split("## Ledger")[1].split("## Flow")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines() if line.startswith("| ")
    ]
    ledger = border.ledger.astype(object).where(border.ledger.notna(), "")
    written = {
        (str(one.respondent), one.rule, one.column, _text(one.value), _text(one.threshold), one.action)
        for one in ledger.itertuples()
    }
    assert len(rows) == 12
    for row in rows[1:]:
        assert tuple(row) in written, row


def test_what_the_rule_does_is_what_the_page_says(border: sk.Cleaned) -> None:
    from semkit.planning import damage

    planted = damage.draw_rows(len(border.states), 20260100)
    states = border.states.to_numpy()
    left = np.isin(states, ["careless", "analysed"])
    told = [(int((states[left & (planted.careless == kind)] == "careless").sum()),
             int((left & (planted.careless == kind)).sum())) for kind in range(4)]  # fmt: skip
    assert told == [(5, 602), (21, 21), (6, 14), (0, 8)]


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float | int | np.number) else str(value)
