"""semkit against lavaan 0.7, key by key."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from tests.reference.cases import CASES
from tests.reference.harness import (
    VARIABLE,
    WITHOUT,
    Entry,
    compare,
    compared,
    entries,
    find_data,
    found_values,
    load_case,
    run_case,
)


@cache
def fitted(name: str) -> tuple[dict[str, Any], Any]:
    case = load_case(name)
    path = find_data(case["data"])
    if path is None:
        pytest.skip(f"the data of {name} may not be copied; set {VARIABLE} to a folder that has {case['data']}")
    return case, run_case(case, pd.read_csv(path))


@cache
def numbers(name: str) -> tuple[list[Entry], dict[tuple[str, ...], float]]:
    case, fit = fitted(name)
    return compared(name, entries(case)), found_values(fit)


@pytest.mark.reference
@pytest.mark.parametrize("name", CASES)
def test_every_key_agrees(name: str) -> None:
    wanted, found = numbers(name)
    wrong = compare(wanted, found)
    assert not wrong, f"{len(wrong)} of {len(wanted)} differ:\n" + "\n".join(map(str, wrong[:25]))


@pytest.mark.reference
@pytest.mark.parametrize("name", CASES)
def test_a_reference_off_by_one_percent_is_found(name: str) -> None:
    """For each kind of number, the one with the most to lose is multiplied by 1.01."""
    wanted, found = numbers(name)
    kinds: dict[tuple[str, ...], Entry] = {}
    for entry in wanted:
        kind = entry.key[:2] if entry.key[0] in ("fit", "test", "implied", "sampstat") else entry.key[:1]
        best = kinds.get(kind)
        reach = abs(entry.value) / max(entry.tolerance, 1e-300)
        if np.isfinite(entry.value) and (best is None or reach > abs(best.value) / max(best.tolerance, 1e-300)):
            kinds[kind] = entry
    for entry in kinds.values():
        if abs(entry.value) * 0.01 > 2 * entry.tolerance:
            moved = Entry(entry.key, entry.value * 1.01, entry.tolerance)
            assert compare([moved], found), f"1.01 x {entry.key} was not noticed"


def test_an_active_bound_is_the_model_with_the_value_fixed() -> None:
    """Minimum with ``q > 0.8`` active = minimum with ``q`` fixed at 0.8: the same likelihood and estimates."""
    case, fit = fitted("lavaan/pd_sem_constraint_ineq")
    path = find_data(case["data"])
    assert path is not None
    text = case["model"].replace("q > 0.8", "").replace("q*ind60", "0.8*ind60").replace("q + p*r", "0.8 + p*r")
    fixed = sk.sem(text, pd.read_csv(path))
    bounded, free = (f.estimates.set_index(["lhs", "op", "rhs"])["est"] for f in (fit, fixed))
    shared = [key for key in free.index if key[1] != ":=" and key in bounded.index]
    np.testing.assert_allclose(bounded[shared], free[shared], rtol=1e-7, atol=1e-8)
    assert fit.fit_measures["logl"] == pytest.approx(fixed.fit_measures["logl"], abs=1e-8)
    assert fit.fit_measures["fmin"] <= case["fmin"] + 1e-9


def test_at_most_five_keys_are_excused() -> None:
    assert len(WITHOUT) <= 5
