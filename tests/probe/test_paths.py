"""Two moderators, conditional indirect effects and response surfaces: PROCESS, identities, simulation."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError, ResultError
from semkit.result import quantity
from tests.probe.polynomials import regression
from tests.probe.test_regions import DATA, FULL
from tests.reference.harness import VARIABLE, find_data

ROUNDING = 0.5e-4 + 1e-9
MEDIATED = {7: ("m ~ x + w + x:w", "", "w"), 8: ("m ~ x + w + x:w", " + w + x:w", "w"),
            14: ("m ~ x", " + v + m1:v + m2:v", "v"), 15: ("m ~ x", " + v + m1:v + m2:v + x:v", "v"),
            58: ("m ~ x + w + x:w", " + w + m1:w + m2:w", "w"), 5: ("m ~ x", " + w + x:w", "w")}  # fmt: skip


def process(model):
    path = find_data(f"Data_Model{model}.csv")
    if path is None:
        pytest.skip(f"{VARIABLE} is not set: the PROCESS files are read in place only")
    text = path.with_name(f"Results_OLS_Model{model}.txt").read_text(encoding="utf-8-sig")
    return pd.read_csv(path), text


def printed(text, start, rows, columns):
    """The next ``rows`` lines of numbers after a heading."""
    number = r"-?\d*\.\d+"
    lines = re.findall(rf"^(?:\w+)?\s+{number}(?:\s+{number}){{{columns - 1}}}\s*$", text[text.index(start):], re.M)
    return np.array([[float(v) for v in re.findall(number, line)] for line in lines[:rows]])


# ---------------------------------------------------------------- two moderators


@pytest.mark.parametrize(("model", "terms"), [(2, ["x", "m", "w", "x:m", "x:w"]),
                                              (3, ["x", "m", "w", "x:m", "x:w", "m:w", "x:m:w"])])  # fmt: skip
def test_slopes_at_two_moderators_are_those_of_process(model, terms):
    data, text = process(model)
    found = sk.probe(regression(data, {"y": terms}), "x", ("w", "m"))
    peer = printed(text, "Conditional effect of X on Y", 9, 8)
    columns = ["value_1", "value_2", "slope", "se", "stat", "pvalue", "ci_lower", "ci_upper"]
    assert np.abs(found.slopes[columns].to_numpy(dtype=float) - peer).max() <= ROUNDING
    assert found.three_way == (model == 3)
    if model == 3:
        peer = printed(text, "Conditional effect of X*M interaction", 3, 7)
        across = sk.probe(regression(data, {"y": terms}), "x", ("m", "w")).interactions
        columns = ["value", "est", "se", "stat", "pvalue", "ci_lower", "ci_upper"]
        assert np.abs(across[columns].to_numpy(dtype=float) - peer).max() <= ROUNDING


def test_slope_differences_are_contrasts_of_the_coefficients():
    """Dawson and Richter's six pairs, from a regression coded so that each difference is one coefficient."""
    found = sk.probe(regression(DATA, {"y": FULL}), "x", ("w", "z"))
    assert len(found.differences) == 6
    w, z = DATA["w"], DATA["z"]
    high, low = w.mean() + w.std(), w.mean() - w.std()
    # slopes (1) - (3): w moves from low to high at z high: coefficient of x:w, times 2 SD, with zero moved to z high
    moved = regression(DATA.assign(z=z - (z.mean() + z.std()), w=(w - low) / (high - low)), {"y": FULL})
    place = moved.names.index("y ~ x:w")
    row = found.differences.iloc[1]
    assert row["first"] == "w mean + 1 SD, z mean + 1 SD" and row["second"] == "w mean - 1 SD, z mean + 1 SD"
    assert row["est"] == pytest.approx(moved.est[place])
    assert row["se"] == pytest.approx(np.sqrt(moved.vcov[place, place]))
    # (1) - (4) is the sum of the steps between
    d = found.differences["est"].to_numpy()
    assert d[2] == pytest.approx(d[0] + d[4]) == pytest.approx(d[1] + d[5])
    # a panel is the probe along the first moderator at a value of the second
    value, label = found.values[2]
    alone = sk.probe(regression(DATA, {"y": FULL}), "x", "w", at={"z": value})
    assert label == "mean + 1 SD"
    pd.testing.assert_frame_equal(found.panels[2].slopes, alone.slopes)
    pd.testing.assert_frame_equal(found.panels[2].johnson_neyman, alone.johnson_neyman)
    corner = found.slopes[(found.slopes["value_1"] == high) & (found.slopes["value_2"] == value)]
    assert corner["slope"].iloc[0] == pytest.approx(alone.slopes["slope"][2])


