"""What a questionnaire is: frozen records that know texts, codes and rules, and nothing of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from semkit.errors import OptionError, Problem, suggest

T = TypeVar("T")

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")

Section = Literal["consent", "screening", "profile", "objective", "quality"]
Answer = Literal["choice", "multiple", "count", "number", "amount", "percent", "of_ten", "text", "time"]


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in Indonesian (``id``) and English (``en``); empty when the instrument lacks the language."""

    id: str = ""
    en: str = ""

    def get(self, lang: str) -> str:
        """Return the words in ``lang``.

        Raises
        ------
        OptionError
            ``instrument.unknown-language``.
        """
        if lang not in LANGUAGES:
            raise OptionError(
                Problem(
                    "instrument.unknown-language",
                    f'language "{lang}"',
                    "questionnaires are not written in it",
                    ", ".join(LANGUAGES),
                    "Choose one of these.",
                )
            )
        return self.id if lang == "id" else self.en

    def __bool__(self) -> bool:
        return bool(self.id or self.en)


@dataclass(frozen=True, slots=True)
class Special:
    """A code that stands for 'no answer' (97 not applicable, 98 don't know, 99 prefer not to answer)."""

    code: int
    label: Text
    meaning: Literal["not_applicable", "dont_know", "refused"]


@dataclass(frozen=True, slots=True)
class Scale:
    """A fully labelled response scale.

    Parameters
    ----------
    name : str
    codes : tuple of int (points,)
        What is stored, lowest first.
    labels : tuple of Text (points,)
    special : tuple of int
        Special codes offered beside the points.
    """

    name: str
    codes: tuple[int, ...]
    labels: tuple[Text, ...]
    special: tuple[int, ...] = ()

    @property
    def points(self) -> int:
        return len(self.codes)

    @property
    def lowest(self) -> int:
        return min(self.codes)

    @property
    def highest(self) -> int:
        return max(self.codes)

    @property
    def has_mirror(self) -> bool:
        """Whether ``lowest + highest - code`` is a code for every code, so that items can be reversed."""
        return {self.lowest + self.highest - code for code in self.codes} == set(self.codes)

    def reverse(self, code: int) -> int:
        """Return the mirrored code: ``lowest + highest - code``, (points + 1) - answer on 1 ... points."""
        return self.lowest + self.highest - code

    def label(self, code: int, lang: str) -> str:
        """Return the words of a code in ``lang``; the code must be one of ``codes``."""
        return self.labels[self.codes.index(code)].get(lang)


@dataclass(frozen=True, slots=True)
class Item:
    """One statement that is answered on a scale.

    Parameters
    ----------
    name : str
        Column name, unique in the instrument.
    construct : str
        Code of the construct in whose block the item stands.
    scale : str
    text : Text
    reverse : bool
        Scored by :meth:`Scale.reverse`; raw answers stay as they were given.
    attention : int or None
        Required answer of an attention check; such an item is never scored.
    special : tuple of int
        Special codes offered with this item.
    """

    name: str
    construct: str
    scale: str
    text: Text
    reverse: bool = False
    attention: int | None = None
    special: tuple[int, ...] = ()

    @property
    def is_check(self) -> bool:
        return self.attention is not None


