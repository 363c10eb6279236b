"""An instrument document as the sheets of a workbook: which sheet and which column holds which key."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from semkit.instrument import schema as s

Kind = Literal["text", "whole", "number", "truth", "texts", "wholes", "wholes?", "number or text"]

MAIN = "instrument"
LABELS = "labels"
NOTES = "notes"
"""A sheet of this name is a team's own; it is not read."""

_NUMBER: dict[frozenset[Any], Kind] = {
    frozenset({str}): "text",
    frozenset({int}): "whole",
    frozenset({float}): "number",
    frozenset({bool}): "truth",
    frozenset({float, str}): "number or text",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the keys that lead to its value, and what its cells may hold."""

    keys: tuple[str, ...]
    kind: Kind

    @property
    def title(self) -> str:
        return ".".join(self.keys)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One list of tables: a section of the file, or a list within its entries.

    ``parent`` titles the first column of an inner list: which entry of ``section`` a row belongs to.
    """

    name: str
    section: str
    columns: tuple[Column, ...]
    inner: tuple[str, ...] = ()
    parent: str = ""

    @property
    def header(self) -> tuple[str, ...]:
        own = tuple(column.title for column in self.columns)
        return (self.parent, *own) if self.parent else own


def columns_of(model: type[BaseModel]) -> tuple[Column, ...]:
    """Columns for the keys of a model; tables become ``key.inner``, lists of tables have sheets of their own."""
    return tuple(_columns(model, ()))


def _columns(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[Column]:
    for name, info in model.model_fields.items():
        kinds = set(_leaves(info.annotation))
        tables = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        is_list = _is_list(info.annotation)
        if not tables:
            kind = _NUMBER[frozenset(kinds)]
            if is_list:
                empty: Kind = "wholes?" if info.default is None else "wholes"
                kind = "texts" if kind == "text" else empty
            yield Column((*above, name), kind)
        elif not is_list and tables[0] is not s.LabelsModel:
            yield from _columns(tables[0], (*above, name))


def _leaves(annotation: Any) -> Iterator[Any]:
    """Types at the ends of an annotation, without None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _leaves(get_args(annotation)[0])
    elif origin is Literal:
        yield from {type(value) for value in get_args(annotation)}
    elif origin in (list, Union, types.UnionType):
        for part in get_args(annotation):
            yield from _leaves(part)
    elif annotation is not type(None):
        yield annotation


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_is_list(part) for part in get_args(annotation))
    return get_origin(annotation) is list


def _all_sheets() -> tuple[Sheet, ...]:
    hints = typing.get_type_hints(s.InstrumentModel)
    sections = {
        name: next(iter(_leaves(hint)))
        for name, hint in hints.items()
        if name in s.InstrumentModel.model_fields and _is_list(hint) and s.Strict in _bases(hint)
    }
    inner = {
        "scales": [Sheet(LABELS, "scales", columns_of(s.TextModel), ("labels",), "scale")],
        "constructs": [Sheet("items", "constructs", columns_of(s.ItemModel), ("items",), "construct")],
        "questions": [
            Sheet("choices", "questions", columns_of(s.ChoiceModel), ("choices",), "of"),
            Sheet("relevance", "questions", columns_of(s.ConditionModel), ("relevance", "conditions"), "of"),
        ],
        "derived": [
            Sheet("bands", "derived", columns_of(s.BandModel), ("bands",), "of"),
            Sheet("conditions", "derived", columns_of(s.ConditionModel), ("conditions",), "of"),
        ],
    }
    found: list[Sheet] = []
    for name, model in sections.items():
        found += [Sheet(name, name, columns_of(model)), *inner.get(name, [])]
    return tuple(found)


def _bases(hint: Any) -> set[Any]:
    return {base for leaf in _leaves(hint) if isinstance(leaf, type) for base in leaf.__mro__}


SHEETS: dict[str, Sheet] = {sheet.name: sheet for sheet in _all_sheets()}
MAIN_COLUMNS: dict[str, Column] = {column.title: column for column in columns_of(s.InstrumentModel)}


def key_of(section: str) -> str:
    """The key by which rows of inner lists name their entry."""
    return "code" if section == "constructs" else "name"


def rows_of(document: Mapping[str, Any]) -> dict[str, tuple[tuple[str, ...], list[list[object]]]]:
    """Return header and rows of every sheet for a document that fits the schema."""
    out: dict[str, tuple[tuple[str, ...], list[list[object]]]] = {MAIN: (("key", "value"), _main_rows(document))}
    for sheet in SHEETS.values():
        rows: list[list[object]] = []
        for entry in document.get(sheet.section, []):
            if not sheet.inner:
                rows.append(_row(entry, sheet))
                continue
            name = str(entry[key_of(sheet.section)])
            rows += [[guarded(name), *_row(one, sheet)] for one in _inner(entry, sheet)]
        out[sheet.name] = (sheet.header, rows)
    return out


def _main_rows(document: Mapping[str, Any]) -> list[list[object]]:
    rows: list[list[object]] = []
    for title, column in MAIN_COLUMNS.items():
        value = _dig(document, column.keys)
        values = value if column.kind == "texts" and value is not None else [value]
        rows += [[title, guarded(one) if isinstance(one, str) else one] for one in values]
    return rows


def _inner(entry: Mapping[str, Any], sheet: Sheet) -> list[Mapping[str, Any]]:
    value: Any = _dig(entry, sheet.inner)
    if value is None:
        return []
    if sheet.name != LABELS:
        return list(value)
    longest = max((len(words) for words in value.values()), default=0)
    return [{lang: words[at] for lang, words in value.items() if at < len(words)} for at in range(longest)]


def _row(entry: Mapping[str, Any], sheet: Sheet) -> list[object]:
    return [_written(_dig(entry, column.keys), column.kind) for column in sheet.columns]


def _dig(node: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _written(value: Any, kind: Kind) -> object:
    if isinstance(value, list):
        if not value:
            return "none" if kind == "wholes?" else None
        return guarded(", ".join(map(str, value)))
    return guarded(value) if isinstance(value, str) else value


_STARTS = "=+-@\t\r\n＝＋－＠"
_BLANKS = " \u00a0\ufeff\u200b"


def _looks_guarded(text: str) -> bool:
    inside = text.lstrip("'")
    return inside != text and inside.lstrip(_BLANKS)[:1] in tuple(_STARTS)


def guarded(text: str) -> str:
    """Mark a text that looks as if it had been neutralised already, so that :func:`unguarded` undoes the right one.

    Neutralising (:func:`semkit.writing.text_cell`) puts one apostrophe before formulas when the sheet is written.
    """
    return f"'{text}" if _looks_guarded(text) else text


def unguarded(text: str) -> str:
    """Undo what writing did: take one apostrophe from before a formula."""
    return text[1:] if _looks_guarded(text) else text
