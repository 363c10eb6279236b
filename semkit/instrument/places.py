"""Where in a TOML text an entry stands: the standard reader gives values without positions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_KINDS = {
    "items": "item",
    "constructs": "construct",
    "questions": "question",
    "choices": "choice",
    "scales": "scale",
    "use": "block",
    "placeholders": "placeholder",
    "specials": "special code",
    "sources": "source",
    "expectations": "expectation",
    "conditions": "condition",
    "derived": "derived variable",
    "variants": "variant",
}

Span = tuple[int, int]

_OPENING = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(?:#.*)?$")


class Places:
    """Finds the line of an entry, so that a message can point at it.

    Entries are found by their name below the header of their section, the way such files are written;
    entries without a name by counting.  Where that fails the message names the entry without a line.

    Parameters
    ----------
    label : str
        How the file is called in messages.
    text : str
    data : dict
        What ``text`` says (or what is left of it after wrong entries were taken out).
    """

    def __init__(self, label: str, text: str, data: dict[str, Any]) -> None:
        self.label = label
        self.text = text
        self._lines = text.splitlines()
        self._data = data
        matches = [(number, _OPENING.match(line[:200])) for number, line in enumerate(self._lines)]
        self._openings = [(number, match.group(1)) for number, match in matches if match]
        self._known: dict[tuple[str, int, int], list[Span]] = {}

    def of(self, path: Sequence[str | int]) -> str:
        """Return ``'file.toml, line 12, construct "trust", item "TR3"'`` for a path of keys and indices."""
        names: list[str] = []
        span: Span = (0, len(self._lines))
        node: Any = self._data
        line: int | None = None
        trail: list[str] = []
        for step, key in enumerate(path):
            if isinstance(key, str):
                node = node.get(key) if isinstance(node, dict) else None
                trail.append(key)
                if not isinstance(node, list) or step == len(path) - 1:
                    names.append(f'key "{key}"')
                    found = self._find(rf"(?:^|[\s{{,.\[]){re.escape(key)}\s*[=.\]]", span)
                    line = line if found is None else found + 1
                continue
            siblings = node if isinstance(node, list) else []
            node = siblings[key] if key < len(siblings) else None
            if isinstance(node, dict):
                names.append(_entry(trail[-1], key, node))
                found_span = self._entry_span(trail, siblings, key, span)
                if found_span is not None:
                    span, line = found_span, found_span[0] + 1
            else:
                names.append(f"number {key + 1}")
        return ", ".join([f"{self.label}, line {line}" if line else self.label, *names])

    def _entry_span(self, trail: list[str], siblings: list[Any], index: int, span: Span) -> Span | None:
        """Lines of one entry of an array: a ``[[section]]``, or an inline table on its line."""
        node = siblings[index]
        spans = self._sections(trail, span)
        key = next((k for k in ("name", "code", "block") if isinstance(node.get(k), str | int)), None)
        if key is None:
            return spans[index] if index < len(spans) else None
        pattern = rf'(?:^|[\s{{,]){key}\s*=\s*["\']?{re.escape(str(node[key]))}["\']?\s*(?:[,}}#]|$)'
        nth = sum(1 for other in siblings[:index] if isinstance(other, dict) and other.get(key) == node[key])
        if spans:
            named = [one for one in spans if self._find(pattern, one) is not None]
            return named[nth] if nth < len(named) else None
        line = self._find(pattern, span, nth)
        return None if line is None else (line, line + 1)

    def _sections(self, trail: list[str], span: Span) -> list[Span]:
        """Line spans of the ``[[trail]]`` sections within ``span``; a section ends where another one opens."""
        name = ".".join(trail)
        key = (name, *span)
        if key not in self._known:
            opened = [(line, other) for line, other in self._openings if span[0] <= line < span[1]]
            outer = [(line, other) for line, other in opened if not other.startswith(f"{name}.")] + [(span[1], "")]
            self._known[key] = [(line, after) for (line, other), (after, _) in pairwise(outer) if other == name]
        return self._known[key]

    def _find(self, pattern: str, span: Span, nth: int = 0) -> int | None:
        expression = re.compile(pattern)
        for number in range(*span):
            if expression.search(self._lines[number]):
                if nth == 0:
                    return number
                nth -= 1
        return None


def _entry(section: str, index: int, node: dict[str, Any]) -> str:
    kind = _KINDS.get(section, section)
    for key in ("name", "code", "block", "key", "question", "by"):
        if isinstance(node.get(key), str | int):
            return f'{kind} "{node[key]}"' if isinstance(node[key], str) else f"{kind} {node[key]}"
    return f"{kind} number {index + 1}"
