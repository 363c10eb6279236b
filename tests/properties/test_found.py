"""Inputs that the properties found to crash once, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import SemkitError
from semkit.estimate.discrepancy import inverse
from tests.properties.test_strangers import FRAME, attempt, table

ONE = "f =~ x1 + x2 + x3"


def refused(model: str, data: Any, **options: Any) -> list[str]:
    with pytest.raises(SemkitError) as caught:
        sk.sem(model, data, **options)
    return [problem.code for problem in caught.value.problems]


def test_tables_without_rows_or_labels() -> None:
    empty = FRAME.iloc[:0].assign(place=pd.Series(dtype=object))
    assert refused(ONE, empty, group="place") == ["sample.no-group-labels"]
    assert "sample.all-missing" in refused(ONE, empty)
    assert refused(ONE, FRAME.assign(place=None), group="place") == ["sample.no-group-labels"]
    twice = pd.concat([FRAME, FRAME[["x4"]]], axis=1)
    assert refused(ONE, twice, group="x4") == ["sample.missing-column"]


def test_groups_with_missing_labels_of_any_kind() -> None:
    place = pd.Series([pd.NA, None, np.nan, *["a", "b"] * 28, "a"], dtype=object)
    assert sk.cfa(ONE, FRAME.assign(place=place), group="place").nobs == 57


@pytest.mark.parametrize(("values", "code"), [
    (lambda x: x * 1e150, "sample.too-large"),
    (lambda x: x * 1e-160, "sample.constant"),
    (lambda x: 1e9 + 1e-8 * x, "sample.constant"),
])  # fmt: skip
def test_numbers_that_cannot_be_computed_with(values: Any, code: str) -> None:
    assert refused(ONE, FRAME.assign(x2=values(FRAME["x2"]))) == [code]


def test_a_matrix_between_two_ideas_of_positive_definite() -> None:
    """Eigenvalues may be above zero where the factorisation fails: NaN, not an endless recursion."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        a = rng.normal(size=(4, 2))
        w, logdet = inverse(np.stack([a @ a.T + rng.uniform(0, 2e-15) * np.eye(4), np.eye(4)]))
        assert np.isfinite(logdet[1]) and w.shape == (2, 4, 4)


def test_saturated_moments_that_lose_their_rank() -> None:
    """Too few complete pairs: the search ends, and says that nothing was found."""
    attempt("f =~ x1 + x2 + x3\ny1 ~ f", table(838044653117), missing="fiml")


def test_a_label_that_was_replaced() -> None:
    codes = refused("y1 ~ a*b*x1 + x2\nab := 2*a", FRAME)
    assert codes == ["model.label-replaced"]


def test_factors_with_a_negative_variance_in_incomplete_groups() -> None:
    place = ["a", "b"] * 30
    model = "f =~ NA*x1 + x2 + l*x3 + start(0.5)*y1\nf ~~ -1*f\nx1 ~~ x2\nf ~ 1\nx1 + x2 ~ 0*1"
    attempt(model, FRAME.assign(place=place), group="place", missing="fiml", bounds="standard")


def test_powers_of_negative_numbers() -> None:
    attempt("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ b*f\nb^b > 0.1\nind := b^b^2", FRAME)


def test_a_product_that_nobody_in_a_group_has() -> None:
    data = FRAME.assign(place=["a", "b"] * 30)
    data.loc[data["place"] == "a", "x1"] = np.nan
    attempt("y1 ~ x1 + x2 + x1:x2", data, group="place", missing="fiml")


def test_one_ordinal_outcome() -> None:
    """No pair of items, no correlation: a probit regression."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 2))
    y = np.digitize(x @ [0.5, 0.3] + rng.normal(size=200), [-0.5, 0.6])
    data = pd.DataFrame({"y1": y, "x1": x[:, 0], "x2": x[:, 1]})
    attempt("y1 ~ x1 + x2", data, ordered=["y1"])
    attempt("y1 ~ x1 + x2", data, ordered=["y1"], parameterization="theta")
    apart = data.assign(y1=(data["x1"] > 0).astype(int))  # a covariate that knows the answer
    attempt("y1 ~ x1 + x2", apart, ordered=["y1"])


def test_clusters_with_missing_names() -> None:
    place = pd.Series([pd.NA, None, np.nan, *["a", "b"] * 28, "a"], dtype=object)
    attempt(ONE, FRAME.assign(place=place), nesting="place")


def test_data_that_are_no_table() -> None:
    assert refused(ONE, [FRAME, FRAME]) == ["sample.not-a-frame"]
    assert refused(ONE, FRAME.to_numpy(), ordered=True) == ["sample.not-a-frame"]
