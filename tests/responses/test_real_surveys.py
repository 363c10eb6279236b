"""Surveys of real people with an instrument file of their own."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

import semkit as sk
from semkit.cleaning.procedure import steps_agree

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "data"


def plain(path: Path) -> dict[str, list[str]]:
    """The file read by nothing but the csv module."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    return {name: [row[place] for row in rows[1:]] for place, name in enumerate(rows[0])}


@pytest.fixture
def reputation() -> Path:
    root = os.environ.get("SEMKIT_REFERENCE")
    if not root:
        pytest.skip("SEMKIT_REFERENCE is not set: corporate_reputation.csv is read in place only")
    return Path(root) / "real" / "corporate_reputation.csv"


def test_customers_with_declared_missing_code(reputation: Path) -> None:
    form = sk.load_instrument(DATA / "reputation.toml")
    with pytest.raises(sk.SemkitError) as caught:  # -99 is no point of the scale and nothing is guessed
        sk.read_responses(reputation, form)
    problem = next(one for one in caught.value.problems if "cusl_1" in one.where)
    assert problem.code == "responses.unknown-option" and "(-99)" in problem.what and "missing=" in problem.remedy
    answers = sk.read_responses(reputation, form, missing=[-99])
    raw = plain(reputation)
    assert answers.n == 344
    for name in ("cusl_1", "cusl_2", "cusl_3", "switch_1", "switch_4", "cusa"):
        wanted = [np.nan if text == "-99" else float(text) for text in raw[name]]
        np.testing.assert_array_equal(answers.coded[name], wanted)
    data = sk.clean(answers)
    assert steps_agree(data) == []
    gone = data.ledger[data.ledger["rule"] == "declared missing code"]
    assert len(gone) == sum(raw[name].count("-99") for name in [*(item.name for item in form.items), "cusa"])
    assert set(gone["value"]) == {"-99"}


def test_people_with_reverse_items_and_missing_answers() -> None:
    folder = ROOT / "examples" / "personality_survey"
    form = sk.load_instrument(folder / "instrument.toml")
    answers = sk.read_responses(folder / "bfi.csv", form, missing=["NA"])
    raw = plain(folder / "bfi.csv")
    data = sk.clean(answers)
    assert (answers.n, steps_agree(data)) == (2800, [])
    everyone = data.states.index
    kept = everyone.isin(data.frame.index)
    turned = {"A1", "C4", "C5", "E1", "E2", "O2", "O5"}
    for name in [item.name for item in form.scored_items]:
        given = np.array([np.nan if text == "NA" else float(text) for text in raw[name]])
        wanted = 7.0 - given if name in turned else given
        np.testing.assert_array_equal(data.frame[name], wanted[kept], err_msg=name)
    missing = np.array([[raw[item.name][row] == "NA" for item in form.scored_items] for row in range(2800)]).mean(
        axis=1
    )
    assert data.flags["flag_missing"].tolist() == (missing > 0.30).tolist()


def test_the_border_export_against_what_was_planted() -> None:
    from semkit.planning import damage

    forms = [sk.load_instrument(n) for n in ("collaborative_network", "government_role", "marketing_performance")]
    path = ROOT / "examples" / "border_collaboration" / "border_synthetic.csv"
    answers = sk.read_responses(path, forms)
    assert answers.synthetic and answers.platform == "kobo" and answers.problems == ()
    data = sk.clean(answers)
    planted = damage.draw_rows(answers.n, 20260100)
    states = data.states.to_numpy()
    np.testing.assert_array_equal(states == "duplicate", planted.duplicate)
    refused = (planted.screened > 0) & ~planted.duplicate
    np.testing.assert_array_equal(np.isin(states, ["no_consent", "screened_out"]), refused)
    left = np.isin(states, ["careless", "analysed"])
    honest = left & (planted.careless == 0)
    assert (states[honest] == "careless").mean() < 0.02
    straight = left & (planted.careless == 1)
    assert straight.any() and (states[straight] == "careless").all()