def test_values_by_moderator_and_draws():
    drawn = regression(DATA, {"y": FULL}, draws=200)
    found = sk.probe(drawn, "x", ["w", "z"], values={"w": [0.0, 2.0], "z": "percentiles"})
    assert found.slopes["value_1"].tolist() == [0.0] * 3 + [2.0] * 3
    assert found.method == "percentile" and found.slopes["stat"].isna().all()
    g = np.zeros(len(drawn.names))
    for name, weight in (("x", 1), ("x:w", 2.0), ("x:z", np.median(DATA["z"])), ("x:w:z", 2 * np.median(DATA["z"]))):
        g[drawn.names.index(f"y ~ {name}")] = weight
    assert found.slopes["se"][4] == pytest.approx((drawn.draws @ g).std(ddof=1))
    with pytest.raises(OptionError) as caught:
        sk.probe(drawn, "x", ("w", "w"))
    assert caught.value.code == "probe.two-moderators"
    with pytest.raises(OptionError) as caught:
        sk.probe(drawn, "x", ("w", "q"))
    assert caught.value.code == "probe.unknown-product"


# ---------------------------------------------------------------- conditional indirect effects


@pytest.mark.parametrize("model", sorted(MEDIATED))
def test_conditional_indirect_effects_are_those_of_process(model):
    data, text = process(model)
    first, more, moderator = MEDIATED[model]
    equations = "\n".join(first.replace("m ~", f"{m} ~") for m in ("m1", "m2")) + f"\ny ~ m1 + m2 + x{more}"
    fit = sk.sem(equations, data, estimator="mlr")
    w = data[moderator]
    at = [w.mean() - w.std(), w.mean(), w.mean() + w.std()]  # PROCESS divides by n - 1
    found = sk.conditional_effects(fit, "x", "y", moderator, values=at)
    for mediator in ("m1", "m2"):
        ours = found.effects[found.effects["path"] == f"x -> {mediator} -> y"]
        if model == 5:  # the indirect effect is not moderated
            continue
        start = text.index("Conditional indirect effect(s)")
        peer = printed(text[start:].replace(f"\n{'m2' if mediator == 'm1' else 'm1'} ", "\n# "), "Mediator", 3, 5)
        assert np.abs(ours["value_1"].to_numpy() - peer[:, 0]).max() <= ROUNDING
        assert np.abs(ours["est"].to_numpy() - peer[:, 1]).max() <= ROUNDING
        # the peer's errors are from 5,000 bootstrap draws
        assert ours["se"].to_numpy() == pytest.approx(peer[:, 2], rel=0.06)
        if "INDEX OF MODERATED" in text:
            index = printed(text[text.index("INDEX OF MODERATED"):].replace(f"\n{'m2' if mediator == 'm1' else 'm1'} ",
                                                                            "\n# "), "Mediator", 1, 4)[0]
            row = found.index[found.index["path"] == f"x -> {mediator} -> y"].iloc[0]
            assert row["index"] == "moderated mediation"
            assert abs(row["est"] - index[0]) <= ROUNDING
            assert row["se"] == pytest.approx(index[1], rel=0.06)
        else:
            assert found.index.empty and "probe.no-index" in {note.code for note in found.notes}
    if model in (5, 8, 15):  # a moderated direct effect
        direct = found.effects[found.effects["effect"] == "direct"]
        peer = printed(text, "Conditional direct effect(s)", 3, 7)
        assert np.abs(direct["est"].to_numpy() - peer[:, 1]).max() <= ROUNDING


MODERATED = """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
M ~ a1*X + a2*Z + a3*X:Z
Y ~ b*M + c*X
low := (a1 - a3*sd(Z)) * b
index := a3 * b
step := 2 * a3 * sd(Z) * b
"""


def mediated(n=500, seed=6):
    rng = np.random.default_rng(seed)
    x, z = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], n).T
    m = 0.4 * x + 0.2 * z + 0.3 * x * z + 0.7 * rng.normal(size=n)
    y = 0.5 * m + 0.2 * x + 0.7 * rng.normal(size=n)
    return pd.DataFrame({f"{name}{i}": value + 0.5 * rng.normal(size=n)
                         for name, value in (("x", x), ("z", z), ("m", m), ("y", y)) for i in (1, 2, 3)})  # fmt: skip


@pytest.fixture(scope="module", params=["product", "lms", "qml"])
def latent(request):
    return sk.sem(MODERATED, mediated(), interaction=request.param, estimator="mlr")


