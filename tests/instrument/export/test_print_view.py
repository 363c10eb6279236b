"""The paper questionnaire: every question once, rules in words, strangers' texts as texts."""

from __future__ import annotations

import re

import pytest

from semkit.instrument import Text, list_instruments, load_instrument
from semkit.instrument.export import export
from tests.instrument.export.forms import STUDY, reworded


@pytest.mark.parametrize("langs", [("id",), ("en",), ("id", "en")])
@pytest.mark.parametrize("name", list_instruments())
def test_every_question_and_item_once(name, langs, tmp_path):
    form = load_instrument(name)
    page = export(form, "html", tmp_path / "form.html", langs, STUDY).read_text(encoding="utf-8")
    found = re.findall(r'data-name="(\w+)"', page)
    asked = {one.name for one in form.questions if one.asked} | {item.name for item in form.items}
    assert len(found) == len(set(found)) and set(found) == asked
    printed = [int(number) for number in re.findall(r"<b>(\d+)\.</b>", page)]
    assert sorted(set(printed)) == list(range(1, len(asked) + 1))
    assert "[lembaga]" not in page and "[organisation]" not in page and "<script" not in page
    assert ('class="both"' in page) == (len(langs) == 2)


def test_rules_are_in_words(tmp_path):
    page = export(load_instrument("collaborative_network"), "html", tmp_path / "a.html", ["en"], STUDY).read_text()
    number = re.search(r'data-name="partner_types"><div lang="en"><p><b>(\d+)', page)
    assert number is not None and f"Skip if {number.group(1)} is &quot;none&quot;." in page
    assert "Below 1: the interview ends." in page and "(the interview ends)" in page
    assert "Respondent number" in page and "Interviewer code" in page and "Nomor responden" not in page
    page = export(load_instrument("export_compliance"), "html", tmp_path / "b.html", ["id"], STUDY).read_text()
    row = page[page.index('data-name="el_ipf_2"') :].split("</tr>")[0]
    assert "Lewati jika" in row and row.count('class="answer"') == 8
    page = export(load_instrument("digital_collaboration"), "html", tmp_path / "c.html", ["en"], STUDY).read_text()
    assert re.search(r"Only if \d+ is not answered\.", page)


def test_hostile_words_stay_words(tmp_path):
    words = '</td><script>alert(1)</script><img src=x onerror="x">'
    page = export(reworded("gr_fac_1", Text(words, words)), "html", tmp_path / "a.html", settings=STUDY).read_text()
    assert "<script" not in page and "<img" not in page and "&lt;script&gt;" in page
    page = export(load_instrument("government_role"), "html", tmp_path / "b.html", settings=STUDY | {"contact": words})
    assert "<script" not in page.read_text()
