"""From bytes to a checked file: TOML, schema, and every problem of both at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from semkit.errors import InstrumentFileError, Problem, suggest
from semkit.instrument.library import Source
from semkit.instrument.places import Places
from semkit.instrument.schema import BlockModel, InstrumentModel

Path = tuple[str | int, ...]

MAX_PROBLEMS = 100

_WORDS = {"id": "?", "en": "?"}
# Stand-ins for keys of the file itself that are missing or wrong, so that the rest can be checked all the same.
_STUBS: dict[str, Any] = {
    "schema_version": 1,
    "name": "unnamed",
    "version": "?",
    "status": "unvalidated",
    "minutes": 1.0,
    "title": _WORDS,
    "description": _WORDS,
    "notice": _WORDS,
}


@dataclass(frozen=True)
class Document:
    """A file that has the right shape as far as ``model`` goes.

    ``model`` is None when nothing could be read; ``dropped`` holds the names of entries left out because
    they have problems of their own, so that references to them are not called unknown.
    """

    places: Places
    model: InstrumentModel | BlockModel | None
    problems: tuple[Problem, ...]
    dropped: frozenset[str] = field(default_factory=frozenset)


def read(source: Source) -> Document:
    """Read one file; a text that is no TOML raises, everything else is collected.

    Raises
    ------
    InstrumentFileError
        ``instrument.not-utf8``, ``instrument.not-toml``.
    """
    text, data = _toml(source)
    return fit(data, lambda kept: Places(source.label, text, kept))


def document_in(source: Source) -> dict[str, Any]:
    """Return what a file says, unchecked."""
    return _toml(source)[1]


def fit(data: dict[str, Any], places_in: Callable[[dict[str, Any]], Places]) -> Document:
    """Hold a document against the schema; ``places_in`` makes the finder of places for (what is left of) it."""
    places = places_in(data)
    kind: type[InstrumentModel] | type[BlockModel] = BlockModel if data.get("kind") == "block" else InstrumentModel
    version = data.get("schema_version")
    if type(version) is int and version != 1:
        problem = Problem(
            "instrument.schema-version",
            places.of(("schema_version",)),
            f"schema_version is {version}",
            "1",
            "This semkit reads version 1; install a newer semkit for newer files.",
        )
        return Document(places, None, (problem,))
    try:
        return Document(places, kind.model_validate(data), ())
    except ValidationError as error:
        entries = error.errors(include_url=False)
        problems = tuple(_problem(entry, places, kind, data) for entry in entries[:MAX_PROBLEMS])
        repaired, dropped = _without(data, [(_real(entry["loc"], data), entry["type"]) for entry in entries])
        stubs = {key: value for key, value in _STUBS.items() if key in kind.model_fields and key not in repaired}
        try:
            model = kind.model_validate({**stubs, **repaired})
        except ValidationError:
            model = None
        return Document(places_in(repaired), model, problems, dropped)


def _toml(source: Source) -> tuple[str, dict[str, Any]]:
    try:
        text = source.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.content.count(b"\n", 0, error.start) + 1
        raise InstrumentFileError(
            Problem(
                "instrument.not-utf8",
                f"{source.label}, line {line}",
                f"byte 0x{source.content[error.start]:02x} is not UTF-8",
                "text saved as UTF-8",
                "Save the file again with the encoding UTF-8.",
            )
        ) from error
    try:
        return text, tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = re.search(r"\(at (line \d+, column \d+|end of document)\)", message)
        what = re.sub(r"\s*\(at [^)]*\)", "", message)
        raise InstrumentFileError(
            Problem(
                "instrument.not-toml",
                f"{source.label}, {place.group(1)}" if place else source.label,
                f"the text is no TOML: {what[:1].lower()}{what[1:]}",
                'TOML: key = value, texts in "quotes", [[sections]]',
                "Mend this place; a missing quote or bracket is the usual cause.",
            )
        ) from error
    except ValueError as error:  # numbers of thousands of digits
        raise InstrumentFileError(
            Problem(
                "instrument.not-toml",
                source.label,
                "a number has too many digits",
                "numbers of ordinary size",
                "Check that this is an instrument file.",
            )
        ) from error
    except RecursionError as error:
        raise InstrumentFileError(
            Problem(
                "instrument.not-toml",
                source.label,
                "brackets are nested too deeply",
                "at most a few levels",
                "Check that this is an instrument file.",
            )
        ) from error


def _real(location: Iterable[str | int], data: Any) -> Path:
    """The part of a pydantic location that exists in the file (union branches are not keys)."""
    path: list[str | int] = []
    node = data
    for key in location:
        if isinstance(node, dict):
            path.append(key)
            node = node.get(key) if isinstance(key, str) else None
        elif isinstance(node, list) and isinstance(key, int):
            path.append(key)
            node = node[key] if key < len(node) else None
        else:
            break
    return tuple(path)


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """Keys allowed at ``path``: walk the models down."""
    current: type[BaseModel] | None = model
    for key in path:
        if isinstance(key, int) or current is None:
            continue
        info = current.model_fields.get(key)
        current = _inner(info.annotation) if info is not None else None
    return list(current.model_fields) if current is not None else []


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _inner(argument)
        if found is not None:
            return found
    return None


def _show(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _problem(entry: Any, places: Places, model: type[BaseModel], data: dict[str, Any]) -> Problem:
    """Translate one pydantic error into where, what, allowed and remedy."""
    path = _real(entry["loc"], data)
    where, kind, context = places.of(path), entry["type"], entry.get("ctx", {})
    key = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        keys = _keys(model, path[:-1])
        return Problem(
            "instrument.unknown-key",
            where,
            f'unknown key "{key}"',
            ", ".join(keys),
            suggest(key, keys).strip() or "Remove the key, or move it where it belongs.",
        )
    if kind == "missing":
        return Problem(
            "instrument.missing-key",
            places.of(path[:-1]) if path[:-1] else places.label,
            f'key "{key}" is missing',
            ", ".join(_keys(model, path[:-1])),
            f'Add a line with "{key} = ...".',
        )
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        return Problem(
            "instrument.unknown-value",
            where,
            f"{_show(entry['input'])} is no value of this key",
            expected,
            suggest(str(entry["input"]), expected.split(", ")).strip() or "Use one of the allowed values.",
        )
    if kind == "string_pattern_mismatch":
        return Problem(
            "instrument.bad-name",
            where,
            f"{_show(entry['input'])} cannot be a name",
            "letters a-z, digits and _, starting with a letter (codes: or a digit), at most 40",
            "Choose a name that can be a column of a table.",
        )
    if kind in ("string_too_long", "too_short", "greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        return Problem(
            "instrument.out-of-range",
            where,
            f"{_show(entry['input'])} is outside the range",
            _range(kind, context),
            "Change the value.",
        )
    return Problem(
        "instrument.wrong-type",
        where,
        f"{_show(entry['input'])} has the wrong type",
        _type(kind),
        'Texts need "quotes"; numbers and true/false must have none.',
    )


def _range(kind: str, context: dict[str, Any]) -> str:
    words = {
        "string_too_long": f"at most {context.get('max_length')} characters",
        "too_short": f"at least {context.get('min_length')} entries",
        "greater_than": f"more than {context.get('gt')}",
        "greater_than_equal": f"at least {context.get('ge')}",
        "less_than": f"less than {context.get('lt')}",
        "less_than_equal": f"at most {context.get('le')}",
    }
    return words[kind]


def _type(kind: str) -> str:
    words = {
        "int": "a whole number",
        "float": "a finite number",
        "finite": "a finite number",
        "bool": "true or false",
        "string": "a text",
        "list": "a list [...]",
        "model": "a table",
        "dict": "a table",
    }
    return words.get(kind.split("_")[0], kind.replace("_", " "))


def _without(data: dict[str, Any], wrong: list[tuple[Path, str]]) -> tuple[dict[str, Any], frozenset[str]]:
    """Copy of ``data`` without what is wrong: unknown keys alone, other problems with their list entry."""
    dropped: set[str] = set()
    bad: set[Path] = set()
    for path, kind in wrong:
        positions = [number for number, key in enumerate(path) if isinstance(key, int)]
        whole = kind == "extra_forbidden" or not positions
        bad.add(path if whole else path[: positions[-1] + 1])

    def copy(node: Any, here: Path) -> Any:
        if isinstance(node, dict):
            return {key: copy(value, (*here, key)) for key, value in node.items() if (*here, key) not in bad}
        if isinstance(node, list):
            kept = []
            for number, value in enumerate(node):
                if (*here, number) in bad:
                    dropped.update(_names(value))
                else:
                    kept.append(copy(value, (*here, number)))
            return kept
        return node

    return copy(data, ()), frozenset(dropped)


def _names(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {str(node[key]) for key in ("name", "code") if key in node}
        return own.union(*(_names(value) for value in node.values()), set())
    if isinstance(node, list):
        return set().union(*(_names(value) for value in node), set())
    return {node} if isinstance(node, str) and len(node) <= 40 else set()
