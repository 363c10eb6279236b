"""LimeSurvey, Qualtrics, Google Forms and DDI: every item and question is there once, and no text becomes code."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from semkit.instrument import (
    Choice,
    Instrument,
    Question,
    Text,
    codebook,
    list_instruments,
    load_instrument,
    write_codebook,
)
from semkit.instrument.export import export, export_files
from semkit.instrument.short import form_names, short_answers, short_names
from tests.instrument.export.forms import STUDY, reworded

EVIL = '"]]; [[Question:DB]] ${e://x} </script> {INSERTANS:1} \\u0041 \u2028 `x` \'=1+1'


def hostile(form_name: str = "government_role") -> Instrument:
    words = EVIL.replace("${", "$ {")  # what field tools read as a reference is refused before
    return reworded("gr_fac_1", Text(words, words), instrument=form_name)


def rows(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


# --- LimeSurvey -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list_instruments())
def test_limesurvey_codes_are_allowed_and_complete(name: str, tmp_path: Path) -> None:
    form = load_instrument(name)
    table = rows(export(form, "limesurvey", tmp_path / "f.txt", settings=STUDY))
    names = form_names(form)
    for lang in ("id", "en"):
        mine = [row for row in table if row["language"] == lang and row["class"] != "SL"]
        codes = [row["name"] for row in mine if row["class"] == "Q"]
        assert len(codes) == len({code.casefold() for code in codes})
        for row in mine:
            most = {"Q": 20, "SQ": 20, "A": 5}.get(row["class"], 200)
            assert row["class"] == "G" or re.fullmatch(rf"[0-9A-Za-z]{{1,{most}}}", row["name"]), row
        rows_of = [row["name"] for row in mine if row["class"] == "SQ"]
        assert all(rows_of.count(names[item.name]) == 1 for item in form.items)
        left_out = {"lang", "device_hash", "start_time", "end_time", "duration_s", "form_version"}
        assert {names[q.name] for q in form.questions if q.name not in left_out} <= set(codes)
        for item in form.items:
            assert any(row["text"].replace("&quot;", '"').replace("&#x27;", "'") == item.text.get(lang) for row in mine)
    asked = [row for row in table if row["class"] in ("Q", "SQ", "A")]
    first, second = ([row["name"] for row in asked if row["language"] == lang] for lang in ("id", "en"))
    assert first == second  # the same rows in the same order


def evaluate(expression: str, answers: Mapping[str, object]) -> bool:
    """A LimeSurvey expression of ours, by Python's own precedence; names only out of the answers."""
    assert re.fullmatch(r"[\w\s().!=<>\"-]*", expression), expression
    python = re.sub(r"is_empty\((\w+)\.NAOK\)", lambda m: str(answers.get(m[1], "") == ""), expression)
    python = re.sub(r"(\w+)\.NAOK", lambda m: repr(answers.get(m[1], "")), python).replace("!(", "not (")
    python = re.sub(r"!(True|False)", r"not \1", python)
    return bool(eval(python, {"__builtins__": {}}))  # noqa: S307 (checked above: names, numbers and comparisons only)


def test_limesurvey_relevance_says_what_the_instrument_says(tmp_path: Path) -> None:
    form = load_instrument("collaborative_network")
    everything = rows(export(form, "limesurvey", tmp_path / "f.txt", ["en"], STUDY))
    table = [row for row in everything if row["class"] in ("G", "Q", "SQ")]
    at = next(k for k, row in enumerate(table) if row["name"] == "cnstr1")
    group = next(row for row in reversed(table[:at]) if row["class"] == "G")
    types = short_answers(form.question("partner_types"))
    through = {"consent": "1", "scrowner": "1", "scryears": 4, "scractive": "1", "scrregion": "1", "screxport": "4"}
    assert evaluate(group["relevance"], through | {f"partnertypes_{types['supplier']}": "Y"})
    assert not evaluate(group["relevance"], through | {f"partnertypes_{types['none']}": "Y"})
    assert not evaluate(group["relevance"], {**through, "scrowner": "2"})
    assert not evaluate(group["relevance"], {**through, "scryears": 0})
    number = next(row for row in table if row["name"] == "scryears")
    assert number["type/scale"] == "N" and number["num_value_int_only"] == "1" and number["mandatory"] == "Y"
    many = next(row for row in table if row["name"] == "partnertypes")
    assert many["type/scale"] == "M" and many["exclude_all_others"].split(";")[0] == types["none"]


