"""Whatever text or data come in, a fit or one of semkit's own errors comes out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import semkit as sk
from semkit.errors import SemkitError

EXAMPLES = int(os.environ.get("SEMKIT_EXAMPLES", "100"))
quick = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

GOOD = (
    "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ b*f\nind := b^2\nb > 0.1",
    "y1 ~ a*x1 + x2\ny2 ~ c(b1)*y1 + x1\nab := a*b1",
    'f =~ NA*x1 + l*x2 + l*x3 + start(0.5)*y1\nf ~~ 1*f\nx1 ~~ x2\nf ~ 1\nx1 + x2 ~ 0*1',
    "f =~ x1 + x2 + x3\ny1 ~ f + x4:x5\nsd := sd(f)\ny1 ~~ 0.5*y1",
    "f =~ x1 + equal(\"f=~x3\")*x2 + x3; f ~ q*y1 # comment\nlow := 1 - exp(q)\nq < 2",
    "f =~ x1 + x2 + x3\ng =~ y1 + y2 + x4\nh =~ y3\nf + g ~ d*h\ny3 ~~ 0.3*y3\nf ~~ g",
    "x1 ~~ x2 + x3\nx2 ~~ x3\nx1 ~ 1\ny1 ~ x1 + x2\ny2 ~ y1 + x1:x2",
)
COLUMNS = ("x1", "x2", "x3", "x4", "x5", "y1", "y2", "y3")
BITS = ("=~", "~", "~~", "~1", ":=", "==", ">", "<", "+", "*", ":", "NA", "0", "1", "f", "g", "x1", "y1", "a", "\n",
        ";", "#", "(", ")", "c(", "start(", ",", '"', "|", "<~", "%", "-", "^", "sd(", "é", "\x00")  # fmt: skip


def frame(n: int = 60, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(n, 1))
    return pd.DataFrame(0.7 * f + 0.7 * rng.normal(size=(n, len(COLUMNS))), columns=list(COLUMNS))


FRAME = frame()


@st.composite
def near_misses(draw: st.DrawFn) -> str:
    """A good model with a few pieces dropped, doubled, swapped or put in."""
    text = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(text) - 1, 0)))
        what = draw(st.sampled_from(("drop", "insert", "double", "swap")))
        length = draw(st.integers(1, 4))
        piece = text[at : at + length]
        if what == "drop":
            text = text[:at] + text[at + length :]
        elif what == "insert":
            text = text[:at] + draw(st.sampled_from(BITS)) + text[at:]
        elif what == "double":
            text = text[:at] + piece + text[at:]
        else:
            text = text[:at] + text[at + length : at + 2 * length] + piece + text[at + 2 * length :]
    return text


def look(fit: sk.Fit) -> None:
    """Everything a user looks at first; must not fail however poor the fit."""
    assert isinstance(fit, sk.Fit)
    assert len(fit.estimates) and len(fit.fit_measures) and repr(fit)
    assert 0 < fit.residuals().shape[0] <= len(fit.table.variables.ov)
    assert isinstance(fit.r2, pd.Series) and isinstance(fit.standardized(), pd.DataFrame)
    assert all(note.code and note.what for note in fit.notes)
    assert isinstance(fit.admissible, bool)


def attempt(model: str, data: Any, **options: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            fit = sk.sem(model, data, **options)
        except SemkitError as error:
            assert error.problems and all(problem.code and problem.what for problem in error.problems)
            return
        look(fit)


@quick
@given(st.one_of(near_misses(), st.lists(st.sampled_from(BITS), max_size=25).map(" ".join), st.text(max_size=60)))
def test_any_model_text(text: str) -> None:
    attempt(text, FRAME)


KINDS = ("good",) * 4 + ("cells", "constant", "missing", "infinite", "object", "text", "bool", "nullable", "category",
                         "huge", "tiny", "binary", "nearly")  # fmt: skip


def column(rng: np.random.Generator, n: int) -> Any:
    """A column of any kind a table may hold."""
    z = rng.normal(size=n)
    odd = rng.choice([1.0, 2.0, 3.0, np.nan, 0.0, -1.5, 1e300, 1e-300, -1e300], n)
    made: dict[str, Callable[[], Any]] = {
        "good": lambda: z, "constant": lambda: np.full(n, 2.0), "missing": lambda: np.full(n, np.nan),
        "infinite": lambda: np.where(z > 1, np.inf, z), "text": lambda: np.where(z > 0, "yes", "no"),
        "bool": lambda: z > 0, "huge": lambda: 1e150 * z, "tiny": lambda: 1e-160 * z,
        "binary": lambda: (z > 0.3).astype(int), "cells": lambda: odd, "nearly": lambda: 1e9 + 1e-6 * z,
        "object": lambda: np.array([None if k % 7 == 3 else float(v) for k, v in enumerate(z)], dtype=object),
        "nullable": lambda: pd.array([None if k % 5 == 0 else int(3 * v) for k, v in enumerate(z)], dtype="Int64"),
        "category": lambda: pd.Categorical(rng.integers(1, 4, n)),
    }  # fmt: skip
    return made[str(rng.choice(KINDS))]()


def table(seed: int) -> pd.DataFrame:
    """A small table with whatever may be in one; a number names it, so that a failure can be looked at again."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([0, 1, 2, 3, 5, 8, 20, 40, 40]))
    data = pd.DataFrame({name: column(rng, n) for name in ("x1", "x2", "x3", "y1")})
    if rng.uniform() < 0.1 and n:
        data["x3"] = data["x2"]
    if rng.uniform() < 0.4 and n:
        data = data.mask(rng.uniform(size=data.shape) < 0.15)
    if rng.uniform() < 0.1:
        data.columns = pd.Index(["x1", "x2", "x2", "y1"])
    labels = rng.choice(np.array(["a", "b", None, 1, 2.5, pd.NA], dtype=object), n)
    data["place"] = labels if rng.uniform() < 0.5 else rng.choice(np.array(["a", "b"], dtype=object), n)
    return data


