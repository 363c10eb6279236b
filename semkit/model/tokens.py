"""Model text as tokens that keep their positions, grouped into statements."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from semkit.errors import Problem

MAX_LENGTH = 200_000

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\f\v\u00a0]+|[#!][^\n]*)"
    r"|(?P<newline>\n)|(?P<semicolon>;)"
    r"|(?P<string>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>(?:[^\W\d]|\.(?![0-9]))[\w.]*)"
    r"|(?P<op>=~|~\*~|~~|:=|==|<~|~|<(?!=)|>(?!=)|\|)"
    r"|(?P<sign>[-+*/^(),:])"
    r"|(?P<bad>[<>]=|.)",
    re.DOTALL,
)
_OPEN = frozenset("+*,(:-/^")
_CONTINUES = frozenset("+*,):-/^")


class Token(NamedTuple):
    """``kind`` is name, number, string, op, sign, bad or end; ``at`` the offset in the text."""

    kind: str
    text: str
    at: int

    @property
    def end(self) -> int:
        return self.at + len(self.text)


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column, both from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class Source:
    """A model text: finds lines and columns, and draws the place of an error."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, at: int) -> Position:
        line = bisect_right(self._starts, at)
        return Position(line, at - self._starts[line - 1] + 1)

    def offset(self, position: Position) -> int:
        return self._starts[position.line - 1] + position.column - 1

    def problem(self, code: str, at: int, what: str, allowed: str = "", remedy: str = "") -> Problem:
        """A problem whose text shows the line with a caret under the place."""
        position = self.position(at)
        start = self._starts[position.line - 1]
        line = self.text[start:].split("\n", 1)[0].rstrip("\r")
        first = max(0, position.column - 70)
        line = "".join(" " if c.isspace() or not c.isprintable() else c for c in line[first : first + 110])
        picture = f"{what}\n    {line}\n    {' ' * (position.column - 1 - first)}^\n"
        return Problem(code, f"model, {position}", picture, allowed, remedy)


def split_statements(source: Source) -> list[list[Token]]:
    """Cut a text into statements.

    A statement ends at ``;`` or at the end of a line, unless a parenthesis is open, the line ends
    with an operator or sign, or the next line begins with one.
    """
    tokens: list[Token] = []
    for match in _TOKEN.finditer(source.text):
        kind = str(match.lastgroup)
        if kind != "space":
            tokens.append(Token(kind, match.group(), match.start()))
    statements: list[list[Token]] = []
    current: list[Token] = []
    depth = 0
    for i, token in enumerate(tokens):
        if token.kind == "newline":
            if not current or (depth and not _line_has_operator(tokens, i + 1)) or _continues(current[-1], tokens, i):
                continue
        elif token.kind != "semicolon":
            if token.kind == "sign":
                depth += (token.text == "(") - (token.text == ")")
            current.append(token)
            continue
        if current:
            statements.append(current)
        current, depth = [], 0
    if current:
        statements.append(current)
    return statements


def _line_has_operator(tokens: list[Token], i: int) -> bool:
    while i < len(tokens) and tokens[i].kind not in ("newline", "semicolon"):
        if tokens[i].kind == "op":
            return True
        i += 1
    return False


def _continues(last: Token, tokens: list[Token], i: int) -> bool:
    if last.kind == "op" or (last.kind == "sign" and last.text in _OPEN):
        return True
    while i < len(tokens) and tokens[i].kind == "newline":
        i += 1
    if i == len(tokens):
        return False
    return tokens[i].kind == "op" or (tokens[i].kind == "sign" and tokens[i].text in _CONTINUES)
