"""The questionnaire as a Word document: one language, or two side by side for back-translation and ethics review.

Source: ECMA-376 Part 1 (WordprocessingML) as written by python-docx.  Every text is set as a run of text, so that no
words can become markup or a field.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semkit.errors import MissingExtraError, Problem
from semkit.instrument.export.layout import Form, Part
from semkit.instrument.export.paper import (
    WORDS,
    answer_words,
    grids,
    numbers,
    question_rules,
    scale_words,
    skip_words,
)
from semkit.instrument.items import Item
from semkit.instrument.questions import Question
from semkit.writing import text_cell, write_bytes

_TEXT_WIDTH = 178  # millimetres between the margins of A4
_ANSWER_WIDTH = 15

Line = tuple[str, str]
"""Style (``"plain"``, ``"rule"``) and words of a paragraph."""


def write_word(form: Form, path: str | os.PathLike[str]) -> Path:
    """Write ``form`` as a Word document on A4.

    Parameters
    ----------
    form : Form
        With two languages every question stands in two columns, every item and label in both languages.
    path : path
        Ends in ``.docx``.

    Returns
    -------
    Path

    Raises
    ------
    MissingExtraError
        ``instrument.docx-missing``.
    """
    try:
        import docx
        from docx.shared import Mm, Pt
    except ImportError as error:
        raise MissingExtraError(
            Problem(
                "instrument.docx-missing",
                str(path),
                "writing Word documents needs the package python-docx",
                "an installed python-docx, or the print view (html)",
                'Install it with: pip install "semkit[word]"',
            )
        ) from error
    document = docx.Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(16)
    document.styles["Normal"].font.size = Pt(10)
    title = " / ".join(form.whole.title.get(lang) for lang in form.langs)
    document.core_properties.title = _clean(title)[:255]
    document.core_properties.author = ""
    document.add_heading(_clean(title), level=1)
    _fields(document, form)
    for part in form.parts:
        _part(document, form, part)
    _footer(page, f"{form.name} {form.whole.version}")
    stream = io.BytesIO()
    document.save(stream)
    return write_bytes(path, stream.getvalue())


def _footer(page: Any, words: str) -> None:
    """Name and version of the form, and the number of the page."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph = page.footer.paragraphs[0]
    paragraph.add_run(f"{_clean(words)}   ")
    run = paragraph.add_run()
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        part.text = text or None
        run._r.append(part)


def _clean(words: str) -> str:
    """The words without characters that XML cannot carry; a document has no formulas to guard against."""
    safe = text_cell(words)
    return safe if words.startswith("'") or not safe.startswith("'") else safe[1:]


def _fields(document: Any, form: Form) -> None:
    names = ("respondent", "interviewer", "date", "start", "end")
    table = document.add_table(rows=len(names), cols=2, style="Table Grid")
    table.autofit = False
    _set_widths(table, (60, _TEXT_WIDTH - 60))
    for row, name in zip(table.rows, names, strict=True):
        row.cells[0].text = " / ".join(WORDS[lang][name] for lang in form.langs)


def _part(document: Any, form: Form, part: Part) -> None:
    heading = " / ".join(part.title.get(lang) or WORDS[lang]["statements"] for lang in form.langs)
    document.add_heading(_clean(heading), level=2)
    if part.skipped:
        words = " / ".join(skip_words(form, part.skipped, lang) for lang in form.langs)
        _write(document.add_paragraph(), ("rule", words), last=True)  # a paragraph, which stays with its block
    for lead in part.leads:
        _sides(document, form, [[("plain", lead.get(lang))] for lang in form.langs])
    for question in part.questions:
        _sides(document, form, [_question(form, question, lang) for lang in form.langs])
    for items in grids(part):
        _grid(document, form, items)


