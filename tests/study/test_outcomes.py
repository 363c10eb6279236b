"""Every outcome and reason, each reached once through ``semkit run`` on a small data file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from semkit.cli import main
from tests.study import small

Rows = list[dict[str, object]]


def shared_method(n: int) -> Rows:
    """Two items of different constructs are nearly the same answer: the factor model cannot hold."""
    rows = small.answers(n=n, slope=0.4)
    for i, row in enumerate(rows):
        if i % 10 < 7:
            row["y_3"] = row["x_3"]
    return rows


def constant_item(n: int) -> Rows:
    return [{**row, "x_1": 3} for row in small.answers(n=n)]


def rare_answer(n: int) -> Rows:
    """x is reliable, but nearly everybody gives the same answer."""
    rng = np.random.default_rng(3)
    rows = small.answers(n=n)
    for row in rows:
        rare = rng.random() < 0.05
        for name in ("x_1", "x_2", "x_3"):
            row[name] = 4 if rare != (rng.random() < 0.004) else 3
    return rows


CASES: dict[str, tuple[Callable[[], Rows], float, str, str, str]] = {
    "supported": (lambda: small.answers(n=400, slope=0.4), 0.10, "supported", "effect", ""),
    "opposite": (lambda: small.answers(n=400, slope=-0.4), 0.10, "contradicted", "opposite", ""),
    "negligible": (lambda: small.answers(n=3000, slope=0.0), 0.10, "contradicted", "negligible", ""),
    "imprecise": (lambda: small.answers(n=120, slope=0.05, seed=2), 0.10, "inconclusive", "imprecise", ""),
    "too small": (lambda: small.answers(n=3000, slope=0.12), 0.30, "inconclusive", "too_small", ""),
    "G7": (lambda: shared_method(600), 0.10, "inconclusive", "fit", "Gate G7"),
    "G1": (lambda: small.answers(n=99, slope=0.4), 0.10, "not_testable", "n", "Gate G1"),
    "G2": (lambda: constant_item(400), 0.10, "not_testable", "no_model", "Gate G2"),
    "G3": (lambda: small.answers(n=1500, slope=0.4, loading=0.45), 0.10, "not_testable", "reliability", "Gate G3"),
    "G4": (lambda: small.answers(n=600, slope=0.97), 0.10, "not_testable", "htmt", "Gate G4"),
    "G5": (lambda: rare_answer(1500), 0.10, "not_testable", "variation", "Gate G5"),
}


@pytest.mark.parametrize("name", CASES)
def test_outcome(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, delta, verdict, reason, detail = CASES[name]
    study = small.STUDY.replace("delta = 0.10", f"delta = {delta}") + "\n[output]\nfigures = false\n"
    # all of them answer fast and alike on purpose: nobody is to be excluded here
    study += "\n[cleaning]\nexclude_careless = false\nduplicates = false\n"
    path = small.make(tmp_path / "study", study=study, rows=make())
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}

    assert main(["run", str(path)]) == 0

    with (path.parent / "results" / "verdicts.csv").open(encoding="utf-8", newline="") as stream:
        claim = next(row for row in csv.DictReader(stream) if row["kind"] == "claim")
    assert (claim["verdict"], claim["reason"]) == (verdict, reason), claim["detail"]
    assert detail in claim["detail"]
    association = "Association in cross-sectional self-reports, consistent with the claim; not proof of cause."
    assert claim["sentence"] == (association if verdict == "supported" else "")
    shown = capsys.readouterr().out
    assert f"H-1: {verdict} ({reason})" in shown and (association in shown) == (verdict == "supported")
    page = (path.parent / "results" / "report.html").read_text(encoding="utf-8")
    assert (association in page) == (verdict == "supported")
    assert {p.name: p.read_bytes() for p in path.parent.iterdir() if p.is_file()} == before
    manifest = json.loads((path.parent / "results" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["verdicts"][0]["verdict"] == verdict
