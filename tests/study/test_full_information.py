"""``missing = "fiml"`` of a study's model: who is used, what the gates see, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import semkit as sk
from tests.study import small

FIML = small.STUDY.replace("[models.M]\n", '[models.M]\nmissing = "fiml"\n')


def with_gaps(rows: list[dict[str, object]], seed: int = 4) -> list[dict[str, object]]:
    """A tenth of the answers to items, and one age, are missing."""
    rng = np.random.default_rng(seed)
    out: list[dict[str, object]] = []
    for i, row in enumerate(rows):
        out.append({name: "" if (name != "age" and rng.random() < 0.1) or (name == "age" and i == 0) else value
                    for name, value in row.items()})
    return out


def analysed(folder: Path, study: str, rows: list[dict[str, object]]) -> Any:
    result = sk.run(small.make(folder, study=study, rows=rows), folder / "out")
    assert result.analysis is not None
    return result.analysis


def test_who_answered_anything_is_used(tmp_path: Path) -> None:
    rows = with_gaps(small.answers(n=500, slope=0.4))
    listwise = analysed(tmp_path / "a", small.STUDY, rows)
    full = analysed(tmp_path / "b", FIML, rows)
    assert listwise.runs["M"].fit.nobs < 300
    run = full.runs["M"]
    frame = full.frame[[f"{code}_{k}" for code in "xy" for k in (1, 2, 3)] + ["age"]]
    usable = int((frame["age"].notna() & frame.drop(columns="age").notna().any(axis=1)).sum())
    assert run.fit.nobs == run.nobs == usable > 400 and usable == len(frame) - 1  # one respondent has no age
    assert "sample.full-information" in {note.code for note in run.fit.notes}
    errors = [float(a.runs["M"].fit.estimates.set_index("label").loc["b", "se"]) for a in (listwise, full)]
    assert errors[1] < errors[0]
    assert [check.passed for check in full.gates["M"]] and all(check.passed for check in full.gates["M"])
    report = (tmp_path / "b" / "out" / "report.html").read_text(encoding="utf-8")
    assert "by full information (Arbuckle, 1996)" in report and "Arbuckle, J. L." in report
    assert "Arbuckle" not in (tmp_path / "a" / "out" / "report.html").read_text(encoding="utf-8")
    assert full.verdicts["H-1"].verdict == "supported" and full.verdicts["H-1"].nobs == usable


def test_the_gates_see_what_complete_answers_say(tmp_path: Path) -> None:
    rows = small.answers(n=500, slope=0.4)
    one, two = analysed(tmp_path / "a", small.STUDY, rows), analysed(tmp_path / "b", FIML, rows)
    first, second = one.runs["M"].measurement, two.runs["M"].measurement
    assert second.htmt == pytest.approx(first.htmt, rel=1e-6)
    assert second.omega == pytest.approx(first.omega, rel=1e-5)


def test_composites_do_not_go_with_it(tmp_path: Path) -> None:
    scores = "".join(f'[scores.{c}1]\nitems = ["{c}_1", "{c}_2", "{c}_3"]\n' for c in "xy")
    composite = '[composites.c]\nparts = ["x1", "y1"]\n[models.M]'
    study = FIML.replace("[models.M]", scores + composite).replace("y ~ b*x + X", "x ~ b*c")
    with pytest.raises(sk.SemkitError) as caught:
        sk.run(small.make(tmp_path, study=study, rows=small.answers(n=50)), tmp_path / "out")
    assert "study.fiml-with-composites" in {problem.code for problem in caught.value.problems}
