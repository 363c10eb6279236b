"""What must not change when only the way the data or the model are written changes."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import semkit as sk
from semkit.model import build_table, parse, print_model

EXAMPLES = int(os.environ.get("SEMKIT_EXAMPLES", "25"))
few = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**32)
TWO = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
MODELS = (TWO, TWO + "\ng ~ b*f\nx1 ~~ y1", "f =~ x1 + x2 + x3\ny1 ~ f + y2\ny3 ~ y1")
METHODS = ({"estimator": "ml"}, {"estimator": "mlr"}, {"missing": "fiml"}, {"missing": "fiml", "estimator": "mlr"})
methods = st.sampled_from(METHODS)


def study(seed: int, n: int = 220) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    g = 0.5 * f + 0.9 * rng.normal(size=n)
    out = {}
    for letter, latent in (("x", f), ("y", g)):
        for k, loading in enumerate((0.8, 0.7, 0.75), start=1):
            out[f"{letter}{k}"] = 2.0 + loading * latent + 0.6 * rng.normal(size=n)
    data = pd.DataFrame(out)
    return data.assign(place=np.where(rng.uniform(size=n) < 0.45, "p", "q"))


def gapped(data: pd.DataFrame, seed: int) -> pd.DataFrame:
    items = data.drop(columns="place")
    holes = np.random.default_rng(seed).uniform(size=items.shape) < 0.08
    holes[:, 0] = holes[:, 4] = False  # y2, a covariate in one of the models, is complete
    return items.mask(holes).assign(place=data["place"])


def sample(seed: int, method: dict[str, str]) -> pd.DataFrame:
    data = study(seed)
    return gapped(data, seed) if "missing" in method else data


def keyed(fit: sk.Fit, column: str) -> pd.Series:
    """A column of the estimates by parameter, covariances in either order, groups by label."""
    rows = fit.estimates
    keys = []
    for r in rows.itertuples():
        pair = tuple(sorted((r.lhs, r.rhs))) if r.op == "~~" else (r.lhs, r.rhs)
        keys.append((*pair, r.op, getattr(r, "group", "")))
    return pd.Series(rows[column].to_numpy(dtype=float), index=pd.MultiIndex.from_tuples(keys)).sort_index()


def same(a: sk.Fit, b: sk.Fit, columns: tuple[str, ...] = ("est", "se"), measures: bool = True) -> None:
    assume(a.converged and b.converged)
    for column in columns:
        one, two = keyed(a, column), keyed(b, column)
        assert one.index.equals(two.index)
        scale = np.maximum(np.abs(one.to_numpy()), 1e-3)
        np.testing.assert_allclose(two / scale, one / scale, atol=2e-6, err_msg=column)
    if measures:
        names = [n for n in ("chisq", "df", "cfi", "rmsea", "srmr", "chisq.scaled") if n in a.fit_measures.index]
        np.testing.assert_allclose(b.fit_measures[names], a.fit_measures[names], rtol=1e-6, atol=1e-7)


@few
@given(seeds, methods, st.sampled_from(MODELS), st.integers(0, 2**32))
def test_rescaled_variables(seed: int, method: dict[str, str], model: str, other: int) -> None:
    """``y -> c y + d``: the statistic stays, loadings go with ``c``, residual variances with ``c`` squared."""
    data = sample(seed, method)
    rng = np.random.default_rng(other)
    items = [name for name in data.columns if name != "place"]
    factor = pd.Series(np.exp(rng.uniform(-2.5, 2.5, len(items))) * rng.choice([1.0, -1.0], len(items)), items)
    moved = data.assign(**{n: factor[n] * data[n] + rng.uniform(-5, 5) for n in items})
    a, b = sk.sem(model, data, **method), sk.sem(model, moved, **method)
    same(a, b, columns=())
    unit = dict(factor) | {"f": factor["x1"], "g": factor["y1"]}
    one, two = keyed(a, "est"), keyed(b, "est")
    by = pd.Series({(l, r, op, g): unit[r] / unit[l] if op == "=~" else unit[l] / unit[r] if op == "~" else
                    unit[l] * unit.get(r, 1.0) for (l, r, op, g) in one.index if op in ("=~", "~", "~~")})
    rows = by.index
    np.testing.assert_allclose(two[rows] / by, one[rows], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(keyed(b, "z")[rows].abs(), keyed(a, "z")[rows].abs(), rtol=1e-4, atol=1e-5)


@few
@given(seeds, methods, st.sampled_from(MODELS), st.integers(0, 2**32))
def test_permuted_rows_and_columns(seed: int, method: dict[str, str], model: str, other: int) -> None:
    data = sample(seed, method)
    rng = np.random.default_rng(other)
    mixed = data.iloc[rng.permutation(len(data)), rng.permutation(data.shape[1])]
    same(sk.sem(model, data, **method), sk.sem(model, mixed, **method))


@few
@given(seeds, methods, st.sampled_from([(), ("loadings",), ("loadings", "intercepts")]))
def test_permuted_groups(seed: int, method: dict[str, str], equal: tuple[str, ...]) -> None:
    """Which group comes first is an accident of the rows."""
    data = sample(seed, method)
    turned = data.iloc[::-1] if data["place"].iloc[0] != data["place"].iloc[-1] else pd.concat(
        [data[data["place"] != data["place"].iloc[0]], data[data["place"] == data["place"].iloc[0]]])
    a = sk.cfa(TWO, data, group="place", group_equal=equal, **method)
    b = sk.cfa(TWO, turned, group="place", group_equal=equal, **method)
    assert a.table.groups == b.table.groups[::-1]
    same(a, b, columns=("est", "se") if "intercepts" not in equal else ())


@few
@given(seeds, methods, st.permutations(["x1", "x2", "x3"]), st.permutations(["y1", "y2", "y3"]))
def test_another_marker(seed: int, method: dict[str, str], first: list[str], second: list[str]) -> None:
    """The choice of the marker changes units only: fit and completely standardised values stay."""
    data = sample(seed, method)
    model = "f =~ " + " + ".join(first) + "\ng =~ " + " + ".join(second)
    a, b = sk.cfa(TWO, data, **method), sk.cfa(model, data, **method)
    same(a, b, columns=("std_all",))
    c = sk.cfa(TWO, data, std_lv=True, **method)
    same(a, c, columns=("std_all",))


@few
@given(seeds, methods)
def test_factors_in_another_order(seed: int, method: dict[str, str]) -> None:
    data = sample(seed, method)
    same(sk.cfa(TWO, data, **method), sk.cfa("\n".join(TWO.split("\n")[::-1]), data, **method))


pieces = st.lists(
    st.sampled_from((
        "f =~ x1 + a*x2 + x3", "f =~ 1*x1 + x2 + start(0.7)*x3", "g =~ NA*y1 + l*y2 + l*y3\ng ~~ 1*g",
        "g =~ y1 + y2 + y3",
        "h =~ f + g", "y4 ~ b*x4 + c*x5", "y4 ~ x4:x5 + x4 + x5", "x1 ~~ x2", "x2 ~~ 0.3*x3", "f ~ 0.5*1", "x1 ~ 1",
        "y1 + y2 ~ 1", "p := b*c", "q := 2*p", "b > 0.1", "b == c^2", "y5 ~ lower(0)*x4 + upper(2)*x5", "f ~ x4",
        "f ~~ 0*g", "g ~ f", "z1 ~~ z2", "y5 ~ equal(\"y4~x4\")*x4",
    )), min_size=1, max_size=7, unique=True,
).map("\n".join)  # fmt: skip


@settings(max_examples=4 * EXAMPLES, deadline=None, derandomize=True)
@given(pieces, st.booleans(), st.booleans(), st.sampled_from([("",), ("p", "q")]))
def test_a_printed_table_builds_the_same_table(text: str, std_lv: bool, means: bool, groups: tuple[str, ...]) -> None:
    """parse . print = identity, and what is printed from the text has the same parameters."""
    try:
        spec = parse(text)
        table = build_table(spec, std_lv=std_lv, meanstructure=means, groups=groups)
    except sk.errors.SemkitError:
        return
    again = parse(print_model(spec))
    assert again == spec
    built = build_table(again, std_lv=std_lv, meanstructure=means, groups=groups)
    shown = ["lhs", "op", "rhs", "block", "free", "label", "exo", "start", "value", "lower", "upper", "user"]
    pd.testing.assert_frame_equal(built.frame[shown], table.frame[shown])
