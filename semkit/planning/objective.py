"""Answers to the questions that are no scale items: counts, yes/no, amounts.

Where the study design names a formula it is used as it stands and marked (design); the others are
assumptions of this generator, listed in ``docs/synthetic-data.md``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semkit.planning.damage import EMPTY, refuses_money
from semkit.planning.draws import FloatArray, IntArray, logistic, poisson
from semkit.planning.population import Population
from semkit.planning.streams import stream

Answers = dict[str, NDArray[np.int64] | NDArray[np.str_]]

MONEY: Mapping[str, tuple[str, ...]] = {
    "collaborative_network": ("transport_cost_kg",),
    "government_role": (),
    "marketing_performance": (
        "turnover_12m",
        "turnover_prev",
        "export_turnover_12m",
        "export_turnover_prev",
        "gross_margin_pct",
    ),
}
NOT_APPLICABLE = 97
LOG_TURNOVER = np.log([350e6, 4.5e9, 22e9])
TURNOVER_SPREAD = np.array([0.80, 0.45, 0.25])


def yes_no(flag: NDArray[np.bool_]) -> NDArray[np.str_]:
    """``"yes"`` and ``"no"``."""
    return np.where(flag, "yes", "no")


def _rounded(value: FloatArray, step: float) -> IntArray:
    return (step * np.maximum(np.rint(value / step), 1.0)).astype(np.int64)


def network(population: Population) -> Answers:
    """Partners, contacts, joint actions and innovation, each (n,).

    Joint shipping, transport cost, shipments, learning community, innovation and ``partner_key``
    follow the design's formulas.
    """
    x, g = population.latents, population.groups
    rng = stream(population.seed, "border", "collaborative_network", "objective")
    u, z = rng.random((population.n, 16)), rng.standard_normal((population.n, 2))
    partner, absent = g["partner_my"] == 1, g["no_partner"] == 1
    ships = u[:, 4] < logistic(-0.4 + 0.9 * x["collab"])
    learns = u[:, 7] < logistic(-0.2 + 0.6 * x["cn_knw"])
    inventive = u[:, 8] < np.where(learns, 0.63, 0.45)
    local = 1 + poisson(u[:, 0], np.exp(1.0 + 0.35 * x["cn_loc"]))
    abroad = np.where(partner, 1 + poisson(u[:, 1], np.exp(0.3 + 0.35 * x["cn_crs"])), 0)
    answers: Answers = {
        "n_partners_local": np.where(absent, 0, local),
        "n_partners_my": abroad,
        "meet_local": np.where(absent, 0, 1 + poisson(u[:, 2], np.exp(1.6 + 0.30 * x["cn_loc"]))),
        "meet_my": np.where(partner, 1 + poisson(u[:, 3], np.exp(0.7 + 0.25 * x["cn_crs"])), 0),
        "joint_ship": yes_no(ships),
        "joint_buy": yes_no(u[:, 5] < logistic(-0.7 + 0.7 * x["collab"])),
        "joint_cert": yes_no(u[:, 6] < logistic(-1.2 + 0.7 * x["collab"])),
        "learning_community": yes_no(learns),
        "transport_cost_kg": _rounded(np.exp(np.log(6000.0) + np.log(0.75) * ships + 0.30 * z[:, 0]), 50.0),
        "shipments_month": poisson(u[:, 10], np.exp(np.log(2.5) + np.log(1.40) * ships + 0.10 * x["mperf"])),
        "n_innov_12m": np.where(inventive, 3 + poisson(u[:, 9], 1.0), np.floor(3.0 * u[:, 9]).astype(np.int64)),
        "partner_key": yes_no(partner & (u[:, 11] < 0.80)),
    }
    return answers


def government(population: Population) -> Answers:
    """Support received in 24 months, each (n,); ``ex_train``, ``ex_match`` and ``deal_6m`` by the design's formulas."""
    x = population.latents
    rng = stream(population.seed, "border", "government_role", "objective")
    u, z = rng.random((population.n, 12)), rng.standard_normal((population.n, 1))
    trained = u[:, 3] < logistic(-0.3 + 0.8 * x["gr_cap"])
    matched = u[:, 4] < logistic(-0.3 + 0.8 * x["gr_cap"])
    mentored = u[:, 5] < logistic(-0.8 + 0.6 * x["gr_cap"])
    fair = u[:, 6] < logistic(-0.6 + 0.6 * x["gr_cap"])
    deal = u[:, 8] < logistic(np.where(trained, 0.405, -0.85) + 0.4 * x["collab"])
    joined = trained | matched | mentored | fair
    return {
        "ex_plbn": yes_no(u[:, 0] < logistic(0.2 + 0.5 * x["gr_inf"])),
        "ex_insw": yes_no(u[:, 1] < logistic(-1.0 + 0.5 * x["gr_fac"])),
        "ex_tax": yes_no(u[:, 2] < logistic(-0.6 + 0.5 * x["gr_fac"])),
        "ex_wh": yes_no(u[:, 7] < logistic(-1.5 + 0.5 * x["gr_inf"])),
        "ex_train": yes_no(trained),
        "ex_match": yes_no(matched),
        "ex_mentor": yes_no(mentored),
        "ex_fair": yes_no(fair),
        "doc_days": _rounded(np.exp(np.log(9.0) - 0.15 * x["gr_fac"] + 0.5 * z[:, 0]), 1.0),
        "deal_6m": np.where(joined, yes_no(deal), str(NOT_APPLICABLE)),
    }


