"""What must be right before a questionnaire goes to the field: languages, translations, settings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semkit.errors import InstrumentFileError, OptionError, Problem, suggest
from semkit.instrument.combination import combine
from semkit.instrument.export.layout import Form, lay_out
from semkit.instrument.items import LANGUAGES, Text
from semkit.instrument.records import Instrument

_NAMES = {"id": "Indonesian", "en": "English"}


def prepare(
    instruments: Instrument | Sequence[Instrument], langs: Sequence[str], settings: Mapping[str, str] | None = None
) -> Form:
    """Return the form to be fielded, or say everything that keeps it from the field.

    Parameters
    ----------
    instruments : Instrument or sequence of Instrument
    langs : sequence of {"id", "en"}
        Languages of the form, the first one shown first.
    settings : mapping of str to str, optional
        What stands for each placeholder, ``"topic"`` for all languages or ``"topic.id"`` for one.

    Raises
    ------
    OptionError
        ``instrument.unknown-language``, ``instrument.unknown-setting``, ``instrument.unfilled-placeholder``.
    InstrumentFileError
        ``instrument.missing-translation``, ``instrument.form-reference``.
    """
    forms = [instruments] if isinstance(instruments, Instrument) else list(instruments)
    whole = combine(forms)
    chosen = tuple(dict.fromkeys(langs))
    _check_languages(whole, chosen)
    values = _values(whole, chosen, dict(settings or {}))
    filled = [_filled(form, values) for form in forms]
    whole = combine(filled)
    form = Form(whole, lay_out(whole, filled), chosen)
    problems = [problem for where, text in _texts(form) for problem in _check(where, text, chosen)]
    if problems:
        raise InstrumentFileError(*problems)
    return form


def _check_languages(whole: Instrument, langs: tuple[str, ...]) -> None:
    unknown = [lang for lang in langs if lang not in whole.languages]
    if unknown or not langs:
        raise OptionError(
            Problem(
                "instrument.unknown-language",
                f'instrument "{whole.name}"',
                f"it is not written in {', '.join(unknown)}" if unknown else "no language was given",
                ", ".join(whole.languages),
                "Choose among these.",
            )
        )


def _values(whole: Instrument, langs: tuple[str, ...], settings: dict[str, str]) -> dict[str, dict[str, str]]:
    """Language -> mark -> words; every unknown and every missing setting is named at once."""
    known = {mark.name: mark for mark in whole.placeholders}
    allowed = [*known, *(f"{name}.{lang}" for name in known for lang in LANGUAGES)]
    problems = [
        Problem(
            "instrument.unknown-setting",
            f'setting "{name}"',
            "the questionnaire has no such placeholder",
            ", ".join(known) or "none",
            suggest(name, allowed).strip() or "Leave it out.",
        )
        for name in settings
        if name not in allowed
    ]
    values: dict[str, dict[str, str]] = {lang: {} for lang in LANGUAGES}
    for name, mark in known.items():
        for lang in langs:
            words = settings.get(f"{name}.{lang}", settings.get(name, "")).strip()
            if words:
                values[lang][mark.mark.get(lang)] = words
        lacking = [lang for lang in langs if mark.mark.get(lang) and mark.mark.get(lang) not in values[lang]]
        if lacking:
            problems.append(
                Problem(
                    "instrument.unfilled-placeholder",
                    f'setting "{name}"',
                    f"{' and '.join(mark.mark.get(lang) for lang in lacking)} must be filled in before fielding",
                    f"words for {name}, or for {' and '.join(f'{name}.{lang}' for lang in langs)}",
                    f'Give it: --set {name}="..." on the command line, settings={{"{name}": "..."}} in Python.',
                )
            )
    if problems:
        raise OptionError(*problems)
    return values


def _filled(node: Any, values: Mapping[str, Mapping[str, str]]) -> Any:
    """The record with every mark replaced in one pass, so that words given for one mark are never read as another."""
    if isinstance(node, Text):
        return Text(*(_replaced(node.get(lang), values[lang]) for lang in LANGUAGES))
    if isinstance(node, tuple):
        return tuple(_filled(entry, values) for entry in node)
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        changed = {entry.name: _filled(getattr(node, entry.name), values) for entry in dataclasses.fields(node)}
        return dataclasses.replace(node, **changed)
    return node


def _replaced(words: str, values: Mapping[str, str]) -> str:
    marks = [mark for mark in values if mark]
    if not marks or not words:
        return words
    return re.sub("|".join(map(re.escape, marks)), lambda match: values[match.group()], words)


def _texts(form: Form) -> Iterator[tuple[str, Text]]:
    whole = form.whole
    yield "title", whole.title
    for part in form.parts:
        for lead in part.leads:
            yield f'lead-in of "{part.name}"', lead
    for item in whole.items:
        yield f'item "{item.name}"', item.text
    for question in whole.questions:
        yield f'question "{question.name}"', question.text
        for choice in question.choices:
            yield f'question "{question.name}", choice "{choice.code}"', choice.label
    for scale in whole.scales:
        for code, label in zip(scale.codes, scale.labels, strict=True):
            yield f'scale "{scale.name}", point {code}', label
    for special in whole.specials:
        yield f"special code {special.code}", special.label


def _check(where: str, text: Text, langs: Sequence[str]) -> Iterator[Problem]:
    blank = [_NAMES[lang] for lang in langs if not text.get(lang).strip()]
    if blank:
        yield Problem(
            "instrument.missing-translation",
            where,
            f"the {' and the '.join(blank)} words are missing",
            "words in every language of the form",
            "Add them, or export fewer languages.",
        )
    if any("${" in text.get(lang) for lang in langs):
        yield Problem(
            "instrument.form-reference",
            where,
            'the text has "${", which field tools read as a reference to another answer',
            'words without "${"',
            "Reword the text or the setting.",
        )
