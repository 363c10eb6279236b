"""The data-entry workbook for paper forms: one row an interview, each cell checked against its list or range.

Source: ECMA-376 Part 1, 18.3.1.32 ``dataValidation`` (types ``list``, ``whole``, ``decimal``, ``custom``).
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semkit.instrument.export.figures import figure
from semkit.instrument.export.layout import Form
from semkit.instrument.export.paper import answer_words, scale_words, special_words
from semkit.instrument.questions import Question
from semkit.writing import cell, new_workbook, row_height, write_bytes

ROWS = 1000
_BEFORE = ("respondent_id", "entered_by")
_HEADER = ("column", "language", "question", "codes")


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: the words of its question, the codes that may stand in it (none: a range or free text)."""

    name: str
    words: tuple[str, ...]
    codes: tuple[tuple[tuple[str, str], ...], ...] = ()
    question: Question | None = None


def write_entry_workbook(form: Form, path: str | os.PathLike[str]) -> Path:
    """Write the workbook: sheet ``entry`` to type in, ``questions`` to read, ``lists`` with the codes.

    A question with several answers has one 0/1 column for each, named ``question/code``.  ``respondent_id`` must be
    unique; ``entered_by`` tells two typists apart.

    Parameters
    ----------
    form : Form
    path : path
        Ends in ``.xlsx``.

    Returns
    -------
    Path

    Raises
    ------
    MissingExtraError
        ``writing.openpyxl-missing``.
    """
    book = new_workbook(path)
    entry = book.active
    entry.title = "entry"
    questions, lists = book.create_sheet("questions"), book.create_sheet("lists")
    columns = list(_columns(form))
    _read_sheet(questions, form, columns)
    _entry_sheet(entry, columns, _lists(lists, columns))
    for sheet in (entry, questions, lists):
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
        sheet.page_setup.orientation = "landscape"
        sheet.print_title_rows = "1:1"
    questions.sheet_properties.pageSetUpPr.fitToPage = True  # all columns on one page across, as many down as needed
    questions.page_setup.fitToHeight = 0
    stream = io.BytesIO()
    book.save(stream)
    return write_bytes(path, stream.getvalue())


def _columns(form: Form) -> Iterator[_Column]:
    recorded = {question.name: question for question in form.whole.section("quality")}
    asked = [recorded[name] for name in ("mode", "enumerator") if name in recorded]
    for question in asked:
        yield from _question(form, question)
    for part in form.parts:
        for question in part.questions:
            yield from _question(form, question)
        for item in part.items:
            words = tuple(item.text.get(lang) for lang in form.langs)
            yield _Column(item.name, words, tuple(scale_words(form, item, lang) for lang in form.langs))


def _question(form: Form, question: Question) -> Iterator[_Column]:
    words = tuple(question.text.get(lang) for lang in form.langs)
    if question.answer == "multiple":
        for choice in question.choices:
            each = tuple(f"{text} {choice.label.get(lang)}" for text, lang in zip(words, form.langs, strict=True))
            yield _Column(f"{question.name}/{choice.code}", each, ((("0", ""), ("1", "")),) * len(form.langs))
    elif question.choices:
        yield _Column(question.name, words, tuple(answer_words(form, question, lang) for lang in form.langs), question)
    else:
        yield _Column(question.name, words, (), question)


def _put(place: Any, value: object) -> None:
    """A stranger's words are stored as a text, never as a formula."""
    safe = cell(value)
    place.value = safe
    if isinstance(safe, str):
        place.data_type = "s"


