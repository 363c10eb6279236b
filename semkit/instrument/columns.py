"""The codebook: one row for every column an analyst will meet, in the order of asking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semkit.instrument.combination import combine
from semkit.instrument.items import Item, Text
from semkit.instrument.questions import Condition, Derived, Question, Relevance
from semkit.instrument.records import Instrument

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Entry:
    """One column of the data.

    Parameters
    ----------
    name : str
    kind : str
        ``item``, ``check``, ``marker``, ``question``, ``recorded``, ``dummy``, ``derived`` or ``routing``.
    part : str
        Construct or section.
    text : Text
        The words respondents saw, or the heading of a derived variable.
    answers : tuple of (code, Text)
        Stored codes with their labels, special codes last.
    scoring : str
        How it enters the analysis: reversed, required answer, factor, rule of a derived variable.
    asked : str
        When it is asked, empty for always.
    note : str
    """

    name: str
    kind: str
    part: str
    text: Text
    answers: tuple[tuple[str, Text], ...] = ()
    scoring: str = ""
    asked: str = ""
    note: str = ""


@dataclass(frozen=True)
class Codebook:
    """Every column of a questionnaire's data; see :func:`codebook`."""

    title: Text
    notice: Text
    entries: tuple[Entry, ...]
    languages: tuple[str, ...]

    @property
    def header(self) -> tuple[str, ...]:
        """Column names of :attr:`rows`."""
        texts = tuple(f"text_{lang}" for lang in self.languages)
        answers = tuple(f"answers_{lang}" for lang in self.languages)
        return ("name", "kind", "part", *texts, *answers, "scoring", "asked_when", "note")

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """One row an entry, all texts."""
        return tuple(self._row(entry) for entry in self.entries)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.header))

    def _row(self, entry: Entry) -> tuple[str, ...]:
        texts = tuple(entry.text.get(lang) for lang in self.languages)
        answers = tuple(
            " | ".join(f"{code} = {label.get(lang)}" if label else code for code, label in entry.answers)
            for lang in self.languages
        )
        return (entry.name, entry.kind, entry.part, *texts, *answers, entry.scoring, entry.asked, entry.note)

    def _repr_html_(self) -> str:
        from semkit.writing import table

        return f'<div class="semkit">{table(self.header, self.rows)}</div>'


def codebook(instruments: Instrument | Sequence[Instrument], lang: str | Sequence[str] = ("id", "en")) -> Codebook:
    """Return the codebook of one or several instruments; shared blocks appear once.

    Parameters
    ----------
    instruments : Instrument or sequence of Instrument
    lang : str or sequence of str
        Languages of the words, in this order.

    Returns
    -------
    Codebook
        ``.entries``, ``.rows`` with ``.header``, ``.frame``.

    Examples
    --------
    >>> from semkit import load_instrument
    >>> book = codebook(load_instrument("government_role"), lang="en")
    >>> book.frame.set_index("name").loc["gr_fac_5", "scoring"]
    'reversed: 6 - answer'
    """
    forms = [instruments] if isinstance(instruments, Instrument) else list(instruments)
    whole = combine(forms)
    langs = (lang,) if isinstance(lang, str) else tuple(lang)
    for one in langs:
        whole.title.get(one)  # an unknown language is an error before anything is made
    before = [_question(whole, q) for q in whole.questions if q.section not in ("objective", "quality")]
    after = [_question(whole, q) for q in whole.questions if q.section in ("objective", "quality")]
    entries = [*before, *(_item(whole, item) for item in whole.items), *after, *_dummies(whole)]
    entries += [_derived(derived) for derived in whole.derived]
    entries += list(_routing(whole, {derived.name for derived in whole.derived}))
    return Codebook(whole.title, whole.notice, tuple(entries), langs)


def _specials(form: Instrument, codes: Sequence[int]) -> tuple[tuple[str, Text], ...]:
    return tuple((str(special.code), special.label) for special in form.specials if special.code in codes)


def _item(form: Instrument, item: Item) -> Entry:
    scale = form.scale(item.scale)
    answers = tuple((str(code), label) for code, label in zip(scale.codes, scale.labels, strict=True))
    construct = form.construct(item.construct)
    scoring = f"reversed: {scale.lowest + scale.highest} - answer" if item.reverse else ""
    kind = "marker" if item.construct in form.marker else "item"
    if item.attention is not None:
        kind, scoring = "check", f"required answer: {item.attention}; never scored"
    elif construct.na_scored_as is not None:
        scoring = "; ".join(part for part in (scoring, f"97 scored {construct.na_scored_as}") if part)
    skipped = [
        f"not if {_condition(r.when)}" for r in form.routing if item.construct in r.skips or item.name in r.items
    ]
    return Entry(
        item.name, kind, item.construct, item.text, answers + _specials(form, item.special), scoring, "; ".join(skipped)
    )


