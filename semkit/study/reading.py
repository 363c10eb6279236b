"""From the bytes of a study file to a checked shape; every problem of it at once."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from semkit.errors import FileError, Problem, StudyFileError, suggest
from semkit.study.places import Places
from semkit.study.schema import StudyFileModel
from semkit.writing import hash_bytes

MAX_BYTES = 1_000_000

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A study file that has the right shape as far as ``model`` goes.

    ``model`` is None when too little of it could be read; ``dropped`` holds the names of entries left out because they
    have problems of their own, so that references to them are not called unknown.
    """

    path: Path
    label: str
    content: bytes
    places: Places
    model: StudyFileModel | None
    problems: tuple[Problem, ...] = ()
    dropped: frozenset[str] = field(default_factory=frozenset)

    @property
    def folder(self) -> Path:
        return self.path.resolve().parent

    @property
    def sha256(self) -> str:
        return hash_bytes(self.content)


def read_document(path: str | os.PathLike[str]) -> Document:
    """Read a study file as far as its shape goes.

    Raises
    ------
    FileError
        ``study.file-not-found``, ``study.not-a-file``, ``study.file-too-large``, ``study.unreadable``.
    StudyFileError
        ``study.not-utf8``, ``study.not-toml``, ``study.schema-version``.
    """
    place = Path(path)
    label = place.name or str(place)
    content = _bytes(place)
    text, data = _toml(label, content)
    places = Places(label, text, data)
    version = data.get("schema_version")
    if type(version) is int and version != 1:
        raise StudyFileError(
            Problem(
                "study.schema-version",
                places.of(("schema_version",)),
                f"schema_version is {version}",
                "1",
                "This semkit reads version 1; install a newer semkit for newer files.",
            )
        )
    try:
        return Document(place, label, content, places, StudyFileModel.model_validate(data))
    except ValidationError as error:
        found = error.errors(include_url=False)
    problems = tuple(dict.fromkeys(_problem(entry, places, data) for entry in found))
    repaired, dropped = _without(data, [_real(entry["loc"], data) for entry in found])
    try:
        model = StudyFileModel.model_validate(repaired)
    except ValidationError:
        model = None
    return Document(place, label, content, places, model, problems, dropped)


def looks_like_instrument(path: str | os.PathLike[str]) -> bool:
    """Whether a file is an instrument (or a shared block) rather than a study; files that cannot be read are not."""
    try:
        text = _bytes(Path(path)).decode("utf-8-sig", errors="replace")
    except FileError:
        return False
    if re.search(r"^\s*(\[study\b|\[+claims\b|\[models\b)", text, re.MULTILINE):
        return False
    return bool(re.search(r'^\s*(kind\s*=\s*"(instrument|block)"|\[\[constructs\]\])', text, re.MULTILINE))


def _bytes(path: Path) -> bytes:
    label = str(path).replace("\x00", "\\0")
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            beside = sorted(other.name for other in path.glob("*.toml"))
            first = "study.toml" if "study.toml" in beside else next(iter(beside), "")
            hint = f"Did you mean {path / first}?" if beside else "Give the path of a study file."
            raise FileError(Problem("study.not-a-file", label, "it is a folder", "a .toml file", hint))
        if not stat.S_ISREG(status.st_mode):
            raise FileError(
                Problem("study.not-a-file", label, "it is no regular file", "a .toml file", "Give the path of a file.")
            )
        if status.st_size > MAX_BYTES:
            raise FileError(
                Problem(
                    "study.file-too-large",
                    label,
                    f"the file has {status.st_size:,} bytes",
                    f"at most {MAX_BYTES:,} bytes",
                    "Check that this is a study file.",
                )
            )
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        try:
            names = [other.name for other in path.parent.glob("*.toml")]
        except OSError:
            names = []
        raise FileError(
            Problem(
                "study.file-not-found",
                label,
                "there is no such file",
                "the path of a study file" + (f"; here: {', '.join(sorted(names))}" if names else ""),
                suggest(path.name, names).strip() or "`semkit new FOLDER` makes a study to start from.",
            )
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(
            Problem(
                "study.unreadable",
                label,
                f"the file cannot be read ({reason})",
                "a readable .toml file",
                "Check the name and the permissions.",
            )
        ) from error


def _toml(label: str, content: bytes) -> tuple[str, dict[str, Any]]:
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise StudyFileError(
            Problem(
                "study.not-utf8",
                f"{label}, line {line}",
                f"byte 0x{content[error.start]:02x} is not UTF-8",
                "text saved as UTF-8",
                "Save the file again with the encoding UTF-8.",
            )
        ) from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        what = re.sub(r"\s*\(at [^)]*\)", "", str(error))
        raise StudyFileError(
            Problem(
                "study.not-toml",
                f"{label}, {place.group(1)}" if place else label,
                f"the text is no TOML: {what[:1].lower()}{what[1:]}",
                'TOML: key = value, texts in "quotes", [[sections]]; no key and no section twice',
                "Mend this place; a missing quote or bracket is the usual cause.",
            )
        ) from error
    except RecursionError as error:
        raise StudyFileError(
            Problem(
                "study.not-toml", label, "brackets are nested too deeply", "a few levels", "Check the file's brackets."
            )
        ) from error


def _real(location: Iterable[str | int], data: Any) -> Location:
    """The part of a pydantic location that exists in the file (union branches are not keys)."""
    path: list[str | int] = []
    node = data
    for key in location:
        if isinstance(node, dict) and isinstance(key, str):
            path.append(key)
            node = node.get(key)
        elif isinstance(node, list) and isinstance(key, int):
            path.append(key)
            node = node[key] if key < len(node) else None
        else:
            break
    return tuple(path)


def _keys(path: Location) -> list[str]:
    """Keys allowed at ``path``: walk the models down; names of a free table are not keys."""
    annotation: Any = StudyFileModel
    for key in path:
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
        if model is not None and isinstance(key, str):
            info = next((f for n, f in model.model_fields.items() if key == (f.alias or n)), None)
            annotation = info.annotation if info is not None else None
        else:
            annotation = _inner(annotation)
    model = _inner(annotation)
    if model is None or annotation is not model:
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _inner(argument)) is not None), None)


