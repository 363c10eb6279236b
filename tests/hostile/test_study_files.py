"""Broken and hostile study files through the command line.

Each case says what is wrong with a small good study; the command must name code, place, what is allowed and a remedy,
return its exit code without a traceback, and leave the folder as it was.
"""

# ruff: noqa: E501  (a table of cases reads better in long lines)

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from semkit.cli import main
from tests.study import small

Change = Callable[[Path], "list[str] | None"]


@dataclass(frozen=True)
class Case:
    kind: str
    name: str
    change: Change
    code: str
    place: str
    allowed: str
    remedy: str = ""
    exit_code: int = 2
    command: str = "check"


def put(old: str, new: str) -> Change:
    """Replace a piece of the study file's text."""

    def change(folder: Path) -> None:
        path = folder / "study.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text, old
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def add(text: str) -> Change:
    """Put text at the end of the study file."""

    def change(folder: Path) -> None:
        with (folder / "study.toml").open("a", encoding="utf-8") as stream:
            stream.write(text)

    return change


def content(data: bytes) -> Change:
    return lambda folder: (folder / "study.toml").write_bytes(data) and None


def study_bytes() -> bytes:
    return small.STUDY.encode()


def remove(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def cut(name: str, size: int) -> Change:
    def change(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:size])

    return change


def link(folder: Path) -> None:
    outside = folder.parent / "outside.csv"
    outside.write_text("x_1\n1\n", encoding="utf-8")
    (folder / "answers.csv").unlink()
    (folder / "answers.csv").symlink_to(outside)


def data(change: Callable[[bytes], bytes]) -> Change:
    """Run the study on damaged answers."""

    def damage(folder: Path) -> list[str]:
        path = folder / "answers.csv"
        path.write_bytes(change(path.read_bytes()))
        return ["run", str(folder / "study.toml")]

    return damage


SCORES = """
[scores]
m_a = { items = ["m_b"] }
m_b = { items = ["m_a"] }
"""
COMPOSITES = """
[scores]
m_x = { construct = "x" }
[composites.c]
parts = ["d"]
[composites.d]
parts = ["c"]
"""
TWO_PARTS = 'parts = [{ id = "H-1.0", model = "M", parameter = "b" }, { id = "H-1.1", model = "M", parameter = "b" }]'
PARTS = 'parts = [{ id = "H-1.0", model = "M", parameter = "b", direction = "+", delta = 0.10 }]'
CLAIM = '\n[[claims]]\nid = "H-1"\nrule = "R-PATH"\nstatement = { en = "again" }\nparts = [{ id = "H-2.0", model = "M", parameter = "b" }]\n'

