"""The population is what it says it is: groups, latent variables, equations, planted values."""

from __future__ import annotations

import numpy as np
import pytest

from semkit.errors import OptionError
from semkit.planning import draw_population, planted_values
from semkit.planning.population import (
    CORRELATIONS,
    DIMENSIONS,
    EXOGENOUS,
    INFRASTRUCTURE_SHIFT,
    SYSTEMATIC_VARIANCE,
    VARIANTS,
    correlation_matrix,
    systematic,
)

N = 200_000
MC = 4.0
"""How many Monte Carlo standard errors a figure may be away."""


@pytest.fixture(scope="module", params=VARIANTS)
def population(request):
    return draw_population(N, 11, request.param)


@pytest.fixture(scope="module")
def full():
    return draw_population(N, 12)


@pytest.fixture(scope="module")
def without():
    return draw_population(N, 12, "border_nointeraction")


def share_error(p):
    return MC * np.sqrt(p * (1 - p) / N)


def test_group_shares(population):
    g = population.groups
    planted = {
        "regency": (0.40, 0.35, 0.25),
        "partner_my": (0.30, 0.70),
        "newexp": (0.567, 0.433),
        "no_partner": (0.96, 0.04),
        "sector": (0.367, 0.267, 0.170, 0.070, 0.126),
        "size": (0.467, 0.433, 0.100),
        "years": (0.280, 0.467, 0.253),
        "export": (0.433, 0.400, 0.167),
    }
    for name, shares in planted.items():
        found = np.bincount(g[name], minlength=len(shares)) / N
        assert np.all(np.abs(found - shares) < [share_error(p) for p in shares]), (name, found)


def test_no_partner_only_without_a_malaysian_one_and_the_rest_keep_their_shares(population):
    g = population.groups
    absent = g["no_partner"] == 1
    assert not g["partner_my"][absent].any()
    assert np.var(population.latents["collab"][~absent]) == pytest.approx(0.98, abs=0.013)  # as stated in the design
    assert g["partner_my"][~absent].mean() == pytest.approx(0.73, abs=0.005)
    assert population.latents["collab"][absent].mean() < -0.5


def test_exogenous_correlations(population):
    found = np.corrcoef([population.latents[name] for name in EXOGENOUS])
    wanted = correlation_matrix()
    i = EXOGENOUS.index("gr_inf")  # the regencies' shift adds variance that correlates with nothing
    scale = np.ones(len(EXOGENOUS))
    scale[i] = 1 / np.sqrt(1 + np.var(INFRASTRUCTURE_SHIFT[population.groups["regency"]]))
    wanted = wanted * np.outer(scale, scale)
    np.fill_diagonal(wanted, 1.0)
    assert np.max(np.abs(found - wanted)) < 5.0 / np.sqrt(N)
    assert len(CORRELATIONS) == 17
    assert np.all(np.linalg.eigvalsh(correlation_matrix()) > 0.3)


def test_infrastructure_shift_by_regency(population):
    for k, shift in enumerate(INFRASTRUCTURE_SHIFT):
        rows = population.groups["regency"] == k
        assert population.latents["gr_inf"][rows].mean() == pytest.approx(shift, abs=MC / np.sqrt(rows.sum()))


def test_variances_are_one(population):
    names = ["cn_acc", "cn_knw", "cn_vce", "mperf", "govt", *(d for group in DIMENSIONS.values() for d in group)]
    for name in names:
        value = population.latents[name]
        kurtosis = np.mean((value - value.mean()) ** 4) / np.var(value) ** 2
        assert np.var(value) == pytest.approx(1.0, abs=MC * np.sqrt((kurtosis - 1) / N)), name


def test_systematic_variances(population):
    x, parts = population.latents, systematic(population.latents, population.groups, population.variant)
    parts["mperf"] = parts["mperf"] + 0.22 * x["cn_acc"] + 0.16 * x["cn_knw"] + 0.18 * x["cn_vce"]
    for name, planted in SYSTEMATIC_VARIANCE[population.variant].items():
        value = parts[name]
        kurtosis = np.mean((value - value.mean()) ** 4) / np.var(value) ** 2
        assert np.var(value) == pytest.approx(planted, abs=MC * planted * np.sqrt((kurtosis - 1) / N)), name


