"""The Word questionnaire: every question and item once, both languages, strangers' texts as texts."""

from __future__ import annotations

import zipfile

import pytest

from semkit.instrument import Text, list_instruments, load_instrument
from semkit.instrument.export import export
from tests.instrument.export.forms import STUDY, reworded

docx = pytest.importorskip("docx")


def words(path):
    document = docx.Document(path)
    texts = [paragraph.text for paragraph in document.paragraphs]
    return texts + [cell.text for table in document.tables for row in table.rows for cell in row.cells]


@pytest.mark.parametrize("langs", [("id",), ("id", "en")])
@pytest.mark.parametrize("name", list_instruments())
def test_every_item_and_question_stands_in_it(name, langs, tmp_path):
    form = load_instrument(name)
    texts = words(export(form, "docx", tmp_path / "form.docx", langs, STUDY))
    whole = "\n".join(texts)
    for lang in langs:
        for item in form.items:
            assert item.text.get(lang) in whole
        for question in form.questions:
            if question.asked and question.section != "consent":
                assert question.text.get(lang) in whole
    assert any(text.startswith("Nomor responden") for text in texts)
    assert ("Respondent number" in whole) == ("en" in langs) and "[lembaga]" not in whole
    document = docx.Document(tmp_path / "form.docx")
    grids = [table for table in document.tables if len(table.columns) > 5]
    assert sum(len(table.rows) - 1 for table in grids) == len(form.items)
    assert document.sections[0].page_width.mm == pytest.approx(210, abs=0.1)


def test_routing_is_in_words(tmp_path):
    whole = "\n".join(
        words(export(load_instrument("collaborative_network"), "docx", tmp_path / "a.docx", ["en"], STUDY))
    )
    assert 'is "none"' in whole and "Below 1: the interview ends." in whole and "[supplier]" in whole


@pytest.mark.parametrize("hostile", ["</w:t><w:instrText>DDE</w:instrText>", "=1+1", "'=1", "a\x0bb\x00c", "&amp;<>"])
def test_hostile_words_stay_words(hostile, tmp_path):
    path = export(reworded("gr_fac_1", Text(hostile, hostile)), "docx", tmp_path / "form.docx", ["en"], STUDY)
    shown = hostile.replace("\x0b", "").replace("\x00", "")
    assert any(text.endswith(f". {shown}") for text in words(path))
    with zipfile.ZipFile(path) as archive:
        markup = archive.read("word/document.xml").decode()
    assert "<w:instrText" not in markup


def test_statements_have_room_beside_the_answers(tmp_path):
    """Seen on paper: equal columns broke every statement (LibreOffice reads the grid, Word the cells)."""
    from docx.shared import Mm

    path = export(load_instrument("collaborative_network"), "docx", tmp_path / "f.docx", settings=STUDY)
    grid = next(table for table in docx.Document(path).tables if len(table.columns) == 9)
    first, *others = [column.width for column in grid.columns]
    assert first > Mm(55) and all(abs(width - Mm(15)) < Mm(1) for width in others)
    assert grid.rows[1].cells[0].width == first
    assert first + sum(others) <= Mm(178)


def test_every_page_has_its_number_and_the_forms_name(tmp_path):
    path = export(load_instrument("government_role"), "docx", tmp_path / "f.docx", settings=STUDY)
    footer = docx.Document(path).sections[0].footer.paragraphs[0]
    assert "government_role" in footer.text and "PAGE" in footer._p.xml
