"""The instrument: what a questionnaire is, knowing texts, codes and rules, and nothing of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from semkit.errors import OptionError, Problem, suggest
from semkit.instrument.items import Construct, Item, Language, Scale, Special, Text
from semkit.instrument.questions import Derived, Expectation, Question, Routing, Section

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A bracketed part of a text that the study must fill in before fielding, in each language."""

    name: str
    mark: Text


@dataclass(frozen=True, slots=True)
class Source:
    """A paper the instrument was drawn from."""

    key: str
    title: str


@dataclass(frozen=True)
class Instrument:
    """A questionnaire: constructs, items and questions with their words and rules, in order of asking.

    Examples
    --------
    >>> from semkit import load_instrument
    >>> form = load_instrument("collaborative_network")
    >>> form.item("cn_str_5").reverse, len(form.scored_items), [check.name for check in form.checks]
    (True, 31, ['cn_att'])
    """

    name: str
    version: str
    title: Text
    description: Text
    notice: Text
    languages: tuple[Language, ...]
    minutes: float
    status: Literal["unvalidated", "piloted", "validated"]
    scales: tuple[Scale, ...]
    specials: tuple[Special, ...]
    constructs: tuple[Construct, ...]
    items: tuple[Item, ...]
    questions: tuple[Question, ...]
    routing: tuple[Routing, ...] = ()
    derived: tuple[Derived, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    placeholders: tuple[Placeholder, ...] = ()
    lead_in: Text = field(default_factory=Text)
    theory: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    marker: tuple[str, ...] = ()
    """Codes of blocks that serve method checks only (the marker block)."""
    origin: str = ""
    """File it was read from (name only), empty when made in memory."""
    digest: str = ""
    """SHA-256 over the bytes of the file and of the shared blocks it uses."""

    @property
    def scored_items(self) -> tuple[Item, ...]:
        """The instrument's own items that are scored: no attention checks, no marker items."""
        return tuple(item for item in self.items if not item.is_check and item.construct not in self.marker)

    @property
    def checks(self) -> tuple[Item, ...]:
        """Attention checks."""
        return tuple(item for item in self.items if item.is_check)

    @property
    def marker_items(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.construct in self.marker)

    def item(self, name: str) -> Item:
        """Return the item of this name, or raise ``instrument.unknown-name``."""
        return self._find("item", name, {item.name: item for item in self.items})

    def question(self, name: str) -> Question:
        """Return the question of this name, or raise ``instrument.unknown-name``."""
        return self._find("question", name, {question.name: question for question in self.questions})

    def construct(self, code: str) -> Construct:
        """Return the construct of this code, or raise ``instrument.unknown-name``."""
        return self._find("construct", code, {construct.code: construct for construct in self.constructs})

    def scale(self, name: str) -> Scale:
        """Return the scale of this name, or raise ``instrument.unknown-name``."""
        return self._find("scale", name, {scale.name: scale for scale in self.scales})

    def items_of(self, code: str, *, checks: bool = False) -> tuple[Item, ...]:
        """Return the items of a construct in order; of a second-order one, those of its dimensions.

        ``checks=True`` adds the attention checks that stand in its block.
        """
        construct = self.construct(code)
        codes = construct.dimensions or (code,)
        return tuple(item for item in self.items if item.construct in codes and (checks or not item.is_check))

    def section(self, name: Section) -> tuple[Question, ...]:
        """Return the questions of one section in order."""
        return tuple(question for question in self.questions if question.section == name)

    def _find(self, kind: str, name: str, known: Mapping[str, T]) -> T:
        if name not in known:
            raise OptionError(
                Problem(
                    "instrument.unknown-name",
                    f'instrument "{self.name}"',
                    f'has no {kind} "{name}"',
                    ", ".join(known) or "none",
                    suggest(name, known).strip() or f"Use the name of a {kind} of this instrument.",
                )
            )
        return known[name]

    def __repr__(self) -> str:
        return (
            f'<Instrument "{self.name}" {self.version}: {len(self.scored_items)} items, '
            f"{len(self.constructs)} constructs, {len(self.questions)} questions, "
            f"{'/'.join(self.languages)}, {self.status}>"
        )

    def _repr_html_(self) -> str:
        from semkit.display import html

        return html(self)
