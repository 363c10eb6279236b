"""What is asked besides scale items, of whom, and what is derived from the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from semkit.instrument.items import Text

Section = Literal["consent", "screening", "profile", "objective", "quality"]
Rule = Literal[
    "copy", "code", "value", "chosen", "first", "bands", "log1p", "growth_pct", "ratio", "sum", "mean_z",
    "mean_z_log1p", "all_of", "count", "share",
]  # fmt: skip
Answer = Literal["choice", "multiple", "count", "number", "amount", "percent", "of_ten", "text", "time"]


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
    """A comparison of one answer: one of ``any_of`` chosen, a number between limits, or ``unanswered``."""

    question: str
    any_of: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    unanswered: bool = False
    """True when no answer was given: an empty cell or a special code."""


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
    shuffle : str
        Questions with the same mark are asked in random order; empty for the order of the file.
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
    shuffle: str = ""

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
    items : tuple of str
        Single items that are not asked, of constructs that are asked otherwise; they stay missing.
    """

    name: str
    when: Condition
    skips: tuple[str, ...]
    skipped_code: int
    scored: tuple[str, ...]
    scored_as: int
    missing: tuple[str, ...]
    sensitivity: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


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
    ``mean_z``: the same without the logarithm.  ``first``: the first of ``sources`` that exists.  ``sum``: sum of
    ``sources``, missing when one is.  ``all_of``: 1 when every condition holds, 0 when one fails, else missing.
    ``count``: how many conditions hold, missing when one is unknown.  ``share``: share of the known conditions that
    hold, missing when fewer than half are known.
    """

    name: str
    label: Text
    rule: Rule
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
