"""The codebook as a file: HTML for reading, XLSX and CSV for working, DDI XML for archives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from semkit.errors import OptionError, Problem, suggest
from semkit.instrument.columns import Codebook, Entry, codebook
from semkit.instrument.ddi import ddi_codebook
from semkit.instrument.items import Text
from semkit.instrument.records import Instrument
from semkit.writing import attribute, escape, page, write_csv, write_text, write_xlsx

FORMATS = ("html", "xlsx", "csv", "xml")

_STYLE = """
.toc a { display: inline-block; margin-right: .8rem; } a { color: var(--accent); }
.answers { margin: 0; padding: 0; list-style: none; font-size: .92em; }
.rules { color: var(--soft); font-size: .92em; }
section { margin-top: 1.5rem; }
@media (min-width: 40.01rem), print { td:first-child { width: 9.5rem; } td:nth-child(2) { width: 48%; } }
@media screen and (max-width: 40rem) { table.stack td::before { content: none; } }
.other { color: var(--soft); }
@media print { .toc { display: none; } }
"""
_KINDS = (
    ("question", "Questions"),
    ("recorded", "Recorded by the form"),
    ("dummy", "0/1 columns made from choices"),
    ("derived", "Derived columns"),
    ("routing", "Routing"),
)


def write_codebook(
    instruments: Instrument | Sequence[Instrument],
    path: str | os.PathLike[str],
    langs: Sequence[str] = ("id", "en"),
    format: str | None = None,
) -> Path:
    """Write the codebook of one or several instruments.

    Parameters
    ----------
    instruments : Instrument or sequence of Instrument
    path : path
    langs : sequence of {"id", "en"}
        Languages, the first one foremost.
    format : {"html", "xlsx", "csv", "xml"}, optional
        Taken from the path's suffix when left out.  XLSX needs the extra ``semkit[excel]``; XML is DDI Codebook 2.5.

    Returns
    -------
    Path

    Raises
    ------
    OptionError
        ``instrument.unknown-format``, ``instrument.unknown-language``.
    """
    kind = format or Path(path).suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise OptionError(
            Problem(
                "instrument.unknown-format",
                f'codebook "{path}"',
                f'"{kind}" is no format of codebooks',
                ", ".join(FORMATS),
                suggest(kind, FORMATS).strip() or "Give the path one of these suffixes.",
            )
        )
    book = codebook(instruments, langs)
    if kind == "csv":
        return write_csv(path, book.header, book.rows, bom=True)
    if kind == "xlsx":
        notice = [(lang, book.title.get(lang), book.notice.get(lang)) for lang in book.languages]
        return write_xlsx(
            path, {"codebook": (book.header, book.rows), "notice": (("language", "title", "notice"), notice)}
        )
    forms = [instruments] if isinstance(instruments, Instrument) else list(instruments)
    return write_text(path, ddi_codebook(book, forms) if kind == "xml" else codebook_html(book, forms))


def codebook_html(book: Codebook, forms: Sequence[Instrument]) -> str:
    """Return a self-contained page; every text of an instrument is escaped."""
    first = book.languages[0]
    blocks = [_questions(book, "Asked first", ("consent", "screening", "profile"))]
    blocks += [_instrument(book, form) for form in forms]
    blocks += [_marker(book, forms), _questions(book, "Objective questions", ("objective",))]
    blocks += [_kind(book, kind, title) for kind, title in _KINDS[1:]]
    title = " + ".join(form.title.get(first) for form in forms)
    notices = dict.fromkeys(form.notice.get(lang) for lang in book.languages for form in forms)
    status = "".join(f'<p class="notice">{escape(notice)}</p>' for notice in notices)
    links = " ".join(f'<a href="#{escape(form.name)}">{escape(form.title.get(first))}</a>' for form in forms)
    body = (
        f'<h1>Codebook: {escape(title)}</h1>{status}<p class="toc">{links}</p>'
        f'<p class="soft">{len(book.entries)} columns. Reversed items are scored lowest + highest - answer; '
        "raw answers stay as they were given.</p>" + "".join(blocks)
    )
    return page(f"Codebook: {title}", body, lang=first, style=_STYLE)


def _words(text: Text, langs: Sequence[str]) -> str:
    """The first language in full, the others below it."""
    rest = "".join(
        f'<br><span class="other" {attribute("lang", one)}>{escape(text.get(one))}</span>' for one in langs[1:]
    )
    return f"<span {attribute('lang', langs[0])}>{escape(text.get(langs[0]))}</span>{rest}"


def _row(entry: Entry, langs: Sequence[str], *, answers: bool) -> str:
    listed = ""
    if answers and entry.answers:
        lines = []
        for code, label in entry.answers:
            words = " / ".join(dict.fromkeys(escape(label.get(one)) for one in langs))
            lines.append(f"<li><code>{escape(code)}</code> {words}</li>" if label else f"<li>{escape(code)}</li>")
        listed = f'<ul class="answers">{"".join(lines)}</ul>'
    rules = [entry.scoring, f"asked: {entry.asked}" if entry.asked else "", entry.note]
    rule = "<br>".join(escape(one) for one in rules if one)
    return (
        f'<tr><td data-label="name"><code>{escape(entry.name)}</code></td>'
        f'<td data-label="words">{_words(entry.text, langs) if entry.text else ""}</td>'
        f'<td data-label="answers and rules">{listed}<div class="rules">{rule}</div></td></tr>'
    )


def _table(rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Column", "Words", "Answers and rules"))
    return f'<table class="stack"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _questions(book: Codebook, title: str, sections: Sequence[str]) -> str:
    chosen = [entry for entry in book.entries if entry.kind == "question" and entry.part in sections]
    rows = [_row(entry, book.languages, answers=True) for entry in chosen]
    return f"<section><h2>{escape(title)}</h2>{_table(rows)}</section>" if rows else ""


def _kind(book: Codebook, kind: str, title: str) -> str:
    rows = [_row(entry, book.languages, answers=True) for entry in book.entries if entry.kind == kind]
    return f"<section><h2>{escape(title)}</h2>{_table(rows)}</section>" if rows else ""


def _scale(form: Instrument, names: Sequence[str], langs: Sequence[str]) -> str:
    lines = []
    for name in names:
        scale = form.scale(name)
        points = [(str(code), label) for code, label in zip(scale.codes, scale.labels, strict=True)]
        points += [(str(special.code), special.label) for special in form.specials if special.code in scale.special]
        listed = "".join(
            f"<li><code>{escape(code)}</code> {escape(' / '.join(label.get(one) for one in langs))}</li>"
            for code, label in points
        )
        lines.append(f'<p>Scale <code>{escape(name)}</code></p><ul class="answers">{listed}</ul>')
    return "".join(lines)


def _instrument(book: Codebook, form: Instrument) -> str:
    langs = book.languages
    entries = {entry.name: entry for entry in book.entries}
    own = [construct for construct in form.constructs if construct.code not in form.marker]
    scales = dict.fromkeys(item.scale for item in form.items if item.construct not in form.marker)
    parts = [
        f'<section id="{escape(form.name)}">',
        f"<h2>{escape(form.title.get(langs[0]))} <code>{escape(form.name)}</code></h2>",
        f'<p>{_words(form.description, langs)}</p><p class="soft">Version {escape(form.version)}, '
        f"{escape(form.status)}, {len(form.scored_items)} items, about {form.minutes:g} minutes.</p>",
        f"<p>{_words(form.lead_in, langs)}</p>" if form.lead_in else "",
        _scale(form, list(scales), langs),
    ]
    for construct in own:
        heading = escape(" / ".join(construct.label.get(one) for one in langs))
        kind = f"order {construct.order}, {construct.type}"
        if construct.dimensions:
            kind += f": {', '.join(construct.dimensions)}"
        definition = f"<p>{_words(construct.definition, langs)}</p>" if construct.definition else ""
        theory = "; ".join(one for one in (kind, construct.theory, construct.source) if one)
        parts.append(f"<h3>{heading} <code>{escape(construct.code)}</code></h3>{definition}")
        parts.append(f'<p class="rules">{escape(theory)}</p>')
        items = form.items_of(construct.code, checks=True) if not construct.dimensions else ()
        if items:
            parts.append(_table([_row(entries[item.name], langs, answers=False) for item in items]))
    sources = "".join(f'<p class="rules">{escape(source.key)}: {escape(source.title)}</p>' for source in form.sources)
    return "".join(parts) + sources + "</section>"


def _marker(book: Codebook, forms: Sequence[Instrument]) -> str:
    rows = [_row(entry, book.languages, answers=True) for entry in book.entries if entry.kind == "marker"]
    return f"<section><h2>Marker block</h2>{_table(rows)}</section>" if rows and forms else ""
