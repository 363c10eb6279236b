"""Broken and hostile data files: errors name code, place, what is allowed and the remedy; nothing is written."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import semkit as sk
from semkit.errors import DataError, Problem
from semkit.responses import Limits

KIOSK = Path(__file__).parent / "data" / "kiosk.toml"
HEADER = "tr_1;tr_2;tr_3;tr_att;n_staff;sales;consent\n"
GOOD = "3;4;2;2;5;10;yes\n"
SECRET = "Siti Rahmawati 0812-3456-789"


@pytest.fixture(scope="module")
def form() -> sk.Instrument:
    return sk.load_instrument(KIOSK)


def text(content: str, encoding: str = "utf-8") -> Callable[[Path], Path]:
    return data(content.encode(encoding))


def data(content: bytes, name: str = "answers.csv") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def workbook(*rows: list[object], more: bool = False) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        import openpyxl

        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        if more:
            book.create_sheet("repeat").append(["x"])
        book.save(folder / "answers.xlsx")
        return folder / "answers.xlsx"

    return write


def archive(parts: dict[str, bytes]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "answers.xlsx", "w", zipfile.ZIP_DEFLATED) as target:
            for name, content in parts.items():
                target.writestr(name, content)
        return folder / "answers.xlsx"

    return write


ITEMS = ["tr_1", "tr_2", "tr_3", "tr_att"]
DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
BOMB = {"[Content_Types].xml": b"<x/>", "xl/worksheets/sheet1.xml": b"0" * 3_000_000}

# name: (file, code, in the place, in what is allowed, in the remedy)
CASES: dict[str, tuple[Callable[[Path], Path], str, str, str, str]] = {
    "empty file": (text(""), "responses.empty-file", "answers.csv", "header row", "Export"),
    "blank lines only": (text("\n\n  \n"), "responses.empty-file", "answers.csv", "header row", "Export"),
    "header only": (text(HEADER), "responses.no-rows", "answers.csv", "at least one row", "filter"),
    "row cut off": (text(HEADER + GOOD + "3;4;2"), "responses.ragged-row", "row 3", "7 cells", "cut off"),
    "unquoted delimiter": (text(HEADER + "3;4;2;2;5;10;yes;no\n"), "responses.ragged-row", "row 2", "7 cells",
                    "unquoted"),
    "quote never closed": (text(HEADER + '3;4;2;2;5;10;"yes\n' + GOOD), "responses.broken-quotes", "row 2", '""',
                    "cut off"),
    "text after quote": (text(HEADER + '"3"x;4;2;2;5;10;yes\n'), "responses.broken-quotes", "line 2", '"..."',
                    "export"),
    "zero bytes": (data(HEADER.encode() + b"3;4;2;2;\x00;10;yes\n"), "responses.nul-byte", "line 2", "utf-16", "UTF-8"),
    "utf-16 without mark": (data((HEADER + GOOD).encode("utf-16-le")), "responses.nul-byte", "byte 2", "utf-16",
                    "utf-16"),
    "utf-16 cut in a letter": (data((HEADER + GOOD).encode("utf-16")[:-1]), "responses.bad-encoding", "line 2",
                    "utf-8", "encoding="),
    "utf-32": (data((HEADER + GOOD).encode("utf-32")), "responses.bad-encoding", "answers.csv", "utf-16", "UTF-8"),
    "half utf-8, half not": (
        data((HEADER + "é").encode() + b"\xe9;4;2;2;5;10;yes\n"), "responses.bad-encoding", "line 2", "cp1252",
                    "encoding="),
    "no text at all": (data(b"\x81\x8d\x8f\x90\x9d" * 40), "responses.bad-encoding", "byte 1", "cp1252", "encoding="),
    "two delimiters": (text("a;b,c;d\n1;2,3;4\n"), "responses.ambiguous-delimiter", "row 1", "one delimiter",
                    "delimiter="),
    "merged header": (workbook(["tr_1", None, "tr_3"], [1, 2, 3]), "responses.empty-header", "column 2", "row 1",
                    "Unmerge"),
    "title above the header": (workbook(["Survey 2026", None, None], ITEMS, [1, 2, 3, 4]), "responses.empty-header",
                               "columns 2, 3", "row 1", "rows above"),
    "column twice": (text("tr_1;" + HEADER + "3;" + GOOD), "responses.doubled-column", '"tr_1"', "one column",
                    "mapping={2: None}"),
    "name and label of one item": (text("Mitra saya jujur.;" + HEADER + "3;" + GOOD), "responses.doubled-column",
                    '"tr_1"',
                                   "one column", "mapping="),
    "item missing": (text("tr_1;tr_2;tr_3\n1;2;3\n"), "responses.missing-item", '"tr_att"', "tr_att", "mapping="),
    "item misspelt": (text("tr_1;tr_2;tr3;tr_att\n1;2;3;2\n"), "responses.missing-item", '"tr_3"', "tr_3",
                    'mean "tr3"'),
    "another survey": (text("q1;q2;q3\n1;2;3\n"), "responses.missing-item", '"tr_1"', "Mitra saya jujur.", "mapping="),
    "unknown option": (text(HEADER + GOOD + "7;4;2;2;5;10;yes\n"), "responses.unknown-option", "row 3",
                    "1 (Sangat tidak setuju",
                       "missing="),
    "point of another scale": (text(HEADER + "Naik banyak;4;2;2;5;10;yes\n"), "responses.unknown-option", "tr_1",
                    "5 (Sangat setuju",
                               "Correct"),
    "swapped columns": (text(HEADER + f"{SECRET};4;2;2;5;10;yes\n"), "responses.unknown-option", '"tr_1", row 2',
                    "97 (tidak berlaku",
                        "Correct"),
    "formula in an answer": (text(HEADER + "=1+2;4;2;2;5;10;yes\n"), "responses.formula-cell", "row 2",
                    "3 (Antara", "value"),
    "formula in a workbook": (workbook(ITEMS, ["=1+2", 4, 2, 2]), "responses.formula-cell", '"tr_1", row 2', "1 (",
                    "value"),
    "command for a spreadsheet": (text(HEADER + "3;4;2;2;=cmd|' /C calc'!A1;10;yes\n"), "responses.formula-cell",
                    "n_staff",
                                  "whole number", "value"),
    "count in words": (text(HEADER + "3;4;2;2;banyak;10;yes\n"), "responses.not-a-number", '"n_staff", row 2',
                    "whole number", "missing="),
    "negative count": (text(HEADER + "3;4;2;2;-5;10;yes\n"), "responses.not-a-count", "row 2", "0 or more", "Correct"),
    "half a worker": (text(HEADER + "3;4;2;2;2.5;10;yes\n"), "responses.not-a-count", "row 2", "whole number",
                    "Correct"),
    "decimal comma": (text(HEADER + "3;4;2;2;5;1,5;yes\n"), "responses.ambiguous-number", '"sales", row 2',
                    "decimal point", "decimal=','"),
    "thousands point": (text(HEADER + "3;4;2;2;5;1.500;yes\n"), "responses.ambiguous-number", "row 2",
                    "no thousands", "decimal='.'"),
    "thousands and decimals": (text(HEADER + "3;4;2;2;5;1.500.000,25;yes\n"), "responses.ambiguous-number",
                    "row 2", "digits", "thousands"),
    "endless number": (text(HEADER + f"3;4;2;2;5;{'9' * 400};yes\n"), "responses.not-a-number", "sales",
                    "a number", "Correct"),
    "infinite number": (text(HEADER + "3;4;2;2;5;1e999;yes\n"), "responses.not-a-number", "sales", "a number",
                    "Correct"),
    "undeclared NA": (text(HEADER + "NA;4;2;2;5;10;yes\n"), "responses.unknown-option", "row 2", "99 (tidak ingin",
                    "missing="),
    "all missing": (text(HEADER + ";;;;;;\n" * 3), "responses.all-missing", "answers.csv", "at least one answer",
                    "right form"),
    "huge cell": (text(HEADER + GOOD.replace("yes", "y" * 40_000)), "responses.huge-cell",
                  'row 2, column "consent"', "32,767", "quotation"),
    "gigantic cell": (text(HEADER + GOOD.replace("yes", "y" * 200_000)), "responses.broken-quotes", "row 2", '""',
                    "export"),
    "marker lost": (data((HEADER + GOOD).encode(), "x_synthetic.csv"), "responses.synthetic-marker",
                    "x_synthetic.csv", "1 in every row",
                    "generated"),
    "invented among real": (text("synthetic;" + HEADER + "1;" + GOOD + "0;" + GOOD), "responses.synthetic-marker",
                    "row 3",
                            "1 in every row", "separate files"),
    "two sheets": (workbook(ITEMS, [1, 2, 3, 2], more=True), "responses.several-sheets", "answers.xlsx",
                    "one sheet", "sheet="),
    "no workbook": (data(b"tr_1;tr_2\n1;2\n", "answers.xlsx"), "responses.not-a-workbook", "answers.xlsx", ".xlsx",
                    "save it"),
    "other archive": (archive({"a.txt": b"x"}), "responses.not-a-workbook", "answers.xlsx", ".xlsx", "save it"),
    "xml entities": (archive({"[Content_Types].xml": DOCTYPE}), "responses.not-a-workbook", "answers.xlsx",
                    "password", "save it"),
    "old format": (data(b"x", "answers.xls"), "responses.unknown-format", "answers.xls", ".csv", "Export"),
    "missing file": (lambda folder: folder / "none.csv", "responses.missing-file", "none.csv", "existing", "folder"),
    "a folder": (lambda folder: _folder(folder), "responses.missing-file", "dir.csv", "readable", "name"),
}  # fmt: skip


def _folder(folder: Path) -> Path:
    (folder / "dir.csv").mkdir()
    return folder / "dir.csv"


def state(folder: Path) -> str:
    parts = [(str(path), path.read_bytes() if path.is_file() else b"") for path in sorted(folder.rglob("*"))]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def told(problems: tuple[Problem, ...], code: str) -> Problem:
    found = [problem for problem in problems if problem.code == code]
    assert found, f"{code} is not among {[problem.code for problem in problems]}"
    return found[0]


@pytest.mark.parametrize("name", CASES)
def test_hostile_file(form: sk.Instrument, tmp_path: Path, name: str) -> None:
    make, code, where, allowed, remedy = CASES[name]
    path = make(tmp_path)
    before = state(tmp_path)
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(path, form)
    problem = told(caught.value.problems, code)
    assert where in problem.where
    assert problem.what
    assert allowed in problem.allowed
    assert remedy in problem.remedy
    assert caught.value.exit_code == (1 if isinstance(caught.value, DataError) else 2)
    assert state(tmp_path) == before
    assert "Siti" not in str(caught.value) and "0812" not in str(caught.value)


LIMITS = {
    "bytes": (Limits(bytes=50), "bytes"),
    "rows": (Limits(rows=2), "2 rows"),
    "columns": (Limits(columns=3), "3 columns"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_too_large(form: sk.Instrument, tmp_path: Path, name: str) -> None:
    limits, allowed = LIMITS[name]
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(text(HEADER + GOOD * 3)(tmp_path), form, limits=limits)
    problem = told(caught.value.problems, "responses.too-large")
    assert allowed in problem.allowed and "answers.csv" in problem.where and "limits=" in problem.remedy
    assert caught.value.exit_code == 2


def test_a_zip_bomb_is_not_unpacked(form: sk.Instrument, tmp_path: Path) -> None:
    path = archive(BOMB)(tmp_path)
    assert path.stat().st_size < 20_000
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(path, form, limits=Limits(bytes=1_000_000))
    assert "unpacked" in told(caught.value.problems, "responses.too-large").what


def test_all_problems_of_a_file_come_together(form: sk.Instrument, tmp_path: Path) -> None:
    path = text("tr_1;tr_2;tr_2;n_staff;consent\n9;2;2;viele;maybe\n4;;3;-1;yes\n")(tmp_path)
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(path, form)
    codes = [problem.code for problem in caught.value.problems]
    assert codes.count("responses.missing-item") == 2
    assert {"responses.doubled-column", "responses.unknown-option", "responses.not-a-number",
            "responses.not-a-count"} <= set(codes)  # fmt: skip


def test_not_strict_keeps_what_can_be_read(form: sk.Instrument, tmp_path: Path) -> None:
    path = text(HEADER + "9;4;2;2;banyak;10;yes\n" + GOOD)(tmp_path)
    answers = sk.read_responses(path, form, strict=False)
    assert answers.coded["tr_1"].isna().tolist() == [True, False]
    assert {"responses.unknown-option", "responses.not-a-number"} <= {problem.code for problem in answers.problems}


def test_ambiguous_text_of_two_checks() -> None:
    forms = [sk.load_instrument(name) for name in ("collaborative_network", "government_role")]
    check = forms[0].item("cn_att").text.id
    assert check == forms[1].item("gr_att").text.id  # the same words in two questionnaires
    names = [item.name for form in forms for item in form.items if not item.is_check]
    frame = pd.DataFrame([["3"] * (len(names) + 1)], columns=[*names, check])
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(frame, forms)
    problem = told(caught.value.problems, "responses.ambiguous-column")
    assert problem.allowed == "cn_att, gr_att" and f"mapping={{{len(names) + 1}:" in problem.remedy


def test_label_that_is_the_code_of_another_option(tmp_path: Path) -> None:
    toml = KIOSK.read_text(encoding="utf-8").replace('code = "shop", id = "toko lain"', 'code = "shop", id = "bank"')
    (tmp_path / "kiosk.toml").write_text(toml, encoding="utf-8")
    form = sk.load_instrument(tmp_path / "kiosk.toml")
    frame = pd.DataFrame({item.name: ["3"] for item in form.items} | {"partners": ["bank"]})
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(frame, form)
    problem = told(caught.value.problems, "responses.ambiguous-option")
    assert 'column "partners", row 2' in problem.where and "column of its own" in problem.remedy


def test_select_multiple_that_contradicts_its_columns(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: ["3", "3"] for item in form.items})
    frame["partners"] = ["supplier", "bank"]
    for code, ticks in {"supplier": "10", "bank": "00", "shop": "01", "none": "00"}.items():
        frame[f"partners/{code}"] = list(ticks)
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(frame, form)
    assert "row 3" in told(caught.value.problems, "responses.contradicting-columns").where


def test_exclusive_choice_with_others_is_told_but_kept(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: ["3"] for item in form.items} | {"partners": ["supplier none"]})
    answers = sk.read_responses(frame, form)
    assert "row 2" in told(answers.problems, "responses.exclusive-choice").where


@pytest.mark.parametrize(
    "options, code, allowed",
    [
        ({"mapping": {"tr_9": "tr_1"}}, "responses.unknown-column", "tr_1"),
        ({"mapping": {99: "tr_1"}}, "responses.unknown-column", "1 to"),
        ({"mapping": {"tr_1": "trust_1"}}, "responses.unknown-target", "tr_1"),
        ({"mapping": {"synthetic": None}}, "responses.synthetic-marker", "no entry"),
        ({"lang": "fr"}, "responses.bad-option", "'id' or 'en'"),
        ({"decimal": ";"}, "responses.bad-option", "'.' or ','"),
        ({"delimiter": "/"}, "responses.unknown-delimiter", "semicolon"),
        ({"encoding": "latin-7"}, "responses.bad-encoding", "utf-8"),
    ],
)
def test_wrong_options(
    form: sk.Instrument, tmp_path: Path, options: dict[str, object], code: str, allowed: str
) -> None:
    path = text("synthetic;" + HEADER + "1;" + GOOD)(tmp_path)
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(path, form, **options)  # type: ignore[arg-type]
    problem = told(caught.value.problems, code)
    assert allowed in problem.allowed and problem.remedy and problem.where


def test_unknown_sheet(form: sk.Instrument, tmp_path: Path) -> None:
    path = workbook(ITEMS, [1, 2, 3, 2])(tmp_path)
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(path, form, sheet="Answers")
    assert told(caught.value.problems, "responses.unknown-sheet").allowed == "Sheet"


def test_no_instrument(tmp_path: Path) -> None:
    with pytest.raises(sk.SemkitError):
        sk.read_responses(pd.DataFrame({"a": ["1"]}), [])


def test_what_strangers_wrote_is_not_in_messages(form: sk.Instrument) -> None:
    frame = pd.DataFrame({item.name: [SECRET] for item in form.items} | {"n_staff": [SECRET], "consent": [SECRET]})
    with pytest.raises(sk.SemkitError) as caught:
        sk.read_responses(frame, form)
    assert SECRET not in str(caught.value) and "Siti" not in str(caught.value)