@dataclass(frozen=True, slots=True)
class Construct:
    """What is measured.

    Parameters
    ----------
    code : str
        Latent-variable name in models and prefix of the items, for example ``"cn_str"``.
    id : str
        Long name, for example ``"structural_dimension"``.
    label, definition : Text
    order : {1, 2}
        First order: has items.  Second order: has dimensions.
    type : {"reflective", "composite", "none"}
        ``"none"``: items that stand side by side and form no scale (the marker block).
    scale : str
        Scale of the items, empty for second order.
    items : tuple of str
        Scored items in order (attention checks are not among them).
    dimensions : tuple of str
        Codes of the first-order constructs of a second-order one.
    weights, reliability : str
        How a composite is formed: ``"equal"``; ``"stratified_alpha"``.
    min_answered : float
        Share of items that must be answered for a mean score.
    na_scored_as : int or None
        Block rule: an answer 97 of a respondent who was asked the block is scored as this (after reversal).
    lead_in : Text
        Read before the block; empty when the instrument's lead-in is enough.
    module : str
        Part of the questionnaire that can be left out.
    theory, source : str
    """

    code: str
    id: str
    label: Text
    definition: Text
    order: int
    type: Literal["reflective", "composite", "none"]
    scale: str = ""
    items: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    weights: str = ""
    reliability: str = ""
    min_answered: float = 0.5
    na_scored_as: int | None = None
    lead_in: Text = field(default_factory=Text)
    module: str = ""
    theory: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a question with choices.

    Parameters
    ----------
    code : str
        What field tools store, for example ``"female"``.
    label : Text
    value : float or None
        Analysis value (``yes`` 1, ``no`` 0; years of schooling), None when the code itself is analysed.
    dummy : str
        Analysis column that is 1 for this choice, empty for none (or for a fixed base).
    ends : bool
        Choosing it ends the interview (screened out).
    exclusive : bool
        Cannot be combined with other choices of a ``multiple`` question.
    """

    code: str
    label: Text
    value: float | None = None
    dummy: str = ""
    ends: bool = False
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one answer: one of ``any_of`` chosen, or ``at_least`` <= number <= ``at_most``."""

    question: str
    any_of: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Relevance:
    """When a question is asked: ``match`` ``"any"`` or ``"all"`` of the conditions hold."""

    match: Literal["any", "all"]
    conditions: tuple[Condition, ...]
    otherwise: int | None = None
    """Special code recorded when it is not asked (None: empty)."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that is no scale item: consent, screening, profile, objective, or a quality field of the form.

    Parameters
    ----------
    name : str
        Column name in exports and analysis.
    section : {"consent", "screening", "profile", "objective", "quality"}
    answer : str
        ``choice``, ``multiple``, ``count`` (whole, >= 0), ``number``, ``amount`` (rupiah), ``percent`` (may be
        negative), ``of_ten`` (0-10), ``text``, ``time``.
    text : Text
    choices : tuple of Choice
    base : str
        Reference category of the dummies: a choice code, or ``"largest"`` (largest category of the sample).
    minimum, maximum : float or None
        Plausible range of the raw answer.
    factor : float
        Stored value times factor is the analysis value (``of_ten``: 10, so that 0-10 becomes 0-100 %).
    special : tuple of int
        Special codes offered.
    relevance : Relevance or None
    asked : bool
        False for fields the form records by itself (quality) or copies.
    min_required : float or None
        Screening: numbers below it screen the respondent out.
    unit : str
    note : str
        For the codebook, never shown to respondents.
    """

    name: str
    section: Section
    answer: Answer
    text: Text
    choices: tuple[Choice, ...] = ()
    base: str = ""
    minimum: float | None = None
    maximum: float | None = None
    factor: float = 1.0
    special: tuple[int, ...] = ()
    relevance: Relevance | None = None
    asked: bool = True
    min_required: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def dummies(self) -> Mapping[str, str]:
        """Analysis column -> code of the choice it is 1 for."""
        return {choice.dummy: choice.code for choice in self.choices if choice.dummy}

    def choice(self, code: str) -> Choice:
        """Return the choice with this code; it must exist."""
        return next(choice for choice in self.choices if choice.code == code)


@dataclass(frozen=True, slots=True)
class Routing:
    """Blocks that some respondents are not asked, and what stands in their place.

    Parameters
    ----------
    name : str
        Analysis column that is 1 for these respondents, for example ``"no_partner"``.
    when : Condition
    skips : tuple of str
        Construct codes; their items and attention checks are recorded as ``skipped_code``.
    skipped_code : int
    scored : tuple of str
        Skipped constructs whose items are scored ``scored_as`` (after reversal): the zero is logical.
    scored_as : int
    missing : tuple of str
        Skipped constructs that do not exist for these respondents: missing, never imputed, never FIML-filled.
    sensitivity : tuple of str
        Constructs of ``missing`` that a sensitivity check scores ``scored_as`` too.
    """

    name: str
    when: Condition
    skips: tuple[str, ...]
    skipped_code: int
    scored: tuple[str, ...]
    scored_as: int
    missing: tuple[str, ...]
    sensitivity: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """``above < x <= up_to`` gives ``value``; an absent limit is open."""

    value: float | str
    above: float | None = None
    up_to: float | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A variable made from answers by a named rule; never an expression.

    Rules
    -----
    ``copy``: the value of ``sources[0]``.  ``code``: the code of the choice in ``sources[0]``.  ``value``: the analysis
    value of the choice in ``sources[0]``.  ``chosen``: 1 when ``choice`` was chosen in ``sources[0]``, else 0.
    ``bands``: ``bands`` applied to ``sources[0]``; no band, missing.  ``log1p``: ln(1 + x).  ``growth_pct``:
    100 (a / b - 1) of ``sources`` (a, b), missing unless b > 0.  ``ratio``: a / b, missing unless b > 0.
    ``mean_z_log1p``: mean over ``sources`` of the standardised log1p, missing when fewer than half exist.
    ``all_of``: 1 when every condition holds, 0 when one fails, else missing.
    """

    name: str
    label: Text
    rule: Literal["copy", "code", "value", "chosen", "bands", "log1p", "growth_pct", "ratio", "mean_z_log1p", "all_of"]
    sources: tuple[str, ...]
    choice: str = ""
    bands: tuple[Band, ...] = ()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """A check of validity that the instrument itself foresees.

    ``known_group``: the construct's mean is higher among those with ``choice`` in ``variable``.  ``convergent``: the
    construct's score correlates with ``variable`` between ``low`` and ``high``; below ``flag_below`` the
    scale is flagged.
    """

    kind: Literal["known_group", "convergent"]
    construct: str
    variable: str
    choice: str = ""
    low: float | None = None
    high: float | None = None
    flag_below: float | None = None


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
        from semkit.instrument.view import html

        return html(self)
