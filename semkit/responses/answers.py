"""From the text of a cell to the code of an answer: labels and codes both, never a guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semkit.errors import Problem
from semkit.instrument import Instrument, Item, Question
from semkit.instrument.items import Text
from semkit.instrument.short import short_answers
from semkit.responses.numbers import Decimal, parse_number, whole
from semkit.responses.sheet import place
from semkit.responses.targets import fold

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
ObjectArray = NDArray[np.object_]
IntArray = NDArray[np.int64]

CUT_LABEL = 118
_TICKS = {
    "1": 1.0, "1.0": 1.0, "true": 1.0, "y": 1.0, "yes": 1.0, "ya": 1.0,
    "0": 0.0, "0.0": 0.0, "false": 0.0, "n": 0.0, "no": 0.0, "tidak": 0.0,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Options:
    """Texts that stand for the codes of one item or question.

    Parameters
    ----------
    codes : Mapping of folded text to tuple of codes
        More than one code: the text is ambiguous.
    allowed : str
        For messages.
    """

    codes: Mapping[str, tuple[str, ...]]
    allowed: str

    def find(self, text: str) -> tuple[str, ...]:
        """Codes that a text can stand for."""
        number = whole(text)
        folded = fold(text)
        found = dict.fromkeys(self.codes.get(folded, ()))
        if number is not None:
            found |= dict.fromkeys(self.codes.get(str(number), ()))
        return tuple(found)

    def cut(self, label: str) -> tuple[str, ...]:
        """Codes whose only label begins with a value label that a statistics package cut off (SPSS: 120 bytes)."""
        text = fold(label)
        if len(label.encode()) < CUT_LABEL:
            return ()
        whole_labels = [codes for known, codes in self.codes.items() if known.startswith(text)]
        return tuple(dict.fromkeys(code for codes in whole_labels for code in codes))


def _options(pairs: Iterable[tuple[str, Iterable[str]]]) -> Options:
    codes: dict[str, dict[str, None]] = {}
    shown = []
    for code, labels in pairs:
        shown.append(f"{code} ({' / '.join(label for label in labels if label)})" if any(labels) else code)
        for text in (code, *labels):
            if fold(text):
                codes.setdefault(fold(text), {})[code] = None
    return Options({text: tuple(known) for text, known in codes.items()}, ", ".join(shown))


def item_options(item: Item, form: Instrument, lang: str | None) -> Options:
    """Codes and labels of the scale of an item, and of the special codes offered with it."""
    scale = form.scale(item.scale)
    labels = dict(zip(scale.codes, scale.labels, strict=True))
    pairs = [(str(code), _texts(labels[code], lang)) for code in scale.codes]
    wanted = {*item.special, *scale.special}
    pairs += [(str(one.code), _texts(one.label, lang)) for one in form.specials if one.code in wanted]
    return _options(pairs)


def question_options(question: Question, form: Instrument, lang: str | None, *, short: bool = False) -> Options:
    """Codes and labels of the choices of a question, and of the special codes that can stand there.

    ``short``: also the numbers that LimeSurvey and Qualtrics got for the choices.
    """
    pairs = [(choice.code, _texts(choice.label, lang)) for choice in question.choices]
    known = _options([*pairs, *((str(code), texts) for code, texts in _specials(question, form, lang))])
    numbers = {number: (code,) for code, number in short_answers(question).items()} if short else {}
    return Options({**numbers, **known.codes}, known.allowed)


def _specials(question: Question, form: Instrument, lang: str | None) -> list[tuple[int, tuple[str, ...]]]:
    wanted = set(question.special)
    if question.relevance is not None and question.relevance.otherwise is not None:
        wanted.add(question.relevance.otherwise)
    return [(one.code, _texts(one.label, lang)) for one in form.specials if one.code in wanted]


def _texts(label: Text, lang: str | None) -> tuple[str, ...]:
    return tuple(label.get(one) for one in ((lang,) if lang else ("id", "en")))


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one column, each different text once.

    Parameters
    ----------
    where : str
        Column, for messages.
    rows : ndarray (n,)
        Row in the file.
    place : ndarray (n,) of int
        Which text each row has.
    texts : tuple of str
    blank, declared : ndarray (texts,) of bool
        Empty texts; texts declared to mean 'missing'.
    """

    where: str
    rows: IntArray
    place: IntArray
    texts: tuple[str, ...]
    blank: BoolArray
    declared: BoolArray

    def spread_floats(self, values: Sequence[float]) -> FloatArray:
        return np.asarray(values, dtype=np.float64)[self.place]

    def spread_objects(self, values: Sequence[str | None]) -> ObjectArray:
        table = np.empty(len(values), dtype=object)
        table[:] = values
        out: ObjectArray = table[self.place]
        return out

    def problem(self, wrong: Sequence[bool], code: str, what: str, allowed: str, remedy: str) -> list[Problem]:
        """One problem naming the rows of the texts that are wrong; the texts themselves stay unsaid."""
        mask = np.asarray(wrong, dtype=bool)
        if not mask.any():
            return []
        rows = self.rows[mask[self.place]]
        return [Problem(code, f"{self.where}, {place(rows)}", what, allowed, remedy)]

    @property
    def is_declared(self) -> BoolArray:
        out: BoolArray = self.declared[self.place]
        return out