def _question(form: Instrument, question: Question) -> Entry:
    answers = [(_answer(choice.code, choice.value), choice.label) for choice in question.choices]
    if not answers:
        answers = [(_range(question), Text())]
    scoring = []
    if question.factor != 1:
        scoring.append(f"times {question.factor:g}")
    if question.min_required is not None:
        scoring.append(f"screened out below {question.min_required:g}")
    ending = [choice.code for choice in question.choices if choice.ends]
    if ending:
        scoring.append(f"screened out: {', '.join(ending)}")
    kind = "question" if question.asked else "recorded"
    asked = _relevance(question.relevance) if question.relevance is not None else ""
    codes = (*answers, *_specials(form, question.special))
    return Entry(question.name, kind, question.section, question.text, codes, "; ".join(scoring), asked, question.note)


def _answer(code: str, value: float | None) -> str:
    return code if value is None else f"{code} ({value:g})"


def _range(question: Question) -> str:
    limits = ["" if limit is None else f"{limit:g}" for limit in (question.minimum, question.maximum)]
    words = f"{question.answer} {limits[0]}-{limits[1]}" if all(limits) else question.answer
    if limits[0] and not limits[1]:
        words = f"{question.answer}, at least {limits[0]}"
    return f"{words} ({question.unit})" if question.unit else words


def _condition(condition: Condition) -> str:
    if condition.unanswered:
        return f"{condition.question} is not answered"
    if condition.any_of:
        return f"{condition.question} = {' or '.join(condition.any_of)}"
    parts = [f">= {condition.at_least:g}" if condition.at_least is not None else ""]
    parts.append(f"<= {condition.at_most:g}" if condition.at_most is not None else "")
    return f"{condition.question} {' and '.join(part for part in parts if part)}"


def _relevance(relevance: Relevance) -> str:
    joined = (" or " if relevance.match == "any" else " and ").join(map(_condition, relevance.conditions))
    return f"{joined} (else {relevance.otherwise})" if relevance.otherwise is not None else joined


def _dummies(form: Instrument) -> Iterator[Entry]:
    for question in form.questions:
        for column, code in question.dummies.items():
            rule = f"1 if {question.name} = {code}, else 0; base: {question.base or 'none'}"
            yield Entry(column, "dummy", question.section, question.choice(code).label, scoring=rule)


def _derived(derived: Derived) -> Entry:
    sources = ", ".join(derived.sources)
    if derived.rule == "bands":
        bands = "; ".join(
            f"{'' if band.above is None else f'{band.above:g} < '}{sources}"
            f"{'' if band.up_to is None else f' <= {band.up_to:g}'}: "
            f"{band.value if isinstance(band.value, str) else f'{band.value:g}'}"
            for band in derived.bands
        )
        rule = f"{bands}; else missing"
    elif derived.rule == "all_of":
        rule = "1 if " + " and ".join(map(_condition, derived.conditions)) + ", else 0"
    elif derived.rule in ("count", "share"):
        head = "how many hold" if derived.rule == "count" else "share that holds"
        rule = f"{head} of: {'; '.join(map(_condition, derived.conditions))}"
    elif derived.rule == "chosen":
        rule = f"1 if {derived.choice} was chosen in {sources}, else 0"
    else:
        words = {
            "copy": "same as {}",
            "code": "code of {}",
            "value": "value of {}",
            "log1p": "ln(1 + {})",
            "growth_pct": "100 (first / second - 1) of {}",
            "ratio": "first / second of {}",
            "mean_z_log1p": "mean of standardised ln(1 + x) of {}",
            "mean_z": "mean of standardised {}",
            "first": "the first that exists of {}",
            "sum": "sum of {}",
        }
        rule = words[derived.rule].format(sources)
    return Entry(derived.name, "derived", "", derived.label, scoring=rule)


def _routing(form: Instrument, known: set[str]) -> Iterator[Entry]:
    for routing in form.routing:
        rule = (
            f"skips {', '.join((*routing.skips, *routing.items))} (recorded {routing.skipped_code}); "
            f"scored {routing.scored_as}: "
            f"{', '.join(routing.scored) or 'none'}; missing: {', '.join((*routing.missing, *routing.items)) or 'none'}"
        )
        name = f"routing {routing.name}" if routing.name in known else routing.name
        yield Entry(name, "routing", "", Text(), scoring=rule, asked=_condition(routing.when))
