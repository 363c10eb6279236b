"""From latent variables to answers on five points, before anything goes wrong with them.

An item's response tendency is ``y* = loading * latent + sqrt(1 - loading^2) * e``; a reverse item has
a loading .08 lower and shares a method factor (.20) with the other reverse items.  The tendency is
cut at four points; reverse items are then turned round, as the respondent would have ticked them.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

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
    "border_challenges_adaptive": {
        "bc_dig": (3, ()),
        "bc_reg": (3, ()),
        "bc_cap": (3, ()),
        "bc_tru": (3, ()),
        "bc_fin": (3, ()),
        "as_grd": (3, ()),
        "as_clu": (3, ()),
        "as_cul": (3, ()),
        "as_prd": (3, (3,)),
        "as_plt": (3, ()),
    },
    "marketing_network_partnership": {
        "mn_jnt": (4, (4,)),
        "mn_cef": (4, ()),
        "mn_brg": (3, (3,)),
        "mn_soc": (4, ()),
        "mn_inf": (3, (3,)),
        "pt_qlt": (7, (5,)),
        "pt_red": (3, ()),
        "pt_inf": (3, ()),
        "mi_int": (4, ()),
        "mi_drv": (3, (3,)),
        "mi_acc": (3, ()),
        "cp_cmp": (4, ()),
    },
    "export_compliance": {
        "el_lit": (5, ()),
        "el_cus": (4, (4,)),
        "el_dcb": (4, ()),
        "el_dac": (3, ()),
        "el_fac": (3, ()),
        "el_prm": (3, ()),
        "el_dep": (4, (4,)),
        "el_cto": (3, (3,)),
        "el_cco": (3, ()),
        "el_inc": (3, ()),
        "el_dml": (3, ()),
        "el_rrd": (5, (5,)),
        "el_ipf": (4, ()),
        "el_ind": (3, ()),
    },
    "digital_collaboration": {
        "dg_wag": (4, ()),
        "dg_lit": (5, ()),
        "dg_net": (4, (4,)),
        "dg_jpr": (3, ()),
        "dg_sds": (3, ()),
        "dg_kns": (3, ()),
        "dg_cap": (3, ()),
        "dg_wtk": (3, ()),
        "dg_tru": (3, ()),
        "dg_acc": (3, ()),
        "dg_cst": (3, ()),
        "dg_inc": (4, ()),
        "dg_cmp": (3, ()),
        "dg_sup": (3, (3,)),
    },
    "collaborative_governance": {
        "cg_f2f": (4, (4,)),
        "cg_tru": (4, ()),
        "cg_com": (4, ()),
        "cg_con": (4, (4,)),
        "cg_und": (4, ()),
        "cg_out": (4, ()),
        "cg_fit": (3, (3,)),
        "cg_par": (3, ()),
        "cg_val": (3, (3,)),
        "cg_mkt": (3, (3,)),
        "cg_res": (3, ()),
        "cg_pcm": (4, ()),
    },
}
"""Number of items of each construct and which of them are reverse, by instrument."""

ATTENTION: Mapping[str, tuple[str, int]] = {
    "collaborative_network": ("cn_att", 2),
    "government_role": ("gr_att", 2),
    "marketing_performance": ("mp_att", 2),
    "border_challenges_adaptive": ("bc_att", 1),
    "marketing_network_partnership": ("mn_att", 1),
    "export_compliance": ("el_att", 2),
    "digital_collaboration": ("dg_att", 2),
    "collaborative_governance": ("cg_att", 1),
}
"""Attention item and its required answer, by instrument."""

MARKERS: tuple[str, ...] = ("mk_1", "mk_2", "mk_3")
SHIFTED_INTERCEPT = ("gr_inf_1", "kapuas_hulu", -0.5)
"""The one planted intercept that differs between regencies."""

KAPUAS_HULU = 2
HINDERED = {"bc_dig": 0.73, "bc_reg": 0.68, "bc_cap": 0.62, "bc_tru": 0.57, "bc_fin": 0.54}
"""Share that answers 4 or 5 to the first item of each challenge; .06 less at the other two."""


def prevalence_offset(share: float) -> float:
    """Offset of a unit normal tendency at which ``share`` of the answers are 4 or 5."""
    return float(CUTS[2] + NormalDist().inv_cdf(share))


def mean_offset(mean: float, *, center: float = 0.0, sd: float = 1.0) -> float:
    """Offset at which the mean answer of a normal tendency N(center, sd^2) is ``mean`` (between 1 and 5).

    Found by bisection of ``1 + sum_k P(tendency + offset > cut_k)``, which rises with the offset.
    """
    normal = NormalDist(center, sd)
    low, high = -8.0, 8.0
    for _ in range(80):
        middle = (low + high) / 2.0
        reached = 1.0 + sum(1.0 - normal.cdf(cut - middle) for cut in CUTS.tolist())
        low, high = (middle, high) if reached < mean else (low, middle)
    return round((low + high) / 2.0, 6)


def border_offsets() -> dict[str, float]:
    """Offsets of the challenge items; all other items of the border study have none."""
    return {
        f"{code}_{k}": round(prevalence_offset(share if k == 1 else share - 0.06), 6)
        for code, share in HINDERED.items()
        for k in (1, 2, 3)
    }


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


def draw_items(
    population: Population, block: str, *, study: str = "border", offsets: Mapping[str, float] | None = None
) -> dict[str, IntArray]:
    """Answers of careful respondents to one instrument's items, each (n,), as ticked (reverse items not flipped back).

    Parameters
    ----------
    population : Population
    block : str
        Key of :data:`ITEMS`.
    study : str
        Whose streams are drawn from.
    offsets : Mapping of item or construct to float, optional
        Added to the tendency, so that answers are higher.
    """
    offsets = offsets or {}
    names = item_names(block)
    noise = stream(population.seed, study, block, "items").standard_normal((population.n, len(names)))
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
            offset = offsets.get(name, offsets.get(code, 0.0))
            points = cut(tendency + offset) if offset else cut(tendency)
            answers[name] = 6 - points if k in reverse else points
    return answers


def draw_markers(population: Population, study: str = "border") -> dict[str, IntArray]:
    """Answers to the three marker items: tastes that have nothing to do with anything but a weak shared style."""
    noise = stream(population.seed, study, "marker", "items").standard_normal((population.n, len(MARKERS)))
    rest = np.sqrt(1.0 - STYLE_LOADING**2)
    style = STYLE_LOADING * population.latents["style"]
    return {name: cut(style + rest * noise[:, k]) for k, name in enumerate(MARKERS)}
