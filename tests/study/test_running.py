"""A study as a whole: stages, checks, failures that take nothing else away, results that come out again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import semkit as sk
from semkit.cli import main
from semkit.errors import FileError
from tests.study import small

MODERATED = (
    small.STUDY.replace("measure x y\ny ~ b*x + X", "measure x w y\ny ~ b*x + d*w + m*x:w + X")
    .replace("[models.M]\n", "[models.M]\nbootstrap = 300\n")
    .replace('parts = [{ id = "H-1.0", model = "M", parameter = "b", direction = "+", delta = 0.10 }]', """
parts = [
  { id = "H-1.0", model = "M", parameter = "m", delta = 0.05 },
  { id = "H-1.1", model = "M", parameter = "b", primary = false },
  { id = "H-1.2", model = "M", parameter = "b + m", delta = 0.10, primary = false },
]
lines = [{ id = "H-1.all", rule = "R-ALL", parts = ["H-1.0", "H-1.1"], text = "both" }]
""")
    + """
[scores]
m_x = { construct = "x" }
m_w = { construct = "w" }
m_y = { construct = "y" }

[[probes]]
model = "M"
focal = "x"
moderator = "w"

[[checks]]
id = "RC3"
kind = "regression"
claim = "H-1"
outcome = "m_y"
focal = "m_x"
moderator = "m_w"
covariates = ["X"]

[[checks]]
id = "RC7"
kind = "all_in"
claim = "H-1"
bootstrap = 200

[output]
figures = false
"""
)  # fmt: skip


@pytest.fixture(scope="module")
def moderated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, sk.study.StudyResult]:
    path = small.make(
        tmp_path_factory.mktemp("moderated") / "study", study=MODERATED, codes="xwy", n=800, slope=0.3, moderation=0.3
    )
    return path, sk.run(path)


def test_a_moderated_claim_with_lines_checks_and_probes(moderated: tuple[Path, sk.study.StudyResult]) -> None:
    path, result = moderated
    item = result.verdicts["H-1"]
    assert item.verdict == "supported" and item.robustness == "robust"
    product, path_part, function = item.parts
    assert product.evidence is not None and product.evidence.method == "percentile"
    assert product.evidence.estimate == pytest.approx(0.3, abs=0.12)
    # a single path without a product has its robust standard error although the model has draws
    assert path_part.evidence is not None and path_part.evidence.method == "normal"
    assert function.evidence is not None and function.evidence.method == "percentile"
    assert item.lines[0].verdict == "supported" and item.lines[0].line.text == "both"
    assert [check.id for check in item.checks] == ["RC3", "RC7"]
    regression = item.checks[0].evidence
    assert regression is not None and regression.method == "t" and 0.5 < regression.attenuation < 0.9
    assert regression.estimate < product.evidence.estimate  # measurement error shrinks it
    assert list(result.probes) == ["M x:w"]
    assert (path.parent / "results" / "probes" / "M_x_x_w_slopes.csv").is_file()


def test_the_manifest_holds_every_number_a_verdict_rests_on(moderated: tuple[Path, sk.study.StudyResult]) -> None:
    path, result = moderated
    folder = path.parent / "results"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    part = manifest["verdicts"][0]["parts"][0]
    assert part["evidence"]["estimate"] == result.verdicts["H-1"].parts[0].evidence.estimate  # type: ignore[union-attr]
    assert manifest["models"]["M"]["bootstrap"]["draws_requested"] == 300
    assert "x =~ x_1 + x_2 + x_3" in manifest["models"]["M"]["text"]
    assert {row["kind"] for row in manifest["inputs"]} == {"study", "responses", "instrument"}
    from semkit.writing import hash_file

    assert manifest["inputs"][0]["sha256"] == hash_file(path)
    assert all(hash_file(folder / name) == digest for name, digest in manifest["files"].items())
    written = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert written == {*manifest["files"], "manifest.json"}


def test_a_run_comes_out_again(moderated: tuple[Path, sk.study.StudyResult], tmp_path: Path) -> None:
    path, _ = moderated
    again = sk.run(path, output=tmp_path / "again")
    assert small.fingerprint(again.folder) == small.fingerprint(path.parent / "results")


def test_another_seed_changes_draws_and_nothing_else(
    moderated: tuple[Path, sk.study.StudyResult], tmp_path: Path
) -> None:
    path, first = moderated
    other = path.parent / "other.toml"
    other.write_text(path.read_text(encoding="utf-8").replace("seed = 7", "seed = 8"), encoding="utf-8")
    second = sk.run(other, output=tmp_path / "other")
    one, two = (r.verdicts["H-1"].parts[0].evidence for r in (first, second))
    assert one is not None and two is not None
    assert one.estimate == two.estimate and one.ci_lower != two.ci_lower
    other.unlink()


def test_a_model_that_fails_takes_only_its_claims(tmp_path: Path) -> None:
    study = (
        small.STUDY
        + """
[models.BAD]
text = \"\"\"
measure x y z
y ~ b*x + k*z
\"\"\"

[[claims]]
id = "H-2"
rule = "R-PATH"
statement = { en = "z raises y." }
parts = [{ id = "H-2.0", model = "BAD", parameter = "k" }]