def _read_sheet(sheet: Any, form: Form, columns: list[_Column]) -> None:
    from openpyxl.styles import Alignment, Font

    for number, title in enumerate(_HEADER, start=1):
        sheet.cell(row=1, column=number, value=title).font = Font(bold=True)
    row = 1
    for column in columns:
        for place, lang in enumerate(form.langs):
            row += 1
            given = column.codes[place] if column.codes else ()
            codes = [f"{code} = {words}" if words else code for code, words in given]
            if column.question is not None and not column.codes:
                codes = [f"{code} = {words}" for code, words in special_words(form, column.question.special, lang)]
            for number, value in enumerate((column.name, lang, column.words[place], "\n".join(codes)), start=1):
                _put(sheet.cell(row=row, column=number), value)
                sheet.cell(row=row, column=number).alignment = Alignment(wrap_text=True, vertical="top")
            sheet.row_dimensions[row].height = row_height((column.words[place], "\n".join(codes)), (70, 50))
    for letter, width in zip("ABCD", (26, 10, 70, 50), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "B2"


def _lists(sheet: Any, columns: list[_Column]) -> dict[tuple[str, ...], str]:
    """Codes of each different list -> the range of the sheet where they stand."""
    from openpyxl.utils import get_column_letter

    ranges: dict[tuple[str, ...], str] = {}
    for column in columns:
        codes = tuple(code for code, _ in column.codes[0]) if column.codes else ()
        if not codes or codes in ranges:
            continue
        letter = get_column_letter(len(ranges) + 1)
        for row, code in enumerate(codes, start=1):
            _put(
                sheet[f"{letter}{row}"],
                int(code) if code.isascii() and code.isdigit() and str(int(code)) == code else code,
            )
        ranges[codes] = f"lists!${letter}$1:${letter}${len(codes)}"
    return ranges


def _entry_sheet(sheet: Any, columns: list[_Column], ranges: dict[tuple[str, ...], str]) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    names = [*_BEFORE, *(column.name for column in columns)]
    for number, name in enumerate(names, start=1):
        _put(sheet.cell(row=1, column=number), name)
        sheet.cell(row=1, column=number).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = max(8, len(name) + 2)
    sheet.freeze_panes = "B2"
    unique = _validation("custom", formula1=f"COUNTIF($A$2:$A${ROWS + 1},A2)=1")
    _attach(sheet, unique, "A", "respondent_id", "Each number once.")
    for number, column in enumerate(columns, start=len(_BEFORE) + 1):
        letter = get_column_letter(number)
        if column.codes:
            rule = _validation("list", formula1=ranges[tuple(code for code, _ in column.codes[0])])
        elif column.question is not None:
            rule = _range(column.question, letter)
        else:
            rule = None
        if rule is not None:
            _attach(sheet, rule, letter, column.name, column.words[0])


def _validation(kind: str, **formulas: str) -> Any:
    from openpyxl.worksheet.datavalidation import DataValidation

    rule = DataValidation(type=kind, allow_blank=True, showErrorMessage=True, showInputMessage=True, **formulas)
    rule.errorStyle = "stop"
    rule.errorTitle = "semkit"
    rule.error = "This cell allows the codes or the range of its question only (sheet questions)."
    return rule


def _attach(sheet: Any, rule: Any, letter: str, name: str, words: str) -> None:
    rule.promptTitle = name[:32]
    rule.prompt = str(cell(words) or "")[:255]
    rule.add(f"{letter}2:{letter}{ROWS + 1}")
    sheet.add_data_validation(rule)


def _range(question: Question, letter: str) -> Any:
    """Numbers inside the question's limits, or one of its special codes; None for texts."""
    if question.answer in ("text", "time"):
        return None
    place = f"{letter}2"
    low = 0.0 if question.answer in ("count", "of_ten") and question.minimum is None else question.minimum
    high = 10.0 if question.answer == "of_ten" and question.maximum is None else question.maximum
    parts = [f"ISNUMBER({place})"]
    parts += [f"{place}=INT({place})"] if question.answer in ("count", "of_ten") else []
    parts += [f"{place}>={figure(low)}"] if low is not None else []
    parts += [f"{place}<={figure(high)}"] if high is not None else []
    inside = f"AND({','.join(parts)})"
    specials = "".join(f",{place}={code}" for code in question.special)
    return _validation("custom", formula1=f"OR({inside}{specials})" if specials else inside)
