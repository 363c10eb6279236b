"""The border study and its twin without the interaction, through the real pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from semkit.study import read_study
from semkit.study.analysis import Analysis, analyse
from semkit.study.running import clean_study

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module", params=["border_collaboration", "border_nointeraction"])
def border(request: pytest.FixtureRequest) -> tuple[str, Analysis]:
    study = read_study(EXAMPLES / request.param / "study.toml")
    frame = clean_study(study).frame
    return request.param, analyse(study, frame, models=["S0-M1", "S0-M2"], most_draws=600)


def test_the_interaction_is_found_where_it_was_planted_and_only_there(border: tuple[str, Analysis]) -> None:
    name, analysis = border
    verdict = analysis.verdicts["H-B2"]
    if name == "border_collaboration":
        assert (verdict.verdict, verdict.reason) == ("supported", "effect")
    else:
        assert verdict.verdict != "supported"


def test_the_total_effect_of_the_network(border: tuple[str, Analysis]) -> None:
    name, analysis = border
    total = analysis.verdicts["H-B1"].parts[0]
    assert total.part.id == "H-B1.0" and total.evidence is not None
    if name == "border_collaboration":
        assert total.verdict == "supported"


def test_what_the_models_are(border: tuple[str, Analysis]) -> None:
    _, analysis = border
    text = analysis.runs["S0-M2"].expansion.text
    assert "mperf ~ b1*collab + b2*govt + b3*collab:govt + size_small + size_medium + ln_yrs_business" in text
    assert "collab:govt ~ size_small" in text and "collab ~~ govt + collab:govt" in text
    assert analysis.runs["S0-M2"].expansion.composites == ("govt",)
    assert all(check.passed for check in analysis.gates["S0-M2"])
    assert {check.gate for check in analysis.gates["S0-M2"]} == {"G1", "G2", "G3", "G4", "G5", "G7"}
    firms = analysis.frame["no_partner"]
    assert not analysis.runs["S0-M2"].rows[firms.to_numpy() == 1].any(), "firms without partners have no network"
