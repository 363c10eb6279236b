"""XLSForm: the real pyxform converts every form without a warning, and the rules of the instrument are in it."""

from __future__ import annotations

import dataclasses
import shutil
import warnings

import openpyxl
import pytest

from semkit.errors import InstrumentFileError
from semkit.instrument import Condition, Routing, Text, list_instruments, load_instrument
from semkit.instrument.export import export
from tests.instrument.export.forms import STUDY, reworded

xls2xform = pytest.importorskip("pyxform.xls2xform")


def sheets(path):
    """Sheet name -> rows as dicts."""
    book = openpyxl.load_workbook(path)
    found = {}
    for sheet in book:
        rows = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
        found[sheet.title] = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    return found


def survey(path):
    return {row["name"]: row for row in sheets(path)["survey"] if row["name"]}


@pytest.mark.parametrize("name", list_instruments())
def test_pyxform_converts_without_warnings(name, tmp_path):
    form = load_instrument(name)
    path = export(form, "xlsform", tmp_path / "form.xlsx", settings=STUDY)
    told: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        result = xls2xform.convert(str(path), warnings=told)
    assert told == []
    for item in form.items:
        assert f"/{item.name}:label" in result.xform
        assert item.text.id.replace("&", "&amp;") in result.xform and item.text.en.replace("&", "&amp;") in result.xform
    assert '<translation lang="Bahasa Indonesia (id)" default="true()">' in result.xform
    assert "deviceid" not in result.xform and "[lembaga]" not in result.xform and "[organisation]" not in result.xform


@pytest.mark.parametrize("name", list_instruments())
def test_every_column_is_asked_once(name, tmp_path):
    form = load_instrument(name)
    path = export(form, "xlsform", tmp_path / "form.xlsx", settings=STUDY)
    names = [row["name"] for row in sheets(path)["survey"] if row["name"]]
    assert len(names) == len(set(names))
    left_out = {"lang", "device_hash"}  # a tool does not tell its language; no identifier of a device is taken
    assert {item.name for item in form.items} | {one.name for one in form.questions} - left_out <= set(names)
    assert not left_out & set(names)
    types = [row["type"] for row in sheets(path)["survey"]]
    assert types[:3] == ["start", "end", "audit"] and types.count("begin_group") == types.count("end_group")


def test_several_instruments_make_one_form(tmp_path):
    forms = [load_instrument(name) for name in ("collaborative_network", "government_role", "marketing_performance")]
    path = export(forms, "xlsform", tmp_path / "form.xlsx", settings=STUDY)
    told: list[str] = []
    xls2xform.convert(str(path), warnings=told)
    rows = survey(path)
    assert told == [] and {item.name for form in forms for item in form.items} <= set(rows)
    labels = [row["label::English (en)"] for row in rows.values()]
    assert all(labels.count(form.lead_in.en) == 1 for form in forms)


def test_rules_become_expressions(tmp_path):
    rows = survey(export(load_instrument("collaborative_network"), "xlsform", tmp_path / "a.xlsx", settings=STUDY))
    assert rows["consent"]["required"] == "yes" and rows["consent"]["relevant"] == ""
    assert rows["scr_owner"]["relevant"] == "(${consent} != '') and (${consent} != 'no')"
    assert "${scr_years} >= 1" in rows["part_profile"]["relevant"]
    assert "not(selected(${partner_types}, 'none'))" in rows["part_cn_str"]["relevant"]
    assert "partner_types" not in rows["part_cn_crs"]["relevant"]
    assert rows["partner_types"]["constraint"] == "not((selected(., 'none')) and count-selected(.) > 1)"
    assert rows["age"]["constraint"] == ". >= 15 and . <= 100" and rows["age"]["type"] == "integer"
    assert rows["cn_str_1"]["required"] == "yes"  # 99 is offered: nobody is forced to answer
    assert rows["age"]["required"] == ""  # no 99: may be skipped, as the consent text says
    assert rows["grid_cn_str_1"]["appearance"] == "table-list"
    assert rows["note_ended"]["relevant"].startswith("not(")

    rows = survey(export(load_instrument("export_compliance"), "xlsform", tmp_path / "b.xlsx", settings=STUDY))
    assert rows["el_ipf_2"]["relevant"] == "not(${export_status} = 'preparing')"
    assert rows["el_ipf_1"]["relevant"] == ""
    assert rows["clearance_days"]["relevant"] == "${export_status} = 'exporting'"

    rows = survey(export(load_instrument("government_role"), "xlsform", tmp_path / "c.xlsx", settings=STUDY))
    assert rows["deal_6m"]["relevant"].startswith("(${ex_train} = 'yes') or (${ex_match} = 'yes')")

    rows = survey(export(load_instrument("digital_collaboration"), "xlsform", tmp_path / "d.xlsx", settings=STUDY))
    assert rows["income_month_class"]["relevant"] == "${income_month} = ''"