def test_limesurvey_texts_are_never_code(tmp_path: Path) -> None:
    text = export(hostile(), "limesurvey", tmp_path / "f.txt", settings=STUDY).read_text(encoding="utf-8-sig")
    assert "{" not in text and "<script" not in text and "</script" not in text


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@SUM(A1)", "  =2"])
def test_limesurvey_is_no_formula_in_a_spreadsheet(words: str, tmp_path: Path) -> None:
    form = reworded("gr_fac_1", Text(words, words))
    table = rows(export(form, "limesurvey", tmp_path / "f.txt", settings=STUDY))
    told = [cell for row in table for cell in row.values()]
    assert not any(cell.lstrip()[:1] in set("=+-@") for cell in told if cell)
    assert any(html.unescape(cell) == words for cell in told)


# --- Qualtrics --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list_instruments())
def test_qualtrics_has_a_file_a_language_and_every_column(name: str, tmp_path: Path) -> None:
    form = load_instrument(name)
    files = export_files(form, "qualtrics", tmp_path / "f.txt", settings=STUDY)
    assert [path.name for path in files] == ["f_id.txt", "f_en.txt", "f_logic.txt"]
    for path in files[:2]:
        text = path.read_text(encoding="utf-8")
        assert text.startswith("[[AdvancedFormat]]\n")
        columns = set()
        for block in re.split(r"\n(?=\[\[Question)", text):
            tag = re.search(r"\[\[ID:(\w+)\]\]", block)
            if tag and "[[Question:Matrix]]" in block:
                head = block.split("[[AdvancedAnswers]]")[0]
                columns |= {f"{tag[1]}_{number}" for number in re.findall(r"\[\[Choice:(\d+)\]\]", head)}
            elif tag:
                assert tag[1] not in columns
                columns.add(tag[1])
        assert {item.name for item in form.items} <= columns
        asked = {q.name for q in form.questions if q.section != "quality"}
        assert asked <= columns
        kinds = set(re.findall(r"\[\[(\w+)[:\]]", text))
        assert kinds <= {"AdvancedFormat", "Block", "Question", "ID", "AdvancedChoices", "Choice", "AdvancedAnswers",
                         "Answer", "PageBreak"}  # fmt: skip


def test_qualtrics_texts_are_never_tags(tmp_path: Path) -> None:
    plain = export(load_instrument("government_role"), "qualtrics", tmp_path / "a.txt", ["en"], STUDY).read_text()
    evil = export(hostile(), "qualtrics", tmp_path / "b.txt", ["en"], STUDY).read_text()
    tags = re.compile(r"\[\[.*?\]\]")
    assert tags.findall(evil) == tags.findall(plain) and "$ {" not in evil and "<script" not in evil


def test_qualtrics_logic_is_listed(tmp_path: Path) -> None:
    form = load_instrument("collaborative_network")
    logic = export_files(form, "qualtrics", tmp_path / "a.txt", ["en"], STUDY)[-1].read_text()
    assert 'cn_str_1, cn_str_2, cn_str_3, cn_str_4, cn_str_5: Skip if 16 is "none".' in logic
    assert "scr_owner: no = End of Survey" in logic and '[partner_types] 16 is "none"' in logic


# --- Google Forms -----------------------------------------------------------------------------------------------------

MOCK = r"""
var made = [];
function item(kind) {
  var self = {kind: kind};
  ['Title', 'HelpText', 'Required', 'Rows', 'Columns', 'Choices', 'Validation'].forEach(function (part) {
    var n = 'set' + part;
    self[n] = function (value) { self[n.slice(3).toLowerCase()] = value; return self; };
  });
  self.createChoice = function (words, next) { return [words, next || '']; };
  made.push(self);
  return self;
}
var FormApp = {
  PageNavigationType: {SUBMIT: 'submit', CONTINUE: 'continue'},
  create: function (title) {
    var form = {getEditUrl: String, getPublishedUrl: String};
    ['setTitle', 'setProgressBar', 'setCollectEmail'].forEach(function (n) { form[n] = function () { return form; }; });
    ['PageBreak', 'MultipleChoice', 'Checkbox', 'Grid', 'Text'].forEach(function (n) {
      form['add' + n + 'Item'] = function () { return item(n); };
    });
    return form;
  },
  createTextValidation: function () {
    var rule = {};
    ['requireNumberBetween', 'requireNumberGreaterThanOrEqualTo', 'requireNumber', 'build'].forEach(function (n) {
      rule[n] = function () { return rule; };
    });
    return rule;
  }
};
var Logger = {log: function () {}};
"""


