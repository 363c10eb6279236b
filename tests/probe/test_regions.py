"""Regions with several roots, bands that hold everywhere, the false discovery rate, squares and held values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError
from semkit.probe import neyman, simultaneous
from semkit.result import Reference
from tests.probe.polynomials import regression

FULL = ["x", "w", "z", "x:w", "x:z", "w:z", "x:w:z"]


def people(n=400, seed=5):
    rng = np.random.default_rng(seed)
    x, w, z = rng.normal(size=(3, n))
    w, z = w + 1.0, 2.0 * z - 0.5
    y = 0.3 * x + 0.2 * w - 0.1 * z + 0.3 * x * w + 0.1 * x * z - 0.2 * x * w * z + 0.3 * x * x + rng.normal(size=n)
    return pd.DataFrame({"x": x, "w": w, "z": z, "y": y})


DATA = people()


@pytest.mark.parametrize("seed", range(60))
def test_every_change_of_significance_of_a_curved_slope_is_found(seed):
    rng = np.random.default_rng(seed)
    b, root = rng.normal(size=3), rng.normal(size=(3, 3)) * 0.3
    cov = root @ root.T
    found = neyman.changing_roots(neyman.significance_polynomial(b, cov, 1.96))
    for u in found:
        g = np.array([1, u, u * u])
        assert abs(g @ b) / np.sqrt(g @ cov @ g) == pytest.approx(1.96, rel=1e-6)
    grid = np.linspace(-50, 50, 200_001)
    g = np.vander(grid, 3, increasing=True)
    clear = np.abs(g @ b) > 1.96 * np.sqrt(np.einsum("mi,ij,mj->m", g, cov, g))
    assert np.sum(clear[1:] != clear[:-1]) == np.sum(np.abs(found) < 50)


def test_a_moderator_that_also_enters_squared_has_up_to_four_roots():
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(2, 900))
    data = pd.DataFrame({"x": x, "w": w, "y": x * (w * w - 1.2) + 0.4 * w + rng.normal(size=900)})
    result = regression(data, {"y": ["x", "w", "w:w", "x:w", "x:w:w"]})
    found = sk.probe(result, "x", "w", values=[-2, 0, 2])
    assert len(found.roots) == 4
    assert found.johnson_neyman["sign"].tolist() == ["positive", "", "negative", "", "positive"]
    assert found.johnson_neyman["share"].sum() == pytest.approx(1)
    b = dict(zip(result.names, result.est, strict=True))
    slope = b["y ~ x"] + 2 * b["y ~ x:w"] + 4 * b["y ~ x:w:w"]
    assert found.slopes["slope"][2] == pytest.approx(slope)
    at = sk.probe(result, "x", "w", values=found.roots["value"].tolist()).slopes
    assert np.minimum(at["ci_lower"].abs(), at["ci_upper"].abs()).max() < 1e-8


def test_held_values_are_where_zero_is_moved_to():
    """In a three-way equation the slope at (w, z) is the coefficient of x after moving both zeros there."""
    result = regression(DATA, {"y": FULL})
    moved = regression(DATA.assign(w=DATA["w"] - 1.5, z=DATA["z"] + 2.0), {"y": FULL})
    row = sk.probe(result, "x", "w", values=[1.5], at={"z": -2.0}).slopes.iloc[0]
    place = moved.names.index("y ~ x")
    assert row["slope"] == pytest.approx(moved.est[place])
    assert row["se"] == pytest.approx(np.sqrt(moved.vcov[place, place]))
    # without at the other moderator stands at its mean
    mean = sk.probe(result, "x", "w", values=[1.5])
    given = sk.probe(result, "x", "w", values=[1.5], at={"z": DATA["z"].mean()})
    assert mean.slopes["se"][0] == pytest.approx(given.slopes["se"][0])
    assert mean.roots["value"].to_numpy() == pytest.approx(given.roots["value"].to_numpy())
    assert "probe.other-products" in {note.code for note in mean.notes}
    assert "probe.other-products" not in {note.code for note in given.notes}


def test_the_slope_of_a_curve():
    result = regression(DATA, {"y": ["x", "w", "x:x", "x:w"]})
    names, b = result.names, result.est
    found = sk.probe(result, "x", "x", values=[-1.0, 0.5])
    g = np.zeros(len(b))
    g[names.index("y ~ x")], g[names.index("y ~ x:x")], g[names.index("y ~ x:w")] = 1.0, 2 * 0.5, DATA["w"].mean()
    assert found.slopes["slope"][1] == pytest.approx(g @ b)
    assert found.slopes["se"][1] == pytest.approx(np.sqrt(g @ result.vcov @ g))
    # the drawn line is the parabola itself, at the mean of w
    lines = found.lines
    slope = np.gradient(lines["predicted"].to_numpy(), lines["focal"].to_numpy())
    at = sk.probe(result, "x", "x", values=lines["focal"].tolist()).slopes["slope"].to_numpy()
    assert slope[1:-1] == pytest.approx(at[1:-1])
    # a moderator beside a square: the focal variable itself is held
    held = sk.probe(result, "x", "w", values=[0.0], at={"x": 0.5}).slopes
    assert held["slope"][0] == pytest.approx(b[names.index("y ~ x")] + b[names.index("y ~ x:x")])


def test_a_band_for_all_values_is_scheffes():
    result = regression(DATA, {"y": ["x", "w", "x:w"]}, kind="classical")
    one, all_ = (sk.probe(result, "x", "w", adjust=kind) for kind in ("none", "simultaneous"))
    from scipy.stats import f

    assert all_.critical == pytest.approx(np.sqrt(2 * f.ppf(0.95, 2, result.reference.df)))
    assert (all_.bands["upper"] - all_.bands["slope"]).to_numpy() == pytest.approx(
        (one.bands["upper"] - one.bands["slope"]).to_numpy() * all_.critical / one.critical
    )
    assert all_.slopes.equals(one.slopes)
    assert all_.roots["value"].iloc[0] < one.roots["value"].iloc[0]
    assert "all values at once" in all_.statement


def test_scheffes_band_covers_the_whole_line_with_its_level():
    rng = np.random.default_rng(11)
    v = np.array([[0.04, -0.01], [-0.01, 0.02]])
    crit = simultaneous.scheffe(Reference("z"), 0.95, 2)
    errors = rng.multivariate_normal([0, 0], v, 20_000)
    u = np.tan(np.linspace(-np.pi / 2 + 1e-3, np.pi / 2 - 1e-3, 400))
    g = np.vander(u, 2, increasing=True)
    largest = np.max(np.abs(errors @ g.T) / np.sqrt(np.einsum("mi,ij,mj->m", g, v, g)), axis=1)
    assert np.mean(largest <= crit) == pytest.approx(0.95, abs=0.005)
    assert simultaneous.scheffe_of_draws(errors, 0.95) == pytest.approx(crit, rel=0.02)


@pytest.mark.parametrize("few", [False, True])
def test_the_false_discovery_rate_is_benjamini_and_hochbergs(few):
    from statsmodels.stats.multitest import multipletests

    data = DATA.assign(w=DATA["w"].round()) if few else DATA
    result = regression(data, {"y": ["x", "w", "x:w"]}, kind="classical")
    one, rate = (sk.probe(result, "x", "w", adjust=kind) for kind in ("none", "fdr"))
    tested = np.unique(data["w"]) if few else np.linspace(data["w"].min(), data["w"].max(), 1001)
    rows = [sk.probe(result, "x", "w", values=part.tolist()).slopes for part in np.array_split(tested, 40) if part.size]
    p = pd.concat(rows)["pvalue"].to_numpy()
    kept = multipletests(p, 0.05, "fdr_bh")[0]
    regions = rate.johnson_neyman
    ours = [bool(regions["significant"][int(np.searchsorted(rate.roots["value"], value))]) for value in tested]
    assert ours == kept.tolist()
    assert 0 < kept.sum() < kept.size
    assert rate.critical > one.critical


def test_nothing_is_discovered_when_nothing_is_there():
    data = people(120, seed=1).assign(y=np.random.default_rng(9).normal(size=120))
    found = sk.probe(regression(data, {"y": ["x", "w", "x:w"]}), "x", "w", adjust="fdr")
    assert found.case_in_data == "never"


@pytest.mark.parametrize("adjust", ["simultaneous", "fdr"])
def test_draws_decide_adjusted_regions_too(adjust):
    drawn = regression(DATA, {"y": ["x", "w", "x:w"]}, draws=800)
    found = sk.probe(drawn, "x", "w", adjust=adjust)
    exact = sk.probe(replace(drawn, draws=None, std_draws=None), "x", "w", adjust=adjust)
    assert found.method == "percentile"
    assert np.isfinite(found.critical) == (adjust == "simultaneous")
    first, second = (each.roots["value"].to_numpy() for each in (found, exact))
    near = second[np.abs(second) < 4]
    assert near.size and all(np.abs(first - value).min() < 0.15 for value in near)


def test_held_values_and_adjustments_are_checked():
    result = regression(DATA, {"y": FULL})
    for options, code in (({"at": {"q": 1.0}}, "probe.at"), ({"at": {"z": np.nan}}, "probe.at"),
                          ({"at": {"w": 1.0}}, "probe.at"), ({"adjust": "holm"}, "probe.adjust")):  # fmt: skip
        with pytest.raises(OptionError) as caught:
            sk.probe(result, "x", "w", **options)
        assert caught.value.code == code


def test_the_moderators_unit_moves_no_root():
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(2, 900))
    data = pd.DataFrame({"x": x, "w": w, "y": x * (w * w - 1.2) + 0.4 * w + rng.normal(size=900)})
    equation = {"y": ["x", "w", "w:w", "x:w", "x:w:w"]}
    first = sk.probe(regression(data, equation), "x", "w")
    for scale in (1e-4, 1e5):
        again = sk.probe(regression(data.assign(w=w * scale), equation), "x", "w")
        assert again.roots["value"].to_numpy() / scale == pytest.approx(first.roots["value"].to_numpy(), rel=1e-6)
        assert again.johnson_neyman["n"].tolist() == first.johnson_neyman["n"].tolist()


def test_gaps_are_nobody():
    result = regression(DATA, {"y": ["x", "w", "x:w"]})
    values = np.r_[DATA["w"].to_numpy(), np.full(100, np.nan)]
    gaps = {**result.variables, "w": replace(result.variables["w"], values=values)}
    with_gaps, without = (sk.probe(each, "x", "w", values="percentiles")
                          for each in (replace(result, variables=gaps), result))  # fmt: skip
    pd.testing.assert_frame_equal(with_gaps.slopes, without.slopes)
    pd.testing.assert_frame_equal(with_gaps.johnson_neyman, without.johnson_neyman)


def test_where_there_is_no_effect_the_rate_holds_for_the_whole_range():
    """Esarey and Sumner's point: looked at value by value, something is found too often; not so when adjusted."""
    rng, found = np.random.default_rng(4), {"none": 0, "simultaneous": 0, "fdr": 0}
    runs = 300
    for _ in range(runs):
        data = pd.DataFrame(rng.normal(size=(100, 3)), columns=["x", "w", "y"])
        result = regression(data, {"y": ["x", "w", "x:w"]}, kind="classical")
        for kind in found:
            found[kind] += sk.probe(result, "x", "w", values=[0.0], adjust=kind).case_in_data != "never"
    assert found["none"] / runs > 0.10
    assert found["fdr"] / runs < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert found["simultaneous"] / runs < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