CASES = [
    # --- missing
    Case("missing", "study file", lambda f: ["check", str(f / "stdy.toml")], "study.file-not-found", "stdy.toml",
         "study.toml", 'Did you mean "study.toml"'),
    Case("missing", "data file", remove("answers.csv"), "study.data-not-found", 'line 11, key "data", key "file"',
         "mini.toml", "Copy the export"),
    Case("missing", "instrument file", remove("mini.toml"), "instrument.file-not-found", 'instruments "mini.toml"',
         "path of a .toml file"),
    Case("missing", "section", put('[data]\nfile = "answers.csv"\n', ""), "study.missing-key", "study.toml", "data",
         'Add a line with "data = ..."'),
    Case("missing", "key of a claim", put('statement = { en = "x raises y." }\n', ""), "study.missing-key",
         'claims "H-1"', "statement"),
    Case("missing", "everything", content(b""), "study.missing-key", "study.toml", "schema_version"),
    # --- truncated
    Case("truncated", "study file", cut("study.toml", 380), "study.not-toml", "study.toml", "TOML", "bracket"),
    Case("truncated", "instrument file", cut("mini.toml", 700), "instrument.not-toml", 'instruments "mini.toml"', "TOML"),
    Case("truncated", "key without value", put("seed = 7", "seed ="), "study.not-toml", "line 4", "TOML"),
    # --- wrong type
    Case("wrong type", "seed as text", put("seed = 7", 'seed = "7"'), "study.wrong-type", 'line 4, key "seed"',
         "a whole number", "numbers"),
    Case("wrong type", "delta as text", put("delta = 0.10", 'delta = "big"'), "study.wrong-type",
         'parts "H-1.0", key "delta"', "number"),
    Case("wrong type", "list as text", put('instruments = ["mini.toml"]', 'instruments = "mini.toml"'),
         "study.wrong-type", 'key "instruments"', "a list"),
    Case("wrong type", "table as number", put('title = { en = "A small study" }', "title = 3"), "study.wrong-type",
         'key "title"', "a table"),
    Case("wrong type", "fraction of a draw", put('[models.M]\n', "[models.M]\nbootstrap = 1.5\n"), "study.wrong-type",
         'key "bootstrap"', "whole number"),
    # --- wrong encoding
    Case("wrong encoding", "Latin-1", content(small.STUDY.replace("x raises", "x ra\u00efses").encode("latin-1")),
         "study.not-utf8", "line 25", "UTF-8", "encoding UTF-8"),
    Case("wrong encoding", "UTF-16", content(small.STUDY.encode("utf-16")), "study.not-utf8", "line 1", "UTF-8"),
    Case("wrong encoding", "a workbook", content(b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xb7\xff"),
         "study.not-utf8", "study.toml", "UTF-8"),
    # --- duplicate
    Case("duplicate", "key", put("seed = 7", "seed = 7\nseed = 8"), "study.not-toml", "line 5", "no key"),
    Case("duplicate", "claim", add(CLAIM), "study.duplicate", 'claims "H-1", key "id"', "an id of its own"),
    Case("duplicate", "part", put(PARTS, TWO_PARTS.replace("H-1.1", "H-1.0")), "study.duplicate", 'parts "H-1.0"',
         "an id of its own"),
    Case("duplicate", "instrument", put('["mini.toml"]', '["mini.toml", "mini.toml"]'), "study.duplicate",
         'instruments "mini.toml"', "each instrument once"),
    Case("duplicate", "control", put('{ column = "age", transform = "log1p" }', '{ column = "age" }, { column = "age" }'),
         "study.duplicate", 'variables "age"', "each column once"),
    Case("duplicate", "score and set of controls", add('\n[scores]\nX = { construct = "x" }\n'), "study.duplicate",
         'key "X"', "a name of its own"),
    # --- unknown name
    Case("unknown name", "key", put("seed = 7", "sede = 7"), "study.unknown-key", 'line 4, key "sede"', "seed",
         'Did you mean "seed"'),
    Case("unknown name", "model", put('model = "M"', 'model = "N"'), "study.unknown-name", 'parts "H-1.0", key "model"',
         "M"),
    Case("unknown name", "label", put('parameter = "b"', 'parameter = "beta"'), "study.unknown-name", "H-1.0", "b"),
    Case("unknown name", "rule", put('"R-PATH"', '"R-PAHT"'), "study.unknown-rule", 'claims "H-1", key "rule"',
         "R-PATH, R-ALL", 'Did you mean "R-PATH"'),
    Case("unknown name", "construct", put("measure x y", "measure x yy"), "study.measure-unknown", "line 1", "x, y"),
    Case("unknown name", "variable", put("y ~ b*x + X", "y ~ b*x + X + agge"), "model.unknown-variable", 'key "text"',
         "age", 'Did you mean "age"'),
    Case("unknown name", "instrument", put('"mini.toml"', '"government_rol"'), "instrument.unknown-instrument",
         'instruments "government_rol"', "government_role", 'Did you mean "government_role"'),
    Case("unknown name", "item", add('\n[scores]\nm_x = { items = ["x_1", "x_7"] }\n'), "study.unknown-name",
         'items "x_7"', "x_1"),
    Case("unknown name", "command", lambda f: ["chekc", str(f / "study.toml")], "cli.unknown-command", "semkit", "check",
         'Did you mean "check"'),
    Case("unknown name", "template", lambda f: ["new", str(f / "new"), "--template", "border"], "study.unknown-template",
         "--template", "border_collaboration"),
    # --- cycle
    Case("cycle", "scores", add(SCORES), "study.cycle", 'key "m_a"', "scores of items", "items"),
    Case("cycle", "composites", add(COMPOSITES), "study.cycle", 'key "c"', "m_x", "Name scores"),
    Case("cycle", "definitions", put("y ~ b*x + X", "y ~ b*x + X\np := q + b\nq := p"), "model.definition-cycle",
         'key "text"', ""),
    # --- too large
    Case("too large", "study file", content(study_bytes() + b"\n#" + b"a" * 1_000_001), "study.file-too-large",
         "study.toml", "1,000,000 bytes"),
    Case("too large", "model text", put("measure x y", "measure x y\n# " + "a" * 60_000), "study.out-of-range",
         'key "text"', "50000 characters"),
    Case("too large", "draws", put("[models.M]\n", "[models.M]\nbootstrap = 1000000000\n"), "study.out-of-range",
         'key "bootstrap"', "at most 100000"),
    Case("too large", "brackets", content(b"a = " + b"[" * 100_000), "study.not-toml", "study.toml", "a few levels"),
    Case("too large", "seed", put("seed = 7", "seed = 99999999999999999999999"), "study.out-of-range", 'key "seed"',
         "at most"),
    # --- path escape
    Case("path escape", "data above", put('"answers.csv"', '"../answers.csv"'), "writing.path-outside", 'key "file"',
         "inside the study's folder", "Copy the file"),
    Case("path escape", "data absolute", put('"answers.csv"', '"/etc/passwd"'), "writing.path-outside", 'key "file"',
         "a relative path"),
    Case("path escape", "data on another disk", put('"answers.csv"', "'C:\\secret.csv'"), "writing.path-outside",
         'key "file"', "a relative path"),
    Case("path escape", "instrument above", put('"mini.toml"', '"../../mini.toml"'), "writing.path-outside",
         "instruments", "a relative path"),
    Case("path escape", "results above", add('\n[output]\nfolder = "../../results"\n'), "writing.path-outside",
         'key "folder"', "a relative path"),
    Case("path escape", "link that leads out", link, "writing.path-outside", 'key "file"', "a relative path"),
    Case("path escape", "null character", put('"answers.csv"', '"a\\u0000.csv"'), "writing.path-outside", 'key "file"',
         "a relative path"),
    # --- injection
    Case("injection", "code in a parameter", put('parameter = "b"', "parameter = \"__import__('os').system('id')\""),
         "model.expression", 'key "parameter"', ""),
    Case("injection", "code in a model", put("y ~ b*x + X", "y ~ exec(\"import os\")*x + X"), "model.syntax", 'key "text"',
         ""),
    Case("injection", "another engine's constraint", put("y ~ b*x + X", "y ~ b*x + X\nCONSTRAINT(exp(b) > 0)"),
         "model.", 'key "text"', ""),
    Case("injection", "formula as a column", put('column = "age"', "column = \"=cmd|' /C calc'!A0\""), "study.bad-name",
         'key "column"', "letters"),
    Case("injection", "terminal codes", put("seed = 7", 'seed = 7\n"\\u001b[2J\\u001b[31mevil" = 1'), "study.unknown-key",
         "study.toml", "seed"),
    Case("injection", "script as an id", put('id = "H-1"', 'id = "<script>alert(1)</script>"'), "study.bad-name", "claims",
         "letters"),
    # --- contradictory settings
    Case("contradiction", "construct and items", add('\n[scores]\nm_x = { construct = "x", items = ["x_1"] }\n'),
         "study.contradiction", 'key "m_x"', "one of construct, items"),
    Case("contradiction", "two parts of R-PATH", put(PARTS, TWO_PARTS), "study.parts-count", 'claims "H-1"',
         "exactly 1 for R-PATH", "primary = false"),
    Case("contradiction", "one part of R-ALL", put('"R-PATH"', '"R-ALL"'), "study.parts-count", 'claims "H-1"',
         "2 or more for R-ALL"),
    Case("contradiction", "mean and its items", lambda f: (
        add('\n[scores]\nm_x = { construct = "x" }\n')(f), put("y ~ b*x + X", "y ~ b*x + m_x + X")(f), None)[2],
        "study.parcel-and-items", 'key "text"', "a mean or its items"),
    Case("contradiction", "label on a set of controls", put("+ X", "+ k*X"), "study.controls-misused", 'key "text"',
         "a term of its own"),
    Case("contradiction", "results over the study", add('\n[output]\nfolder = "."\n'), "study.output-folder",
         'key "folder"', "a folder of its own"),
    Case("contradiction", "dummies of a number", put('{ column = "age", transform = "log1p" }',
         '{ column = "age", dummies = true }'), "study.unknown-name", 'variables "age"', ""),
    Case("contradiction", "progress and quiet", lambda f: ["run", str(f / "study.toml"), "--quiet", "--progress"],
         "cli.arguments", "semkit run", "--progress"),
    Case("contradiction", "schema of the future", put("schema_version = 1", "schema_version = 2"), "study.schema-version",
         'line 2, key "schema_version"', "1", "newer semkit"),
    # --- statistically impossible
    Case("impossible", "negative smallest effect", put("delta = 0.10", "delta = -0.10"), "study.out-of-range",
         'key "delta"', "more than 0"),
    Case("impossible", "smallest effect nan", put("delta = 0.10", "delta = nan"), "study.", 'key "delta"', ""),
    Case("impossible", "smallest effect infinite", put("delta = 0.10", "delta = inf"), "study.", 'key "delta"', ""),
    Case("impossible", "alpha of 2", put("seed = 7", "alpha = 2.0"), "study.out-of-range", 'key "alpha"', "less than 0.5"),
    Case("impossible", "omega above 1", put("n = 100", "omega = 1.5"), "study.out-of-range", 'key "omega"', "at most 1"),
    Case("impossible", "no respondents needed", put("n = 100", "n = 0"), "study.out-of-range", 'key "n"', "at least 1"),
    Case("impossible", "reliability above 1", add('\n[scores]\nm_x = { construct = "x" }\n[composites.c]\nparts = ["m_x"]\n'
         "reliability = 1.2\n"), "study.out-of-range", 'key "reliability"', "up to 1"),
    Case("impossible", "alpha of one item", add('\n[scores]\nm_x = { items = ["x_1"] }\n[composites.c]\nparts = ["m_x"]\n'),
         "study.too-few-items", 'parts "m_x"', "two or more items"),
    Case("impossible", "definition of a missing label", put("y ~ b*x + X", "y ~ b*x + X\nt := b*nosuch"), "model.",
         'key "text"', ""),
    # --- data files
    Case("broken data", "empty", data(lambda b: b""), "responses.empty-file", "answers.csv", "a header row", "Export", 1),
    Case("broken data", "no respondents", data(lambda b: b.split(b"\n")[0] + b"\n"), "responses.no-rows", "answers.csv",
         "at least one row", "", 1),
    Case("broken data", "cut inside a quote", data(lambda b: b + b'"1,2'), "responses.broken-quotes", "line 32", "cells",
         "export it again"),
    Case("broken data", "cut inside a row", data(lambda b: b + b"1,2\n"), "responses.ragged-row", "row 32", "7 cells",
         "export it again", 1),
    Case("broken data", "zero byte", data(lambda b: b.replace(b"3", b"3\x00", 1)), "responses.nul-byte", "byte", "utf-8",
         "Export"),
    Case("broken data", "a column twice", data(lambda b: b.replace(b"x_2", b"x_1", 1)), "responses.doubled-column", "x_1",
         "one column", "Set the others aside", 1),
    Case("broken data", "a column renamed", data(lambda b: b.replace(b"x_2", b"xx2", 1)), "responses.missing-item",
         'item "x_2"', "a column", 'Did you mean "xx2"', 1),
    Case("broken data", "an answer off the scale", data(lambda b: b + b"9,1,1,1,1,1,30\n"), "responses.unknown-option",
         'column "x_1", row 32', "1 (Sangat tidak setuju", "declare the code", 1),
    Case("broken data", "infinite", data(lambda b: b + b"inf,1,1,1,1,1,30\n"), "responses.unknown-option",
         'column "x_1", row 32', "1 (Sangat tidak setuju", "", 1),
    # --- the wrong file
    Case("wrong file", "a folder", lambda f: ["check", str(f)], "study.not-a-file", "", "a .toml file", "study.toml"),
    Case("wrong file", "a data file", lambda f: ["run", str(f / "answers.csv")], "study.not-toml", "answers.csv", "TOML"),
    Case("wrong file", "an instrument to run", lambda f: ["run", str(f / "mini.toml")], "study.", "mini.toml", ""),
    Case("wrong file", "a path of nulls", lambda f: ["check", "a\x00b.toml"], "study.unreadable", "a\\0b.toml",
         "a readable .toml file"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case.kind}: {case.name}" for case in CASES])
def test_hostile_study(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "study"
    small.make(folder, n=30)
    argv = case.change(folder) or [case.command, str(folder / "study.toml")]
    before = small.fingerprint(tmp_path)

    returned = main(argv)

    shown = capsys.readouterr()
    assert returned == case.exit_code, shown.err
    assert shown.out == ""
    assert "Traceback" not in shown.err
    assert small.fingerprint(tmp_path) == before
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", shown.err), "control characters reach the terminal"
    problems = re.split(r"(?m)^\d+\. ", shown.err)[1:]
    assert problems, shown.err
    found = [text for text in problems if f"[{case.code}" in text]
    assert found, shown.err
    head, *rest = found[0].split("\n   ")
    assert case.place in head, head
    parts = {line.split(":", 1)[0]: line.split(":", 1)[1] for line in rest if ":" in line}
    assert parts.get("allowed", "").strip() or not case.allowed, found[0]
    assert case.allowed in parts.get("allowed", ""), found[0]
    assert case.remedy in parts.get("remedy", ""), found[0]


def test_there_are_enough_classes() -> None:
    assert len({case.kind for case in CASES}) >= 12 and len(CASES) >= 40


def test_all_problems_of_a_file_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = small.make(tmp_path / "study", n=30)
    text = path.read_text(encoding="utf-8")
    for old, new in (("seed = 7", "sede = 7"), ('"answers.csv"', '"nosuch.csv"'), ("measure x y", "measure x yy"),
                     ('"R-PATH"', '"R-X"'), ("n = 100", "n = 0")):  # fmt: skip
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    assert main(["check", str(path)]) == 2
    shown = capsys.readouterr().err
    assert "semkit: 5 problems" in shown
    for code in ("unknown-key", "data-not-found", "measure-unknown", "unknown-rule", "out-of-range"):
        assert f"[study.{code}]" in shown
