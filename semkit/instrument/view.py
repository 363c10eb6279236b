"""What a notebook shows of an instrument."""

from __future__ import annotations

from semkit.instrument.items import Item
from semkit.instrument.records import Instrument
from semkit.writing import escape, table


def html(instrument: Instrument, lang: str = "en") -> str:
    """Return an HTML fragment: title, notice and the constructs with their items, everything escaped.

    Parameters
    ----------
    instrument : Instrument
    lang : {"en", "id"}
        Language of the first column of words; the other one stands beside it.
    """
    langs = [lang, *(other for other in instrument.languages if other != lang)]
    langs = [one for one in langs if one in instrument.languages]
    first = langs[0]
    parts = [
        f"<h3>{escape(instrument.title.get(first))} <code>{escape(instrument.name)}</code></h3>",
        f"<p>{escape(instrument.description.get(first))}</p>",
        f"<p><strong>{escape(instrument.status)}.</strong> {escape(instrument.notice.get(first))}</p>",
        f"<p>{len(instrument.scored_items)} items, about {instrument.minutes:g} minutes.</p>",
    ]
    for construct in instrument.constructs:
        heading = f"{construct.label.get(first)} ({construct.code})"
        if construct.dimensions:
            parts.append(f"<p><strong>{escape(heading)}</strong>: {escape(', '.join(construct.dimensions))}</p>")
            continue
        items = instrument.items_of(construct.code, checks=True)
        rows = [[item.name, _flag(item), *(item.text.get(one) for one in langs)] for item in items]
        parts.append(table(["item", "", *langs], rows, caption=f"{heading}, {construct.scale}"))
    return f'<div class="semkit">{"".join(parts)}</div>'


def _flag(item: Item) -> str:
    if item.attention is not None:
        return f"check = {item.attention}"
    return "reversed" if item.reverse else ""
