"""What a schema cannot see: names that must exist, be unique, or fit each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from semkit.errors import Problem, suggest
from semkit.instrument.assembly import Part
from semkit.instrument.measures import check_measures
from semkit.instrument.questioning import check_questions
from semkit.instrument.reading import Document
from semkit.instrument.schema import InstrumentModel
from semkit.instrument.scope import File, Scope
from semkit.instrument.wording import check_words

Path = tuple[str | int, ...]

MAX_PROBLEMS = 100
"""Nobody reads more at once; the rest shows when these are mended."""


def check(main: Document, model: InstrumentModel, parts: Sequence[tuple[Document, Part]]) -> list[Problem]:
    """Return every problem of an instrument together with its blocks, in order of the files."""
    own = File(main.places, model)
    blocks = [(File(document.places, part.model, part.leave_out), part.place) for document, part in parts]
    before = [file for file, place in blocks if place == "before"]
    after = [file for file, place in blocks if place == "after"]
    dropped = main.dropped.union(*(document.dropped for document, _ in parts))
    scope = Scope(own, [*before, own, *after], dropped)
    found = chain(_uses(scope), _duplicates(scope), check_words(scope), check_measures(scope), check_questions(scope))
    return list(islice(found, MAX_PROBLEMS))


def _uses(scope: Scope) -> Iterator[Problem]:
    model = scope.main.model
    if not isinstance(model, InstrumentModel):
        return
    names = [use.block for use in model.use]
    by_name = {file.model.name: file.model for file in scope.files}
    for number, use in enumerate(model.use):
        where = scope.main.places.of(("use", number))
        if names.index(use.block) < number:
            yield Problem(
                "instrument.duplicate-name",
                where,
                f'block "{use.block}" is used twice',
                "each block once",
                "Remove one.",
            )
        block = by_name.get(use.block)
        if block is None:
            continue
        known = [entry.code for entry in block.constructs]
        known += [entry.name for entries in (block.questions, block.derived, block.placeholders) for entry in entries]
        for name in use.leave_out:
            if name not in known and name not in scope.dropped:
                yield Problem(
                    "instrument.undefined-name",
                    where,
                    f'block "{use.block}" has no "{name}" to leave out',
                    ", ".join(known),
                    suggest(name, known).strip() or "Remove the name.",
                )
    if (
        not scope.dropped
        and not any(construct.items for construct in scope.constructs.values())
        and not model.questions
    ):
        yield Problem(
            "instrument.empty",
            scope.main.places.label,
            "the instrument asks nothing",
            "[[constructs]] or [[questions]]",
            "Add what is to be asked.",
        )


def _duplicates(scope: Scope) -> Iterator[Problem]:
    """Columns, constructs and scales have names of their own; letter case makes no difference."""
    seen: dict[tuple[str, str], tuple[File, Path]] = {}
    for kind, name, file, path in _named(scope):
        key = (kind, name.casefold())
        if key in seen:
            other, place = seen[key]
            yield Problem(
                "instrument.duplicate-name",
                file.places.of(path),
                f'"{name}" is the name of something else already ({other.places.of(place)})',
                "names that differ in more than letter case",
                "Rename one of the two.",
            )
        else:
            seen[key] = (file, path)


def _named(scope: Scope) -> Iterator[tuple[str, str, File, Path]]:
    for file in scope.files:
        for number, scale in enumerate(file.model.scales):
            yield "scale", scale.name, file, ("scales", number)
        for number, special in enumerate(file.model.specials):
            yield "special", str(special.code), file, ("specials", number)
        for number, construct in file.constructs():
            yield "column", construct.code, file, ("constructs", number)
            for index, item in enumerate(construct.items):
                yield "column", item.name, file, ("constructs", number, "items", index)
        for number, question in file.questions():
            yield "column", question.name, file, ("questions", number)
            for index, choice in enumerate(question.choices):
                if choice.dummy:
                    yield "column", choice.dummy, file, ("questions", number, "choices", index)
        for number, derived in file.derived():
            yield "column", derived.name, file, ("derived", number)