def make_cells(
    where: str,
    cells: ObjectArray,
    rows: IntArray,
    missing: frozenset[str],
    meanings: Mapping[str, str] | None = None,
) -> Cells:
    """Factorise the texts of a column.

    ``missing`` are texts (folded) that mean 'missing'; ``meanings`` says what some texts stand for (value labels).
    """
    codes, found = pd.factorize(cells, use_na_sentinel=False)
    texts = tuple((meanings or {}).get(str(text), str(text)) for text in found)
    folded = [fold(text) for text in texts]
    declared = np.array([_is_declared(text, missing) for text in folded], dtype=bool)
    blank = np.array([text == "" for text in folded], dtype=bool)
    return Cells(where, rows, np.asarray(codes, dtype=np.int64), texts, blank, declared)


def _is_declared(text: str, missing: frozenset[str]) -> bool:
    number = whole(text)
    return text in missing or (number is not None and str(number) in missing)


_NOTHING = frozenset(("na", "n/a", "#n/a", "nan", "null", "none", "-", ".", "missing"))


def _shown(text: str) -> str:
    """A text that may stand in a message: a short number or a usual mark for 'missing', never words of a person."""
    number = whole(text)
    if number is not None:
        return f"{number}" if abs(number) < 1000 else ""
    return text.strip() if fold(text) in _NOTHING else ""


def code_choices(cells: Cells, options: Options) -> tuple[list[str | None], list[Problem]]:
    """Code of each different text of a column with labels or codes.

    Returns
    -------
    codes : list
        One per text, None where empty, declared missing, or not understood.
    problems : list of Problem
        ``responses.formula-cell``, ``responses.unknown-option``, ``responses.ambiguous-option``.
    """
    found = [
        () if blank or gone else options.find(text)
        for text, blank, gone in zip(cells.texts, cells.blank, cells.declared, strict=True)
    ]
    asked = [not blank and not gone for blank, gone in zip(cells.blank, cells.declared, strict=True)]
    formula = [
        ask and not hit and text.lstrip().startswith("=")
        for ask, hit, text in zip(asked, found, cells.texts, strict=True)
    ]
    unknown = [ask and not hit and not is_formula for ask, hit, is_formula in zip(asked, found, formula, strict=True)]
    numbers = sorted({_shown(text) for text, bad in zip(cells.texts, unknown, strict=True) if bad} - {""})
    told = f" ({', '.join(numbers[:8])})" if numbers else ""
    problems = cells.problem(
        formula,
        "responses.formula-cell",
        "the cell holds a formula, not an answer",
        options.allowed,
        "Replace the formula by its value in the field tool's own export.",
    )
    problems += cells.problem(
        unknown,
        "responses.unknown-option",
        f"the answer is none of the options{told}",
        options.allowed,
        "Correct the cell, or declare the code with missing= if it means no answer.",
    )
    problems += cells.problem(
        [len(hit) > 1 for hit in found],
        "responses.ambiguous-option",
        "the text is the label of one option and the code or label of another",
        options.allowed,
        "Export codes (XML values) instead of labels, or name the language with lang=.",
    )
    return [hit[0] if len(hit) == 1 else None for hit in found], problems


def code_item(cells: Cells, options: Options) -> tuple[FloatArray, list[Problem]]:
    """Codes of an item as floats (special codes kept, empty cells NaN)."""
    codes, problems = code_choices(cells, options)
    return cells.spread_floats([np.nan if code is None else float(code) for code in codes]), problems


