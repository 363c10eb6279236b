"""Products of three by product indicators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import ModelError, NotSupportedError, OptionError, SemkitError
from semkit.interaction import ProductIndicators, expand
from semkit.model import build_table, check, parse, print_model
from semkit.numerics.jobs import Job, resample_counts
from semkit.sample import group_moments

PARTS = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nW =~ w1 + w2 + w3\nY =~ y1 + y2 + y3\n"
BELOW = "Y ~ X + Z + W + X:Z + X:W + Z:W"
MODEL = PARTS + BELOW + " + X:Z:W"
TRUTH = {"X": 0.3, "Z": 0.2, "W": 0.2, "X:Z": 0.2, "X:W": 0.1, "Z:W": 0.15, "X:Z:W": 0.2}


def triple(n: int, seed: int, *, dummy: bool = False) -> pd.DataFrame:
    """Three correlated normal predictors (the third perhaps a dummy) and an outcome with all their products."""
    rng = np.random.default_rng(seed)
    x, z, w = rng.multivariate_normal(np.zeros(3), [[1, 0.4, 0.3], [0.4, 1, 0.2], [0.3, 0.2, 1]], n).T
    w = (w > 0.3) * 1.0 if dummy else w
    centred = w - w.mean()
    b = list(TRUTH.values())
    y = b[0] * x + b[1] * z + b[2] * centred + b[3] * x * z + b[4] * x * centred + b[5] * z * centred
    y += b[6] * x * z * centred + 0.7 * rng.standard_normal(n)
    frame = {f"{name}{i}": 1.0 + load * v + 0.6 * rng.standard_normal(n)
             for name, v in (("x", x), ("z", z), ("w", w), ("y", y)) for i, load in ((1, 1.0), (2, 0.9), (3, 0.8))}
    return pd.DataFrame({**frame, "w": w})


def slopes(fit: Any) -> pd.DataFrame:
    return fit.estimates.query("op == '~' and lhs in ['Y', 'y1']").set_index("rhs")


def lines(text: str, option: ProductIndicators | None = None) -> list[str]:
    spec = parse(text)
    before = set(print_model(spec).split("\n"))
    expanded = expand(spec, option).spec
    check(expanded)
    build_table(expanded)
    return [line for line in print_model(expanded).split("\n") if line not in before]


# --- what the model becomes ----------------------------------------------------------------------------


def test_matched_triples_and_their_residuals() -> None:
    added = lines(MODEL)
    assert "X:Z:W =~ 1*x1:z1:w1 + x2:z2:w2 + x3:z3:w3" in added
    free = [line for line in added if "~~" in line]
    assert {"x1 ~~ x1:z1:w1", "z2 ~~ x2:z2:w2", "w3 ~~ x3:z3:w3"} <= set(free)  # with first-order indicators
    assert {"x1:z1 ~~ x1:z1:w1", "x1:w1 ~~ x1:z1:w1", "z1:w1 ~~ x1:z1:w1"} <= set(free)
    assert "x1:z1 ~~ x2:z2:w2" not in free and "y1 ~~ x1:z1:w1" not in free and len(free) == 9 + 9 + 9
    expansion = expand(parse(MODEL))
    assert [p.parts for p in expansion.products[-3:]] == [(f"x{i}", f"z{i}", f"w{i}") for i in (1, 2, 3)]
    table = build_table(expansion.spec)
    names = ("X", "Z", "W", "X:Z", "X:W", "Z:W")
    assert all(table.find(name, "~~", "X:Z:W") is not None for name in names)
    orthogonal = [line for line in lines(MODEL, ProductIndicators(centering="residual")) if "~~" in line]
    assert orthogonal == [line for line in free if line.count(":") == 2 and not line.endswith(":z1:w1")
                          and " ~~ x2:z2:w2" not in line and " ~~ x3:z3:w3" not in line]


def test_by_loading_all_and_given() -> None:
    ranks = {"X": ("x3", "x1", "x2"), "Z": ("z2", "z1", "z3"), "W": ("w1", "w3", "w2")}
    ranked = expand(parse(MODEL), ProductIndicators(match="loading", ranks=ranks))
    triples = {p.name for p in ranked.products if p.third}
    assert triples == {"x3:z2:w1", "x1:z1:w3", "x2:z3:w2"}
    whole = expand(parse(MODEL), ProductIndicators(match="all"))
    assert len([p for p in whole.products if p.third]) == 27
    some = {"X:Z": (("x1", "z1"), ("x2", "z2")), "X:W": (("x1", "w1"), ("x2", "w2")),
            "Z:W": (("z1", "w1"), ("z2", "w2")), "X:Z:W": (("x1", "z2", "w1"), ("x2", "z1", "w3"))}
    given = expand(parse(MODEL), ProductIndicators(match="pairs", pairs=some))
    assert [p.name for p in given.products if p.third] == ["x1:z2:w1", "x2:z1:w3"]
    assert ".load.X.Z.W.x1.z2.w1 == .load.X.x1*.load.Z.z2*.load.W.w1" in lines(
        MODEL, ProductIndicators(match="pairs", pairs=some))


def test_observed_factors_take_the_covariances_of_their_products() -> None:
    """A dummy's odd moments do not vanish: products in and below a product of three are regressed on it."""
    added = lines(PARTS + "y ~ X + Z + w + X:Z + X:w + Z:w + X:Z:w")
    assert {"X:Z ~ w", "X:w ~ w", "Z:w ~ w", "X:Z:w ~ w", "X:Z:w =~ 1*x1:z1:w + x2:z2:w + x3:z3:w"} <= set(added)
    two = lines("X =~ x1 + x2\ny ~ X + v + w + X:v + X:w + v:w + X:v:w")
    assert {"X:v:w ~ v + w + v:w", "X:v ~ v + w + v:w", "X:w ~ w + v + v:w"} <= set(two)
    assert not any("~~ v:w" in line or "v:w ~~" in line for line in two if line.count(":") < 3)