def run_script(path: Path, folder: Path) -> list[dict[str, object]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node to run the script with")
    script = folder / "run.js"
    text = path.read_text(encoding="utf-8")
    script.write_text(MOCK + text + "\nbuildForms();\nconsole.log(JSON.stringify(made));\n", encoding="utf-8")
    done = subprocess.run([node, str(script)], capture_output=True, text=True, check=True, timeout=60)
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", ["collaborative_network", "digital_collaboration"])
def test_the_google_script_runs_and_asks_everything(name: str, tmp_path: Path) -> None:
    form = load_instrument(name)
    made = run_script(export(form, "google-forms", tmp_path / "f.gs", settings=STUDY), tmp_path)
    titles = [one["title"] for one in made]
    lines = [row for one in made if one["kind"] == "Grid" for row in one["rows"]]  # type: ignore[attr-defined]
    for lang in ("id", "en"):
        for item in form.items:
            assert lines.count(item.text.get(lang)) >= 1
        for question in form.questions:
            if question.section != "quality" and "[" not in question.text.get(lang):
                assert question.text.get(lang) in titles
    owner = next(one for one in made if one["title"] == form.question("scr_owner").text.en)
    assert owner["choices"] == [["yes", "continue"], ["no", "submit"]] and owner["required"] is True
    asked = [one["title"] for one in made if one["kind"] in ("MultipleChoice", "Checkbox", "Text")]
    assert len(asked) == len(set(asked))  # the response sheet can tell every column


def test_google_texts_are_never_code(tmp_path: Path) -> None:
    path = export(hostile(), "google-forms", tmp_path / "f.gs", settings=STUDY)
    text = path.read_text(encoding="utf-8")
    assert "</script" not in text and "\u2028" not in text and text.isascii()
    lines = [row for one in run_script(path, tmp_path) if one["kind"] == "Grid" for row in one["rows"]]  # type: ignore[attr-defined]
    assert EVIL.replace("${", "$ {") in lines


# --- DDI --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list_instruments())
def test_ddi_has_every_column_with_its_words_and_codes(name: str, tmp_path: Path) -> None:
    form = load_instrument(name)
    path = write_codebook(form, tmp_path / "book.xml")
    space = {"d": "ddi:codebook:2_5"}
    root = ElementTree.parse(path).getroot()
    assert root.tag == "{ddi:codebook:2_5}codeBook" and root.get("version") == "2.5"
    variables = {one.get("name"): one for one in root.iterfind("d:dataDscr/d:var", space)}
    assert list(variables) == [entry.name for entry in codebook(form).entries]
    order = "labl qstn universe catgry codInstr concept varFormat notes".split()
    for one in variables.values():
        tags = [child.tag.split("}")[1] for child in one]
        assert tags == sorted(tags, key=order.index)
    item = form.items[0]
    mine = variables[item.name]
    assert [one.text for one in mine.iterfind("d:labl", space)] == [item.text.id, item.text.en]
    codes = [one.findtext("d:catValu", "", space) for one in mine.iterfind("d:catgry", space)]
    missing = [one.findtext("d:catValu", "", space) for one in mine.iterfind("d:catgry[@missing='Y']", space)]
    assert codes[:5] == ["1", "2", "3", "4", "5"] and missing == codes[5:]
    ids = [one.get("ID") for one in variables.values()]
    assert len(ids) == len(set(ids))
    form_ = variables["scr_years"].find("d:varFormat", space)
    assert form_ is not None and form_.get("type") == "numeric" and variables["scr_years"].get("nature") == "interval"


# --- short names ------------------------------------------------------------------------------------------------------


def test_short_names_are_unlike_each_other() -> None:
    names = ["a_b", "ab", "AB", "time", "1_x", "x" * 30, "x" * 30 + "y", "token"]
    short = short_names(names)
    assert list(short.values()) == ["ab", "abx2", "ABx3", "timex2", "q1x", "x" * 20, "x" * 18 + "x2", "tokenx2"]


def test_numbers_that_would_run_into_special_codes_are_refused() -> None:
    choices = tuple(Choice(f"c{k}", Text("x", "x")) for k in range(97))
    question = Question("q", "profile", "choice", Text("q", "q"), choices, special=(97,))
    with pytest.raises(Exception, match="run into the special code 97"):
        short_answers(question)
