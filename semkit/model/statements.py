"""What a model text says: terms with modifiers, definitions and constraints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from semkit.model.expression import Expression
from semkit.model.tokens import Position

TERM_OPERATORS = ("=~", "<~", "~", "~~", "~1", "|", "~*~")
NOWHERE = Position(0, 0)


@dataclass(frozen=True, slots=True)
class Modifier:
    """What stands before ``*``.

    Parameters
    ----------
    kind : {"fixed", "label", "start", "lower", "upper", "equal"}
    values : tuple
        One entry for all groups, or one a group.  ``fixed``: numbers, None for ``NA`` (free);
        ``label``: names, ``""`` for none; ``start``, ``lower``, ``upper``: numbers, None for none;
        ``equal``: a label or a parameter such as ``"f=~x1"``.
    position : Position
    """

    kind: str
    values: tuple[float | str | None, ...]
    position: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Term:
    """``lhs op modifiers*rhs`` in one group block.

    Parameters
    ----------
    lhs, op, rhs : str
        ``op`` is one of ``=~ ~ ~~ ~1 | ~*~``; ``~1`` has ``rhs == ""``; a product is one name, ``"a:b"``; the
        right side of ``|`` is a threshold, ``"t1"``.
    modifiers : tuple of Modifier
    block : str
        Value of the ``group:`` line above, empty without one.
    position, lhs_position : Position
        Where the right and the left side stand in the text.
    """

    lhs: str
    op: str
    rhs: str
    modifiers: tuple[Modifier, ...] = ()
    block: str = ""
    position: Position = field(default=NOWHERE, compare=False)
    lhs_position: Position = field(default=NOWHERE, compare=False)

    def modifier(self, kind: str) -> Modifier | None:
        """The last modifier of a kind, or None."""
        for modifier in reversed(self.modifiers):
            if modifier.kind == kind:
                return modifier
        return None


@dataclass(frozen=True, slots=True)
class Formula:
    """``name := expression`` or ``expression (== | < | >) expression``."""

    lhs: Expression
    op: str
    rhs: Expression
    position: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class ModelSpec:
    """A parsed model: terms in the order of the text, then definitions and constraints.

    Parameters
    ----------
    terms : tuple of Term
    formulas : tuple of Formula
    blocks : tuple of str
        Values of the ``group:`` lines in order; empty without any.
    text : str
        The text it was read from; not compared.
    """

    terms: tuple[Term, ...] = ()
    formulas: tuple[Formula, ...] = ()
    blocks: tuple[str, ...] = ()
    text: str = field(default="", compare=False)

    @cached_property
    def latents(self) -> tuple[str, ...]:
        """Left sides of ``=~`` and ``<~`` in order."""
        return tuple(dict.fromkeys(term.lhs for term in self.terms if term.op in ("=~", "<~")))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every variable named by a term, latent, observed or product, in order of appearance."""
        found = (name for term in self.terms for name in (term.lhs, term.rhs if term.op != "|" else "") if name)
        return tuple(dict.fromkeys(found))

    @cached_property
    def observed(self) -> tuple[str, ...]:
        """Variables that are neither latent nor products that still have to be built."""
        latents = set(self.latents)
        return tuple(name for name in self.names if name not in latents and ":" not in name)

    @cached_property
    def products(self) -> tuple[str, ...]:
        """Products such as ``"a:b"`` that the text uses but does not define with ``=~``."""
        latents = set(self.latents)
        return tuple(name for name in self.names if ":" in name and name not in latents)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels in order of appearance."""
        found = (
            str(value) for term in self.terms for modifier in term.modifiers
            if modifier.kind == "label" for value in modifier.values if value
        )
        return tuple(dict.fromkeys(found))

    def extend(self, terms: Iterable[Term] = (), formulas: Iterable[Formula] = ()) -> ModelSpec:
        """Return the model with statements added at the end."""
        return replace(self, terms=(*self.terms, *terms), formulas=(*self.formulas, *formulas))
