"""HTML from texts of strangers: everything is escaped, nothing is loaded from elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# Direction overrides can make a text read as something else.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")

STYLE = """
:root { color-scheme: light; --ink: #1d2733; --soft: #5b6876; --line: #d9dee4; --band: #f5f7f9; --accent: #1f5f8b; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 62rem; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; padding-bottom: .2rem; border-bottom: 2px solid var(--accent); }
h3 { font-size: 1rem; margin: 1.25rem 0 .35rem; }
p { margin: .4rem 0; } .soft { color: var(--soft); }
.notice { border-left: 4px solid #b7791f; background: #fdf6e7; padding: .6rem .8rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .55rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { background: var(--band); overflow-wrap: normal; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9em; overflow-wrap: normal;
  white-space: nowrap; }
@media screen and (max-width: 40rem) {
  body { padding: 1rem .8rem 2rem; }
  table.stack thead { position: absolute; left: -9999px; }
  table.stack tr { display: block; border-bottom: 2px solid var(--line); padding: .4rem 0; }
  table.stack td { display: block; border: 0; padding: .1rem .3rem; text-align: left; }
  table.stack td:empty { display: none; }
  table.stack td::before { content: attr(data-label) ": "; color: var(--soft); }
}
@page { size: A4; margin: 16mm 14mm; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  thead { display: table-header-group; } }
"""


def escape(value: object) -> str:
    """Return ``value`` as HTML text: markup escaped, control and direction-override characters removed.

    Safe as the content of an element and inside a quoted attribute.

    Examples
    --------
    >>> escape('<b onclick="x">')
    '&lt;b onclick=&quot;x&quot;&gt;'
    """
    text = "" if value is None else str(value)
    return html.escape(_BIDI.sub("", _CONTROL.sub("", text)), quote=True)


def attribute(name: str, value: object) -> str:
    """Return ``name="value"`` with the value escaped; ``name`` is ours, never a stranger's."""
    return f'{name}="{escape(value)}"'


def table(header: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "", stack: bool = False) -> str:
    """Return an HTML table; every header, cell and the caption is escaped.

    Parameters
    ----------
    header : sequence of str (k,)
    rows : iterable of sequences (k,)
        ``None`` is an empty cell; numbers are aligned right.
    caption : str
    stack : bool
        On a phone show each row as a small card instead of a wide table.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = []
    for row in rows:
        cells = []
        for name, value in zip(header, row, strict=True):
            kind = ' class="n"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
            label = f" {attribute('data-label', name)}" if stack else ""
            cells.append(f"<td{kind}{label}>{escape(value)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    kind = ' class="stack"' if stack else ""
    return f"<table{kind}>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def page(title: str, body: str, *, lang: str = "en", style: str = "") -> str:
    """Return a whole self-contained HTML page around ``body`` (which is HTML already).

    The page has a content policy that forbids scripts and every request to a network.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        f'<!doctype html>\n<html {attribute("lang", lang)}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