def test_codes_offered_are_those_of_the_scale(tmp_path):
    path = export(load_instrument("export_compliance"), "xlsform", tmp_path / "form.xlsx", settings=STUDY)
    lists: dict[str, list[str]] = {}
    for row in sheets(path)["choices"]:
        lists.setdefault(row["list_name"], []).append(row["name"])
    assert lists["know5_scale_97_99"] == ["1", "2", "3", "4", "5", "97", "99"]
    assert lists["agree5_scale_97_98_99"] == ["1", "2", "3", "4", "5", "97", "98", "99"]
    assert lists["consent_answers"] == ["yes", "no"]


def test_special_codes_of_numbers_are_allowed_and_never_compared(tmp_path):
    form = load_instrument("government_role")
    questions = tuple(
        dataclasses.replace(one, special=(98, 99)) if one.name == "age" else one for one in form.questions
    )
    rule = Routing("old", Condition("age", at_least=60.5), ("gr_inf",), 97, (), 1, ("gr_inf",))
    form = dataclasses.replace(form, questions=questions, routing=(rule,))
    rows = survey(export(form, "xlsform", tmp_path / "form.xlsx", settings=STUDY))
    assert rows["age"]["constraint"] == "(. >= 15 and . <= 100) or . = 98 or . = 99"
    assert "98 = don't know" in rows["age"]["hint::English (en)"]
    wanted = "not(${age} != '' and ${age} >= 60.5 and ${age} != 98 and ${age} != 99)"
    assert wanted in rows["part_gr_inf"]["relevant"]


def test_settings_sheet_and_one_language(tmp_path):
    form = load_instrument("government_role")
    path = export(form, "xlsform", tmp_path / "form.xlsx", langs=["en"], settings=STUDY)
    assert sheets(path)["settings"] == [
        {"form_title": "Government role", "form_id": "government_role", "version": "1.0",
         "default_language": "English (en)"}
    ]  # fmt: skip
    assert not [name for name in sheets(path)["survey"][0] if "Indonesia" in name]


@pytest.mark.parametrize("words", ['=HYPERLINK("http://x")', "<b>&amp;</b>]]>", "' or 1=1 or '", "a\nb", "+1", "{0}"])
def test_hostile_words_stay_words(words, tmp_path):
    path = export(reworded("gr_fac_1", Text(words, words)), "xlsform", tmp_path / "form.xlsx", settings=STUDY)
    assert all(cell.data_type != "f" for sheet in openpyxl.load_workbook(path) for row in sheet for cell in row)
    told: list[str] = []
    result = xls2xform.convert(str(path), warnings=told)
    assert told == [] and "<b>" not in result.xform
    own = survey(export(load_instrument("government_role"), "xlsform", tmp_path / "own.xlsx", settings=STUDY))
    rules = ("type", "name", "relevant", "constraint", "required")
    assert [[row[key] for key in rules] for row in survey(path).values()] == [
        [row[key] for key in rules] for row in own.values()
    ]


def test_hostile_version_does_not_leave_its_quotes(tmp_path):
    form = dataclasses.replace(load_instrument("government_role"), version="1' or pulldata('x') or '")
    row = survey(export(form, "xlsform", tmp_path / "form.xlsx", settings=STUDY))["form_version"]
    assert row["calculation"] == "'1orpulldatax" + "or'"


def test_name_of_a_form_part_is_refused(tmp_path):
    form = load_instrument("government_role")
    questions = tuple(
        dataclasses.replace(one, name="part_profile") if one.name == "coop" else one for one in form.questions
    )
    with pytest.raises(InstrumentFileError) as caught:
        export(dataclasses.replace(form, questions=questions), "xlsform", tmp_path / "form.xlsx", settings=STUDY)
    assert caught.value.code == "instrument.reserved-name"


def test_odk_validate_accepts_the_largest_form(tmp_path):
    """ODK Validate (Java), the check that KoboToolbox and ODK Central make before a form can be used."""
    if shutil.which("java") is None:
        pytest.skip("no Java to run ODK Validate with")
    forms = [load_instrument(name) for name in ("collaborative_network", "government_role", "marketing_performance")]
    path = export(forms, "xlsform", tmp_path / "form.xlsx", settings=STUDY)
    told: list[str] = []
    result = xls2xform.convert(str(path), validate=True, warnings=told)
    assert result.xform and told == []
