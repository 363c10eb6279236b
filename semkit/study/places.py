"""Line numbers of the keys of a TOML text, so that a message can point at the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=(.*)$"""
)
_PIECE = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")
_NAMING = ("id", "name", "column", "model")


class Places:
    """Where the entries of one file stand.

    Parameters
    ----------
    label : str
        How the file is called in messages.
    text : str
    data : dict
        The same text, read.
    """

    def __init__(self, label: str, text: str, data: dict[str, Any]) -> None:
        self.label = label
        self._data = data
        self._lines = _index(text)

    def of(self, path: Sequence[str | int]) -> str:
        """Return ``'study.toml, line 12, claims "H-B1", parts "H-B1.0", key "delta"'`` for a path."""
        words: list[str] = []
        node: Any = self._data
        for position, key in enumerate(path):
            if isinstance(key, int):
                node = node[key] if isinstance(node, list) and 0 <= key < len(node) else None
                section = str(path[position - 1]) if position else ""
                words[-1:] = [f"{section} {self._name(node, key)}"]
            else:
                node = node.get(key) if isinstance(node, dict) else None
                words.append(f'key "{key}"')
        line = self.line(path)
        return ", ".join([f"{self.label}, line {line}" if line else self.label, *words])

    def line(self, path: Sequence[str | int]) -> int | None:
        """Line (from 1) of the entry or of the nearest entry around it."""
        key = tuple(path)
        while key:
            if key in self._lines:
                return self._lines[key]
            key = key[:-1]
        return None

    @staticmethod
    def _name(node: Any, index: int) -> str:
        if isinstance(node, dict):
            for key in _NAMING:
                if isinstance(node.get(key), str):
                    return f'"{node[key]}"'
        if isinstance(node, str) and len(node) <= 60:
            return f'"{node}"'
        return f"number {index + 1}"


def _pieces(text: str) -> list[str]:
    return [next(part for part in match.groups() if part is not None) for match in _PIECE.finditer(text)]


def _index(text: str) -> dict[Path, int]:
    """Path of every header and every ``key =`` that begins a line, with its line number."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    here: Path = ()
    skip_until: str | None = None
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if skip_until is not None:
            if skip_until in line:
                skip_until = None
            continue
        if depth > 0:
            depth += _depth(line)
            continue
        header = _HEADER.match(line)
        if header:
            here = _resolve(_pieces(header.group(2)), counts, array=header.group(1) == "[[")
            lines.setdefault(here, number)
            continue
        entry = _KEY.match(line)
        if entry:
            lines.setdefault((*here, *_pieces(entry.group(1))), number)
            value = entry.group(2)
            skip_until = next((q for q in ('"""', "'''") if value.count(q) == 1), None)
            depth = max(0, _depth(value)) if skip_until is None else 0
    return lines


def _resolve(names: list[str], counts: dict[Path, int], *, array: bool) -> Path:
    """A header's path with the indices of the arrays it stands in."""
    path: Path = ()
    for position, name in enumerate(names):
        path = (*path, name)
        if position == len(names) - 1 and array:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _depth(text: str) -> int:
    """Brackets opened minus closed outside quotes and comments."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'', "", text).split("#", 1)[0]
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")