# --- numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("centering", ["double", "mean"])
def test_what_was_planted_is_recovered_and_the_model_fits(centering: str) -> None:
    """N = 100,000: all slopes within Monte Carlo error, and no moment of the products is left unexplained."""
    data = triple(100_000, 1)
    fit = sk.sem(MODEL, data, estimator="mlr", interaction=ProductIndicators(centering=centering))
    found = slopes(fit)
    for name, value in TRUTH.items():
        assert abs(found.est[name] - value) < 3 * found.se[name] and found.se[name] < 0.005, name
    assert fit.fit_measures["pvalue.scaled"] > 0.01
    rows = fit.estimates.set_index(["lhs", "op", "rhs"])
    x = rows.est["X", "~~", "X"]
    third = rows.loc[("X", "~~", "X:Z:W")]
    cov = {pair: rows.est[pair[0], "~~", pair[1]] for pair in ("XZ", "XW", "ZW")}
    assert abs(third.est - (x * cov["ZW"] + 2 * cov["XZ"] * cov["XW"])) < 3 * third.se  # E(X X Z W), not zero
    odd = rows.loc[("X:Z", "~~", "X:Z:W")]
    assert abs(odd.est) < 3 * odd.se  # a moment of odd order
    shared = rows.loc[("x1", "~~", "x1:z1:w1")]
    assert abs(shared.est - rows.est["x1", "~~", "x1"] * cov["ZW"]) < 3 * shared.se and shared.est > 10 * shared.se


def test_without_its_residual_covariances_the_model_does_not_fit() -> None:
    first = sk.sem(MODEL, triple(30_000, 2))
    sample, text = first.solution.sample, expand(parse(MODEL)).spec
    data = pd.DataFrame(sample.groups[0].data, columns=list(sample.names))
    items = {name for name in data.columns if ":" not in name}
    kept = [t for t in text.terms if not (t.op == "~~" and t.lhs in items and t.rhs.count(":") == 2)]
    plain = sk.sem(print_model(text), data, estimator="mlr")
    cut = sk.sem(print_model(text.__class__(tuple(kept), text.formulas)), data, estimator="mlr")
    assert cut.fit_measures["df"] == plain.fit_measures["df"] + 9
    assert cut.fit_measures["chisq.scaled"] > plain.fit_measures["chisq.scaled"] + 300


def test_residual_centring_recovers_the_product_of_three() -> None:
    """Its slope; those below are averages over the moderators (normal: b_x + b_xzw Cov(Z, W))."""
    data = triple(100_000, 3)
    fit = sk.sem(MODEL, data, estimator="mlr", interaction=ProductIndicators(centering="residual"))
    found = slopes(fit)
    assert abs(found.est["X:Z:W"] - 0.2) < 3 * found.se["X:Z:W"]
    assert abs(found.est["X"] - 0.3) > 5 * found.se["X"]
    assert "interaction.slopes-below" in [note.code for note in fit.notes]
    rows = fit.estimates.set_index(["lhs", "op", "rhs"]).est
    assert all(abs(rows[name, "~~", "X:Z:W"]) < 1e-6 for name in ("X", "Z", "W", "X:Z", "X:W", "Z:W"))
    with pytest.raises(NotSupportedError) as caught:
        sk.probe(fit, "X", ("Z", "W"))
    assert caught.value.code == "probe.residual-centred"


def test_product_indicators_and_lms_agree() -> None:
    data = triple(1500, 4)
    one, two = sk.sem(MODEL, data, estimator="mlr"), sk.sem(MODEL, data, interaction=sk.LMS(nodes=16, check=False))
    a, b = slopes(one), slopes(two)
    assert np.all(np.abs(a.est - b.est) < 2.5 * a.se)
    slope = [sk.probe(fit, "X", ("Z", "W")).slopes for fit in (one, two)]
    assert np.all(np.abs(slope[0].slope - slope[1].slope) < 2.5 * slope[0].se)


