"""The text of an instrument file: TOML written from a document or from an instrument's records."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from semkit.errors import OptionError, Problem
from semkit.instrument.records import Instrument
from semkit.instrument.schema import InstrumentModel

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def to_toml(document: Mapping[str, Any] | Instrument) -> str:
    """Return the text of an instrument file; read again, it says the same.

    The standard library reads TOML and does not write it.  Written is what instrument files are made of: texts,
    whole numbers, numbers, truth values, lists and tables; comments are not part of a document.

    Parameters
    ----------
    document : mapping or Instrument
        What a TOML file says (``tomllib.loads``), or an instrument.  An instrument is written with its shared
        blocks in it, so that the file stands alone; its variants, which belong to the file, are not known any more.

    Returns
    -------
    str

    Raises
    ------
    OptionError
        ``instrument.not-toml-value``: a value TOML has no form for.

    Notes
    -----
    Source: TOML v1.0.0, sections String, Float, Inline Table and Array of Tables.

    Examples
    --------
    >>> print(to_toml({"name": "trust", "title": {"en": 'Say "yes"'}, "scales": [{"name": "agree2", "points": 2}]}))
    name = "trust"
    title = { en = "Say \\"yes\\"" }
    <BLANKLINE>
    [[scales]]
    name = "agree2"
    points = 2
    <BLANKLINE>
    """
    data = as_document(document) if isinstance(document, Instrument) else document
    sections = {key: value for key, value in data.items() if _is_section(value)}
    lines = [_line(key, value, key) for key, value in data.items() if key not in sections and value is not None]
    for key, entries in sections.items():
        for number, entry in enumerate(entries, start=1):
            lines += ["", f"[[{_key(key)}]]"]
            place = f"{key}, number {number}"
            lines += [_line(name, value, f"{place}, {name}") for name, value in entry.items() if value is not None]
    return "\n".join(lines) + "\n"


def as_document(instrument: Instrument) -> dict[str, Any]:
    """Return an instrument as the document of a file that stands alone: no shared blocks, defaults left out."""
    data = _plain(instrument)
    blocks = {construct.code: construct for construct in instrument.constructs}
    for construct in data["constructs"]:
        items = [item for item in instrument.items if item.construct == construct["code"]]
        construct["items"] = [_item(item) for item in items]
        construct["marker"] = construct["code"] in instrument.marker
        if blocks[construct["code"]].order == 2:
            construct.pop("scale", None)
    for scale in data["scales"]:
        labels = scale["labels"]
        scale["points"] = len(scale["codes"])
        scale["labels"] = {lang: [label[lang] for label in labels] for lang in instrument.languages}
    for entries in (data["specials"], data["placeholders"], *(question["choices"] for question in data["questions"])):
        for entry in entries:
            entry.update(entry.pop("label" if "label" in entry else "mark"))
    for expectation in data["expectations"]:
        expectation["of"] = expectation.pop("construct")
    for key in ("marker", "items", "origin", "digest"):
        data.pop(key, None)
    cleaned = _without_blanks({"schema_version": 1, "kind": "instrument", **data})
    model = InstrumentModel.model_validate(cleaned)
    return {"schema_version": 1, "kind": "instrument", **model.model_dump(exclude_defaults=True)}


def _item(item: Any) -> dict[str, Any]:
    data: dict[str, Any] = _plain(item)
    data.update(data.pop("text"))
    data.pop("construct")
    return data


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value


def _without_blanks(node: Any) -> Any:
    """Records say "" or None where a file has no key; an empty list may mean something and stays."""
    if isinstance(node, dict):
        return {key: _without_blanks(value) for key, value in node.items() if value is not None and value != ""}
    return [_without_blanks(value) for value in node] if isinstance(node, list) else node


def _is_section(value: object) -> bool:
    """A list of tables becomes ``[[sections]]``; an empty list stays a value."""
    return isinstance(value, Sequence) and not isinstance(value, str) and bool(value) and _all_tables(value)


def _all_tables(values: Sequence[object]) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def _line(key: str, value: object, place: str) -> str:
    """One key; a list of tables below a section takes one line an entry."""
    if _is_section(value):
        assert isinstance(value, Sequence)
        rows = "".join(f"  {_value(entry, place)},\n" for entry in value)
        return f"{_key(key)} = [\n{rows}]"
    return f"{_key(key)} = {_value(value, place)}"


def _value(value: object, place: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)  # inf and nan are TOML too
    if isinstance(value, Mapping):
        parts = [f"{_key(key)} = {_value(entry, place)}" for key, entry in value.items() if entry is not None]
        return f"{{ {', '.join(parts)} }}" if parts else "{}"
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return f"[{', '.join(_value(entry, place) for entry in value)}]"
    raise _no_form(place, f"a value of type {type(value).__name__}")


def _key(key: object) -> str:
    text = str(key)
    return text if _BARE.fullmatch(text) else _text(text, f'key "{text[:40]}"')


def _text(text: str, place: str) -> str:
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise _no_form(place, "a text with half a character (a lone surrogate)")
    signs = [
        _ESCAPES.get(sign) or (f"\\u{ord(sign):04x}" if ord(sign) < 0x20 or ord(sign) == 0x7F else sign)
        for sign in text
    ]
    return f'"{"".join(signs)}"'


def _no_form(place: str, what: str) -> OptionError:
    return OptionError(
        Problem("instrument.not-toml-value", place, f"{what} has no form in an instrument file",
                "texts, numbers, truth values, lists and tables", "Change the value.")
    )  # fmt: skip
