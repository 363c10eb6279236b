"""Derived variables and single-item routing on a few respondents whose values are worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk

FORM = """
schema_version = 1
name = "small"
version = "1"
status = "unvalidated"
minutes = 1
languages = ["en"]
title = { en = "Title" }
description = { en = "Content" }
notice = { en = "New" }

[[use]]
block = "scales"

[[constructs]]
code = "trust"
id = "trust"
label = { en = "Trust" }
scale = "agree5"
items = [
  { name = "TR1", en = "one" },
  { name = "TR2", en = "two" },
  { name = "TR3", en = "three" },
]

[[questions]]
name = "partner"
section = "profile"
answer = "choice"
text = { en = "Partner?" }
choices = [{ code = "yes", value = 1, en = "yes" }, { code = "no", value = 0, en = "no" }]

[[questions]]
name = "years"
section = "profile"
answer = "number"
text = { en = "Years?" }

[[questions]]
name = "months"
section = "profile"
answer = "number"
text = { en = "Months?" }

[[routing]]
name = "lonely"
when = { question = "partner", any_of = ["no"] }
items = ["TR2"]
skipped_code = 97

[[derived]]
name = "earliest"
label = { en = "First known" }
rule = "first"
sources = ["years", "months"]

[[derived]]
name = "total"
label = { en = "Sum" }
rule = "sum"
sources = ["years", "months"]

[[derived]]
name = "index"
label = { en = "Mean of z" }
rule = "mean_z"
sources = ["years", "months"]

[[derived]]
name = "right"
label = { en = "Count" }
rule = "count"
conditions = [{ question = "partner", any_of = ["yes"] }, { question = "years", at_least = 3 }]

[[derived]]
name = "part"
label = { en = "Share" }
rule = "share"
conditions = [{ question = "partner", any_of = ["yes"] }, { question = "years", at_least = 3 }]
"""

NA = np.nan


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> sk.Cleaned:
    path = tmp_path_factory.mktemp("form") / "small.toml"
    path.write_text(FORM, encoding="utf-8")
    frame = pd.DataFrame(
        {
            "TR1": ["4", "2", "5", "3"],
            "TR2": ["2", "97", "4", "97"],
            "TR3": ["3", "5", "2", "4"],
            "partner": ["yes", "no", "yes", "no"],
            "years": ["2", "4", "", "6"],
            "months": ["10", "", "20", "30"],
        },
        dtype=object,
    )
    return sk.clean(sk.read_responses(frame, (sk.load_instrument(path),)))


def column(data: sk.Cleaned, name: str) -> list[float]:
    return [float(value) for value in data.frame_all[name]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("earliest", [2, 4, 20, 6]),
        ("total", [12, NA, NA, 36]),  # a sum of which a part is unknown is unknown
        ("right", [1, 1, NA, 1]),  # a count needs every answer
        ("part", [0.5, 0.5, 1, 0.5]),  # a share is one of the answers known, at least half of them
    ],
)
def test_rule(name: str, expected: list[float], data: sk.Cleaned) -> None:
    np.testing.assert_array_equal(column(data, name), expected)


def test_mean_of_z_scores(data: sk.Cleaned) -> None:
    # years 2, 4, 6: mean 4, sd 2; months 10, 20, 30: mean 20, sd 10; the mean of the z that are known
    z = np.array([column(data, "index")[0], column(data, "index")[3]])
    np.testing.assert_allclose(z, [-1, 1], atol=1e-12)


def test_single_items_that_are_not_asked_stay_missing(data: sk.Cleaned) -> None:
    np.testing.assert_array_equal(column(data, "TR2"), [2, NA, 4, NA])
    np.testing.assert_array_equal(column(data, "TR3"), [3, 5, 2, 4])
    np.testing.assert_array_equal(column(data, "lonely"), [0, 1, 0, 1])
    entries = data.ledger[data.ledger["column"] == "TR2"]
    assert len(entries) == 2
    assert set(entries["rule"]) == {"routing"}
    np.testing.assert_allclose(column(data, "m_trust"), [3, 3.5, 11 / 3, 3.5])
