"""Where in a TOML text an entry stands: the standard reader gives values without positions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


class Places:
    """Finds the line of an entry, so that a message can point at it.

    The search follows the way such files are written: ``[[constructs]]`` headers are counted, then the
    entry's name is looked for below its header.  Where that fails the place has no line, never a wrong one
    outside its section.
    """

    def __init__(self, label: str, text: str, data: dict[str, Any]) -> None:
        self.label = label
        self._lines = text.splitlines()
        self._data = data

    def of(self, path: Sequence[str | int]) -> str:
        """Return ``"file.toml, line 12, construct \\"trust\\", item \\"TR3\\""`` for a path of keys and indices."""
        names: list[str] = []
        start, end = 0, len(self._lines)
        node: Any = self._data
        line: int | None = None
        trail: list[str] = []
        for step, key in enumerate(path):
            if isinstance(key, int):
                node = node[key] if isinstance(node, list) and key < len(node) else None
                section = str(path[step - 1]) if step else ""
                if isinstance(node, dict):
                    names.append(self._entry(section, key, node))
                    line, start, end = self._locate(trail, section, key, node, line, start, end)
                else:
                    names.append(f"number {key + 1}")
            else:
                node = node.get(key) if isinstance(node, dict) else None
                trail.append(key)
                if not isinstance(node, list) or step == len(path) - 1:
                    names.append(f'key "{key}"')
                    found = self._search(rf"(?:^|[\s{{,.]){re.escape(key)}\s*[=.\]]", start, end)
                    line = found + 1 if found is not None else line
        place = f"{self.label}, line {line}" if line else self.label
        return ", ".join([place, *names])

    def _entry(self, section: str, index: int, node: dict[str, Any]) -> str:
        kind = {"items": "item", "constructs": "construct", "questions": "question", "choices": "choice"}
        singular = kind.get(section, section.rstrip("s") or "entry")
        for key in ("name", "code", "block", "key", "question"):
            if isinstance(node.get(key), str | int):
                return f'{singular} "{node[key]}"'
        return f"{singular} number {index + 1}"

    def _locate(
        self, trail: list[str], section: str, index: int, node: dict[str, Any], line: int | None, start: int, end: int
    ) -> tuple[int | None, int, int]:
        headers = [
            number
            for number in range(start, end)
            if re.match(rf"\s*\[\[\s*{re.escape('.'.join(trail))}\s*\]\]", self._lines[number])
        ]
        if len(headers) > index:
            begin = headers[index]
            following = (
                n for n in range(begin + 1, end) if re.match(r"\s*\[", self._lines[n]) and self._other(trail, n)
            )
            return begin + 1, begin, next(following, end)
        for key in ("name", "code"):
            if isinstance(node.get(key), str | int):
                value = re.escape(str(node[key]))
                nth = self._same_before(section, trail, index, key, node)
                found = self._search(rf'(?:^|[\s{{,]){key}\s*=\s*["\']?{value}["\']?(?![\w])', start, end, nth)
                if found is not None:
                    return found + 1, found, found + 1
        return line, start, end

    def _other(self, trail: list[str], number: int) -> bool:
        """Whether a header line opens something that is not a part of ``trail``'s entry."""
        name = self._lines[number].strip().strip("[] \t").split("]")[0].strip()
        return not name.startswith(".".join(trail) + ".")

    def _same_before(self, section: str, trail: list[str], index: int, key: str, node: dict[str, Any]) -> int:
        """How many earlier siblings have the same name (for duplicates)."""
        return sum(1 for other in self._siblings(trail, node)[:index] if other.get(key) == node[key])

    def _siblings(self, trail: list[str], node: dict[str, Any]) -> list[dict[str, Any]]:
        pending: list[Any] = [self._data]
        while pending:
            current = pending.pop()
            if isinstance(current, list):
                if any(entry is node for entry in current):
                    return [entry for entry in current if isinstance(entry, dict)]
                pending.extend(current)
            elif isinstance(current, dict):
                pending.extend(current.values())
        return []

    def _search(self, pattern: str, start: int, end: int, nth: int = 0) -> int | None:
        expression = re.compile(pattern)
        for number in range(start, end):
            if expression.search(self._lines[number]):
                if nth == 0:
                    return number
                nth -= 1
        return None