@pytest.mark.parametrize("latent", [False, True])
def test_variables_without_error_give_least_squares(latent: bool) -> None:
    data = triple(400, 5)
    y, x, z, w = (data[name].to_numpy() for name in ("y1", "x1", "z1", "w1"))
    xc, zc, wc = x - x.mean(), z - z.mean(), w - w.mean()
    ones = np.ones(400)
    centred = np.linalg.lstsq(np.column_stack([ones, x, z, w, xc * zc, xc * wc, zc * wc, xc * zc * wc]), y)[0]
    raw = np.linalg.lstsq(np.column_stack([ones, x, z, w, x * z, x * w, z * w, x * z * w]), y)[0]
    if latent:
        text = "X =~ x1\nZ =~ z1\nW =~ w1\nY =~ y1\n" + BELOW + " + X:Z:W"
    else:
        text = "y1 ~ x1 + z1 + w1 + x1:z1 + x1:w1 + z1:w1 + x1:z1:w1"
    found = slopes(sk.sem(text, data)).est
    np.testing.assert_allclose(found, centred[1:], atol=1e-8)
    orthogonal = slopes(sk.sem(text, data, interaction=ProductIndicators(centering="residual"))).est
    assert abs(orthogonal.iloc[-1] - raw[-1]) < 1e-8 and abs(centred[-1] - raw[-1]) < 1e-10


def test_a_dummy_moderator() -> None:
    data = triple(40_000, 6, dummy=True)
    text = PARTS.replace("W =~ w1 + w2 + w3\n", "") + "X + Z ~ w\nX ~~ Z\nY ~ X + Z + w + X:Z + X:w + Z:w + X:Z:w"
    fit = sk.sem(text, data, estimator="mlr")
    found = slopes(fit)
    names = dict(zip(("X", "Z", "w", "X:Z", "X:w", "Z:w", "X:Z:w"), TRUTH.values(), strict=True))
    for name in ("X:Z", "X:w", "Z:w", "X:Z:w"):
        assert abs(found.est[name] - names[name]) < 3.5 * found.se[name], (name, found.est[name], found.se[name])


@pytest.mark.parametrize("centering", ["double", "mean", "residual"])
def test_moments_of_a_draw_are_those_of_its_rows(centering: str) -> None:
    data = triple(200, 7)
    fit = sk.sem(MODEL, data, interaction=ProductIndicators(centering=centering))
    counts = resample_counts(next(iter(Job(replicates=2, seed=1, chunk=2).chunks())), 200)
    found = group_moments(fit.solution.sample, 0, counts)
    for b, count in enumerate(counts.astype(int)):
        rows = data.iloc[np.repeat(np.arange(200), count)]
        again = group_moments(sk.sem(MODEL, rows, interaction=fit.recipe.interaction).solution.sample, 0)
        np.testing.assert_allclose(found.cov[b], again.cov[0], atol=1e-9)
        np.testing.assert_allclose(found.mean[b], again.mean[0], atol=1e-10)


def test_shift_and_scale_change_no_test_and_no_standardised_slope() -> None:
    data = triple(600, 8)
    other = data * np.linspace(0.5, 3.0, 13) + np.arange(13.0)
    one, two = slopes(sk.sem(MODEL, data)), slopes(sk.sem(MODEL, other))
    np.testing.assert_allclose(one.z["X:Z:W"], two.z["X:Z:W"], rtol=1e-5)
    np.testing.assert_allclose(one.std_all["X:Z:W"], two.std_all["X:Z:W"], rtol=1e-6)


# --- terms below, refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", [sk.LMS, ProductIndicators, sk.SAM])
def test_terms_below_are_required_or_added(method: Any) -> None:
    data = triple(300, 9)
    short = "y1 ~ x1 + z1 + z1:x1 + x1:z1:w1"
    with pytest.raises(ModelError) as caught:
        sk.sem(short, data, interaction=method())
    assert caught.value.code == "interaction.lower-order"
    assert "w1, x1:w1, z1:w1" in caught.value.problems[0].what
    added = sk.sem(short, data, interaction=method(lower_order="add"))
    full = sk.sem("y1 ~ x1 + z1 + z1:x1 + x1:z1:w1 + w1 + x1:w1 + z1:w1", data, interaction=method())
    pd.testing.assert_series_equal(slopes(added).est.sort_index(), slopes(full).est.sort_index(), atol=1e-8)
    fixed = sk.sem("y1 ~ x1 + z1 + w1 + z1:x1 + 0*x1:w1 + 0*z1:w1 + x1:z1:w1", data, interaction=method())
    assert fixed.converged
    with pytest.raises(OptionError) as wrong:
        method(lower_order="drop")
    assert wrong.value.code == "interaction.unknown-lower-order"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (PARTS + "V =~ 1*v\nv ~~ 0.3*v\nY ~ X + Z + V + X:Z + X:V + Z:V + X:Z:V", "interaction.three-way"),
        (PARTS + "Y ~ X + Z + X:X + X:Z + X:X:Z", "interaction.three-way"),
        (PARTS + "Y ~ X:Z:W:v", "interaction.too-many-factors"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    with pytest.raises(SemkitError) as caught:
        expand(parse(text))
    assert caught.value.code == code and "lms" in caught.value.problems[0].remedy
    with pytest.raises(NotSupportedError):
        expand(parse(MODEL), ProductIndicators(constrained=True))
