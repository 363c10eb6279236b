"""Questions and blocks that nobody can be asked: conditions that end the interview, or contradict each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from semkit.errors import Problem
from semkit.instrument.schema import ConditionModel, InstrumentModel, QuestionModel, RoutingModel
from semkit.instrument.scope import Scope

# A strange file may chain thousands of questions; a contradiction further back than this is not looked for.
_LINKS = 200
_LEAST = {"count": 0.0, "of_ten": 0.0}
_MOST = {"of_ten": 10.0}


def check_reach(scope: Scope) -> Iterator[Problem]:
    """Yield problems of questions and blocks that no respondent reaches."""
    dead: set[str] = set()
    for file in scope.files:
        for number, question in file.questions():
            if question.relevance is None:
                continue
            conditions = question.relevance.conditions
            found: list[Problem] = []
            for index, condition in enumerate(conditions):
                where = file.places.of(("questions", number, "relevance", "conditions", index))
                found += _alone(scope, where, condition)
            if not found and _needed(question):
                found = _together(scope, file.places.of(("questions", number, "relevance")), conditions, dead)
            if found:
                dead.add(question.name)
            yield from found
    model = scope.main.model
    if isinstance(model, InstrumentModel):
        for number, routing in enumerate(model.routing):
            yield from _routing(scope, scope.main.places.of(("routing", number)), routing, dead)
        yield from _blocks(scope, model)


def _needed(question: QuestionModel) -> Sequence[ConditionModel]:
    """Conditions that hold for everybody who is asked the question."""
    relevance = question.relevance
    if relevance is None or (relevance.match == "any" and len(relevance.conditions) > 1):
        return ()
    return relevance.conditions


def _alone(scope: Scope, where: str, condition: ConditionModel) -> list[Problem]:
    """A condition that holds for nobody who is still being asked."""
    question = scope.questions.get(condition.question)
    if question is None:
        return []
    ending = _ending(question)
    if condition.any_of and set(condition.any_of) <= ending:
        going = [choice.code for choice in question.choices if not choice.ends]
        return [
            Problem(
                "instrument.unreachable",
                where,
                f'the interview ends for everybody who answers "{condition.question}" with '
                + ", ".join(condition.any_of),
                "a choice after which the interview goes on: " + (", ".join(going) or "there is none"),
                "Name another choice, or remove ends = true from it.",
            )
        ]
    least, most = _range(question)
    low = -math.inf if condition.at_least is None else condition.at_least
    high = math.inf if condition.at_most is None else condition.at_most
    if least > most or max(low, least) <= min(high, most):
        return []
    screened = f": below {question.min_required:g} the interview ends" if high < _required(question) else ""
    return [
        Problem(
            "instrument.unreachable",
            where,
            f'no answer to "{condition.question}" meets the condition{screened}',
            "at_least <= at_most" if low > high else f"limits that meet answers of {least:g} to {most:g}",
            "Change the limits.",
        )
    ]


def _ending(question: QuestionModel) -> set[str]:
    return {choice.code for choice in question.choices if choice.ends}


def _required(question: QuestionModel) -> float:
    screens = question.section == "screening" and question.min_required is not None
    return question.min_required if screens and question.min_required is not None else -math.inf


def _range(question: QuestionModel) -> tuple[float, float]:
    """Smallest and largest answer of somebody whose interview goes on."""
    least = _LEAST.get(question.answer, -math.inf) if question.minimum is None else question.minimum
    most = _MOST.get(question.answer, math.inf) if question.maximum is None else question.maximum
    return max(least, _required(question)), most


@dataclass
class _Answers:
    """What is still possible for an earlier question; the conditions of a question narrow it."""

    codes: set[str]
    low: float
    high: float
    answered: set[bool] = field(default_factory=set)

    @property
    def possible(self) -> bool:
        return len(self.answered) < 2 and self.low <= self.high and bool(self.codes)


def _together(scope: Scope, where: str, conditions: Sequence[ConditionModel], dead: set[str]) -> list[Problem]:
    """Conditions, and those of the questions they ask about, that never hold at once."""
    known: dict[str, _Answers] = {}
    asked: list[str] = []
    waiting = list(conditions)
    for condition in waiting:  # grows while it is read
        question = scope.questions.get(condition.question)
        codes = [choice.code for choice in question.choices] if question is not None else []
        if question is None or question.name in dead or not set(condition.any_of) <= set(codes):
            return []  # told already
        least, most = _range(question)
        if least > most:
            return []
        going = set(codes) - _ending(question) or {""}
        answers = known.setdefault(question.name, _Answers(going, least, most))
        answers.answered.add(not condition.unanswered)
        if question.answer != "multiple" and condition.any_of:
            answers.codes &= set(condition.any_of)
        answers.low = max(answers.low, -math.inf if condition.at_least is None else condition.at_least)
        answers.high = min(answers.high, math.inf if condition.at_most is None else condition.at_most)
        if not answers.possible:
            return [
                Problem(
                    "instrument.unreachable",
                    where,
                    f'nobody can be asked: conditions on "{question.name}" contradict each other'
                    + (f" (those of {', '.join(asked)} count too)" if asked else ""),
                    "conditions that one respondent can meet together",
                    'Change a condition, or give match = "any".',
                )
            ]
        if not condition.unanswered and question.name not in asked and len(asked) < _LINKS:
            more = _needed(question)
            waiting += more
            asked += [question.name] if more else []
    return []


def _routing(scope: Scope, where: str, routing: RoutingModel, dead: set[str]) -> list[Problem]:
    """Routing decides before its blocks are asked, on an answer that somebody being asked can give.

    Items are asked after consent, screening and profile, and before objective questions and what the form records
    (the order of the codebook and of the field forms).
    """
    found = _alone(scope, where, routing.when) or _together(scope, where, [routing.when], dead)
    question = scope.questions.get(routing.when.question)
    if question is not None and question.section in ("objective", "quality"):
        found.append(
            Problem(
                "instrument.unreachable",
                where,
                f'"{question.name}" is asked after the items it decides about (section {question.section})',
                "questions of the sections consent, screening or profile",
                "Move the question to an earlier section, or route on another one.",
            )
        )
    return found


def _blocks(scope: Scope, model: InstrumentModel) -> Iterator[Problem]:
    """Blocks that routing skips whatever is answered."""
    skipped: dict[tuple[str, str], set[str]] = {}
    for number, routing in enumerate(model.routing):
        question = scope.questions.get(routing.when.question)
        if question is None or question.answer != "choice":
            continue
        going = {choice.code for choice in question.choices} - _ending(question)
        for code in dict.fromkeys(routing.skips):
            union = skipped.setdefault((code, question.name), set())
            before = going <= union
            union |= set(routing.when.any_of)
            if going and going <= union and not before:
                yield Problem(
                    "instrument.unreachable",
                    scope.main.places.of(("routing", number)),
                    f'block "{code}" is skipped whatever is answered to "{question.name}"',
                    "at least one answer with which the block is asked",
                    "Take an answer out of any_of, or the block out of skips.",
                )