[output]
figures = false
"""
    )
    rows = [{**row, "z_2": row["z_1"], "z_3": row["z_1"]} for row in small.answers(n=400, codes="xyz")]
    result = sk.run(small.make(tmp_path / "study", study=study, codes="xyz", rows=rows))
    assert result.verdicts["H-1"].verdict == "supported"
    failed = result.verdicts["H-2"]
    assert (failed.verdict, failed.reason) == ("not_testable", "no_model")
    assert "BAD" not in result.fits and result.verdicts["H-1"].p_holm == result.verdicts["H-1"].pvalue
    page = result.report.read_text(encoding="utf-8")
    assert "H-2" in page and "not testable" in page.lower()


def test_a_claim_of_two_parts_and_a_failed_model_check(tmp_path: Path) -> None:
    study = (
        small.STUDY.replace("measure x y\ny ~ b*x + X", "measure x y z\ny ~ b*x + X\nz ~ k*x + X")
        .replace('"R-PATH"', '"R-ALL"')
        .replace("delta = 0.10 }]", 'delta = 0.10 }, { id = "H-1.1", model = "M", parameter = "k" }]')
    )
    result = sk.run(small.make(tmp_path / "study", study=study, codes="xyz", n=500))
    item = result.verdicts["H-1"]
    assert item.verdict != "supported" and item.parts[0].verdict == "supported"
    assert item.pvalue == max(part.evidence.pvalue for part in item.parts if part.evidence)


def test_strangers_text_stays_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    study = small.STUDY.replace("A small study", evil).replace("x raises y.", "=HYPERLINK(1) " + evil)
    rows = [{**row, "note": "=cmd|' /C calc'!A0"} for row in small.answers(n=300)]
    study = study.replace('file = "answers.csv"', 'file = "answers.csv"\nset_aside = ["note"]')
    result = sk.run(small.make(tmp_path / "study", study=study + "\n[output]\nfigures = false\n", rows=rows))
    page = result.report.read_text(encoding="utf-8")
    assert "<script" not in page and "<img src=x" not in page and "&lt;script&gt;" in page
    for path in result.folder.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        assert not [cell for cell in cells if cell[:1] in ("=", "@", "+")], path


def test_results_never_replace_a_strangers_folder(tmp_path: Path) -> None:
    path = small.make(tmp_path / "study", n=150)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.docx").write_bytes(b"years of work")
    before = small.fingerprint(tmp_path)
    with pytest.raises(FileError) as caught:
        sk.run(path, output=mine)
    assert caught.value.code == "study.output-occupied"
    with pytest.raises(FileError):
        sk.run(path, output=mine / "thesis.docx")
    assert small.fingerprint(tmp_path) == before


def test_a_failure_while_writing_leaves_the_old_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small.make(tmp_path / "study", study=small.STUDY + "\n[output]\nfigures = false\n", n=200)
    sk.run(path)
    before = small.fingerprint(tmp_path)

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("semkit.study.content.write_report", fail)
    with pytest.raises(RuntimeError):
        sk.run(path)
    assert small.fingerprint(tmp_path) == before


def test_constant_controls_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [{**row, "age": 40} for row in small.answers(n=300)]
    result = sk.run(small.make(tmp_path / "study", study=small.STUDY + "\n[output]\nfigures = false\n", rows=rows))
    assert result.verdicts["H-1"].verdict == "supported"
    dropped = [note for _, note in result.notes if note.code == "study.control-dropped"]
    assert dropped and "age_log1p" in dropped[0].what
    assert "age" not in result.analysis.runs["M"].expansion.text


def test_data_that_cannot_answer_exit_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{**row, "x_1": "perhaps"} for row in small.answers(n=50)]
    path = small.make(tmp_path / "study", rows=rows)
    before = small.fingerprint(tmp_path)
    assert main(["run", str(path)]) == 1
    shown = capsys.readouterr().err
    assert "[responses." in shown and "x_1" in shown and "Traceback" not in shown
    assert small.fingerprint(tmp_path) == before


def test_seeds_of_models_do_not_depend_on_later_models(tmp_path: Path) -> None:
    from semkit.study import read_study
    from semkit.study.analysis import model_seed

    one = read_study(small.make(tmp_path / "a", n=20))
    more = small.STUDY.replace("[[claims]]", '[models.N]\ntext = "y_1 ~ x_1"\n\n[[claims]]', 1)
    two = read_study(small.make(tmp_path / "b", study=more, n=20))
    assert model_seed(one, "M") == model_seed(two, "M") != model_seed(two, "N")


def test_reliabilities_that_attenuate(tmp_path: Path) -> None:
    from semkit.study import read_study
    from semkit.study.analysis import prepare
    from semkit.study.robustness import attenuation

    text = (
        small.STUDY
        + '\n[scores]\nm_x = { construct = "x" }\nm_y = { construct = "y" }\n[composites.c]\nparts = ["m_x", "m_y"]\n'
    )
    path = small.make(tmp_path / "s", study=text, n=4000)
    study = read_study(path)
    data = sk.clean(sk.read_responses(path.parent / "answers.csv", study.instruments))
    frame = prepare(study, data.frame)[0]
    # three parallel items with loading .8: reliability 3 x .64 / (1 + 2 x .64) = .842, less what rounding adds
    assert attenuation(study, frame, ("m_x",)) ** 2 == pytest.approx(0.82, abs=0.03)
    assert attenuation(study, frame, ("m_x", "m_y")) == pytest.approx(
        np.prod([attenuation(study, frame, (name,)) for name in ("m_x", "m_y")])
    )
    assert np.isnan(attenuation(study, frame, ("age",)))
    assert 0.8 < attenuation(study, frame, ("c",)) < 1.0
