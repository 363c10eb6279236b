"""A small survey in memory that each test bends in one place."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

import semkit as sk
from semkit.instrument import Instrument, combine

FORMS = ("collaborative_network", "government_role", "marketing_performance")


@cache
def forms() -> tuple[Instrument, ...]:
    return tuple(sk.load_instrument(name) for name in FORMS)


def items(*codes: str) -> list[str]:
    """Names of the items of constructs, without checks."""
    form = combine(forms())
    return [item.name for code in codes for item in form.items_of(code)]


def answers(n: int = 40, seed: int = 5) -> pd.DataFrame:
    """Careful respondents: answers that vary and agree, checks passed, all questions answered."""
    rng = np.random.default_rng(seed)
    form = combine(forms())
    table: dict[str, object] = {}
    for question in form.questions:
        if question.section == "quality":
            continue
        if question.answer == "choice":
            table[question.name] = [question.choices[0].code] * n
        elif question.answer == "multiple":
            table[question.name] = ["supplier retailer"] * n
        else:
            table[question.name] = rng.integers(3, 9, n).astype(str)
    level = rng.integers(2, 5, n)
    for place, item in enumerate(form.items):
        if item.is_check:
            table[item.name] = [str(item.attention)] * n
        else:
            # within a step of the respondent's level, changing from item to item; flipped where the item is reverse
            answer = np.clip(level + np.array([0, 1, -1, 1, 0, -1])[(place + np.arange(n)) % 6], 1, 5)
            table[item.name] = (6 - answer if item.reverse else answer).astype(str)
    table["duration_s"] = ["900"] * n
    table["mode"] = ["self"] * n
    table["enumerator"] = [""] * n
    table["device_hash"] = [f"d{row}" for row in range(n)]
    return pd.DataFrame(table, dtype=object).copy()


def cleaned(frame: pd.DataFrame, plan: sk.CleaningPlan | None = None) -> sk.Cleaned:
    return sk.clean(sk.read_responses(frame, forms()), plan)
