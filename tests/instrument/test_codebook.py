"""The codebook names every column, in tables and on a page that shows strangers' texts as texts."""

from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path

import pytest

from semkit.errors import OptionError
from semkit.instrument import Instrument, Text, codebook, list_instruments, load_instrument, write_codebook


@pytest.fixture(scope="module")
def forms() -> list[Instrument]:
    """The three of one study; instruments of other studies ask other regions and are not combined with them."""
    return [load_instrument(name) for name in ("collaborative_network", "government_role", "marketing_performance")]


def test_every_column_has_one_row(forms: list[Instrument]) -> None:
    book = codebook(forms)
    names = [entry.name for entry in book.entries]
    assert len(names) == len(set(names))
    for form in forms:
        wanted = {item.name for item in form.items} | {q.name for q in form.questions} | {d.name for d in form.derived}
        wanted |= {column for q in form.questions for column in q.dummies}
        assert wanted <= set(names)
    assert list(book.frame.columns) == list(book.header) and len(book.frame) == len(names)
    assert all(len(row) == len(book.header) for row in book.rows)


@pytest.mark.parametrize("name", list_instruments())
def test_each_instrument_has_a_codebook_and_a_view(name: str) -> None:
    form = load_instrument(name)
    names = [entry.name for entry in codebook(form).entries]
    assert len(names) == len(set(names))
    view = form._repr_html_()
    for item in form.items:
        assert view.count(f"<code>{item.name}</code>") == 1
    assert "unvalidated" in view and form.title.en in view


def test_rules_are_said(forms: list[Instrument]) -> None:
    rules = {entry.name: entry for entry in codebook(forms, "en").entries}
    assert rules["cn_str_5"].scoring == "reversed: 6 - answer"
    assert rules["cn_loc_1"].scoring == "97 scored 1" and rules["cn_loc_1"].asked == "not if partner_types = none"
    assert rules["cn_crs_1"].asked == ""
    assert rules["cn_att"].scoring == "required answer: 2; never scored"
    assert rules["newexp"].scoring == "0 < yrs_export <= 3: 1; 3 < yrs_export: 0; else missing"
    assert rules["size_small"].scoring == "1 if size = small, else 0; base: micro"
    assert rules["export_share_pct"].scoring == "times 10"
    assert rules["deal_6m"].asked.startswith("ex_train = yes or ex_match = yes") and "else 97" in rules["deal_6m"].asked
    assert ("2", Text("Tidak setuju", "Disagree")) in rules["gr_fac_1"].answers
    assert [code for code, _ in rules["gr_fac_1"].answers][-3:] == ["97", "98", "99"]


def test_languages(forms: list[Instrument]) -> None:
    assert "text_id" not in codebook(forms[0], "en").header
    assert codebook(forms[0], ("en", "id")).header[3:5] == ("text_en", "text_id")
    with pytest.raises(OptionError, match="fr"):
        codebook(forms[0], ("en", "fr"))


def test_csv_and_xlsx(forms: list[Instrument], tmp_path: Path) -> None:
    import openpyxl

    with write_codebook(forms, tmp_path / "c.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == list(codebook(forms).header) and len(rows) == len(codebook(forms).rows) + 1
    book = openpyxl.load_workbook(write_codebook(forms, tmp_path / "c.xlsx"))
    assert book["codebook"].max_row == len(rows) and "UNVALIDATED" in str(book["notice"]["C3"].value)
    with pytest.raises(OptionError) as caught:
        write_codebook(forms, tmp_path / "c.docs")
    assert caught.value.code == "instrument.unknown-format" and "html" in caught.value.problems[0].allowed


def test_page_has_every_text_and_nothing_foreign(forms: list[Instrument], tmp_path: Path) -> None:
    import html

    page = write_codebook(forms, tmp_path / "c.html").read_text(encoding="utf-8")
    text = html.unescape(page)
    for form in forms:
        for item in form.items:
            assert item.text.id in text and item.text.en in text
    assert "BELUM DIVALIDASI" in page and "UNVALIDATED" in page
    assert not re.search(r"<script|src=|https?://|@import|url\(", page)
    assert write_codebook(forms, tmp_path / "d.html").read_text(encoding="utf-8") == page  # the same again


def test_strangers_texts_are_shown_as_texts(forms: list[Instrument], tmp_path: Path) -> None:
    evil = Text('<script>alert("id")</script>', '=HYPERLINK("http://x")<img src=x onerror=alert(1)>')
    first, *rest = forms[1].items
    question, *questions = forms[1].questions
    form = dataclasses.replace(
        forms[1],
        title=evil,
        notice=evil,
        lead_in=evil,
        items=(dataclasses.replace(first, text=evil), *rest),
        questions=(dataclasses.replace(question, text=evil, note=evil.id, unit=evil.en), *questions),
    )
    for page in (
        write_codebook(form, tmp_path / "e.html").read_text("utf-8"),
        form._repr_html_(),
        codebook(form)._repr_html_(),
    ):
        assert "<script" not in page and "<img" not in page and "&lt;img src=x" in page
    rows = write_codebook(form, tmp_path / "e.csv", ["en"]).read_text("utf-8-sig")
    assert "'=HYPERLINK" in rows and not re.search(r'(^|,)"?=HYPERLINK', rows, re.MULTILINE)


def test_a_notebook_sees_title_and_status(forms: list[Instrument]) -> None:
    view = forms[0]._repr_html_()
    assert "Collaborative network" in view and "unvalidated" in view and "reversed" in view
    assert view.count("<code>cn_str_5</code>") == 1
    assert repr(forms[0]).startswith('<Instrument "collaborative_network" 1.0: 31 items')
