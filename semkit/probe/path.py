"""Paths between two variables whose steps depend on moderators: effects, their gradients and their draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from semkit.probe.gradient import rest, slope_rows
from semkit.probe.summary import Estimates, Values
from semkit.result import FloatArray, Result, Term

MOST = 100


@dataclass(frozen=True, eq=False)
class Path:
    """Names from predictor to outcome; ``steps`` holds the terms of each step's outcome."""

    names: tuple[str, ...]
    steps: tuple[tuple[Term, ...], ...]

    @property
    def text(self) -> str:
        """``x -> m -> y``."""
        return " -> ".join(self.names)

    def moderators(self) -> tuple[str, ...]:
        """Variables that multiply one of the steps."""
        found = (name for source, terms in self._walk() for term in terms for name in rest(term, source))
        return tuple(dict.fromkeys(found))

    def degree(self, moderator: str) -> int:
        """Power of the moderator in the effect along the path."""
        return sum(
            max(rest(term, source).count(moderator) for term in terms) for source, terms in self._walk()
        )

    def crossed(self, first: str, second: str) -> bool:
        """Whether the effect holds the product of two moderators."""
        in_step = [{name for term in terms for name in rest(term, source)} for source, terms in self._walk()]
        together = any(
            {first, second} <= set(rest(term, source)) for source, terms in self._walk() for term in terms
        )
        apart = any(
            first in a and second in b for i, a in enumerate(in_step) for j, b in enumerate(in_step) if i != j
        )
        return together or apart

    def _walk(self) -> Iterator[tuple[str, list[Term]]]:
        for source, terms in zip(self.names[:-1], self.steps, strict=True):
            yield source, [term for term in terms if source in term.factors]


def find_paths(terms: Sequence[Term], predictor: str, outcome: str) -> list[Path]:
    """All ways from predictor to outcome, the direct one first; at most ``MOST`` + 1 are looked for."""
    by_outcome: dict[str, list[Term]] = {}
    for term in terms:
        by_outcome.setdefault(term.outcome, []).append(term)
    follow: dict[str, dict[str, None]] = {}
    for term in terms:
        for name in term.factors:
            follow.setdefault(name, {})[term.outcome] = None
    found: list[tuple[str, ...]] = []
    open_: list[tuple[str, ...]] = [(predictor,)]
    while open_ and len(found) <= MOST:
        way = open_.pop(0)
        for target in follow.get(way[-1], {}):
            if target == outcome:
                found.append((*way, target))
            elif target not in way:
                open_.append((*way, target))
    return [Path(names, tuple(tuple(by_outcome[b]) for _, b in pairwise(names))) for names in found]


def path_values(
    result: Result, path: Path, given: Mapping[str, FloatArray], size: int, of: Estimates, *, standardized: bool
) -> Values:
    r"""Effect along a path at given moderator values: the product of its steps' slopes.

    ``f(w) = prod_s slope_s(w)`` with ``slope_s(w) = g_s(w) . est``; gradient
    ``sum_s g_s prod_{t != s} slope_t`` (Preacher, Rucker & Hayes 2007, Multivariate Behavioral Research 42, 185-227).
    """
    rows = np.stack([
        slope_rows(result, terms, source, given, size, standardized=standardized)
        for source, terms in zip(path.names[:-1], path.steps, strict=True)
    ])  # fmt: skip
    used = np.any(rows != 0.0, axis=(0, 1))
    slopes = rows[:, :, used] @ of.est[used]
    gradient = np.zeros(rows.shape[1:])
    for s in range(len(rows)):
        gradient += rows[s] * np.prod(np.delete(slopes, s, axis=0), axis=0)[:, None]
    draws = None
    if of.draws is not None:
        draws = np.prod(np.einsum("smk,bk->sbm", rows[:, :, used], of.draws[:, used]), axis=0)
    return Values.of(np.prod(slopes, axis=0), gradient, of.vcov, draws)


def total(parts: Sequence[Values], vcov: FloatArray) -> Values:
    """Sum of effects along several paths."""
    drawn = [part.draws for part in parts if part.draws is not None]
    draws = np.sum(drawn, axis=0) if len(drawn) == len(parts) else None
    return Values.of(
        np.sum([part.value for part in parts], axis=0), np.sum([part.gradient for part in parts], axis=0), vcov, draws
    )
