"""Expressions that are sums of products of powers, and their values and slopes as array operations.

Most constraints and definitions are of this kind (``a*b``, ``l1*l2*sd(x)^2*theta``); walking their trees
again and again in an optimiser would cost more than the model itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.model.expression import Expression
from semkit.model.nodes import Atom, Node

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MAX_TERMS = 200

Monomial = tuple[float, dict[Atom, float]]


@dataclass(frozen=True, eq=False)
class Monomials:
    """``k`` expressions as ``t`` monomials over ``n`` atoms.

    Parameters
    ----------
    atoms : tuple of Atom (n,)
    coefficient : ndarray (t,)
    atom : ndarray (t, m)
        Atoms of each monomial; ``n`` stands for the constant 1.
    power : ndarray (t, m)
    expression : ndarray (t,)
        Which expression each monomial belongs to.
    count : int
        Number ``k`` of expressions.
    """

    atoms: tuple[Atom, ...]
    coefficient: FloatArray
    atom: IntArray
    power: FloatArray
    expression: IntArray
    count: int

    def evaluate(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values ``(B, k)`` and slopes by the atoms ``(B, k, n)`` at atoms ``(B, n)``.

        The slope of ``c prod_j a_j^e_j`` by ``a_i`` is ``c e_i a_i^(e_i - 1)`` times the other powers.
        """
        batch, n = values.shape
        padded = np.concatenate([values, np.ones((batch, 1))], axis=1)[:, self.atom]
        with np.errstate(all="ignore"):
            powers = padded**self.power
            before, after = np.ones_like(powers), np.ones_like(powers)
            before[:, :, 1:] = np.cumprod(powers[:, :, :-1], axis=2)
            after[:, :, :-1] = np.cumprod(powers[:, :, :0:-1], axis=2)[:, :, ::-1]
            own = np.where(self.power == 0.0, 0.0, self.power * padded ** (self.power - 1.0))
            parts = self.coefficient[:, None] * own * before * after
        total = self.coefficient * before[:, :, -1] * powers[:, :, -1]
        out = np.zeros((self.count, batch))
        np.add.at(out, self.expression, total.T)
        slopes = np.zeros((self.count, n + 1, batch))
        np.add.at(slopes, (self.expression[:, None], self.atom), np.moveaxis(parts, 0, -1))
        return out.T, np.moveaxis(slopes[:, :n], -1, 0)


def compile_monomials(expressions: Sequence[Expression]) -> Monomials | None:
    """Sums of products of powers, or None when one of the expressions is something else.

    Examples
    --------
    >>> from semkit.model import parse_expression
    >>> found = compile_monomials([parse_expression("2*a*b - c^2")])
    >>> value, slope = found.evaluate(np.array([[1.0, 3.0, 2.0]]))
    >>> value.tolist(), slope.tolist()
    ([[2.0]], [[[6.0, 2.0, -4.0]]])
    """
    owners: list[int] = []
    terms: list[Monomial] = []
    for k, expression in enumerate(expressions):
        found = monomials_of(expression.root)
        if found is None or len(terms) + len(found) > MAX_TERMS:
            return None
        terms += found
        owners += [k] * len(found)
    atoms = tuple(dict.fromkeys(atom for expression in expressions for atom in expression.atoms))
    place = {atom: i for i, atom in enumerate(atoms)}
    width = max([1, *(len(powers) for _, powers in terms)])
    at = np.full((len(terms), width), len(atoms), dtype=np.int64)
    power = np.zeros((len(terms), width))
    for t, (_, powers) in enumerate(terms):
        for j, (atom, exponent) in enumerate(powers.items()):
            at[t, j], power[t, j] = place[atom], exponent
    coefficient = np.array([c for c, _ in terms])
    return Monomials(atoms, coefficient, at, power, np.array(owners, dtype=np.int64), len(expressions))


def monomials_of(node: Node) -> list[Monomial] | None:
    if node.kind == "number":
        return [(node.value, {})]
    if node.atom is not None:
        return [(1.0, {node.atom: 1.0})]
    if node.kind not in ("+", "-", "*", "/", "^", "neg"):
        return None
    below = [monomials_of(child) for child in node.children]
    if any(part is None for part in below):
        return None
    known = [part for part in below if part is not None]
    if node.kind == "neg":
        return _scaled(known[0], -1.0)
    left, right = known
    if node.kind in ("+", "-"):
        return [*left, *(right if node.kind == "+" else _scaled(right, -1.0))]
    if len(left) * len(right) > MAX_TERMS:
        return None
    if node.kind == "*":
        return [_times(a, b) for a in left for b in right]
    if len(right) != 1:
        return None
    coefficient, powers = right[0]
    if node.kind == "/":
        if coefficient == 0.0:
            return None
        inverse = (1.0 / coefficient, {atom: -exponent for atom, exponent in powers.items()})
        return [_times(a, inverse) for a in left]
    return _raised(left, coefficient) if not powers else None


def _scaled(terms: list[Monomial], by: float) -> list[Monomial]:
    return [(by * c, powers) for c, powers in terms]


def _times(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a[1])
    for atom, exponent in b[1].items():
        powers[atom] = powers.get(atom, 0.0) + exponent
    return a[0] * b[0], powers


def _raised(terms: list[Monomial], exponent: float) -> list[Monomial] | None:
    """A power of a monomial, or a small whole power of a sum; roots of signed quantities stay trees."""
    whole = exponent == int(exponent) and abs(exponent) < 8 if np.isfinite(exponent) else False
    if not whole:
        return None
    if len(terms) == 1 and (terms[0][0] != 0.0 or exponent > 0):
        c, powers = terms[0]
        return [(float(c**exponent), {atom: p * exponent for atom, p in powers.items()})]
    if exponent not in (1.0, 2.0, 3.0):
        return None
    out = terms
    for _ in range(int(exponent) - 1):
        if len(out) * len(terms) > MAX_TERMS:
            return None
        out = [_times(a, b) for a in out for b in terms]
    return out
