"""Words: every text in every language of its file, printable, and placeholders that occur."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from pydantic import BaseModel

from semkit.errors import Problem
from semkit.instrument.items import LANGUAGES
from semkit.instrument.schema import ScaleModel, TextModel
from semkit.instrument.scope import File, Scope

_NAMES = {"id": "Indonesian", "en": "English"}
_OPTIONAL = ("definition", "lead_in")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Path = tuple[str | int, ...]


def check_words(scope: Scope) -> Iterator[Problem]:
    """Yield problems of every text of every file."""
    for file in scope.files:
        for path, text in _texts(file.model, ()):
            yield from _text(file, path, text)
        for index, scale in enumerate(file.model.scales):
            yield from _labels(file, ("scales", index), scale)
        yield from _placeholders(file)
    for index, use in enumerate(getattr(scope.main.model, "use", [])):
        block = next((file.model for file in scope.files if file.model.name == use.block), None)
        lacking = [lang for lang in scope.main.model.languages if block is not None and lang not in block.languages]
        if lacking:
            yield Problem(
                "instrument.missing-translation",
                scope.main.places.of(("use", index)),
                f'shared block "{use.block}" is not written in {", ".join(_NAMES[lang] for lang in lacking)}',
                ", ".join(scope.main.model.languages),
                "Translate the block, or take the language out of the instrument.",
            )


def _texts(node: object, path: Path) -> Iterator[tuple[Path, TextModel]]:
    if isinstance(node, TextModel):
        yield path, node
    if isinstance(node, BaseModel):
        for key in type(node).model_fields:
            yield from _texts(getattr(node, key), (*path, key))
    elif isinstance(node, list):
        for number, entry in enumerate(node):
            yield from _texts(entry, (*path, number))


def _text(file: File, path: Path, text: TextModel) -> Iterator[Problem]:
    given = {lang: getattr(text, lang) for lang in LANGUAGES}
    absent = [lang for lang in file.model.languages if not (given[lang] or "").strip()]
    optional = path[-1] in _OPTIONAL and all(words is None for words in given.values())
    if absent and not optional:
        blank = [lang for lang in absent if given[lang] is not None]
        what = f"the {' and the '.join(_NAMES[lang] for lang in absent)} words are {'blank' if blank else 'missing'}"
        yield Problem(
            "instrument.missing-translation",
            file.places.of(path),
            what,
            "words in every language of the file: " + ", ".join(file.model.languages),
            f'Add {" and ".join(f"{lang} = ..." for lang in absent)}, or change "languages".',
        )
    for lang, words in given.items():
        yield from _signs(file, (*path, lang), words or "")


def _signs(file: File, path: Path, words: str) -> Iterator[Problem]:
    bad = [sign for sign in words if (unicodedata.category(sign) == "Cc" and sign not in "\n\t") or sign in _BIDI]
    if bad:
        yield Problem(
            "instrument.control-character",
            file.places.of(path),
            f"the text has the invisible character U+{ord(bad[0]):04X}",
            "printable characters, line breaks and tabs",
            "Type the text again instead of copying it.",
        )


def _labels(file: File, path: Path, scale: ScaleModel) -> Iterator[Problem]:
    for lang in file.model.languages:
        labels: list[str] | None = getattr(scale.labels, lang)
        if labels is None:
            yield Problem(
                "instrument.missing-translation",
                file.places.of(path),
                f"the {_NAMES[lang]} labels are missing",
                f"{scale.points} labels in every language of the file: " + ", ".join(file.model.languages),
                f'Add labels.{lang} = [...], or change "languages".',
            )
            continue
        if len(labels) != scale.points:
            yield Problem(
                "instrument.label-count",
                file.places.of(path),
                f"{scale.points} points but {len(labels)} labels in {_NAMES[lang]}",
                f"exactly {scale.points} labels",
                "Every point needs its own words: add or remove labels, or change points.",
            )
        if any(not label.strip() for label in labels):
            yield Problem(
                "instrument.missing-translation",
                file.places.of(path),
                f"a label is blank in {_NAMES[lang]}",
                "words for every point",
                f"Fill in labels.{lang}.",
            )
        folded = [label.strip().casefold() for label in labels if label.strip()]
        if len(set(folded)) < len(folded):
            yield Problem(
                "instrument.duplicate-label",
                file.places.of(path),
                f"two points have the same label in {_NAMES[lang]}",
                "different words for every point",
                "Reword one of them: exports with labels could not be read back.",
            )
        for label in labels:
            yield from _signs(file, (*path, "labels", lang), label)


def _placeholders(file: File) -> Iterator[Problem]:
    texts = [text for path, text in _texts(file.model, ()) if path[0] != "placeholders"]
    for index, mark in enumerate(file.model.placeholders):
        for lang in file.model.languages:
            sign = getattr(mark, lang)
            if sign and not any(sign in (getattr(text, lang) or "") for text in texts):
                yield Problem(
                    "instrument.unused-placeholder",
                    file.places.of(("placeholders", index)),
                    f'the mark "{sign}" stands in no {_NAMES[lang]} text of the file',
                    "a mark that occurs in a text, letter for letter",
                    "Mend the mark or the text.",
                )