def test_latent_conditional_effects_are_the_engines_defined_parameters(latent):
    sd = latent.variables["Z"].sd
    found = sk.conditional_effects(latent, "X", "Y", values=[-sd, sd])
    effects = found.effects[found.effects["path"] == "X -> M -> Y"]
    index, step = found.index.iloc[0], found.contrasts.iloc[0]
    assert found.moderators == ("Z",)
    # value, and for the quantities without sd() also the error
    low = quantity(latent, "low")
    assert effects["est"].iloc[0] == pytest.approx(low.est)
    defined = quantity(latent, "index")
    for name in ("est", "se", "pvalue", "ci_lower", "ci_upper"):
        assert index[name] == pytest.approx(getattr(defined, name), rel=1e-7), name
    assert step["est"] == pytest.approx(quantity(latent, "step").est)
    standard = dict(zip(latent.names, latent.std_est, strict=True))
    assert index["std_est"] == pytest.approx(standard["a3"] * standard["b"])
    total = found.effects[found.effects["effect"] == "total"]["est"].to_numpy()
    direct = found.effects[found.effects["effect"] == "direct"]["est"].to_numpy()
    assert total == pytest.approx(direct + effects["est"].to_numpy())


def test_monte_carlo_draws_are_of_the_estimates(latent):
    exact = sk.conditional_effects(latent, "X", "Y")
    drawn = sk.conditional_effects(latent, "X", "Y", montecarlo=20_000, seed=4)
    assert (drawn.method, exact.method) == ("monte carlo", "normal")
    assert drawn.index["se"].iloc[0] == pytest.approx(exact.index["se"].iloc[0], rel=0.03)
    again = sk.conditional_effects(latent, "X", "Y", montecarlo=20_000, seed=4)
    pd.testing.assert_frame_equal(drawn.effects, again.effects)
    # the curve is worked through in pieces when there are many draws; every point is that of the table
    at = drawn.curves.iloc[[0, 100, -1]]
    table = sk.conditional_effects(latent, "X", "Y", values=at["moderator"].tolist(), montecarlo=20_000, seed=4).effects
    table = table[table["effect"] == "indirect"]
    assert at[["lower", "upper"]].to_numpy() == pytest.approx(table[["ci_lower", "ci_upper"]].to_numpy())


def test_bootstrap_draws_decide():
    data = mediated(300)[["x1", "z1", "m1", "y1"]]
    text = "m1 ~ a1*x1 + z1 + a3*x1:z1\ny1 ~ b*m1 + x1\nindex := a3*b"
    fit = sk.sem(text, data, bootstrap=100, seed=2)
    row, defined = sk.conditional_effects(fit, "x1", "y1").index.iloc[0], quantity(fit, "index")
    for name in ("est", "se", "pvalue", "ci_lower", "ci_upper"):
        assert row[name] == pytest.approx(getattr(defined, name)), name


def test_indices_of_two_moderators():
    """First stage by w and z, with and without the three-way product; second stage by z."""
    rng = np.random.default_rng(8)
    data = DATA.assign(m=lambda d: 0.3 * d["x"] * (1 + d["w"] - 0.5 * d["z"]) + rng.normal(size=len(d)))
    add = regression(data, {"m": ["x", "w", "z", "x:w", "x:z"], "y": ["m", "x"]})
    three = regression(data, {"m": FULL, "y": ["m", "x"]})
    stages = regression(data, {"m": ["x", "w", "x:w"], "y": ["m", "x", "z", "m:z"]})
    b = {result: dict(zip(result.names, result.est, strict=True)) for result in (add, three, stages)}
    part = sk.conditional_effects(add, "x", "y").index
    assert part["index"].tolist() == ["partial moderated mediation"] * 2
    assert part["est"].tolist() == pytest.approx([b[add][name] * b[add]["y ~ m"] for name in ("m ~ x:w", "m ~ x:z")])
    found = sk.conditional_effects(three, "x", "y", values={"w": [0, 1], "z": [-1, 2]})
    whole = found.index[found.index["index"] == "moderated moderated mediation"].iloc[0]
    assert whole["est"] == pytest.approx(b[three]["m ~ x:w:z"] * b[three]["y ~ m"])
    v = {n: three.vcov[three.names.index(n), three.names.index(n)] for n in ("m ~ x:w:z", "y ~ m")}
    sobel = b[three]["m ~ x:w:z"] ** 2 * v["y ~ m"] + b[three]["y ~ m"] ** 2 * v["m ~ x:w:z"]
    assert whole["se"] == pytest.approx(np.sqrt(sobel))
    at = found.index[(found.index["index"] == "conditional moderated mediation") & (found.index["moderator"] == "w")]
    assert at["at"].tolist() == ["z -1", "z 2"]
    assert at["est"].tolist() == pytest.approx(
        [(b[three]["m ~ x:w"] + z * b[three]["m ~ x:w:z"]) * b[three]["y ~ m"] for z in (-1, 2)])
    assert len(found.effects[found.effects["effect"] == "indirect"]) == 4
    crossed = sk.conditional_effects(stages, "x", "y").index
    whole = crossed[crossed["index"] == "moderated moderated mediation"].iloc[0]
    assert whole["est"] == pytest.approx(b[stages]["m ~ x:w"] * b[stages]["y ~ m:z"])


