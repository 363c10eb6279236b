"""The codebook as DDI Codebook 2.5 XML, the format of data archives.

Source: DDI Alliance, DDI-Codebook 2.5 (``codebook.xsd``): ``codeBook/stdyDscr``, ``codeBook/dataDscr/var`` with, in
this order, ``labl``, ``qstn/qstnLit``, ``universe``, ``catgry``, ``codInstr``, ``concept``, ``varFormat``, ``notes``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from semkit.instrument.columns import Codebook, Entry
from semkit.instrument.items import Text
from semkit.instrument.records import Instrument
from semkit.writing import escape

NAMESPACE = "ddi:codebook:2_5"
_NUMERIC = frozenset(("item", "check", "marker", "dummy", "routing"))
_TEXTS = ("text", "time")  # ranges of free answers
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")


def ddi_codebook(book: Codebook, forms: Sequence[Instrument]) -> str:
    """Return the codebook as a DDI Codebook document; every text of an instrument is escaped.

    Parameters
    ----------
    book : Codebook
    forms : sequence of Instrument

    Returns
    -------
    str
        XML 1.0, UTF-8.

    Examples
    --------
    >>> from semkit.instrument import codebook, load_instrument
    >>> form = load_instrument("government_role")
    >>> ddi_codebook(codebook(form), [form]).count("<var ") == len(codebook(form).entries)
    True
    """
    first = book.languages[0]
    special = {str(one.code) for form in forms for one in form.specials}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<codeBook xmlns="{NAMESPACE}" version="2.5" xml:lang="{first}">',
        "<stdyDscr>",
        "<citation><titlStmt>",
        f"<titl>{escape(book.title.get(first))}</titl>",
        *_texts("parTitl", book.title, book.languages[1:]),
        "</titlStmt></citation>",
        "<stdyInfo>",
        *_texts("abstract", book.notice, book.languages),
        "</stdyInfo>",
        *_sources(forms),
        "</stdyDscr>",
        "<dataDscr>",
    ]
    for number, entry in enumerate(book.entries, start=1):
        lines += _variable(entry, number, book.languages, special)
    return "\n".join([*lines, "</dataDscr>", "</codeBook>", ""])


def _sources(forms: Sequence[Instrument]) -> list[str]:
    titles = dict.fromkeys(source.title for form in forms for source in form.sources)
    listed = [f"<relPubl>{escape(title)}</relPubl>" for title in titles]
    return ["<othrStdyMat>", *listed, "</othrStdyMat>"] if listed else []


def _texts(tag: str, text: Text, langs: Sequence[str], indent: str = "") -> list[str]:
    known = [(lang, text.get(lang)) for lang in langs if text.get(lang)]
    return [f'{indent}<{tag} xml:lang="{lang}">{escape(words)}</{tag}>' for lang, words in known]


def _variable(entry: Entry, number: int, langs: Sequence[str], special: set[str]) -> list[str]:
    categories = [code for code, label in entry.answers if label and code not in special]
    named = any(_plain(code) for code in categories) or any(code in _TEXTS for code, _ in entry.answers)
    numeric = entry.kind in _NUMERIC or not named
    nature = "nominal" if named or categories else "interval"
    nature = "ordinal" if entry.kind in ("item", "marker", "check") else nature
    lines = [f'<var ID="V{number}" name="{escape(entry.name)}" nature="{nature}">']
    lines += _texts("labl", entry.text, langs, " ")
    asked = entry.kind in ("item", "check", "marker", "question")
    if asked:
        lines += [f" <qstn>{''.join(_texts('qstnLit', entry.text, langs))}</qstn>"]
    if entry.asked:
        lines.append(f" <universe>{escape(entry.asked)}</universe>")
    for code, label in entry.answers:
        if not label:
            continue  # a range in words, not a category
        value = code.split(" (")[0]
        missing = ' missing="Y"' if value in special else ""
        words = "".join(_texts("labl", label, langs))
        lines.append(f" <catgry{missing}><catValu>{escape(value)}</catValu>{words}</catgry>")
    ranges = [code for code, label in entry.answers if not label]
    told = [part for part in (entry.scoring, *ranges) if part]
    lines += [f" <codInstr>{escape('; '.join(told))}</codInstr>"] if told else []
    lines.append(f" <concept>{escape(entry.part)}</concept>")
    lines.append(f' <varFormat type="{"numeric" if numeric else "character"}"/>')
    lines += [f" <notes>{escape(entry.note)}</notes>"] if entry.note else []
    return [*lines, "</var>"]


def _plain(code: str) -> bool:
    """Whether a code is a word and no number."""
    return _NUMBER.match(code.split(" (")[0]) is None