def _sides(document: Any, form: Form, sides: Sequence[Sequence[Line]]) -> None:
    """The paragraphs of each language, side by side when there are two."""
    if len(form.langs) == 1:
        for number, line in enumerate(sides[0], start=1):
            _write(document.add_paragraph(), line, last=number == len(sides[0]))
        return
    table = document.add_table(rows=1, cols=len(form.langs))
    table.autofit = False
    _set_widths(table, [_TEXT_WIDTH / len(form.langs)] * len(form.langs))
    _whole(table.rows[0])
    for cell, lines in zip(table.rows[0].cells, sides, strict=True):
        for number, line in enumerate(lines, start=1):
            paragraph = cell.paragraphs[0] if number == 1 else cell.add_paragraph()
            _write(paragraph, line, last=number == len(lines))
            # the row stays whole by itself; a mark here would tie the whole table to the next one
            paragraph.paragraph_format.keep_with_next = False


def _write(paragraph: Any, line: Line, *, last: bool) -> None:
    """A question stays on one page; what leads a block stays with it; a little room after each question."""
    from docx.shared import Pt

    kind, words = line
    paragraph.add_run(_clean(words)).italic = kind == "rule"
    paragraph.paragraph_format.space_after = Pt(7) if last else Pt(0)
    paragraph.paragraph_format.keep_with_next = not last or kind == "rule"


def _question(form: Form, question: Question, lang: str) -> list[Line]:
    lines: list[Line] = [("plain", f"{numbers(form)[question.name]}. {question.text.get(lang)}")]
    lines += [("rule", rule) for rule in question_rules(form, question, lang)]
    if not question.choices:
        lines.append(("plain", "_" * 24))
    return lines + [("plain", f"☐ {words} [{code}]") for code, words in answer_words(form, question, lang)]


def _grid(document: Any, form: Form, items: Sequence[Item]) -> None:
    from docx.shared import Pt

    order = numbers(form)
    scales = [scale_words(form, items[0], lang) for lang in form.langs]
    points = list(zip(*scales, strict=True))
    document.add_paragraph(
        " / ".join(WORDS[lang]["grid"] for lang in form.langs)
    ).paragraph_format.keep_with_next = True
    table = document.add_table(rows=1 + len(items), cols=1 + len(points), style="Table Grid")
    table.autofit = False
    widths = [_TEXT_WIDTH - _ANSWER_WIDTH * len(points)] + [_ANSWER_WIDTH] * len(points)
    _set_widths(table, widths)
    _set_margins(table, 0.6)
    for cell, labels in zip(table.rows[0].cells[1:], points, strict=True):
        run = cell.paragraphs[0].add_run(_clean("\n".join(dict.fromkeys(words for _, words in labels))))
        run.font.size = Pt(6)
        cell.paragraphs[0].alignment = 1
    _whole(table.rows[0], repeat=True)
    for row, item in zip(table.rows[1:], items, strict=True):
        _whole(row)
        words = [f"{order[item.name]}. {item.text.get(form.langs[0])}", *(item.text.get(one) for one in form.langs[1:])]
        rules = [skip_words(form, form.skipped_when(item), lang) for lang in form.langs]
        row.cells[0].text = _clean("\n".join([*words, *(rule for rule in rules if rule)]))
        for cell, ((code, _), *_rest) in zip(row.cells[1:], points, strict=True):
            cell.text = code
            cell.paragraphs[0].alignment = 1  # centred
            cell.vertical_alignment = 1
    document.add_paragraph().paragraph_format.space_after = Pt(0)


def _set_widths(table: Any, millimetres: Sequence[float]) -> None:
    """Widths of the columns: in the grid, which LibreOffice reads, and in every cell, which Word reads."""
    from docx.shared import Mm

    for column, width in zip(table.columns, millimetres, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)


def _set_margins(table: Any, millimetres: float) -> None:
    """Narrow margins inside the cells, so that the words of an answer need not be broken."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        part = OxmlElement(f"w:{side}")
        part.set(qn("w:w"), str(round(millimetres * 56.7)))
        part.set(qn("w:type"), "dxa")
        margins.append(part)
    table._tbl.tblPr.append(margins)


def _whole(row: Any, *, repeat: bool = False) -> None:
    """Keep a row on one page; repeat a header on every page."""
    from docx.oxml import OxmlElement

    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if repeat:
        properties.append(OxmlElement("w:tblHeader"))
