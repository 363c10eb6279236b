"""Qualtrics: advanced-format text files, one a language, and a list of the logic that such files cannot carry.

Source: Qualtrics support "Import & Export Surveys", "Preparing an Advanced Format TXT File": ``[[AdvancedFormat]]``,
``[[Block]]``, ``[[Question:MC:SingleAnswer:Vertical]]``, ``[[Question:Matrix]]``, ``[[Question:TE:SingleLine]]``,
``[[Question:DB]]``, ``[[ID]]``, ``[[AdvancedChoices]]`` with ``[[Choice:n]]``, ``[[AdvancedAnswers]]`` with
``[[Answer:n]]``, ``[[PageBreak]]``.  Display logic is not part of the format.  Texts are HTML there: they are escaped,
and no text can become a tag.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from semkit.instrument.export.layout import Form, Part
from semkit.instrument.export.paper import (
    condition_words,
    grids,
    question_rules,
    scale_words,
    skip_words,
    special_words,
)
from semkit.instrument.items import Item
from semkit.instrument.questions import Question
from semkit.instrument.short import short_answers
from semkit.writing import escape, write_text

_INSTRUCTION = {"id": "Pilih satu jawaban di setiap baris.", "en": "Choose one answer in each row."}
_LOGIC = {
    "id": "Yang harus diatur di Qualtrics setelah impor (Survey Flow, Display Logic); nomor menurut urutan pertanyaan.",
    "en": "To be set in Qualtrics after the import (Survey Flow, Display Logic); numbers follow the order of asking.",
}


def write_qualtrics(form: Form, path: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write ``form`` as Qualtrics advanced-format text, one file for each language, and the list of its logic.

    Question ids are the names of the codebook: ``[[ID:cn_str]]`` with rows 1, 2, ... gives the columns ``cn_str_1``,
    ``cn_str_2``.  Choices have numbers that :func:`semkit.read_responses` knows.

    Parameters
    ----------
    form : Form
    path : path
        Ends in ``.txt``; with several languages ``_id`` and ``_en`` are added to the name.

    Returns
    -------
    tuple of Path
        The files by language, then ``..._logic.txt``.
    """
    path = Path(path)
    written = []
    for lang in form.langs:
        name = path if len(form.langs) == 1 else path.with_name(f"{path.stem}_{lang}{path.suffix}")
        written.append(write_text(name, "\n".join(_lines(form, lang)) + "\n"))
    logic = path.with_name(f"{path.stem}_logic{path.suffix}")
    written.append(write_text(logic, "\n".join(_logic(form)) + "\n"))
    return tuple(written)


def _html(text: str) -> str:
    """One line of HTML in which ``[[`` and ``${`` mean nothing."""
    safe = escape(text).replace("[", "&#91;").replace("]", "&#93;").replace("$", "&#36;")
    return "<br>".join(" ".join(line.split()) for line in safe.split("\n"))


def _lines(form: Form, lang: str) -> Iterator[str]:
    recorded = {question.name: question for question in form.whole.section("quality")}
    yield "[[AdvancedFormat]]"
    yield ""
    first = [recorded[name] for name in ("mode", "enumerator") if name in recorded]
    if first:
        yield "[[Block:start]]"
        yield ""
        for question in first:
            yield from _question(form, question, lang)
    for part in form.parts:
        yield f"[[Block:{part.name}]]"
        yield ""
        for number, lead in enumerate(part.leads, start=1):
            yield from ("[[Question:DB]]", f"[[ID:note_{part.name}_{number}]]", _html(lead.get(lang)), "")
        for question in part.questions:
            yield from _question(form, question, lang)
        yield from _items(form, part, lang)
        yield "[[PageBreak]]"
        yield ""


def _question(form: Form, question: Question, lang: str) -> Iterator[str]:
    words = form.caption(question, lang)
    if question.choices:
        kind = "MultipleAnswer" if question.answer == "multiple" else "SingleAnswer"
        yield f"[[Question:MC:{kind}:Vertical]]"
        yield f"[[ID:{question.name}]]"
        yield _html(words)
        numbers = short_answers(question)
        choices = [(numbers[choice.code], choice.label.get(lang)) for choice in question.choices]
        yield from _listed("AdvancedChoices", "Choice", [*choices, *special_words(form, question.special, lang)])
    else:
        hint = "; ".join(f"{code} = {label}" for code, label in special_words(form, question.special, lang))
        yield "[[Question:TE:SingleLine]]"
        yield f"[[ID:{question.name}]]"
        yield _html(f"{words} ({hint})" if hint else words)
    yield ""


def _items(form: Form, part: Part, lang: str) -> Iterator[str]:
    """Runs of items named ``block_1``, ``block_2`` ... as one matrix with the block's name, the others one by one."""
    seen: set[str] = set()
    for grid in grids(part):
        rows = [item for item in grid if _row(item)]
        answers = scale_words(form, grid[0], lang)
        for name in dict.fromkeys(item.name.rpartition("_")[0] for item in rows):
            together = [item for item in rows if item.name.rpartition("_")[0] == name]
            if name in seen:  # a second matrix of this name would have the same columns
                rows = [item for item in rows if item not in together]
                continue
            seen.add(name)
            yield "[[Question:Matrix]]"
            yield f"[[ID:{name}]]"
            yield _html(_INSTRUCTION[lang])
            numbered = [(item.name.rpartition("_")[2], item.text.get(lang)) for item in together]
            yield from _listed("AdvancedChoices", "Choice", numbered)
            yield from _listed("AdvancedAnswers", "Answer", answers)
            yield ""
        for item in grid:
            if item not in rows:
                yield "[[Question:MC:SingleAnswer:Vertical]]"
                yield f"[[ID:{item.name}]]"
                yield _html(item.text.get(lang))
                yield from _listed("AdvancedChoices", "Choice", answers)
                yield ""


def _row(item: Item) -> bool:
    head, _, number = item.name.rpartition("_")
    return bool(head) and number.isascii() and number.isdigit() and number == str(int(number)) and not item.is_check


def _listed(heading: str, kind: str, entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"[[{heading}]]"
    for code, words in entries:
        yield f"[[{kind}:{code}]]"
        yield _html(words)


def _logic(form: Form) -> Iterator[str]:
    """Every rule in words, with the question ids: what to set by hand."""
    for lang in form.langs:
        yield _LOGIC[lang]
        yield ""
        for part in form.parts:
            if part.skipped:
                names = ", ".join(item.name for item in part.items)
                yield f"{names}: {skip_words(form, part.skipped, lang)}"
            for item in part.items:
                if form.skipped_when(item):
                    yield f"{item.name}: {skip_words(form, form.skipped_when(item), lang)}"
            for question in part.questions:
                yield from (f"{question.name}: {rule}" for rule in question_rules(form, question, lang))
                ends = [choice.label.get(lang) for choice in question.choices if choice.ends]
                if ends:
                    yield f"{question.name}: {', '.join(ends)} = End of Survey"
        used = dict.fromkeys(condition for part in form.parts for condition in part.skipped)
        for condition in used:
            yield f"[{condition.question}] {condition_words(form, condition, lang)}"
        yield ""
