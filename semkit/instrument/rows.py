"""From rows of a workbook back to a document, with the place of every entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from semkit.errors import Problem, suggest
from semkit.instrument.places import Places
from semkit.instrument.sheets import MAIN, MAIN_COLUMNS, SHEETS, Column, Kind, Sheet, key_of, unguarded

Row = Mapping[str, object]
Table = Sequence[tuple[int, Row]]
"""Rows of a sheet: number in the sheet, and cells by title."""

_ALLOWED: dict[Kind, str] = {
    "text": "a text (type an apostrophe first, or format the column as text)",
    "whole": "a whole number",
    "number": "a number",
    "truth": "TRUE or FALSE",
    "texts": "a text: names separated by commas",
    "wholes": "whole numbers separated by commas",
    "wholes?": "whole numbers separated by commas, or none",
    "number or text": "a number or a text",
}


class SheetPlaces(Places):
    """Finds sheet, row and column of an entry of a document that was read from a workbook."""

    def __init__(self, label: str, data: dict[str, Any], rows: Mapping[tuple[str, int, str], list[int]]) -> None:
        super().__init__(label, "", data)
        self._content = data
        self._rows = rows

    def of(self, path: Sequence[str | int]) -> str:
        """Return ``'form.xlsx, sheet "items", row 5, column "scale"'`` for a path of keys and indices."""
        node: Any = self._content
        section, row, place, keys = "", 0, "", [str(key) for key in path if isinstance(key, str)]
        trail: list[str] = []
        for key in path:
            if isinstance(key, str):
                section = section or key
                trail.append(key)
                node = node.get(key) if isinstance(node, dict) else None
                continue
            sheet = _sheet(section, tuple(trail[1:]))
            siblings = node if isinstance(node, list) else []
            node = siblings[key] if key < len(siblings) else None
            if sheet is None or not isinstance(node, dict):
                continue
            twins = [
                at for at, other in enumerate(siblings[:key]) if isinstance(other, dict) and mark(other) == mark(node)
            ]
            rows = self._rows.get((sheet, row if sheet != section else 0, mark(node)), [])
            row = rows[len(twins)] if len(twins) < len(rows) else 0
            place = f', sheet "{sheet}"' + (f", row {row}" if row else "") + _called(node)
            keys = [str(one) for one in path[path.index(key) + 1 :] if isinstance(one, str)]
        if not place:
            title = ".".join(keys)
            return f'{self.label}, sheet "{section if section in SHEETS else MAIN}", key "{title}"'
        return f"{self.label}{place}" + (f', column "{".".join(keys)}"' if keys else "")


def _sheet(section: str, inner: tuple[str, ...]) -> str | None:
    return next((sheet.name for sheet in SHEETS.values() if (sheet.section, sheet.inner) == (section, inner)), None)


def _called(node: Mapping[str, Any]) -> str:
    name = next((node[key] for key in ("name", "code", "block", "key", "question") if key in node), None)
    return "" if name is None else f' ("{name}")'


def mark(entry: Mapping[str, Any]) -> str:
    """What an entry says itself, without its inner lists: finds it again after others were taken out."""
    return repr(sorted((key, repr(value)) for key, value in entry.items() if not isinstance(value, dict | list)))


@dataclass
class Found:
    """What was read so far: the document, where its entries stand, and what is wrong."""

    label: str
    document: dict[str, Any] = field(default_factory=dict)
    rows: dict[tuple[str, int, str], list[int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def places(self, data: dict[str, Any]) -> SheetPlaces:
        return SheetPlaces(self.label, data, self.rows)


def document_of(label: str, tables: Mapping[str, Table]) -> Found:
    """Put the rows of all sheets together; cells that cannot be read become problems."""
    found = Found(label)
    _main(tables.get(MAIN, ()), found)
    owners: dict[str, dict[str, tuple[int, dict[str, Any]]]] = {}
    for sheet in SHEETS.values():
        entries = [(number, row, _entry(sheet, number, row, found)) for number, row in tables.get(sheet.name, ())]
        if not sheet.inner:
            owners[sheet.section] = {}
            for number, _, entry in entries:
                found.document.setdefault(sheet.section, []).append(entry)
                found.rows.setdefault((sheet.name, 0, mark(entry)), []).append(number)
                owners[sheet.section].setdefault(str(entry.get(key_of(sheet.section))), (number, entry))
            continue
        for number, row, entry in entries:
            _join(sheet, number, row, entry, owners[sheet.section], found)
    for scale in found.document.get("scales", []):
        _labels(scale)
    return found


def _main(table: Table, found: Found) -> None:
    for number, row in table:
        place = f'{found.label}, sheet "{MAIN}", row {number}'
        title, raw = row.get("key"), row.get("value")
        column = MAIN_COLUMNS.get(title.strip()) if isinstance(title, str) else None
        if column is None:
            near = suggest(str(title), MAIN_COLUMNS).strip() or "Remove the row, or correct the key."
            what = "the row has no key" if title is None else f'unknown key "{str(title)[:60]}"'
            found.problems.append(
                Problem("instrument.sheet-key", f'{place}, column "key"', what, ", ".join(MAIN_COLUMNS), near)
            )
            continue
        single = Column(column.keys, "text") if column.kind == "texts" else column
        value = _read(raw, single, f'{place}, column "value"', found)
        if value is None:
            continue
        node = found.document
        for key in column.keys[:-1]:
            node = node.setdefault(key, {})
        last = column.keys[-1]
        if column.kind == "texts":
            node.setdefault(last, []).append(value)
        elif last in node:
            found.problems.append(
                Problem("instrument.sheet-key", f'{place}, column "key"', f'key "{column.title}" stands twice',
                        "each key once (languages and theory: one row a value)", "Remove one of the rows.")
            )  # fmt: skip
        else:
            node[last] = value


def _entry(sheet: Sheet, number: int, row: Row, found: Found) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for column in sheet.columns:
        place = f'{found.label}, sheet "{sheet.name}", row {number}, column "{column.title}"'
        value = _read(row.get(column.title), column, place, found)
        if value is None:
            continue
        node = entry
        for key in column.keys[:-1]:
            node = node.setdefault(key, {})
        node[column.keys[-1]] = value
    for column in sheet.columns:  # label and text are tables that must be there even when their cells are blank
        if sheet.name in ("constructs", "questions", "derived") and column.keys[0] in ("label", "text"):
            entry.setdefault(column.keys[0], {})
    return entry


def _join(
    sheet: Sheet, number: int, row: Row, entry: dict[str, Any],
    owners: Mapping[str, tuple[int, dict[str, Any]]], found: Found,
) -> None:  # fmt: skip
    """Hang a row of an inner list on the entry it names."""
    place = f'{found.label}, sheet "{sheet.name}", row {number}, column "{sheet.parent}"'
    name = _read(row.get(sheet.parent), Column((sheet.parent,), "text"), place, found)
    if name not in owners:
        if name is not None or row.get(sheet.parent) is None:
            found.problems.append(
                Problem(
                    "instrument.row-without-owner",
                    place,
                    "the row does not say where it belongs" if name is None else f'there is no "{str(name)[:60]}"',
                    f'a {key_of(sheet.section)} of the sheet "{sheet.section}": ' + ", ".join(owners),
                    suggest(str(name), owners).strip() or f'Add it to the sheet "{sheet.section}", or remove the row.',
                )
            )
        return
    above, node = owners[str(name)]
    for key in sheet.inner[:-1]:
        node = node.setdefault(key, {})
    node.setdefault(sheet.inner[-1], []).append(entry)
    found.rows.setdefault((sheet.name, above, mark(entry)), []).append(number)


def _labels(scale: dict[str, Any]) -> None:
    """Rows of labels become one list a language; a language without any label has no list."""
    points = scale.pop("labels", [])
    lists = {lang: [point.get(lang, "") for point in points] for lang in ("id", "en")}
    scale["labels"] = {lang: words for lang, words in lists.items() if any(words)}


def _read(value: object, column: Column, place: str, found: Found) -> Any:
    """Value of a cell, None for an empty one; what does not fit becomes a problem."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    text = unguarded(value) if isinstance(value, str) else None
    fits, read = _KINDS[column.kind](value if text is None else text)
    if not fits:
        found.problems.append(
            Problem("instrument.sheet-cell", place, f"{_shown(value)} does not fit", _ALLOWED[column.kind],
                    "Change the cell; cells of words must be texts, cells of numbers must be numbers.")
        )  # fmt: skip
        return None
    return read


