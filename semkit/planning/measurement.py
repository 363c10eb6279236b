"""From latent variables to answers on five points, before anything goes wrong with them.

An item's response tendency is ``y* = loading * latent + sqrt(1 - loading^2) * e``; a reverse item has
a loading .08 lower and shares a method factor (.20) with the other reverse items.  The tendency is
cut at four points; reverse items are then turned round, as the respondent would have ticked them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from semkit.planning.draws import FloatArray, IntArray
from semkit.planning.population import Population
from semkit.planning.streams import stream

CUTS = np.array([-1.65, -0.75, 0.15, 1.15])
HIGHEST_LOADING, LOWEST_LOADING = 0.82, 0.70
REVERSE_LOSS, METHOD_LOADING, STYLE_LOADING = 0.08, 0.20, 0.15

ITEMS: Mapping[str, Mapping[str, tuple[int, tuple[int, ...]]]] = {
    "collaborative_network": {
        "cn_str": (5, (5,)),
        "cn_rel": (4, (4,)),
        "cn_cog": (4, (4,)),
        "cn_loc": (3, ()),
        "cn_crs": (3, ()),
        "cn_acc": (4, ()),
        "cn_knw": (4, (4,)),
        "cn_vce": (4, ()),
    },
    "government_role": {"gr_fac": (5, (5,)), "gr_cap": (4, ()), "gr_inf": (4, ())},
    "marketing_performance": {"mp_sal": (3, ()), "mp_rch": (3, ()), "mp_cus": (3, (3,)), "mp_prf": (3, ())},
}
"""Number of items of each construct and which of them are reverse, by instrument."""

ATTENTION: Mapping[str, tuple[str, int]] = {
    "collaborative_network": ("cn_att", 2),
    "government_role": ("gr_att", 2),
    "marketing_performance": ("mp_att", 2),
}
"""Attention item and its required answer, by instrument."""

MARKERS: tuple[str, ...] = ("mk_1", "mk_2", "mk_3")
SHIFTED_INTERCEPT = ("gr_inf_1", "kapuas_hulu", -0.5)
"""The one planted intercept that differs between regencies."""

KAPUAS_HULU = 2


def loading(items: int, reverse: tuple[int, ...]) -> FloatArray:
    """Loadings of a construct's items (k,): even steps from .82 down to .70, reverse items .08 less."""
    value = np.linspace(HIGHEST_LOADING, LOWEST_LOADING, items)
    for number in reverse:
        value[number - 1] -= REVERSE_LOSS
    return value


def item_names(block: str) -> list[str]:
    """Names of an instrument's items in their order."""
    return [f"{code}_{k}" for code, (count, _) in ITEMS[block].items() for k in range(1, count + 1)]


def cut(tendency: FloatArray) -> IntArray:
    """Points 1 to 5 of response tendencies."""
    return (1 + np.searchsorted(CUTS, tendency, side="right")).astype(np.int64)


def draw_items(population: Population, block: str) -> dict[str, IntArray]:
    """Answers of careful respondents to one instrument's items, each (n,), as ticked (reverse items not flipped back).

    Parameters
    ----------
    population : Population
    block : str
        Key of :data:`ITEMS`.
    """
    names = item_names(block)
    noise = stream(population.seed, "border", block, "items").standard_normal((population.n, len(names)))
    answers: dict[str, IntArray] = {}
    for code, (count, reverse) in ITEMS[block].items():
        for k, strength in enumerate(loading(count, reverse), start=1):
            name = f"{code}_{k}"
            method = METHOD_LOADING if k in reverse else 0.0
            rest = np.sqrt(1.0 - strength**2 - method**2)
            tendency = strength * population.latents[code] + rest * noise[:, names.index(name)]
            if method:
                tendency = tendency + method * population.latents["method"]
            if name == SHIFTED_INTERCEPT[0]:
                tendency = tendency + SHIFTED_INTERCEPT[2] * (population.groups["regency"] == KAPUAS_HULU)
            points = cut(tendency)
            answers[name] = 6 - points if k in reverse else points
    return answers


def draw_markers(population: Population) -> dict[str, IntArray]:
    """Answers to the three marker items: tastes that have nothing to do with anything but a weak shared style."""
    noise = stream(population.seed, "border", "marker", "items").standard_normal((population.n, len(MARKERS)))
    rest = np.sqrt(1.0 - STYLE_LOADING**2)
    style = STYLE_LOADING * population.latents["style"]
    return {name: cut(style + rest * noise[:, k]) for k, name in enumerate(MARKERS)}
