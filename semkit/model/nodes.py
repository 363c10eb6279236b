"""Trees of the expression grammar: values, exact derivatives, substitution and printing.

Every function recurses over :class:`Node`; arrays have any shape, usually a leading batch axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


class Atom(NamedTuple):
    """A quantity an expression is a function of: ``kind`` is ``label``, ``sd`` or ``std``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == "label" else f"{self.kind}({self.name})"


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the tree: ``kind`` is ``number``, ``atom``, a sign (``+ - * / ^ neg``) or a function."""

    kind: str
    children: tuple[Node, ...] = ()
    value: float = 0.0
    atom: Atom | None = None


def atoms_of(node: Node) -> Iterator[Atom]:
    if node.atom is not None:
        yield node.atom
    for child in node.children:
        yield from atoms_of(child)


def degree(node: Node) -> int | None:
    """Polynomial degree in the labels; None when it is not a polynomial (or too involved to say)."""
    degrees = [degree(child) for child in node.children]
    if node.kind == "number":
        return 0
    if node.atom is not None:
        return 1
    if any(degree is None for degree in degrees):
        return None
    known = [degree for degree in degrees if degree is not None]
    if all(degree == 0 for degree in known):
        return 0
    if node.kind in ("+", "-", "neg"):
        return max(known)
    if node.kind == "*":
        return sum(known)
    if node.kind == "/":
        return known[0] if known[1] == 0 else None
    return None


def size_of(node: Node) -> tuple[int, int]:
    below = [size_of(child) for child in node.children]
    return 1 + sum(count for count, _ in below), 1 + max((height for _, height in below), default=0)


Values = Mapping[str, ArrayLike]


def _leaf(atom: Atom, values: Values, sd: Values, std: Values) -> FloatArray:
    source = {"label": values, "sd": sd, "std": std}[atom.kind]
    return np.asarray(source[atom.name], dtype=np.float64)


def _apply(kind: str, parts: list[FloatArray]) -> FloatArray:
    match kind:
        case "+":
            return parts[0] + parts[1]
        case "-":
            return parts[0] - parts[1]
        case "*":
            return parts[0] * parts[1]
        case "/":
            return np.asarray(parts[0] / parts[1])
        case "^":
            return np.asarray(np.power(parts[0], parts[1]))
        case "neg":
            return -parts[0]
        case "abs":
            return np.asarray(np.abs(parts[0]))
        case "exp":
            return np.asarray(np.exp(parts[0]))
        case "log":
            return np.asarray(np.log(parts[0]))
        case "sqrt":
            return np.asarray(np.sqrt(parts[0]))
        case "min":
            return np.asarray(np.minimum.reduce(np.broadcast_arrays(*parts)))
        case _:
            return np.asarray(np.maximum.reduce(np.broadcast_arrays(*parts)))


def evaluate(node: Node, values: Values, sd: Values, std: Values) -> FloatArray:
    if node.atom is not None:
        return _leaf(node.atom, values, sd, std)
    if node.kind == "number":
        return np.asarray(node.value, dtype=np.float64)
    return _apply(node.kind, [evaluate(child, values, sd, std) for child in node.children])


def _partials(kind: str, parts: list[FloatArray], value: FloatArray) -> list[FloatArray | float]:
    """Derivative of one node by each of its children."""
    match kind:
        case "+":
            return [1.0, 1.0]
        case "-":
            return [1.0, -1.0]
        case "*":
            return [parts[1], parts[0]]
        case "/":
            return [1.0 / parts[1], -value / parts[1]]
        case "^":
            base, power = parts
            by_base = np.where(power == 0.0, 0.0, power * np.power(base, power - 1.0))
            return [by_base, np.where(base == 0.0, 0.0, value * np.log(base))]
        case "neg":
            return [-1.0]
        case "abs":
            return [np.sign(parts[0])]
        case "exp":
            return [value]
        case "log":
            return [1.0 / parts[0]]
        case "sqrt":
            return [0.5 / value]
        case _:  # min, max: the first of the extreme arguments (a subgradient at ties)
            stack = np.stack(np.broadcast_arrays(*parts))
            chosen = stack.argmin(axis=0) if kind == "min" else stack.argmax(axis=0)
            return [(chosen == i).astype(np.float64) for i in range(len(parts))]


def differentiate(
    node: Node, values: Values, sd: Values, std: Values
) -> tuple[FloatArray, dict[Atom, FloatArray]]:
    if node.atom is not None:
        value = _leaf(node.atom, values, sd, std)
        return value, {node.atom: np.ones_like(value)}
    if node.kind == "number":
        return np.asarray(node.value, dtype=np.float64), {}
    below = [differentiate(child, values, sd, std) for child in node.children]
    parts = [value for value, _ in below]
    value = _apply(node.kind, parts)
    out: dict[Atom, FloatArray] = {}
    for partial, (_, inner) in zip(_partials(node.kind, parts, value), below, strict=True):
        for atom, slope in inner.items():
            step = np.asarray(partial * slope)
            out[atom] = out[atom] + step if atom in out else step
    return value, out


def substitute(node: Node, definitions: Mapping[str, Node]) -> Node:
    if node.atom is not None:
        replacement = definitions.get(node.atom.name)
        if replacement is None or node.atom.kind == "sd":
            return node
        return replacement if node.atom.kind == "label" else _standardise(replacement)
    if not node.children:
        return node
    return Node(node.kind, tuple(substitute(child, definitions) for child in node.children), node.value)


def _standardise(node: Node) -> Node:
    if node.atom is not None:
        # A standardised variable has the standard deviation one.
        return Node("number", value=1.0) if node.atom.kind == "sd" else Node("atom", atom=Atom("std", node.atom.name))
    return Node(node.kind, tuple(_standardise(child) for child in node.children), node.value)


def rename(node: Node, names: Mapping[str, str], variables: Mapping[str, str]) -> Node:
    if node.atom is not None:
        table: Mapping[str, Any] = variables if node.atom.kind == "sd" else names
        return Node("atom", atom=Atom(node.atom.kind, table.get(node.atom.name, node.atom.name)))
    return Node(node.kind, tuple(rename(child, names, variables) for child in node.children), node.value)


_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "^": 4}


def show(node: Node, outer: int) -> str:
    if node.kind == "number":
        whole = abs(node.value) < 1e15 and node.value == int(node.value)
        return str(int(node.value)) if whole else repr(node.value)
    if node.atom is not None:
        return str(node.atom)
    if node.kind not in _STRENGTH:
        return f"{node.kind}({', '.join(show(child, 0) for child in node.children)})"
    own = _STRENGTH[node.kind]
    if node.kind == "neg":
        text = "-" + show(node.children[0], own)
    elif node.kind == "^":
        # The exponent may be a sign or another power; the base must be a primary.
        text = f"{show(node.children[0], own + 1)}^{show(node.children[1], 3)}"
    else:
        gap = " " if own == 1 else ""
        text = f"{show(node.children[0], own)}{gap}{node.kind}{gap}{show(node.children[1], own + 1)}"
    return f"({text})" if own < outer else text

