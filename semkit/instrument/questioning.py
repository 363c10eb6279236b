"""Questions, conditions, routing, derived variables and expectations: do references exist and fit?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from semkit.errors import Problem, suggest
from semkit.instrument.measures import codes_of
from semkit.instrument.reach import check_reach
from semkit.instrument.schema import (
    ConditionModel,
    DerivedModel,
    ExpectationModel,
    InstrumentModel,
    QuestionModel,
    RoutingModel,
)
from semkit.instrument.scope import File, Scope

Path = tuple[str | int, ...]
NUMERIC = ("count", "number", "amount", "percent", "of_ten")
SECTIONS = ("consent", "screening", "profile", "objective", "quality")
_SOURCES = {"copy": 1, "code": 1, "value": 1, "chosen": 1, "bands": 1, "log1p": 1, "growth_pct": 2, "ratio": 2}
_SEVERAL = ("first", "sum", "mean_z", "mean_z_log1p")
_CONDITIONS = ("all_of", "count", "share")


def check_questions(scope: Scope) -> Iterator[Problem]:
    """Yield problems of questions, routing, derived variables and expectations."""
    for file in scope.files:
        for number, question in file.questions():
            yield from _question(scope, file, ("questions", number), question)
        for number, derived in file.derived():
            yield from _derived(scope, file, ("derived", number), derived)
    yield from _cycles(scope)
    yield from check_reach(scope)
    model = scope.main.model
    if isinstance(model, InstrumentModel):
        for number, routing in enumerate(model.routing):
            yield from _routing(scope, ("routing", number), routing)
        for number, expectation in enumerate(model.expectations):
            yield from _expectation(scope, ("expectations", number), expectation)


def _question(scope: Scope, file: File, path: Path, question: QuestionModel) -> Iterator[Problem]:
    where = file.places.of(path)
    yield from _choices(scope, where, question)
    low, high = question.minimum, question.maximum
    if low is not None and high is not None and low > high:
        yield Problem(
            "instrument.empty-range",
            where,
            f"minimum {low:g} is above maximum {high:g}",
            "minimum <= maximum",
            "Exchange the two.",
        )
    if question.answer not in NUMERIC and not (low is high is question.min_required is None):
        yield Problem(
            "instrument.question-shape",
            where,
            f'minimum, maximum or min_required with answer = "{question.answer}"',
            "limits for " + ", ".join(NUMERIC),
            "Remove the limits, or change the kind of answer.",
        )
    possible = [c for c in question.special if question.answer in NUMERIC and _within(c, low, high)]
    yield from scope.special_problems(where, question.special, possible)
    if question.relevance is not None:
        if question.relevance.otherwise is not None:
            yield from scope.special_problems(where, [question.relevance.otherwise], [])
        for index, condition in enumerate(question.relevance.conditions):
            place = file.places.of((*path, "relevance", "conditions", index))
            yield from _condition(scope, place, condition)
            yield from _order(scope, place, question.name, condition.question)


def _within(code: int, low: float | None, high: float | None) -> bool:
    return (low is None or code >= low) and (high is None or code <= high)


def _choices(scope: Scope, where: str, question: QuestionModel) -> Iterator[Problem]:
    chosen = question.answer in ("choice", "multiple")
    if chosen and len(question.choices) < 2:
        yield Problem(
            "instrument.question-shape",
            where,
            f"{len(question.choices)} choices",
            "at least two choices",
            "Add choices, or change the kind of answer.",
        )
    if not chosen and question.choices:
        yield Problem(
            "instrument.question-shape",
            where,
            f'choices with answer = "{question.answer}"',
            'answer = "choice" or "multiple"',
            "Remove the choices, or change the kind of answer.",
        )
    for lang in ("id", "en"):
        labels = [(getattr(choice, lang) or "").strip().casefold() for choice in question.choices]
        labels = [label for label in labels if label]
        if len(set(labels)) < len(labels):
            yield Problem(
                "instrument.duplicate-label",
                where,
                f"two choices have the same words ({lang})",
                "different words",
                "Reword one of them: exports with labels could not be read back.",
            )
    codes = [choice.code for choice in question.choices]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield Problem(
            "instrument.duplicate-name",
            where,
            f'choice "{code}" stands {codes.count(code)} times',
            "different codes",
            "Rename all but one.",
        )
    if question.base is not None and question.base != "largest" and question.base not in codes:
        yield scope.undefined_choice(where, question.base, question)
    if any(choice.exclusive for choice in question.choices) and question.answer != "multiple":
        yield Problem(
            "instrument.question-shape",
            where,
            f'an exclusive choice with answer = "{question.answer}"',
            'answer = "multiple"',
            "Remove exclusive: one choice excludes the others anyway.",
        )


def _condition(scope: Scope, where: str, condition: ConditionModel) -> Iterator[Problem]:
    if condition.question in scope.dropped:
        return
    question = scope.questions.get(condition.question)
    if question is None:
        yield scope.undefined_question(where, condition.question)
        return
    number = condition.at_least is not None or condition.at_most is not None
    numeric = question.answer in NUMERIC
    if condition.unanswered:
        if number or condition.any_of:
            yield Problem(
                "instrument.condition-shape",
                where,
                "the condition asks for an answer and for none",
                "unanswered = true alone, or any_of, at_least, at_most",
                "Give one of the two.",
            )
        return
    if number == bool(condition.any_of) or number != numeric:
        yield Problem(
            "instrument.condition-shape",
            where,
            f'the condition does not fit answer = "{question.answer}"',
            "at_least or at_most" if numeric else "any_of = [codes]",
            "Use the keys that fit the question's answers.",
        )
    codes = [choice.code for choice in question.choices]
    for code in condition.any_of:
        if code not in codes and not numeric:
            yield scope.undefined_choice(where, code, question)


def _order(scope: Scope, where: str, name: str, needed: str) -> Iterator[Problem]:
    """Sections are asked one after the other, questions of a section in order of the files."""
    first, second = scope.questions.get(needed), scope.questions[name]
    if first is None or {name, needed} <= set(scope.circular):
        return
    late = scope.order[needed] > scope.order[name]
    section_late = SECTIONS.index(first.section) > SECTIONS.index(second.section)
    if late or section_late:
        section = f" (sections {second.section} and {first.section})" if section_late else ""
        yield Problem(
            "instrument.asked-too-late",
            where,
            f'"{needed}" is asked after "{name}", which depends on it{section}',
            "questions that are asked before",
            "Change the order of the questions" + (", or the section of one." if section_late else "."),
        )


def _cycles(scope: Scope) -> Iterator[Problem]:
    """One problem for all circles, at the first question that is in one."""
    for file in scope.files:
        for number, question in file.questions():
            if scope.circular and question.name == scope.circular[0]:
                names = ", ".join(scope.circular[:10]) + (" ..." if len(scope.circular) > 10 else "")
                yield Problem(
                    "instrument.circular-relevance",
                    file.places.of(("questions", number)),
                    f"questions are asked depending on each other in a circle: {names}",
                    "conditions on questions that do not depend on this one",
                    "Break the circle: remove one of the conditions.",
                )


def _derived(scope: Scope, file: File, path: Path, derived: DerivedModel) -> Iterator[Problem]:
    where = file.places.of(path)
    wanted = _SOURCES.get(derived.rule)
    if (wanted is not None and len(derived.sources) != wanted) or (derived.rule in _SEVERAL and not derived.sources):
        yield Problem(
            "instrument.derived-shape",
            where,
            f'rule "{derived.rule}" with {len(derived.sources)} sources',
            f"{wanted} sources" if wanted else "at least one source",
            "List what the rule needs.",
        )
    for key, needed in (("choice", ("chosen",)), ("bands", ("bands",)), ("conditions", _CONDITIONS)):
        if bool(getattr(derived, key)) != (derived.rule in needed):
            yield Problem(
                "instrument.derived-shape",
                where,
                f'key "{key}" and rule "{derived.rule}" do not go together',
                f'key "{key}" with rule {" or ".join(needed)} and only there',
                f'Change the rule, or the key "{key}".',
            )
    own = scope.derived_order[derived.name]
    for name in derived.sources:
        known_before = name in scope.questions or scope.derived_order.get(name, own) < own
        if not known_before and name not in scope.dropped:
            known = [*scope.questions, *list(scope.derived)[:own]]
            yield Problem(
                "instrument.undefined-name",
                where,
                f'source "{name}" is no question and no earlier derived variable',
                ", ".join(known),
                suggest(name, known).strip() or "Define it first.",
            )
    question = scope.questions.get(derived.sources[0]) if derived.sources else None
    if derived.choice and question and derived.choice not in [choice.code for choice in question.choices]:
        yield scope.undefined_choice(where, derived.choice, question)
    for condition in derived.conditions:
        yield from _condition(scope, where, condition)
    yield from _bands(where, derived)


def _bands(where: str, derived: DerivedModel) -> Iterator[Problem]:
    limits = [
        (float("-inf") if band.above is None else band.above, float("inf") if band.up_to is None else band.up_to)
        for band in derived.bands
    ]
    rising = all(low < high for low, high in limits)
    if not rising or any(second[0] < first[1] for first, second in pairwise(limits)):
        yield Problem(
            "instrument.bands-overlap",
            where,
            "bands are empty, overlap or do not rise",
            "rising bands: above < up_to, each above >= the up_to before",
            "Mend the limits.",
        )


def _routing(scope: Scope, path: Path, routing: RoutingModel) -> Iterator[Problem]:
    where = scope.main.places.of(path)
    yield from _condition(scope, where, routing.when)
    yield from scope.special_problems(where, [routing.skipped_code], [])
    for code in dict.fromkeys([*routing.skips, *routing.scored, *routing.missing, *routing.sensitivity]):
        if code not in scope.constructs and code not in scope.dropped:
            yield scope.undefined_construct(where, code)
    yield from _routed_items(scope, where, routing)
    if sorted([*routing.scored, *routing.missing]) != sorted(routing.skips):
        yield Problem(
            "instrument.routing-shape",
            where,
            "skipped constructs and what becomes of them do not agree",
            "every construct of skips exactly once in scored or in missing",
            "Complete the lists scored and missing.",
        )
    if not set(routing.sensitivity) <= set(routing.missing):
        yield Problem(
            "instrument.routing-shape",
            where,
            "sensitivity names constructs that are not missing",
            ", ".join(routing.missing) or "none",
            "Take constructs from the list missing.",
        )
    for code in routing.scored:
        construct = scope.constructs.get(code)
        scale = scope.scales.get(construct.scale or "") if construct else None
        if scale is not None and routing.scored_as not in codes_of(scale):
            yield Problem(
                "instrument.score-out-of-range",
                where,
                f'scored_as {routing.scored_as} is no code of the scale of "{code}"',
                ", ".join(map(str, codes_of(scale))),
                "Use one of the scale's codes.",
            )


def _routed_items(scope: Scope, where: str, routing: RoutingModel) -> Iterator[Problem]:
    """Single items exist, and do not stand in a block that is skipped as a whole."""
    home = {item.name: code for code, construct in scope.constructs.items() for item in construct.items}
    if not routing.skips and not routing.items:
        yield Problem(
            "instrument.routing-shape",
            where,
            "it skips nothing",
            "skips = [constructs], items = [items], or both",
            "Name what is not asked, or remove the routing.",
        )
    for name in routing.items:
        if name not in home and name not in scope.dropped:
            yield Problem(
                "instrument.undefined-name",
                where,
                f'there is no item "{name}" to skip',
                ", ".join(home),
                suggest(name, home).strip() or "Use the name of an item.",
            )
        elif home.get(name) in routing.skips:
            yield Problem(
                "instrument.routing-shape",
                where,
                f'item "{name}" stands in "{home[name]}", which is skipped as a whole',
                "items of constructs that are not in skips",
                "Remove the item from the list.",
            )


def _expectation(scope: Scope, path: Path, expectation: ExpectationModel) -> Iterator[Problem]:
    where = scope.main.places.of(path)
    if expectation.of not in scope.constructs and expectation.of not in scope.dropped:
        yield scope.undefined_construct(where, expectation.of)
    known = {**scope.questions, **scope.derived}
    if expectation.variable not in known and expectation.variable not in scope.dropped:
        yield Problem(
            "instrument.undefined-name",
            where,
            f'variable "{expectation.variable}" is no question and no derived variable',
            ", ".join(known),
            suggest(expectation.variable, known).strip() or "Define it.",
        )
    question = scope.questions.get(expectation.variable)
    if expectation.kind == "known_group" and question is not None:
        if expectation.choice not in [choice.code for choice in question.choices]:
            yield scope.undefined_choice(where, expectation.choice or "", question)
    elif expectation.kind == "convergent" and (expectation.low is None or expectation.high is None):
        yield Problem(
            "instrument.expectation-shape",
            where,
            "a convergent expectation without limits",
            "low and high",
            "Add low = ... and high = ... .",
        )
