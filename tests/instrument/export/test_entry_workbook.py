"""The workbook for typing in paper forms: every column, every code, and nothing that calculates."""

from __future__ import annotations

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from semkit.instrument import Text, list_instruments, load_instrument
from semkit.instrument.export import export
from tests.instrument.export.forms import STUDY, reworded


def rules(book):
    """Column name -> its validation."""
    sheet = book["entry"]
    names = {get_column_letter(cell.column): cell.value for cell in sheet[1]}
    found = {}
    for rule in sheet.data_validations.dataValidation:
        place = str(rule.sqref).split(":")[0]
        found[names[place.rstrip("0123456789")]] = rule
    return found


def codes(book, rule):
    sheet, place = rule.formula1.split("!")
    return [row[0].value for row in book[sheet][place.replace("$", "")]] if ":" in place else []


@pytest.mark.parametrize("name", list_instruments())
def test_every_column_once_with_its_codes(name, tmp_path):
    form = load_instrument(name)
    book = openpyxl.load_workbook(export(form, "entry-workbook", tmp_path / "entry.xlsx", settings=STUDY))
    header = [cell.value for cell in book["entry"][1]]
    assert header[:2] == ["respondent_id", "entered_by"] and len(header) == len(set(header))
    wanted = {item.name for item in form.items}
    for question in form.questions:
        if question.asked and question.answer == "multiple":
            wanted |= {f"{question.name}/{choice.code}" for choice in question.choices}
        elif question.asked:
            wanted.add(question.name)
    assert set(header[2:]) == wanted | {"mode", "enumerator"}
    found = rules(book)
    for item in form.items:
        assert codes(book, found[item.name]) == [*form.scale(item.scale).codes, *item.special]
    for question in form.questions:
        if question.asked and question.answer == "choice":
            assert codes(book, found[question.name]) == [
                *(choice.code for choice in question.choices), *question.special
            ]  # fmt: skip
    asked = {row[0].value for row in book["questions"].iter_rows(min_row=2)}
    assert asked == set(header[2:])


def test_ranges_and_several_answers(tmp_path):
    form = load_instrument("collaborative_network")
    book = openpyxl.load_workbook(export(form, "entry-workbook", tmp_path / "entry.xlsx", settings=STUDY))
    found = rules(book)
    letter = next(cell.column_letter for cell in book["entry"][1] if cell.value == "age")
    place = f"{letter}2"
    assert found["age"].formula1 == f"AND(ISNUMBER({place}),{place}=INT({place}),{place}>=15,{place}<=100)"
    assert codes(book, found["partner_types/none"]) == [0, 1]
    assert found["respondent_id"].formula1.startswith("COUNTIF(")
    assert found["age"].errorStyle == "stop" and str(found["age"].sqref) == f"{letter}2:{letter}1001"


@pytest.mark.parametrize("words", ['=HYPERLINK("http://x")', "@SUM(A1)", "+1", "<x/>&", "x" * 400])
def test_hostile_words_never_calculate(words, tmp_path):
    form = reworded("gr_fac_1", Text(words, words))
    book = openpyxl.load_workbook(export(form, "entry-workbook", tmp_path / "entry.xlsx", settings=STUDY))
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    shown = [row[2].value for row in book["questions"].iter_rows(min_row=2) if row[0].value == "gr_fac_1"]
    assert len(shown) == 2 and all(text.lstrip("'") == words for text in shown)
    assert len(rules(book)["gr_fac_1"].prompt) <= 255


def test_the_list_of_questions_prints_on_a4(tmp_path):
    path = export(load_instrument("government_role"), "entry-workbook", tmp_path / "f.xlsx", settings=STUDY)
    sheet = openpyxl.load_workbook(path)["questions"]
    assert str(sheet.page_setup.paperSize) == "9" and sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.print_title_rows == "$1:$1"
    row = next(cells for cells in sheet.iter_rows(min_row=2) if str(cells[3].value).count("\n") == 7)
    assert sheet.row_dimensions[row[0].row].height >= 8 * 12  # eight answers, none cut off
