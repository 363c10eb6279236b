"""Everything an instrument can refer to: its own entries and those of the blocks it uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from semkit.errors import Problem, suggest
from semkit.instrument import schema as s
from semkit.instrument.places import Places


@dataclass(frozen=True)
class File:
    """One file of the instrument with what the instrument leaves out of it."""

    places: Places
    model: s.InstrumentModel | s.BlockModel
    left_out: frozenset[str] = frozenset()

    def constructs(self) -> Iterator[tuple[int, s.ConstructModel]]:
        return (
            (number, entry) for number, entry in enumerate(self.model.constructs) if entry.code not in self.left_out
        )

    def questions(self) -> Iterator[tuple[int, s.QuestionModel]]:
        return ((number, entry) for number, entry in enumerate(self.model.questions) if entry.name not in self.left_out)

    def derived(self) -> Iterator[tuple[int, s.DerivedModel]]:
        return ((number, entry) for number, entry in enumerate(self.model.derived) if entry.name not in self.left_out)


@dataclass(frozen=True)
class Scope:
    """All files in order of asking, the instrument itself among them.

    ``dropped`` are names of entries with problems of their own: they exist, but nothing is known of them.
    """

    main: File
    files: Sequence[File]
    dropped: frozenset[str]

    @cached_property
    def scales(self) -> dict[str, s.ScaleModel]:
        return {scale.name: scale for file in self.files for scale in file.model.scales}

    @cached_property
    def specials(self) -> list[int]:
        return [special.code for file in self.files for special in file.model.specials]

    @cached_property
    def constructs(self) -> dict[str, s.ConstructModel]:
        return {construct.code: construct for file in self.files for _, construct in file.constructs()}

    @cached_property
    def questions(self) -> dict[str, s.QuestionModel]:
        return {question.name: question for file in self.files for _, question in file.questions()}

    @cached_property
    def derived(self) -> dict[str, s.DerivedModel]:
        return {derived.name: derived for file in self.files for _, derived in file.derived()}

    @cached_property
    def circular(self) -> tuple[str, ...]:
        """Questions whose relevance depends on itself, in order (what is left after peeling off both ends)."""
        needs = {name: _needed(question) & self.questions.keys() for name, question in self.questions.items()}
        users: dict[str, set[str]] = {name: set() for name in needs}
        for name, needed in needs.items():
            for other in needed:
                users[other].add(name)
        for here, there in ((needs, users), (users, needs)):
            free = [name for name, others in here.items() if not others]
            while free:
                name = free.pop()
                for other in there.pop(name):
                    if other in here:
                        here[other].discard(name)
                        if not here[other]:
                            free.append(other)
                del here[name]
        return tuple(name for name in self.questions if name in needs)

    @cached_property
    def order(self) -> dict[str, int]:
        """Place of each question in the order of asking."""
        return {name: number for number, name in enumerate(self.questions)}

    @cached_property
    def derived_order(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.derived)}

    def undefined_scale(self, where: str, name: str) -> Problem:
        known = self.scales
        return Problem(
            "instrument.undefined-scale",
            where,
            f'scale "{name}" is not defined',
            ", ".join(known) or "no scale is defined",
            suggest(name, known).strip() or 'Define it under [[scales]], or use the shared block "scales".',
        )

    def undefined_construct(self, where: str, code: str) -> Problem:
        known = self.constructs
        return Problem(
            "instrument.undefined-construct",
            where,
            f'construct "{code}" is not defined',
            ", ".join(known) or "no construct is defined",
            suggest(code, known).strip() or "Define it under [[constructs]].",
        )

    def undefined_question(self, where: str, name: str) -> Problem:
        known = self.questions
        return Problem(
            "instrument.undefined-question",
            where,
            f'question "{name}" is not defined, or was left out',
            ", ".join(known) or "no question is defined",
            suggest(name, known).strip() or "Define it under [[questions]], or do not leave it out.",
        )

    def undefined_choice(self, where: str, code: str, question: s.QuestionModel) -> Problem:
        known = [choice.code for choice in question.choices]
        return Problem(
            "instrument.undefined-choice",
            where,
            f'question "{question.name}" has no choice "{code}"',
            ", ".join(known) or "the question has no choices",
            suggest(code, known).strip() or "Use the code of one of its choices.",
        )

    def special_problems(self, where: str, codes: Sequence[int], points: Sequence[int]) -> Iterator[Problem]:
        """Special codes must be defined and must not be answers."""
        for code in codes:
            if code not in self.specials:
                yield Problem(
                    "instrument.undefined-special",
                    where,
                    f"special code {code} is not defined",
                    ", ".join(map(str, self.specials)) or "no special code is defined",
                    'Define it under [[specials]], or use the shared block "scales".',
                )
            elif code in points:
                yield Problem(
                    "instrument.special-is-answer",
                    where,
                    f"special code {code} is an answer too",
                    "codes that are no possible answer",
                    "Change the range of answers, or do not offer the special code here.",
                )


def _needed(question: s.QuestionModel) -> set[str]:
    return {condition.question for condition in question.relevance.conditions} if question.relevance else set()