def _shown(value: object) -> str:
    kinds = {
        bool: "truth value",
        int: "number",
        float: "number",
        str: "text",
        datetime: "date",
        date: "date",
        time: "time",
    }
    text = str(value)
    return f'the {kinds.get(type(value), "value")} "{text if len(text) <= 60 else text[:57] + "..."}"'


def _whole(value: Any) -> tuple[bool, Any]:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return True, int(value)
    return type(value) is int, value


def _truth(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        return True, value.strip().casefold() == "true"
    return isinstance(value, bool), value


def _texts(value: Any) -> tuple[bool, Any]:
    return isinstance(value, str), [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _wholes(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")]
        if parts == ["none"]:
            return True, []
        good = all(part.removeprefix("-").isdecimal() and part.isascii() and len(part) < 10 for part in parts)
        return good, [int(part) for part in parts] if good else value
    fits, number = _whole(value)
    return fits, [number]


_KINDS: dict[Kind, Callable[[Any], tuple[bool, Any]]] = {
    "text": lambda value: (isinstance(value, str), value),
    "whole": _whole,
    "number": lambda value: (type(value) in (int, float), value),
    "truth": _truth,
    "texts": _texts,
    "wholes": _wholes,
    "wholes?": _wholes,
    "number or text": lambda value: (type(value) in (int, float, str), value),
}