def performance(population: Population) -> Answers:
    """Sales, buyers and places, each (n,); turnover and two-year export growth by the design's formulas."""
    x, g = population.latents, population.groups
    rng = stream(population.seed, "border", "marketing_performance", "objective")
    u, z = rng.random((population.n, 12)), rng.standard_normal((population.n, 6))
    m = x["mperf"]
    base = np.exp(LOG_TURNOVER[g["size"]] + TURNOVER_SPREAD[g["size"]] * z[:, 0])
    now, before = base * np.exp(0.25 * m), base * np.exp(0.30 * z[:, 1])
    share = 1 + np.floor(9.0 * u[:, 0] ** 1.5).astype(np.int64)
    abroad, abroad_before = now * share / 10.0, before * share / 10.0 * np.exp(0.20 * z[:, 2])
    return {
        "turnover_12m": _rounded(now, 1e5),
        "turnover_prev": _rounded(before, 1e5),
        "export_turnover_12m": _rounded(abroad, 1e5),
        "export_turnover_prev": _rounded(abroad_before, 1e5),
        "export_growth_2y_pct": np.rint(18.3 + 19.4 * m + 20.0 * z[:, 3]).astype(np.int64),
        "export_share_pct": share,
        "n_buyers_active": poisson(u[:, 1], np.exp(2.3 + 0.20 * m + 0.40 * z[:, 4])),
        "n_buyers_new": poisson(u[:, 2], np.exp(1.2 + 0.25 * m)),
        "n_distributors_abroad": poisson(u[:, 3], np.exp(-0.6 + 0.15 * m + 0.6 * g["partner_my"])),
        "n_areas_domestic": 1 + poisson(u[:, 4], np.exp(0.7 + 0.15 * m)),
        "n_countries": 1 + np.minimum(poisson(u[:, 5], np.exp(-1.9 + 0.10 * m)), 4),
        "orders_month": poisson(u[:, 6], np.exp(2.2 + 0.15 * m)),
        "gross_margin_pct": _rounded(np.clip(3000.0 + 300.0 * m + 800.0 * z[:, 5], 500.0, 8000.0), 50.0),
    }


def lose_money(answers: Answers, population: Population, block: str) -> Answers:
    """Leave amounts empty where they are refused; every other answer stays."""
    names = MONEY[block]
    if not names:
        return answers
    u = stream(population.seed, "border", block, "money").random((population.n, len(names)))
    out = dict(answers)
    for k, name in enumerate(names):
        refused = refuses_money(u[:, k], population.groups["size"] == 0)
        out[name] = np.where(refused, EMPTY, out[name].astype(np.int64))
    return out