def test_indirect_regions_are_where_the_limit_touches_zero():
    rng = np.random.default_rng(8)
    data = DATA.assign(m=lambda d: 0.3 * d["x"] * d["w"] + rng.normal(size=len(d)))
    data["y"] = 0.4 * data["m"] + rng.normal(size=len(data))
    result = regression(data, {"m": ["x", "w", "x:w"], "y": ["m", "x"]})
    found = sk.conditional_effects(result, "x", "y")
    edges = found.curves.loc[found.curves["boundary"], "moderator"].tolist()
    assert edges
    at = sk.conditional_effects(result, "x", "y", values=edges).effects
    at = at[at["effect"] == "indirect"]
    assert np.minimum(at["ci_lower"].abs(), at["ci_upper"].abs()).max() < 1e-9


def test_what_has_no_conditional_effect():
    result = regression(DATA, {"y": FULL})
    for args, options, code in (
        (("x", "q"), {}, "probe.no-path"), (("x", "y"), {"moderators": "y"}, "probe.moderators"),
        (("x", "y"), {"montecarlo": -1}, "probe.montecarlo"), (("x", "y"), {"values": {"w": "mid"}}, "probe.values"),
    ):  # fmt: skip
        with pytest.raises(OptionError) as caught:
            sk.conditional_effects(result, *args, **options)
        assert caught.value.code == code
    with pytest.raises(ResultError):
        sk.conditional_effects(replace(result, converged=False), "x", "y")


# ---------------------------------------------------------------- response surfaces

SQUARES = ["x", "z", "x:x", "x:z", "z:z"]


def ratings(n=600, seed=3):
    rng = np.random.default_rng(seed)
    x, z = rng.multivariate_normal([4.2, 3.7], [[1, 0.4], [0.4, 1]], n).T
    y = 2 + 0.3 * (x - 4) + 0.1 * (z - 4) - 0.35 * (x - z) ** 2 - 0.1 * (z - 4) ** 2 + rng.normal(size=n)
    return pd.DataFrame({"x": x, "z": z, "y": y})


def test_the_shape_is_that_of_one_regression_along_the_lines():
    """a1 and a2 are the coefficients of x and x:x when z is replaced by its difference from x, and so on."""
    data = ratings() - [4.0, 4.0, 0.0]
    found = sk.response_surface(regression(data, {"y": SQUARES}), "x", "z", origin=0.0)
    assert found.form == "maximum"
    for sign, names in ((-1, ("a1", "a2")), (1, ("a3", "a4"))):
        turned = regression(data.assign(z=data["z"] + sign * data["x"]), {"y": SQUARES})
        for name, term in zip(names, ("x", "x:x"), strict=True):
            row, place = found.shape.set_index("parameter").loc[name], turned.names.index(f"y ~ {term}")
            assert row["est"] == pytest.approx(turned.est[place])
            assert row["se"] == pytest.approx(np.sqrt(turned.vcov[place, place]))


def test_the_origin_does_what_centring_does():
    raw = sk.response_surface(regression(ratings(), {"y": SQUARES}), "x", "z", origin=4.0)
    moved = sk.response_surface(regression(ratings() - [4.0, 4.0, 0.0], {"y": SQUARES}), "x", "z", origin=0.0)
    for name in ("coefficients", "shape"):
        for column in ("est", "se", "pvalue"):
            ours, theirs = (getattr(each, name)[column].to_numpy() for each in (raw, moved))
            assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-12)
    assert raw.features["est"].to_numpy() - [4, 4, 0, 0, 0, 0] == pytest.approx(moved.features["est"].to_numpy())
    assert raw.features["se"].to_numpy() == pytest.approx(moved.features["se"].to_numpy(), rel=1e-5)
    fit = sk.sem("y ~ x + z + x:x + x:z + z:z", ratings(), interaction="lms")
    assert sk.response_surface(fit, "x", "z", origin=4.0).shape["est"].to_numpy() == pytest.approx(
        raw.shape["est"].to_numpy(), abs=1e-6)


