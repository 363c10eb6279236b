"""Google Forms: an Apps Script file that builds the form, one for each language, when it is run once.

Source: Apps Script reference "Forms Service" (``FormApp.create``, ``addPageBreakItem``, ``addMultipleChoiceItem``,
``addCheckboxItem``, ``addGridItem``, ``addTextItem``, ``createChoice(value, navigationType)``,
``createTextValidation``).  Texts stand in one JSON constant, never in code: JSON is a subset of ECMAScript 2019, and
characters beyond ASCII, ``<``, ``>`` and ``&`` are written as ``\\uXXXX``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semkit.instrument.export.layout import Form, Part
from semkit.instrument.export.paper import grids, question_rules, scale_words, skip_words, special_words
from semkit.instrument.questions import Question
from semkit.writing import write_text

_INSTRUCTION = {"id": "Pilih satu jawaban di setiap baris.", "en": "Choose one answer in each row."}
_HEADING = {"id": "Pernyataan", "en": "Statements"}
_REFUSED = 99

_CODE = """
/** Run this function once: it makes one form for each language and logs where to find it. */
function buildForms() {
  FORMS.forEach(function (data) {
    var form = FormApp.create(data.title).setTitle(data.title).setProgressBar(true).setCollectEmail(false);
    data.pages.forEach(function (page, number) {
      if (number > 0) {
        form.addPageBreakItem().setTitle(page.title).setHelpText(page.help);
      }
      page.questions.forEach(function (question) { addQuestion(form, question); });
    });
    Logger.log(data.language + ': ' + form.getEditUrl() + ' ' + form.getPublishedUrl());
  });
}

function addQuestion(form, question) {
  var item;
  if (question.kind === 'grid') {
    item = form.addGridItem().setRows(question.rows).setColumns(question.columns);
  } else if (question.kind === 'choice') {
    item = form.addMultipleChoiceItem();
    item.setChoices(question.choices.map(function (choice) {
      if (!question.ends) { return item.createChoice(choice.words); }
      var next = choice.ends ? FormApp.PageNavigationType.SUBMIT : FormApp.PageNavigationType.CONTINUE;
      return item.createChoice(choice.words, next);
    }));
  } else if (question.kind === 'multiple') {
    item = form.addCheckboxItem();
    item.setChoices(question.choices.map(function (choice) { return item.createChoice(choice.words); }));
  } else {
    item = form.addTextItem();
    if (question.kind === 'number') {
      var rule = FormApp.createTextValidation();
      rule = question.low !== null && question.high !== null
        ? rule.requireNumberBetween(question.low, question.high)
        : question.low !== null ? rule.requireNumberGreaterThanOrEqualTo(question.low) : rule.requireNumber();
      item.setValidation(rule.build());
    }
  }
  item.setTitle(question.title).setHelpText(question.help).setRequired(question.required);
}
"""


def write_google_forms(form: Form, path: str | os.PathLike[str]) -> Path:
    """Write ``form`` as an Apps Script file (``.gs``) whose ``buildForms`` makes one form for each language.

    Google Forms goes to another page by the answer to one question on a page, and cannot compare numbers or jump over a
    single page later on.  So every question that ends the interview has a page of its own and ends it; every other rule
    stands in words above the page or question.

    Parameters
    ----------
    form : Form
    path : path
        Ends in ``.gs``.

    Returns
    -------
    Path
    """
    data = [{"language": lang, "title": form.whole.title.get(lang), "pages": list(_pages(form, lang))}
            for lang in form.langs]  # fmt: skip
    text = json.dumps(data, ensure_ascii=True, indent=1)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    head = "// Written by semkit. In script.google.com: new project, paste this file, run buildForms.\n"
    return write_text(path, f"{head}var FORMS = {text};\n{_CODE}")


def _pages(form: Form, lang: str) -> Iterator[dict[str, Any]]:
    recorded = {question.name: question for question in form.whole.section("quality")}
    first = [recorded[name] for name in ("mode", "enumerator") if name in recorded]
    if first:
        yield _page(form.whole.title.get(lang), "", [_question(form, question, lang) for question in first])
    for part in form.parts:
        title = part.title.get(lang) or _HEADING[lang]
        lines = [skip_words(form, part.skipped, lang), *(lead.get(lang) for lead in part.leads)]
        help_ = "\n".join(line for line in lines if line)
        page: list[dict[str, Any]] = []
        for question in part.questions:
            page.append(_question(form, question, lang))
            if page[-1].get("ends"):
                yield _page(title, help_, page)
                page, help_ = [], ""
        page += list(_grids(form, part, lang))
        if page:
            yield _page(title, help_, page)


def _page(title: str, help_: str, questions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": title, "help": help_, "questions": questions}


def _grids(form: Form, part: Part, lang: str) -> Iterator[dict[str, Any]]:
    for grid in grids(part):
        skipped = [f"{item.text.get(lang)}: {skip_words(form, form.skipped_when(item), lang)}"
                   for item in grid if form.skipped_when(item)]  # fmt: skip
        yield {
            "kind": "grid",
            "title": _INSTRUCTION[lang],
            "help": "\n".join(skipped),
            "rows": [item.text.get(lang) for item in grid],
            "columns": [words for _, words in scale_words(form, grid[0], lang)],
            "required": False,  # a respondent may skip a row, as the consent text promises
        }


def _question(form: Form, question: Question, lang: str) -> dict[str, Any]:
    specials = special_words(form, question.special, lang)
    rules = list(question_rules(form, question, lang))
    out: dict[str, Any] = {"kind": "text", "title": form.caption(question, lang)}
    if question.choices:
        choices = [{"words": choice.label.get(lang), "ends": choice.ends} for choice in question.choices]
        out["kind"] = "multiple" if question.answer == "multiple" else "choice"
        out["choices"] = choices + [{"words": words, "ends": False} for _, words in specials]
        out["ends"] = out["kind"] == "choice" and any(choice.ends for choice in question.choices)
    elif question.answer not in ("text", "time"):
        rules += [f"{code} = {words}" for code, words in specials]
        low = 0.0 if question.answer in ("count", "of_ten") and question.minimum is None else question.minimum
        high = 10.0 if question.answer == "of_ten" and question.maximum is None else question.maximum
        if question.special and high is not None:
            high = max(high, *question.special)
        out |= {"kind": "number", "low": low, "high": high}
    forced = question.section in ("consent", "screening") or _REFUSED in question.special
    return out | {"help": " ".join(rules), "required": forced and question.relevance is None}
