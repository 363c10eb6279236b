"""Rounding rules: what is printed for every kind of number."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semkit.report import rounding


@pytest.mark.parametrize(
    ("value", "digits", "leading", "text"),
    [
        (0.254, 2, True, "0.25"), (0.254, 2, False, ".25"), (-0.254, 2, False, "−.25"), (1.254, 2, False, "1.25"),
        (0.125, 2, True, "0.12"), (0.135, 2, True, "0.14"), (-0.0001, 2, False, ".00"), (0.0, 2, True, "0.00"),
        (1234.5, 2, True, "1,234.50"), (-1234.5, 1, True, "−1,234.5"), (2.4e-5, 3, True, "2.4×10⁻⁵"),
        (-2.4e-5, 3, True, "−2.4×10⁻⁵"), (1e-15, 3, True, "0.000"), (3.21e12, 2, True, "3.21×10¹²"),
        (math.inf, 2, True, "∞"), (-math.inf, 2, True, "−∞"), (0.999, 2, False, "1.00"), (7, 0, True, "7"),
    ],
)  # fmt: skip
def test_number(value: float, digits: int, leading: bool, text: str) -> None:
    assert rounding.number(value, digits, leading=leading) == text


@pytest.mark.parametrize("nothing", [math.nan, None, pd.NA, np.nan, "x", pd.NaT])
def test_nothing_is_a_dash_everywhere(nothing: object) -> None:
    assert rounding.number(nothing) == rounding.pvalue(nothing) == rounding.count(nothing) == "–"
    assert rounding.share(nothing) == rounding.interval(nothing, nothing) == "–"
    assert rounding.p_phrase(nothing) == ""


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "<.001"), (0.00099, "<.001"), (0.001, ".001"), (0.0321, ".032"), (0.05, ".050"), (0.9994, ".999"),
     (0.9996, ">.999"), (1.0, ">.999")],
)  # fmt: skip
def test_p(p: float, text: str) -> None:
    assert rounding.pvalue(p) == text


def test_p_in_a_sentence_cannot_break() -> None:
    assert rounding.p_phrase(0.0004) == "p\u00a0<\u00a0.001"
    assert rounding.p_phrase(0.0321) == "p\u00a0=\u00a0.032"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0\u2009%"), (0.123, "12.3\u2009%"), (0.004, "0.4\u2009%"), (0.0001, "<0.1\u2009%"), (1.0, "100.0\u2009%"),
     (0.9999, ">99.9\u2009%"), (0.01, "1.0\u2009%")],
)  # fmt: skip
def test_share(share: float, text: str) -> None:
    assert rounding.share(share) == text


def test_counts_and_scaled_degrees_of_freedom() -> None:
    assert (rounding.count(0), rounding.count(1234), rounding.count(12.5)) == ("0", "1,234", "12.50")


def test_interval() -> None:
    assert rounding.interval(-0.118, 0.341, leading=False) == "[−.12,\u00a0.34]"
    assert rounding.interval(math.nan, 0.341) == "[–,\u00a00.34]"


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 4), st.booleans())
def test_no_number_is_printed_as_nan_or_with_a_hyphen(value: float, digits: int, leading: bool) -> None:
    text = rounding.number(value, digits, leading=leading)
    assert "nan" not in text.lower()
    assert "-" not in text
    assert "e" not in text


@given(st.floats(-1e6, 1e6))
def test_what_is_printed_is_the_value_to_its_last_digit(value: float) -> None:
    text = rounding.number(value, 3, leading=False).replace("−", "-").replace(",", "")
    assert abs(float(text) - value) <= 0.0005 + 1e-9
