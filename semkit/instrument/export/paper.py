"""Words that paper needs and a tablet does not: numbers of questions, when to skip, how to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semkit.instrument.export.figures import figure
from semkit.instrument.export.layout import Form, Part
from semkit.instrument.items import Item
from semkit.instrument.questions import Condition, Question

WORDS: Mapping[str, Mapping[str, str]] = {
    "id": {
        "respondent": "Nomor responden", "interviewer": "Kode pewawancara", "date": "Tanggal", "start": "Mulai",
        "end": "Selesai", "only": "Hanya jika", "skip": "Lewati jika", "is": "dijawab", "blank": "tidak dijawab",
        "and": "dan", "or": "atau", "at_least": "paling sedikit", "at_most": "paling banyak",
        "ends": "wawancara selesai", "below": "Kurang dari", "many": "Boleh lebih dari satu jawaban.",
        "alone": "tidak digabung", "grid": "Lingkari satu jawaban di setiap baris.", "statements": "Pernyataan",
    },
    "en": {
        "respondent": "Respondent number", "interviewer": "Interviewer code", "date": "Date", "start": "Start",
        "end": "End", "only": "Only if", "skip": "Skip if", "is": "is", "blank": "is not answered",
        "and": "and", "or": "or", "at_least": "at least", "at_most": "at most",
        "ends": "the interview ends", "below": "Below", "many": "More than one answer is possible.",
        "alone": "not with another answer", "grid": "Circle one answer in each row.", "statements": "Statements",
    },
}  # fmt: skip


def numbers(form: Form) -> dict[str, int]:
    """Number of each question and item on paper, in the order of asking."""
    names: list[str] = []
    for part in form.parts:
        names += [question.name for question in part.questions] + [item.name for item in part.items]
    return {name: number for number, name in enumerate(names, start=1)}


def condition_words(form: Form, condition: Condition, lang: str) -> str:
    """A condition as an interviewer reads it, for example ``12 is "yes"``."""
    say = WORDS[lang]
    number = numbers(form).get(condition.question)
    head = condition.question if number is None else str(number)
    if condition.unanswered:
        return f"{head} {say['blank']}"
    if condition.any_of:
        labels = _labels(form, condition.question, lang)
        chosen = f" {say['or']} ".join(f'"{labels.get(code, code)}"' for code in condition.any_of)
        return f"{head} {say['is']} {chosen}"
    limits = [f"{say['at_least']} {figure(condition.at_least)}"] if condition.at_least is not None else []
    limits += [f"{say['at_most']} {figure(condition.at_most)}"] if condition.at_most is not None else []
    return f"{head} " + f" {say['and']} ".join(limits)


def _labels(form: Form, name: str, lang: str) -> dict[str, str]:
    for question in form.whole.questions:
        if question.name == name:
            return {choice.code: choice.label.get(lang) for choice in question.choices}
    for item in form.whole.items:
        if item.name == name:
            scale = form.whole.scale(item.scale)
            return {str(code): scale.label(code, lang) for code in scale.codes}
    return {}


def question_rules(form: Form, question: Question, lang: str) -> tuple[str, ...]:
    """Instructions that stand beside a question: when it is asked, how many answers, when the interview ends."""
    say = WORDS[lang]
    rules: list[str] = []
    if question.relevance is not None:
        join = f" {say['or' if question.relevance.match == 'any' else 'and']} "
        words = join.join(condition_words(form, one, lang) for one in question.relevance.conditions)
        rules.append(f"{say['only']} {words}.")
    if question.answer == "multiple":
        rules.append(say["many"])
    if question.min_required is not None:
        rules.append(f"{say['below']} {figure(question.min_required)}: {say['ends']}.")
    return tuple(rules)


def answer_words(form: Form, question: Question, lang: str) -> tuple[tuple[str, str], ...]:
    """Code and words of each answer, special codes last; words say when an answer ends the interview."""
    say = WORDS[lang]
    answers = []
    for choice in question.choices:
        remarks = [say["ends"]] if choice.ends else [say["alone"]] if choice.exclusive else []
        answers.append((choice.code, choice.label.get(lang) + "".join(f" ({remark})" for remark in remarks)))
    return (*answers, *special_words(form, question.special, lang))


def special_words(form: Form, codes: Sequence[int], lang: str) -> tuple[tuple[str, str], ...]:
    """Code and words of special codes."""
    return tuple((str(one.code), one.label.get(lang)) for one in form.whole.specials if one.code in codes)


def scale_words(form: Form, item: Item, lang: str) -> tuple[tuple[str, str], ...]:
    """Code and words of each point of an item's scale, special codes last."""
    scale = form.whole.scale(item.scale)
    points = tuple((str(code), scale.label(code, lang)) for code in scale.codes)
    return (*points, *special_words(form, item.special, lang))


def skip_words(form: Form, conditions: Sequence[Condition], lang: str) -> str:
    """When a block or item is skipped; empty for never."""
    if not conditions:
        return ""
    say = WORDS[lang]
    return f"{say['skip']} " + f" {say['or']} ".join(condition_words(form, one, lang) for one in conditions) + "."


def grids(part: Part) -> tuple[tuple[Item, ...], ...]:
    """Neighbouring items with the same answers."""
    found: list[list[Item]] = []
    for item in part.items:
        last = found[-1][-1] if found else None
        if last is None or (last.scale, last.special) != (item.scale, item.special):
            found.append([])
        found[-1].append(item)
    return tuple(tuple(grid) for grid in found)
