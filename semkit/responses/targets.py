"""All items and questions a column can be, by name, short name, words and choices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from semkit.instrument import Instrument, Item, Question
from semkit.instrument.short import form_names, short_answers


def fold(text: str) -> str:
    """Text without differences of case, width and space.

    Examples
    --------
    >>> fold("  Tidak\\u00a0 SETUJU ")
    'tidak setuju'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, eq=False)
class Targets:
    """All items and questions a column can be.

    Parameters
    ----------
    items, questions : Mapping of str
        By name, over all forms.
    labels : Mapping of str to tuple of str
        Folded text -> names of the items and questions with this text.
    folded : Mapping of str to str
        Folded name -> name; short names of a tool too, where it uses them.
    joined : Mapping of str to (question, choice)
        Folded ``question_choice`` -> one choice of a select-multiple question.
    patterns : tuple of (pattern, name)
        Folded texts with placeholders, which the fielded form had filled in.
    """

    items: Mapping[str, Item]
    questions: Mapping[str, Question]
    labels: Mapping[str, tuple[str, ...]]
    folded: Mapping[str, str]
    joined: Mapping[str, tuple[str, str]]
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.items or name in self.questions


def gather(form: Instrument, lang: str | None = None, *, short: bool = False) -> Targets:
    """Collect names and texts of the items and questions of a (combined) instrument.

    Parameters
    ----------
    form : Instrument
    lang : str, optional
        Only labels of this language count.
    short : bool
        Also the short names and numbers that LimeSurvey and Qualtrics got from semkit's exports.
    """
    labels: dict[str, dict[str, None]] = {}
    entries: tuple[Item | Question, ...] = (*form.items, *form.questions)
    for entry in entries:
        for language in (lang,) if lang else ("id", "en"):
            text = fold(entry.text.get(language))
            if text:
                known = labels.setdefault(text, {})
                if known and entry.name not in known:  # exporters number the words that stand there again
                    labels.setdefault(f"{text} ({len(known) + 1})", {})[entry.name] = None
                known[entry.name] = None
    items = {item.name: item for item in form.items}
    questions = {question.name: question for question in form.questions}
    names = {fold(name): name for name in (*items, *questions)}
    shorts = form_names(form) if short else {}
    for name, alias in shorts.items():
        names.setdefault(fold(alias), name)
    joined: dict[str, tuple[str, str]] = {}
    for question in form.questions:
        if question.answer == "multiple":
            numbers = short_answers(question) if short else {}
            for choice in question.choices:
                for one in {question.name, shorts.get(question.name, question.name)}:
                    joined[fold(f"{one}_{choice.code}")] = (question.name, choice.code)
                    if short:
                        joined[fold(f"{one}_{numbers[choice.code]}")] = (question.name, choice.code)
    texts = {text: tuple(entries) for text, entries in labels.items()}
    return Targets(items, questions, texts, names, joined, tuple(_patterns(form, texts)))


def _patterns(form: Instrument, labels: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[re.Pattern[str], str]]:
    """Texts with placeholders: whatever stood there when the form was fielded."""
    marks = [fold(words) for one in form.placeholders for words in (one.mark.id, one.mark.en) if words]
    if not marks:
        return
    split = re.compile("|".join(map(re.escape, marks)))
    for text, names in labels.items():
        if len(names) == 1 and split.search(text):
            yield re.compile(".{1,400}?".join(map(re.escape, split.split(text))), re.DOTALL), names[0]