MODELS = ("f =~ x1 + x2 + x3", "y1 ~ x1 + x2", "f =~ x1 + x2 + x3\ny1 ~ f", "y1 ~ x1 + x2 + x1:x2")


@quick
@given(
    st.integers(0, 2**40), st.sampled_from(MODELS), st.sampled_from(("ml", "mlr")),
    st.sampled_from(("listwise", "fiml")), st.booleans(), st.booleans(),
)
def test_any_small_table(
    seed: int, model: str, estimator: str, missing: str, grouped: bool, fixed: bool
) -> None:
    attempt(model, table(seed), estimator=estimator, missing=missing, group="place" if grouped else None, fixed_x=fixed)


OTHERS: tuple[dict[str, Any], ...] = (
    *({"estimator": name} for name in ("gls", "uls", "wls", "mlm", "mlmv", "mlf")),
    *({"ordered": True, "estimator": name} for name in ("wlsmv", "dwls", "wls", "ulsmv")),
    {"ordered": True, "missing": "pairwise"}, {"ordered": True, "parameterization": "theta"},
    {"missing": "two.stage"}, {"bounds": "standard"}, {"nesting": "place"},
    {"design": sk.Design(weights="w")}, {"design": sk.Design(weights="w", cluster="place")},
    {"design": sk.Design(cluster="place"), "missing": "fiml"},
)  # fmt: skip


@quick
@given(st.integers(0, 2**40), st.sampled_from(MODELS), st.sampled_from(OTHERS), st.booleans(), st.booleans())
def test_any_small_table_under_any_option(
    seed: int, model: str, options: dict[str, Any], grouped: bool, whole: bool
) -> None:
    data, rng = table(seed), np.random.default_rng(seed)
    if whole:  # few whole numbers, which ordinal estimators may accept
        for name in ("x1", "x2", "x3", "y1"):
            data[name] = rng.integers(0, int(rng.integers(1, 5)), len(data))
    data["w"] = rng.choice([0.0, 1.0, 2.0, -1.0, np.nan, 1e9] if rng.uniform() < 0.3 else [0.5, 1.0, 2.0], len(data))
    attempt(model, data, group="place" if grouped else None, **options)
