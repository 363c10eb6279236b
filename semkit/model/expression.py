"""The safe grammar of defined parameters, constraints and claims.

    expression = term  (("+" | "-") term)*
    term       = unary (("*" | "/") unary)*
    unary      = ("-" | "+") unary | power
    power      = primary ("^" unary)?                 right-associative; -a^2 is -(a^2)
    primary    = number | label | function "(" arguments ")" | "(" expression ")"

Functions: ``abs exp log sqrt min max``, ``sd(variable)`` (model-implied standard deviation) and
``std(label)`` (standardised estimate).  Nothing else exists, so nothing else can be executed.
Nodes are evaluated on arrays with a leading batch axis, together with exact derivatives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semkit.errors import ModelSyntaxError, Problem, spelling
from semkit.model.nodes import (
    Atom,
    Node,
    atoms_of,
    degree,
    differentiate,
    evaluate,
    rename,
    show,
    size_of,
    substitute,
)

FloatArray = NDArray[np.float64]

FUNCTIONS = ("abs", "exp", "log", "sqrt", "min", "max", "sd", "std")
_MAX_DEPTH = 60
_MAX_TERMS = 120
_MAX_LENGTH = 10_000
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>(?:[^\W\d]|\.(?![0-9]))[\w.]*)|(?P<sign>\*\*|[-+*/^(),:])"
)


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Parameters
    ----------
    root : Node

    Examples
    --------
    >>> expression = parse_expression("a*b + c^2")
    >>> expression.names
    ('a', 'b', 'c')
    >>> float(expression.evaluate({"a": 2.0, "b": 3.0, "c": 4.0}))
    22.0
    >>> {str(k): float(v) for k, v in expression.gradient({"a": 2.0, "b": 3.0, "c": 4.0}).items()}
    {'a': 3.0, 'b': 2.0, 'c': 8.0}
    """

    root: Node

    @cached_property
    def atoms(self) -> tuple[Atom, ...]:
        """Everything the expression is a function of, in order of first appearance."""
        return tuple(dict.fromkeys(atoms_of(self.root)))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Labels used as such."""
        return tuple(atom.name for atom in self.atoms if atom.kind == "label")

    @cached_property
    def sd_names(self) -> tuple[str, ...]:
        """Variables inside ``sd()``."""
        return tuple(atom.name for atom in self.atoms if atom.kind == "sd")

    @cached_property
    def std_names(self) -> tuple[str, ...]:
        """Labels inside ``std()``."""
        return tuple(atom.name for atom in self.atoms if atom.kind == "std")

    @cached_property
    def linear(self) -> bool:
        """Whether it is linear in its labels and uses neither ``sd()`` nor ``std()``."""
        highest = degree(self.root)
        return highest is not None and highest <= 1 and not (self.sd_names or self.std_names)

    def evaluate(
        self,
        values: Mapping[str, ArrayLike],
        sd: Mapping[str, ArrayLike] | None = None,
        std: Mapping[str, ArrayLike] | None = None,
    ) -> FloatArray:
        """Value of the expression.

        Parameters
        ----------
        values : Mapping of str to array (...)
            Labels; arrays of one shape (or scalars), usually ``(batch,)``.
        sd, std : Mapping of str to array (...), optional
            Model-implied standard deviations by variable, standardised estimates by label.

        Returns
        -------
        ndarray (...)
            NaN or infinite where the function is not defined (logarithm of a negative number).
        """
        with np.errstate(all="ignore"):
            return evaluate(self.root, values, sd or {}, std or {})

    def gradient(
        self,
        values: Mapping[str, ArrayLike],
        sd: Mapping[str, ArrayLike] | None = None,
        std: Mapping[str, ArrayLike] | None = None,
    ) -> dict[Atom, FloatArray]:
        """Exact first derivatives by atom (``str(atom)`` is ``a``, ``sd(v)`` or ``std(a)``)."""
        return self.linearise(values, sd, std)[1]

    def linearise(
        self,
        values: Mapping[str, ArrayLike],
        sd: Mapping[str, ArrayLike] | None = None,
        std: Mapping[str, ArrayLike] | None = None,
    ) -> tuple[FloatArray, dict[Atom, FloatArray]]:
        """Value and exact first derivatives in one pass."""
        with np.errstate(all="ignore"):
            value, slopes = differentiate(self.root, values, sd or {}, std or {})
        return value, {
            atom: slope if slope.shape == value.shape else np.broadcast_to(slope, value.shape).copy()
            for atom, slope in slopes.items()
        }

    @cached_property
    def size(self) -> tuple[int, int]:
        """Number of nodes and height of the tree."""
        return size_of(self.root)

    def substitute(self, definitions: Mapping[str, Expression]) -> Expression:
        """Replace labels by expressions; ``std(label)`` becomes the expression of standardised values."""
        return Expression(substitute(self.root, {name: e.root for name, e in definitions.items()}))

    def rename(self, names: Mapping[str, str], variables: Mapping[str, str] | None = None) -> Expression:
        """Rename labels, and variables inside ``sd()``."""
        return Expression(rename(self.root, names, variables or {}))

    def __str__(self) -> str:
        return show(self.root, 0)

    def __sub__(self, other: Expression) -> Expression:
        return Expression(Node("-", (self.root, other.root)))


# --- reading -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


class ExpressionFailure(Exception):
    """Internal: where (offset) and why an expression cannot be read."""

    def __init__(self, what: str, at: int, allowed: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what, self.at, self.allowed, self.remedy = what, at, allowed, remedy


class _Reader:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > _MAX_LENGTH:
            raise self.fail(f"the expression has {len(text)} characters", 0, f"at most {_MAX_LENGTH}")
        self.tokens = self._split()
        self.next = 0
        self.depth = 0

    def fail(self, what: str, at: int, allowed: str = "", remedy: str = "") -> ExpressionFailure:
        return ExpressionFailure(what, at, allowed, remedy)

    def _split(self) -> list[_Token]:
        tokens, at = [], 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                raise self.fail(f"unexpected character {self.text[at]!a}", at, "labels, numbers, + - * / ^ ( ) ,")
            if match.lastgroup != "space":
                text = "^" if match.group() == "**" else match.group()
                tokens.append(_Token(str(match.lastgroup), text, at))
            at = match.end()
        tokens.append(_Token("end", "", len(self.text)))
        return tokens

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def take(self, *texts: str) -> str | None:
        if self.token.kind == "sign" and self.token.text in texts:
            self.next += 1
            return self.tokens[self.next - 1].text
        return None

    def expect(self, text: str) -> None:
        if self.take(text) is None:
            found = repr(self.token.text) if self.token.kind != "end" else "the end"
            raise self.fail(f"unexpected {found}", self.token.at, f'"{text}"')

    def whole(self) -> Node:
        node = self.sum()
        if self.token.kind != "end":
            raise self.fail(f"unexpected {self.token.text!r}", self.token.at, "an operator + - * / ^ or the end")
        return node

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.fail("parentheses are nested too deeply", self.token.at, f"at most {_MAX_DEPTH} levels")
        node, height = self.product(), 0
        while sign := self.take("+", "-"):
            node, height = Node(sign, (node, self.product())), height + 1
            self._limit(height)
        self.depth -= 1
        return node

    def product(self) -> Node:
        node, height = self.unary(), 0
        while sign := self.take("*", "/"):
            node, height = Node(sign, (node, self.unary())), height + 1
            self._limit(height)
        return node

    def _limit(self, height: int) -> None:
        # A chain of n signs is a tree of height n; functions on trees recurse.
        if height > _MAX_TERMS:
            raise self.fail("the expression has too many terms", self.token.at, f"at most {_MAX_TERMS}")

    def unary(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.fail("signs or powers are nested too deeply", self.token.at, f"at most {_MAX_DEPTH} levels")
        sign = self.take("-", "+")
        if sign:
            child = self.unary()
            node = Node("neg", (child,)) if sign == "-" else child
        else:
            node = self.primary()
            if self.take("^"):
                node = Node("^", (node, self.unary()))
        self.depth -= 1
        return node

    def primary(self) -> Node:
        token = self.token
        if token.kind == "number":
            self.next += 1
            if not np.isfinite(float(token.text)):
                raise self.fail(f"the number {token.text} is too large", token.at)
            return Node("number", value=float(token.text))
        if token.kind == "name":
            self.next += 1
            if self.take("("):
                return self.call(token)
            return Node("atom", atom=Atom("label", token.text))
        if self.take("("):
            node = self.sum()
            self.expect(")")
            return node
        found = repr(token.text) if token.kind != "end" else "the end"
        raise self.fail(f"unexpected {found}", token.at, "a label, a number, a function or a parenthesis")

    def call(self, name: _Token) -> Node:
        if name.text not in FUNCTIONS:
            raise self.fail(
                f'unknown function "{name.text}"', name.at, ", ".join(FUNCTIONS), spelling(name.text, FUNCTIONS)
            )
        if name.text in ("sd", "std"):
            return self.reference(name.text)
        children = [self.sum()]
        while self.take(","):
            children.append(self.sum())
        self.expect(")")
        if name.text not in ("min", "max") and len(children) != 1:
            raise self.fail(f"{name.text}() takes one argument, not {len(children)}", name.at)
        if name.text in ("min", "max") and len(children) < 2:
            raise self.fail(f"{name.text}() needs at least two arguments", name.at)
        return Node(name.text, tuple(children))

    def reference(self, kind: str) -> Node:
        what = "a variable" if kind == "sd" else "a label"
        token = self.token
        if token.kind != "name":
            raise self.fail(f"{kind}() takes {what}", token.at, f"{what}, nothing else")
        self.next += 1
        text = token.text
        while kind == "sd" and self.take(":"):
            if self.token.kind != "name":
                raise self.fail("a name is missing after ':'", self.token.at)
            text += ":" + self.token.text
            self.next += 1
        self.expect(")")
        return Node("atom", atom=Atom(kind, text))


def parse_expression(text: str, where: str = "expression") -> Expression:
    """Read an expression of the safe grammar.

    Parameters
    ----------
    text : str
    where : str
        Place to name in errors.

    Raises
    ------
    ModelSyntaxError
        ``model.expression`` with the place under the line.
    """
    try:
        return read_expression(text)
    except ExpressionFailure as failure:
        line = "".join(" " if c.isspace() or not c.isprintable() else c for c in text)
        first = max(0, failure.at - 70)
        picture = f"{failure.what}\n    {line[first : first + 110]}\n    {' ' * (failure.at - first)}^\n"
        place = f"{where}, character {failure.at + 1}"
        raise ModelSyntaxError(
            Problem("model.expression", place, picture, failure.allowed, failure.remedy)
        ) from None


def read_expression(text: str) -> Expression:
    """:func:`parse_expression` for callers that draw the place themselves (raises :class:`ExpressionFailure`)."""
    return Expression(_Reader(text).whole())
