"""The questionnaire on paper, as a page that a browser prints: one language, or two side by side.

Page and markup follow the HTML Standard and CSS Paged Media Level 3; every text is escaped and nothing is loaded from a
network.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

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
from semkit.writing import attribute, escape, page, write_text

_STYLE = """
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: .3rem 1.5rem; margin: .8rem 0; }
.fields span { border-bottom: 1px solid var(--ink); padding-top: .6rem; }
.both { display: grid; grid-template-columns: 1fr 1fr; gap: 1.2rem; }
.question { margin: .8rem 0; break-inside: avoid; }
.question ul { list-style: none; margin: .2rem 0; padding-left: 1.4rem; }
.rule { font-style: italic; color: var(--soft); }
.line { display: inline-block; min-width: 9rem; border-bottom: 1px solid var(--ink); }
section > .rule, section > .both, section > p { break-after: avoid; }
table.grid { table-layout: fixed; width: 100%; break-inside: avoid; }
table.grid th.answer, table.grid td.answer { width: 7.4%; text-align: center; padding: .3rem .05rem; }
table.grid th.answer { font-size: .58rem; font-weight: 500; line-height: 1.25; overflow-wrap: normal; }
table.grid td.answer { vertical-align: middle; }
table.grid th.answer, table.grid td.answer { border-left: 1px solid var(--line); }
table.grid.wide th.answer, table.grid.wide td.answer { width: 6.6%; }
@media print { table.grid { font-size: 9pt; line-height: 1.28; margin-bottom: .4rem; }
  table.grid td { padding: .16rem .3rem; } section > h2 { margin-top: 1.1rem; } .question { margin: .5rem 0; } }
"""


def write_print_view(form: Form, path: str | os.PathLike[str]) -> Path:
    """Write ``form`` as a page for printing on A4; with two languages every text stands in both.

    Parameters
    ----------
    form : Form
    path : path
        Ends in ``.html``.

    Returns
    -------
    Path
    """
    first = form.langs[0]
    title = " / ".join(form.whole.title.get(lang) for lang in form.langs)
    fields = ("respondent", "interviewer", "date", "start", "end")
    lines = "".join(f"<span>{escape(' / '.join(WORDS[lang][name] for lang in form.langs))}:</span>" for name in fields)
    body = f'<h1>{escape(title)}</h1><div class="fields">{lines}</div>'
    body += "".join(_part(form, part) for part in form.parts)
    body += f'<p class="soft">{escape(form.name)} {escape(form.whole.version)}</p>'
    return write_text(path, page(title, body, lang=first, style=_STYLE))


def _both(form: Form, cells: Sequence[str]) -> str:
    """HTML of each language, side by side when there are two."""
    inner = "".join(f"<div {attribute('lang', lang)}>{one}</div>" for lang, one in zip(form.langs, cells, strict=True))
    return f'<div class="both">{inner}</div>' if len(form.langs) > 1 else inner


def _part(form: Form, part: Part) -> str:
    heading = " / ".join(part.title.get(lang) or WORDS[lang]["statements"] for lang in form.langs)
    parts = [f"<section><h2>{escape(heading)}</h2>"]
    if part.skipped:
        parts.append(_both(form, [_rule(skip_words(form, part.skipped, lang)) for lang in form.langs]))
    parts += [_both(form, [f"<p>{escape(lead.get(lang))}</p>" for lang in form.langs]) for lead in part.leads]
    parts += [_question(form, question) for question in part.questions]
    parts += [_grid(form, items) for items in grids(part)]
    return "".join(parts) + "</section>"


def _rule(words: str) -> str:
    return f'<p class="rule">{escape(words)}</p>' if words else ""


def _question(form: Form, question: Question) -> str:
    number = numbers(form)[question.name]
    cells = []
    for lang in form.langs:
        answers = "".join(
            f"<li>&#9744; {escape(words)} <code>{escape(code)}</code></li>"
            for code, words in answer_words(form, question, lang)
        )
        rules = "".join(_rule(rule) for rule in question_rules(form, question, lang))
        blank = '<p><span class="line">&nbsp;</span></p>' if not question.choices else ""
        listed = f"<ul>{answers}</ul>" if answers else ""
        cells.append(f"<p><b>{number}.</b> {escape(question.text.get(lang))}</p>{rules}{blank}{listed}")
    return f'<div class="question" {attribute("data-name", question.name)}>{_both(form, cells)}</div>'


def _grid(form: Form, items: Sequence[Item]) -> str:
    order = numbers(form)
    columns = zip(*([words for _, words in scale_words(form, items[0], lang)] for lang in form.langs), strict=True)
    head = "".join(
        f'<th scope="col" class="answer">{"<br>".join(escape(words) for words in dict.fromkeys(labels))}</th>'
        for labels in columns
    )
    codes = [code for code, _ in scale_words(form, items[0], form.langs[0])]
    marks = "".join(f'<td class="answer">{escape(code)}</td>' for code in codes)
    rows = []
    for item in items:
        words = "<br>".join(
            f"<span {attribute('lang', lang)}>{escape(item.text.get(lang))}</span>"
            + _rule(skip_words(form, form.skipped_when(item), lang))
            for lang in form.langs
        )
        rows.append(f"<tr {attribute('data-name', item.name)}><td><b>{order[item.name]}.</b> {words}</td>{marks}</tr>")
    told = " / ".join(WORDS[lang]["grid"] for lang in form.langs)
    kind = "grid wide" if len(codes) > 8 else "grid"
    return (
        f'<table class="{kind}"><caption>{escape(told)}</caption><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