def code_number(
    cells: Cells, question: Question, specials: frozenset[int], decimal: Decimal | None
) -> tuple[FloatArray, list[Problem], list[Problem]]:
    """Numbers of a question; what is no number, or no count, is a problem, an implausible one a slight problem."""
    values: list[float] = []
    reasons: list[str] = []
    for text, blank, gone in zip(cells.texts, cells.blank, cells.declared, strict=True):
        parsed: float | str = np.nan if blank or gone else parse_number(text, decimal)
        reasons.append(parsed if isinstance(parsed, str) else "")
        values.append(np.nan if isinstance(parsed, str) else parsed)
    number = np.array(values)
    ordinary = ~np.isnan(number) & ~np.isin(number, list(specials))
    allowed = {"count": "a whole number, 0 or more", "of_ten": "a number from 0 to 10"}.get(question.answer, "a number")
    problems = cells.problem(
        [text.lstrip().startswith("=") and bool(why) for text, why in zip(cells.texts, reasons, strict=True)],
        "responses.formula-cell",
        "the cell holds a formula, not an answer",
        allowed,
        "Replace the formula by its value in the field tool's own export.",
    )
    problems += cells.problem(
        [
            why == "not a number" and not text.lstrip().startswith("=")
            for text, why in zip(cells.texts, reasons, strict=True)
        ],
        "responses.not-a-number",
        "the answer is not a number",
        allowed,
        "Correct the cell, or declare the text with missing= if it means no answer.",
    )
    problems += cells.problem(
        [why == "decimal or thousands sign" for why in reasons],
        "responses.ambiguous-number",
        "a comma or a point can be a decimal sign or a thousands separator",
        "digits with a decimal point, no thousands sign",
        "Say which sign is decimal with decimal=',' or decimal='.', and remove thousands separators.",
    )
    if question.answer == "count":
        odd = ordinary & ((number < 0) | (number != np.floor(number)))
        problems += cells.problem(
            odd.tolist(),
            "responses.not-a-count",
            "the answer is negative or has a fraction",
            allowed,
            "Correct the cell.",
        )
    low = 0.0 if question.answer == "of_ten" else -np.inf if question.minimum is None else question.minimum
    high = 10.0 if question.answer == "of_ten" else np.inf if question.maximum is None else question.maximum
    far = cells.problem(
        (ordinary & ((number < low) | (number > high))).tolist(),
        "responses.out-of-range",
        "the number is outside its range",
        f"{low:g} to {high:g}",
        "Check the cell.",
    )
    if question.answer == "of_ten":
        return cells.spread_floats(values), problems + far, []
    return cells.spread_floats(values), problems, far


def code_ticks(cells: Cells, names: frozenset[str] = frozenset()) -> tuple[FloatArray, list[Problem]]:
    """One choice of a select-multiple question in a column of its own: 1 ticked, 0 not, empty not answered.

    ``names`` are the folded code and labels of the choice, which some tools write instead of 1.
    """
    values, wrong = [], []
    for text, blank, gone in zip(cells.texts, cells.blank, cells.declared, strict=True):
        known = 1.0 if fold(text) in names else _TICKS.get(fold(text), np.inf)
        value = np.nan if blank or gone else known
        wrong.append(value == np.inf)
        values.append(np.nan if value == np.inf else value)
    problems = cells.problem(
        wrong,
        "responses.unknown-option",
        "the answer is neither ticked nor not ticked",
        "1, 0, TRUE, FALSE or empty",
        "Correct the cell.",
    )
    return cells.spread_floats(values), problems


def code_multiple(cells: Cells, question: Question, options: Options) -> tuple[FloatArray, list[Problem]]:
    """A select-multiple question in one column: codes separated by spaces, or labels separated by one sign.

    Returns
    -------
    ticks : ndarray (n, choices)
        1 chosen, 0 not chosen, NaN not answered.
    problems : list of Problem
    """
    names = [choice.code for choice in question.choices]
    table = np.full((len(cells.texts), len(names)), np.nan)
    unknown, twofold = [], []
    for number, (text, blank, gone) in enumerate(zip(cells.texts, cells.blank, cells.declared, strict=True)):
        found = set() if blank or gone else _segments(text, options)
        unknown.append(not (blank or gone) and not found)
        twofold.append(len(found) > 1)
        if len(found) == 1:
            chosen = next(iter(found))
            if chosen <= set(names):  # a special code means that the question was not answered
                table[number] = [float(name in chosen) for name in names]
    problems = cells.problem(
        unknown,
        "responses.unknown-option",
        "an answer is none of the options",
        options.allowed,
        "Correct the cell, or export each choice in a column of its own.",
    )
    problems += cells.problem(
        twofold,
        "responses.ambiguous-option",
        "the labels can be taken apart in several ways",
        options.allowed,
        "Export each choice in a column of its own, or codes (XML values).",
    )
    out: FloatArray = table[cells.place]
    return out, problems


def _segments(text: str, options: Options) -> set[frozenset[str]]:
    """All ways to take a text apart into known codes or labels; the signs are tried one after the other."""
    whole_text = options.find(text)
    if whole_text:
        return {frozenset((code,)) for code in whole_text}
    folded = fold(text)
    for sign in (",", ";", "|", "\n", " "):
        if sign not in text:
            continue
        ways = _split(fold(text) if sign != "\n" else "\n".join(map(fold, text.split("\n"))), sign, options)
        if ways:
            return ways
    return _split(folded, " ", options)


def _split(text: str, sign: str, options: Options, most: int = 64) -> set[frozenset[str]]:
    parts = [part.strip() for part in text.split(sign)]
    if len(parts) > most:
        return set()
    joined = f"{sign} " if sign not in " \n" else sign
    ways: list[set[frozenset[str]]] = [set() for _ in range(len(parts) + 1)]
    ways[0] = {frozenset()}
    for end in range(1, len(parts) + 1):
        for start in range(max(0, end - 8), end):  # a label may hold the sign itself
            if not ways[start]:
                continue
            piece = joined.join(parts[start:end])
            for code in options.find(piece) if piece else ():
                ways[end] |= {way | {code} for way in ways[start]}
    return ways[-1]
