"""Short codes for tools that allow only letters and digits, or only numbers, and the way back.

LimeSurvey: question and subquestion codes are letters and digits, at most 20 (``Question::rules``); answer codes at
most 5.  Qualtrics and SPSS store numbers.  The exporters and the readers take both tables from here, so that what
went out comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from semkit.errors import InstrumentFileError, Problem
from semkit.instrument.questions import Question
from semkit.instrument.records import Instrument

MOST = 20
_RESERVED = frozenset("lang sid savedid token qid gid sgq self that this time other comment".split())


def short_names(names: Iterable[str]) -> Mapping[str, str]:
    """Letters and digits for each name, in order, unlike each other whatever the case.

    Parameters
    ----------
    names : iterable of str
        Names of items and questions, unique.

    Returns
    -------
    mapping of name to short name
        The letters and digits of the name, cut at 20; a name that would be taken twice ends in a number.

    Examples
    --------
    >>> short_names(["cn_str_1", "cn_str1", "time"])
    {'cn_str_1': 'cnstr1', 'cn_str1': 'cnstr1x2', 'time': 'timex2'}
    """
    taken: set[str] = set(_RESERVED)
    out: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^0-9a-zA-Z]", "", name)
        plain = (plain if plain[:1].isalpha() else f"q{plain}")[:MOST]
        short, number = plain, 2
        while short.casefold() in taken:
            ending = f"x{number}"
            short, number = plain[: MOST - len(ending)] + ending, number + 1
        taken.add(short.casefold())
        out[name] = short
    return out


def form_names(form: Instrument) -> Mapping[str, str]:
    """Short names of all items and questions of a (combined) instrument."""
    return short_names([*(item.name for item in form.items), *(question.name for question in form.questions)])


def short_answers(question: Question) -> Mapping[str, str]:
    """Number for each choice code: the code itself when all are numbers, else 1, 2, 3 ... in order.

    Raises
    ------
    InstrumentFileError
        ``instrument.too-many-choices``: the numbers would run into the special codes.

    Examples
    --------
    >>> from semkit import load_instrument
    >>> dict(short_answers(load_instrument("government_role").question("sex")))
    {'female': '1', 'male': '2'}
    """
    codes = [choice.code for choice in question.choices]
    if codes and all(code.isascii() and code.isdigit() for code in codes):
        return {code: code for code in codes}
    if question.special and len(codes) >= min(question.special):
        raise InstrumentFileError(
            Problem(
                "instrument.too-many-choices",
                f'question "{question.name}"',
                f"{len(codes)} choices, whose numbers run into the special code {min(question.special)}",
                f"fewer than {min(question.special)} choices",
                "Split the question.",
            )
        )
    return {code: str(number) for number, code in enumerate(codes, start=1)}
