"""What is measured and with which words: texts, scales, items, constructs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from semkit.errors import OptionError, Problem

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")


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