def test_the_stationary_point_has_no_slope_and_the_axes_are_orthogonal():
    result = regression(ratings(), {"y": SQUARES}, draws=300)
    found = sk.response_surface(replace(result, draws=None, std_draws=None), "x", "z", origin=4.0)
    x0, z0, p10, p11, p20, p21 = found.features["est"]
    slopes = [sk.probe(result, name, name, values=[value], at={other: held}).slopes["slope"][0]
              for name, value, other, held in (("x", x0, "z", z0), ("z", z0, "x", x0))]  # fmt: skip
    assert slopes == pytest.approx([0, 0], abs=1e-9)
    assert p11 * p21 == pytest.approx(-1)
    assert p10 + p11 * (x0 - 4) == pytest.approx(z0 - 4) == pytest.approx(p20 + p21 * (x0 - 4))
    drawn = sk.response_surface(result, "x", "z", origin=4.0)
    assert drawn.method == "percentile"
    assert drawn.shape["se"].to_numpy() == pytest.approx(found.shape["se"].to_numpy(), rel=0.2)
    top = found.surface.loc[found.surface["predicted"].idxmax()]
    assert abs(top["x"] - x0) < 0.3 and abs(top["z"] - z0) < 0.3


def test_surface_of_latent_predictors():
    rng = np.random.default_rng(4)
    x, z = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], 700).T
    y = 0.3 * x - 0.3 * (x - z) ** 2 + 0.7 * rng.normal(size=700)
    data = pd.DataFrame({f"{name}{i}": value + 0.4 * rng.normal(size=700)
                         for name, value in (("x", x), ("z", z), ("y", y)) for i in (1, 2, 3)})  # fmt: skip
    text = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + X:X + X:Z + Z:Z"
    found = sk.response_surface(sk.sem(text, data, interaction="lms"), "X", "Z")
    a = found.shape.set_index("parameter")
    assert found.origin == 0.0
    assert (a.loc["a4", "est"] - -1.2) / a.loc["a4", "se"] == pytest.approx(0, abs=3)
    assert (a.loc["a1", "est"] - 0.3) / a.loc["a1", "se"] == pytest.approx(0, abs=3)
    assert abs(a.loc["a2", "est"]) < 3 * a.loc["a2", "se"]
    assert "probe.surface-latent" in {note.code for note in found.notes}


def test_a_surface_without_squares_says_so():
    result = regression(ratings(), {"y": ["x", "z", "x:z"]})
    found = sk.response_surface(result, "x", "z")
    assert "probe.surface-terms" in {note.code for note in found.notes}
    assert found.coefficients["est"].tolist()[2::2] == [0, 0]
    assert found.origin == pytest.approx((ratings()["x"].mean() + ratings()["z"].mean()) / 2)
    with pytest.raises(OptionError) as caught:
        sk.response_surface(result, "x", "z", origin=np.inf)
    assert caught.value.code == "probe.origin"


def test_intervals_cover_what_made_the_data():
    """Index of moderated mediation 0.5 x 0.4 and a4 = -0.3 - 0.3 - 0.3 in 300 samples of 150."""
    rng, runs, hits = np.random.default_rng(12), 300, np.zeros(2)
    for _ in range(runs):
        x, z, e, d = rng.normal(size=(4, 150))
        m = 0.3 * x + 0.2 * z + 0.5 * x * z + e
        data = pd.DataFrame({"x": x, "z": z, "m": m, "y": 0.4 * m + 0.1 * x + d,
                             "s": -0.3 * (x * x - x * z + z * z) + rng.normal(size=150)})  # fmt: skip
        both = regression(data, {"m": ["x", "z", "x:z"], "y": ["m", "x"], "s": SQUARES}, kind="classical")
        row = sk.conditional_effects(both, "x", "y", "z", values=[0.0]).index.iloc[0]
        hits[0] += row["ci_lower"] < 0.5 * 0.4 < row["ci_upper"]
        row = sk.response_surface(both, "x", "z", "s", origin=0.0).shape.iloc[3]
        hits[1] += row["ci_lower"] < -0.9 < row["ci_upper"]
    assert hits / runs == pytest.approx([0.95, 0.95], abs=3.3 * np.sqrt(0.05 * 0.95 / runs))