def test_systematic_variances_are_the_designs():
    assert round(SYSTEMATIC_VARIANCE["border_nointeraction"]["cn_acc"], 2) == 0.22
    assert round(SYSTEMATIC_VARIANCE["border_nointeraction"]["mperf"], 2) == 0.39
    assert SYSTEMATIC_VARIANCE["border"]["mperf"] == pytest.approx(0.55, abs=0.006)


def test_dimensions_load_as_planted(population):
    for whole, dimensions in DIMENSIONS.items():
        for name, gamma in dimensions.items():
            x, y = population.latents[whole], population.latents[name]
            slope = np.cov(x, y)[0, 1] / np.var(x)
            assert slope == pytest.approx(gamma, abs=MC * np.sqrt(1 - gamma**2) / np.sqrt(N)), name


def test_planted_values_of_all_firms_are_the_designs(full):
    """Figures of the study design (given to three decimals): b3 .327; g1-g3 .227 .144 .062; q1 .160."""
    found = planted_values(full, partners_only=False)
    for model, label, value in (
        ("M2", "b3", 0.327), ("M2d", "g1", 0.227), ("M2d", "g2", 0.144), ("M2d", "g3", 0.062), ("M4", "q1", 0.160),
    ):  # fmt: skip
        got = found[model][label]
        assert abs(got.raw - value) < 0.001 + MC * got.error, (label, got)


def test_without_the_interaction_nothing_is_left(without):
    """The design's figures: b3 -.005, g1-g3 within .005 of 0, q1 0."""
    found = planted_values(without, partners_only=False)
    assert abs(found["M2"]["b3"].raw + 0.005) < 0.001 + MC * found["M2"]["b3"].error
    for label in ("g1", "g2", "g3"):
        assert abs(found["M2d"][label].raw) < 0.005 + MC * found["M2d"][label].error
    assert abs(found["M4"]["q1"].raw) < MC * found["M4"]["q1"].error


def test_network_interactions_recover_by_plain_least_squares(full):
    """An independent fit: numpy's least squares, raw products and no regency, among firms with partners."""
    rows = full.groups["no_partner"] == 0
    c, g, m = (full.latents[name][rows] for name in ("collab", "govt", "mperf"))
    slope = np.linalg.lstsq(np.column_stack([np.ones(c.size), c, g, c * g]), m, rcond=None)[0][3]
    got = planted_values(full)["M2"]["b3"]
    assert slope == pytest.approx(got.raw, abs=1e-3)
    assert got.std == pytest.approx(got.raw * c.std() * g.std() / m.std(), rel=1e-4)


def test_total_effect_is_the_sum_of_its_parts(full):
    """Exact for least squares with the same controls: total = c + a1 b1 + a2 b2 + a3 b3."""
    found = planted_values(full)["M1"]
    parts = found["c"].raw + sum(found[f"ind_{k}"].raw for k in ("acc", "knw", "vce"))
    assert found["total"].raw == pytest.approx(parts, abs=1e-10)


def test_paths_that_the_population_states(full):
    """Where a fitted equation is the population's own, the coefficient is the planted one."""
    found = planted_values(full, partners_only=False)
    assert found["M4"]["q1"].raw == pytest.approx(0.16, abs=MC * found["M4"]["q1"].error)
    for label in ("q2", "q3"):
        assert abs(found["M4"][label].raw) < MC * found["M4"][label].error
    assert found["M6"]["e1"].raw == pytest.approx(0.25, abs=MC * found["M6"]["e1"].error + 1e-3)
    assert abs(found["M6"]["e2"].raw) < MC * found["M6"]["e2"].error


def test_both_variants_share_every_draw(full, without):
    for name in full.groups:
        assert np.array_equal(full.groups[name], without.groups[name]), name
    changed = {name for name in full.latents if not np.array_equal(full.latents[name], without.latents[name])}
    assert changed == {"cn_acc", "mperf", *DIMENSIONS["mperf"]}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((10, 1, "bordr"), "planning.unknown-study"),
        ((0, 1, "border"), "planning.bad-size"),
        ((10, -1, "border"), "planning.bad-seed"),
    ],
)
def test_wrong_arguments(arguments, code):
    with pytest.raises(OptionError) as caught:
        draw_population(*arguments)
    assert caught.value.code == code
    problem = caught.value.problems[0]
    assert problem.allowed and problem.remedy
