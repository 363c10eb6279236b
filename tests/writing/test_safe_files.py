"""Cells no spreadsheet calculates, files written whole, paths that stay inside, markup that is text."""

from __future__ import annotations

import csv
import math
import os
import re
import stat
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semkit import writing
from semkit.errors import FileError, MissingExtraError

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "\ufeff=1",
    "＝1",
    '=cmd|" /C calc"!A0',
    '=HYPERLINK("http://x","y")',
    "\x00=1",
    "\x01@x",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert writing.text_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["", "plain", "a=b", "1-2", "'quoted", "né", "ada + tiada"])
def test_other_texts_stay(text: str) -> None:
    assert writing.text_cell(text) == text


def test_numbers_stay_numbers() -> None:
    assert writing.cell(-1.5) == -1.5 and writing.cell(np.float64(-0.25)) == -0.25 and writing.cell(np.int64(-3)) == -3
    assert writing.cell(True) is True and writing.cell(np.bool_(False)) is False
    assert [writing.cell(value) for value in (None, math.nan, np.nan, pd.NA, pd.NaT)] == [None] * 5
    assert writing.cell(-math.inf) == "'-inf"
    assert writing.cell(pd.Timestamp("2026-01-02")) == "2026-01-02T00:00:00"


@given(st.text())
def test_no_text_is_a_formula_or_has_control_characters(text: str) -> None:
    safe = writing.text_cell(text)
    assert safe.lstrip(" \u00a0\ufeff\u200b")[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", safe)


def test_csv_reads_back(tmp_path: Path) -> None:
    rows = [["=1", -1.5, None, 'a "b", c'], ["two\nlines", 0.1 + 0.2, math.nan, True]]
    path = writing.write_csv(tmp_path / "sub" / "t.csv", ["name", "x", "@y", "z"], rows)
    with path.open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["name", "x", "'@y", "z"],
            ["'=1", "-1.5", "", 'a "b", c'],
            ["two\nlines", "0.30000000000000004", "", "TRUE"],
        ]
    with pytest.raises(ValueError, match="3 cells"):
        writing.write_csv(tmp_path / "u.csv", ["a"], [[1, 2, 3]])
    assert not (tmp_path / "u.csv").exists()


def test_xlsx_has_texts_and_no_formulas(tmp_path: Path) -> None:
    import openpyxl

    path = writing.write_xlsx(tmp_path / "t.xlsx", {"a/b": (["x"], [["=1+1"], [2.5], [None]]), "A_B": (["y"], [["é"]])})
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["a_b", "A_B_2"]
    cells = [row[0] for row in book["a_b"].iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type) for cell in cells] == [("'=1+1", "s"), (2.5, "n"), (None, "n")]


def test_missing_openpyxl_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtraError, match=r"semkit\[excel\]") as caught:
        writing.write_xlsx(tmp_path / "t.xlsx", {"a": (["x"], [])})
    assert caught.value.code == "writing.openpyxl-missing"


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = writing.write_text(tmp_path / "a.txt", "old")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(FileError, match="No space left") as caught:
        writing.write_text(path, "new")
    assert caught.value.code == "writing.cannot-write"
    assert path.read_text() == "old" and [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    contents = {"a" * 200_000, "b" * 200_000}
    writing.write_text(path, "a" * 200_000)
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=watch)
    reader.start()
    for number in range(20):
        writing.write_text(path, "ab"[number % 2] * 200_000)
    done.set()
    reader.join()
    assert seen <= contents


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_permissions_are_those_of_a_plain_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    path = writing.write_text(tmp_path / "a.txt", "x")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    path.chmod(0o640)
    writing.write_text(path, "y")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_hashes(tmp_path: Path) -> None:
    path = writing.write_text(tmp_path / "a.txt", "abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, example B.1
    assert writing.hash_file(path) == known == writing.hash_bytes(b"abc")
    with pytest.raises(FileError) as caught:
        writing.hash_file(tmp_path / "none")
    assert caught.value.code == "writing.unreadable-file"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "  ",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/../b",
        "..\\x",
        "a\\..\\..\\x",
        "C:\\x",
        "C:x",
        "\\\\host\\share\\x",
        "~/x",
        "a\x00b",
        "\\x",
    ],
)
def test_paths_that_leave_the_folder_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(FileError) as caught:
        writing.inside(tmp_path, path)
    problem = caught.value.problems[0]
    assert problem.code == "writing.path-outside" and "relative path" in problem.allowed and problem.remedy


def test_paths_inside_are_resolved_and_links_out_refused(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    (folder / "data").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("x")
    assert writing.inside(folder, "data/a.csv") == (folder / "data" / "a.csv").resolve()
    assert writing.inside(folder, "data\\a.csv") == (folder / "data" / "a.csv").resolve()
    (folder / "data" / "ok.csv").symlink_to(folder / "data")
    assert writing.inside(folder, "data/ok.csv").is_relative_to(folder.resolve())
    (folder / "out.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "up").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    for path in ("out.csv", "up/secret.csv", "loop/x"):
        with pytest.raises(FileError):
            writing.inside(folder, path)
    with pytest.raises(FileError):
        writing.inside(folder, "../study-two/x")


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='x",
    "&lt;b&gt;",
    "a\u202eb",
    "a\x00b",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_is_text(text: str) -> None:
    from html.parser import HTMLParser

    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: set[str] = set()
            self.names: set[str] = set()

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.add(tag)
            self.names.update(name for name, _ in attrs)

    page = writing.page(text, writing.table([text], [[text]], caption=text, stack=True), lang=text)
    parser = Tags()
    parser.feed(page)
    assert not parser.tags & {"script", "img", "b"}
    assert not {name for name in parser.names if name.startswith("on")}
    assert "\u202e" not in page and "\x00" not in page
    assert "http://" not in page and "https://" not in page


def test_tables_align_numbers() -> None:
    assert '<td class="n">1.5</td><td>x</td><td></td>' in writing.table(["a", "b", "c"], [[1.5, "x", None]])