def _show(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


_RANGES = {
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} character",
    "too_short": "at least {min_length} entry",
    "too_long": "at most {max_length} entries",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}
_TYPES = {
    "int": "a whole number", "float": "a finite number", "finite": "a finite number", "bool": "true or false",
    "string": "a text", "list": "a list [...]", "model": "a table", "dict": "a table",
}  # fmt: skip


def _problem(entry: Any, places: Places, data: dict[str, Any]) -> Problem:
    """Translate one pydantic error into where, what, allowed and remedy."""
    path = _real(entry["loc"], data)
    where, kind, context = places.of(path), entry["type"], entry.get("ctx", {})
    key = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        keys = _keys(path[:-1])
        return Problem(
            "study.unknown-key",
            where,
            f'unknown key "{key}"',
            ", ".join(keys),
            suggest(key, keys).strip() or "Remove the key, or move it where it belongs.",
        )
    if kind == "missing":
        place = places.of(path[:-1]) if path[:-1] else places.label
        return Problem(
            "study.missing-key",
            place,
            f'key "{key}" is missing',
            ", ".join(_keys(path[:-1])) or key,
            f'Add a line with "{key} = ...".',
        )
    shown = _show(entry["input"])
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        hint = suggest(str(entry["input"]), expected.split(", ")).strip() or "Use one of the allowed values."
        return Problem("study.unknown-value", where, f"{shown} is no value of this key", expected, hint)
    if kind == "string_pattern_mismatch":
        return Problem(
            "study.bad-name",
            where,
            f"{_show(key) if entry['loc'] and entry['loc'][-1] == '[key]' else shown} cannot be a name",
            "letters a-z, digits and _ (ids: also . + -), starting with a letter, at most 40",
            "Choose another name.",
        )
    if kind in _RANGES:
        return Problem(
            "study.out-of-range",
            where,
            f"{shown} is outside the range",
            _RANGES[kind].format(**context),
            "Change the value.",
        )
    words = _TYPES.get(kind.split("_")[0], kind.replace("_", " "))
    return Problem(
        "study.wrong-type",
        where,
        f"{shown} has the wrong type",
        words,
        'Texts need "quotes"; numbers and true/false must have none.',
    )


def _without(data: dict[str, Any], paths: list[Location]) -> tuple[dict[str, Any], frozenset[str]]:
    """Copy of ``data`` without what is wrong: unknown keys alone, other problems with the entry they stand in."""
    bad: set[Location] = set()
    for path in paths:
        cut = path
        positions = [number for number, key in enumerate(path) if isinstance(key, int)]
        if positions:
            cut = path[: positions[0] + 1]
        elif len(path) > 2 and path[0] in ("scores", "composites", "controls", "models", "labels"):
            cut = path[:2]
        bad.add(cut)
    dropped: set[str] = set()

    def copy(node: Any, here: Location) -> Any:
        if isinstance(node, dict):
            kept = {}
            for key, value in node.items():
                if (*here, key) in bad:
                    dropped.update({key}, _names(value))
                else:
                    kept[key] = copy(value, (*here, key))
            return kept
        if isinstance(node, list):
            entries = []
            for number, value in enumerate(node):
                if (*here, number) in bad:
                    dropped.update(_names(value))
                else:
                    entries.append(copy(value, (*here, number)))
            return entries
        return node

    return copy(data, ()), frozenset(dropped)


def _names(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {str(node[key]) for key in ("id", "name", "column") if isinstance(node.get(key), str)}
        return own.union(*(_names(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_names(value) for value in node))
    return set()
