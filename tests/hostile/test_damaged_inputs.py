"""Sixty damaged exports: each gives one clear list of problems, or the right answers; never a crash, never a guess."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import SemkitError
from semkit.responses import Limits

DATA = Path(__file__).resolve().parents[1] / "responses" / "data"
NA = np.nan
HEADER = "consent,tr_1,tr_2,tr_3,tr_att,n_staff,sales,partners\n"
ROWS = "yes,4,5,2,2,3,12.5,supplier bank\nyes,97,98,,2,1,7.25,none\nno,,,,,,,\n"
RIGHT = {
    "tr_1": [4, 97, NA], "tr_2": [5, 98, NA], "tr_3": [2, NA, NA], "n_staff": [3, 1, NA], "sales": [12.5, 7.25, NA]
}  # fmt: skip

Make = Callable[[Path], Path]
CASES: dict[str, tuple[Make, set[str] | None]] = {}
"""Name -> (how the file is made, codes of the problems); None: the answers are right all the same."""


@pytest.fixture(scope="module")
def form() -> sk.Instrument:
    return sk.load_instrument(DATA / "kiosk.toml")


def case(name: str, codes: str | None, make: Make) -> None:
    CASES[name] = (make, None if codes is None else {f"responses.{code}" for code in codes.split()})


def raw(content: bytes, name: str = "a.csv") -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def text(content: str, encoding: str = "utf-8", name: str = "a.csv") -> Make:
    return raw(content.encode(encoding), name)


def changed(old: str, new: str, count: int = 1) -> Make:
    assert old in HEADER + ROWS
    return text((HEADER + ROWS).replace(old, new, count))


def sheet(*rows: list[object], name: str = "a.xlsx", change: Callable[[object], None] | None = None) -> Make:
    def make(folder: Path) -> Path:
        import openpyxl

        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        if change is not None:
            change(book)
        book.save(folder / name)
        return folder / name

    return make


def table() -> list[list[object]]:
    lines = (HEADER + ROWS).strip().split("\n")
    return [list(line.split(",")) for line in lines]


def archive(parts: dict[str, bytes], name: str = "a.xlsx") -> Make:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as target:
            for part, content in parts.items():
                target.writestr(part, content)
        return folder / name

    return make


def workbook_bytes() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in table():
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def patched(part: str, change: Callable[[bytes], bytes]) -> Make:
    def make(folder: Path) -> Path:
        source = zipfile.ZipFile(io.BytesIO(workbook_bytes()))
        parts = {name: source.read(name) for name in source.namelist()}
        parts[part] = change(parts[part])
        return archive(parts)(folder)

    return make


GOOD = HEADER + ROWS
case("as it should be", None, text(GOOD))
# --- bytes
case("nothing", "empty-file", raw(b""))
case("only blanks", "empty-file", raw(b"  \n \n"))
case("only a header", "no-rows", text(HEADER))
case("cut in the middle of a row", "ragged-row", text(GOOD[:-20]))
case("cut inside quotation marks", "broken-quotes", text(GOOD + 'yes,4,5,"2'))
case("UTF-16 with a mark", None, text(GOOD, "utf-16"))
case("UTF-16 without a mark", "nul-byte", raw(GOOD.encode("utf-16-le")))
case("UTF-8 with a mark", None, text(GOOD, "utf-8-sig"))
case("UTF-32", "bad-encoding", text(GOOD, "utf-32"))
case("a byte that is no UTF-8 among letters that are", "bad-encoding",
     raw(GOOD.replace("supplier bank", "supplier bank é").encode() + b"\xe9,1,1,1,1,1,1,none\n"))  # fmt: skip
case("Windows letters", None, raw((HEADER[:-1] + ",note\n" + ROWS.replace("\n", ",caf\xe9\n")).encode("cp1252")))
case("a zero byte", "nul-byte", raw(GOOD.encode()[:60] + b"\0" + GOOD.encode()[60:]))
case("a picture called csv", "nul-byte", raw(b"\x89PNG\r\n\x1a\n" + bytes(200)))
case("a workbook called csv", "nul-byte", lambda folder: raw(workbook_bytes())(folder))
case("a csv called xlsx", "not-a-workbook", text(GOOD, name="a.xlsx"))
case("carriage returns alone", None, text(GOOD.replace("\n", "\r")))
case("Windows line ends", None, text(GOOD.replace("\n", "\r\n")))
case("empty lines between rows", None, text(GOOD.replace("\n", "\n\n")))
case("no line end at the end", None, text(GOOD.rstrip("\n")))
# --- delimiters and header
case("semicolons", None, text(GOOD.replace(",", ";")))
case("tabs", None, text(GOOD.replace(",", "\t"), name="a.tsv"))
case("semicolons in the header, commas below", "ragged-row", text(HEADER.replace(",", ";") + ROWS))
case("a trailing delimiter in every row", None, text(GOOD.replace("\n", ",\n")))
case("one cell too many", "ragged-row", changed("yes,4,5", "yes,4,5,5"))
case("a title row above the header", "empty-header", text("Survey 2026,,,,,,,\n" + GOOD))
case("a merged header", "empty-header", changed("tr_1,tr_2,tr_3", "trust,,"))
case("an item missing", "missing-item unmatched-column", changed("tr_2", "trust_2"))
case("columns swapped by name", None, text("tr_2,tr_1,consent,tr_3,tr_att,n_staff,sales,partners\n"
     "5,4,yes,2,2,3,12.5,supplier bank\n98,97,yes,,2,1,7.25,none\n,,no,,,,,\n"))  # fmt: skip
case("a column twice", "doubled-column", text(HEADER[:-1] + ",tr_1\n" + ROWS.replace("\n", ",4\n")))
case("a column twice under its name and its words", "doubled-column",
     text(HEADER[:-1] + ",My partners are honest.\n" + ROWS.replace("\n", ",4\n")))  # fmt: skip
case("headers in capitals and blanks", None, text(HEADER.upper().replace(",", " , ") + ROWS))
case("headers with a byte order mark inside quotes", None, text("\ufeff" + GOOD))
# --- answers
case("an option nobody offered", "unknown-option", changed("yes,4", "yes,7"))
case("zero for disagree", "unknown-option", changed("yes,4", "yes,0"))
case("a label of another scale", "unknown-option", changed("yes,4", "yes,Often"))
case("labels and codes mixed", None, changed("yes,4,5,2,2", "yes,Setuju,Strongly agree,2,2"))
case("capital labels", None, changed("yes,4,5,2,2", "YA,SETUJU,5,2,Tidak setuju"))
case("numbers as decimals", None, changed("yes,4,5,2,2,3", "yes,4.0,5.00,2,2,3.0"))
case("a decimal between two options", "unknown-option", changed("yes,4", "yes,3.5"))
case("a formula", "formula-cell", changed("yes,4", "yes,=2+2"))
case("a formula made safe", "formula-cell", changed("yes,4", "yes,'=2+2"))
case("an error of a spreadsheet", "unknown-option", changed("yes,4", "yes,#REF!"))
case("NA without saying so", "unknown-option", changed("yes,4", "yes,NA"))
case("words for a number", "not-a-number", changed("2,2,3,12.5", "2,2,three,12.5"))
case("half a person", "not-a-count", changed("2,2,3,12.5", "2,2,2.5,12.5"))
case("fewer than nobody", "not-a-count", changed("2,2,3,12.5", "2,2,-3,12.5"))
case("a comma in a number", "ambiguous-number", changed("12.5", '"12,5"'))
case("dots between thousands", "ambiguous-number", changed("12.5", "1.250.000"))
case("infinity", "not-a-number", changed("12.5", "inf"))
case("a number of a hundred digits", "not-a-number", changed("12.5", "9" * 100))
case("a date where a number belongs", "not-a-number", changed("12.5", "2026-05-31"))
case("a box nobody offered", "unknown-option", changed("supplier bank", "supplier moon"))
case("columns of choices that contradict the joined one", "contradicting-columns",
     text(HEADER[:-1] + ",partners/supplier\n" + ROWS.replace("bank\n", "bank,0\n").replace("none\n", "none,0\n")
          .replace("no,,,,,,,\n", "no,,,,,,,,\n")))  # fmt: skip
case("several things at once", "unknown-option not-a-number missing-item unmatched-column",
     text(GOOD.replace("tr_3", "x", 1).replace("yes,4", "yes,7", 1).replace("2,2,3,", "2,2,x,", 1)))  # fmt: skip
case("nobody answered an item", "all-missing", text(HEADER + "yes,,,,,3,1,none\nno,,,,,,,\n"))
case("a cell of forty thousand letters", "huge-cell", text(HEADER + "yes,4,5,2,2,3,1," + "x" * 40_000 + "\n"))
case("a cell of a million letters", "broken-quotes", text(HEADER + "yes,4,5,2,2,3,1," + "x" * 1_000_000 + "\n"))
case("half of the rows invented", "synthetic-marker",
     text("synthetic," + HEADER + "1,yes,4,5,2,2,3,1,none\n0,yes,4,5,2,2,3,1,none\n"))  # fmt: skip
case("the marker of invented data removed", "synthetic-marker", text(GOOD, name="a_synthetic.csv"))
# --- workbooks
case("a workbook", None, sheet(*table()))
case("numbers written as text in a workbook", None, sheet(*table()))
case("numbers in a workbook", None, sheet(table()[0], ["yes", 4, 5.0, 2, 2, 3, 12.5, "supplier bank"],
     ["yes", 97, 98, None, 2, 1, 7.25, "none"], ["no"]))  # fmt: skip
case("an empty sheet", "empty-file", sheet())
case("a formula in a workbook", "formula-cell", sheet(table()[0], ["yes", "=2+2", 5, 2, 2, 3, 12.5, "none"]))
case("two sheets with cells", "several-sheets",
     sheet(*table(), change=lambda book: book.create_sheet("other").append(["x"])))  # type: ignore[attr-defined]
case("a workbook cut off", "not-a-workbook", lambda folder: raw(workbook_bytes()[:2000], "a.xlsx")(folder))
case("an archive of something else", "not-a-workbook", archive({"readme.txt": b"hello"}))
case("a sheet that is no XML", "not-a-workbook", patched("xl/worksheets/sheet1.xml", lambda old: old[: len(old) // 2]))
GROWING = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
case("entities that grow", "not-a-workbook",
     patched("xl/worksheets/sheet1.xml", lambda old: GROWING + old.split(b"?>", 1)[-1]))  # fmt: skip
case("a document type behind a long comment", "not-a-workbook", patched("xl/worksheets/sheet1.xml", lambda old:
     b"<?xml version='1.0'?><!--" + b"x" * 5000 + b"--><!DOCTYPE x><x/>"))  # fmt: skip
case("a part in UTF-16", "not-a-workbook",
     patched("xl/worksheets/sheet1.xml", lambda old: old.decode().encode("utf-16")))  # fmt: skip
case("a zip bomb", "too-large",
     archive({"[Content_Types].xml": b"<x/>", "xl/worksheets/sheet1.xml": b"0" * 250_000_000}))  # fmt: skip
case("a length that lies", "not-a-workbook", lambda folder: raw(_lying(workbook_bytes()), "a.xlsx")(folder))
# --- size and kind of file
case("another format", "unknown-format", text(GOOD, name="a.ods"))
case("no file", "missing-file", lambda folder: folder / "nothing.csv")


def _folder(folder: Path) -> Path:
    (folder / "a.csv").mkdir()
    return folder / "a.csv"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "a.csv")
    return folder / "a.csv"


def _dangling(folder: Path) -> Path:
    (folder / "a.csv").symlink_to(folder / "gone.csv")
    return folder / "a.csv"


def _device(folder: Path) -> Path:
    (folder / "a.csv").symlink_to("/dev/zero")
    return folder / "a.csv"


case("a folder", "missing-file", _folder)
case("a pipe", "missing-file", _pipe)
case("a link to nothing", "missing-file", _dangling)
case("a link to an endless device", "missing-file", _device)


def _lying(content: bytes) -> bytes:
    """The central directory says that every part has ten bytes."""
    out = bytearray(content)
    place = out.find(b"PK\x01\x02")
    while place >= 0:
        out[place + 24 : place + 28] = struct.pack("<I", 10)
        place = out.find(b"PK\x01\x02", place + 4)
    return bytes(out)


def test_there_are_sixty() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
def test_damaged_input(form: sk.Instrument, tmp_path: Path, name: str) -> None:
    make, codes = CASES[name]
    path = make(tmp_path)
    if codes is None:
        answers = sk.read_responses(path, form)
        for item, values in RIGHT.items():
            np.testing.assert_array_equal(answers.coded[item].to_numpy(dtype=float), values, err_msg=item)
        assert answers.coded["partners/supplier"].tolist()[:2] == [1, 0]
        return
    with pytest.raises(SemkitError) as caught:
        sk.read_responses(path, form)
    assert {problem.code for problem in caught.value.problems} == codes
    for problem in caught.value.problems:
        assert problem.where and problem.what and problem.remedy and len(str(problem)) < 4000


@pytest.mark.parametrize(
    ("limits", "frame"),
    [
        (Limits(rows=100), lambda: pd.DataFrame({"tr_1": ["3"] * 101})),
        (Limits(columns=50), lambda: pd.DataFrame({f"c{k}": ["3"] for k in range(51)})),
        (Limits(bytes=50), None),
    ],
)
def test_limits(form: sk.Instrument, tmp_path: Path, limits: Limits, frame: Callable[[], pd.DataFrame] | None) -> None:
    source: object = text(GOOD)(tmp_path) if frame is None else frame()
    with pytest.raises(SemkitError) as caught:
        sk.read_responses(source, form, limits=limits)  # type: ignore[arg-type]
    assert caught.value.code == "responses.too-large"


def test_three_hundred_thousand_rows(form: sk.Instrument, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "yes,4,5,2,2,3,12.5,supplier bank\n" * 300_000)
    answers = sk.read_responses(path, form)
    assert answers.n == 300_000 and answers.coded["tr_1"].eq(4).all()
    with pytest.raises(SemkitError) as caught:
        sk.read_responses(path, form, limits=Limits(rows=200_000))
    assert caught.value.code == "responses.too-large"


def test_doubled_identifiers_are_noted(form: sk.Instrument) -> None:
    frame = pd.DataFrame({"_id": ["1", "1"], "_uuid": ["a", "a"]} | {item.name: ["3", "4"] for item in form.items})
    assert [note.code for note in sk.read_responses(frame, form).notes] == ["responses.repeated-id"] * 2
