"""Consent, screening, profile and the fields a form records by itself.

Who the firm is (regency, sector, size, years, partners) comes from the population; the rest of the
profile has no effect on anything and its shares are assumptions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semkit.planning.damage import CARELESS, EMPTY, MODES, SCREENED, RowDamage
from semkit.planning.draws import FloatArray, IntArray, choose, logistic, poisson, whole
from semkit.planning.objective import Answers, yes_no
from semkit.planning.population import REGENCIES, Population
from semkit.planning.streams import stream

SECTORS: tuple[str, ...] = ("agriculture", "food", "craft", "clothing", "other")
SIZES: tuple[str, ...] = ("micro", "small", "medium")
SCHOOLING: tuple[str, ...] = ("none", "primary", "junior", "senior", "diploma", "degree")
SCHOOLING_SHARES = (0.03, 0.15, 0.17, 0.43, 0.08, 0.14)
PARTNER_TYPES: tuple[str, ...] = (
    "supplier",
    "similar_firm",
    "cooperative",
    "university",
    "finance",
    "distributor",
    "retailer",
    "association",
    "platform",
)
PARTNER_LEVELS = np.array([0.9, 0.4, -0.9, -2.3, -1.1, 0.1, 0.3, -1.3, -0.9])
FORM_VERSION = "1.0"
FULL_QUESTIONNAIRE_SECONDS = 960.0
ENUMERATORS = 12


def _years(population: Population, u: FloatArray) -> tuple[IntArray, IntArray]:
    """Whole years in business and of exporting within their classes; exporting never the longer."""
    business_class, export_class = population.groups["years"], population.groups["export"]
    low = np.array([3, 6, 11])[business_class]
    low = np.where((export_class == 2) & (business_class == 1), 7, low)
    business = whole(u[:, 0], low, np.array([5, 10, 25])[business_class])
    export_high = np.minimum(np.array([3, 6, 15])[export_class], business)
    return business, whole(u[:, 1], np.array([1, 4, 7])[export_class], export_high)


def draw_screening(population: Population, rows: RowDamage) -> Answers:
    """Consent and screening answers, each (n,), before the interview is cut where it ended."""
    u = stream(population.seed, "border", "screening").random((population.n, 4))
    business, _ = _years(population, u)
    ended = {name: rows.screened == k for k, name in enumerate(SCREENED)}
    regency = np.asarray(REGENCIES)[population.groups["regency"]]
    direct = u[:, 2] < logistic(-0.3 + 0.5 * population.latents["collab"])
    return {
        "consent": yes_no(~ended["consent"]),
        "scr_owner": yes_no(~ended["scr_owner"]),
        "scr_years": business,
        "scr_active": yes_no(~ended["scr_active"]),
        "scr_export": np.where(direct, "directly", "via_others"),
        "scr_region": np.where(ended["scr_region"], "other", regency),
    }


def _partner_types(population: Population, u: FloatArray) -> NDArray[np.str_]:
    """Space-separated kinds of partners (n,); ``none`` only for firms without any."""
    levels = PARTNER_LEVELS + 0.5 * population.latents["collab"][:, None]
    has = u < logistic(levels)
    has[:, 0] |= ~has.any(axis=1)
    names = np.asarray(PARTNER_TYPES)
    chosen = [" ".join(names[row]) for row in has]
    return np.where(population.groups["no_partner"] == 1, "none", np.asarray(chosen, dtype=np.str_))


def draw_profile(population: Population) -> Answers:
    """Profile answers, each (n,)."""
    g, x, n = population.groups, population.latents, population.n
    rng = stream(population.seed, "border", "profile")
    u, z = rng.random((n, 16)), rng.standard_normal((n, 1))
    _, export = _years(population, stream(population.seed, "border", "screening").random((n, 4)))
    network = (u[:, 4] < logistic(0.8 + 0.8 * x["collab"])) & (g["no_partner"] == 0)
    return {
        "sex": np.where(u[:, 0] < 0.45, "female", "male"),
        "age": np.clip(np.rint(42.0 + 10.0 * z[:, 0]), 19, 75).astype(np.int64),
        "educ": np.asarray(SCHOOLING)[choose(u[:, 1], SCHOOLING_SHARES)],
        "sector": np.asarray(SECTORS)[g["sector"]],
        "size": np.asarray(SIZES)[g["size"]],
        "workers": 1 + poisson(u[:, 2], np.array([1.5, 6.0, 22.0])[g["size"]]),
        "yrs_export": export,
        "partner_my": yes_no(g["partner_my"] == 1),
        "coop": yes_no(u[:, 3] < 0.35),
        "partner_types": _partner_types(population, u[:, 5:14]),
        "in_network": yes_no(network),
    }


def end_interview(answers: Answers, rows: RowDamage, order: Sequence[str]) -> Answers:
    """Empty everything after the question at which an interview ended.

    ``order`` names the questions in order of asking; names outside it come after all of them.
    """
    place = {name: k for k, name in enumerate(order)}
    last = np.array([len(order), *(place[name] for name in SCREENED[1:])])[rows.screened]
    out: Answers = {}
    for name, value in answers.items():
        gone = (rows.screened > 0) & (place.get(name, len(order)) > last)
        out[name] = np.where(gone, "", value) if value.dtype.kind == "U" else np.where(gone, EMPTY, value)
    return out


def device(number: int, seed: int) -> str:
    """Salted hash of an invented device."""
    return hashlib.sha256(f"invented device {number} salt {seed}".encode()).hexdigest()[:16]


def draw_quality(population: Population, rows: RowDamage) -> Answers:
    """Fields the form records: seconds taken, mode, enumerator, language, version, device, each (n,).

    Seconds are those of the full questionnaire (four instruments), also in a file that shows only some
    of them: log-normal around 16 minutes, a quarter more with an interviewer, less for careless rows,
    for firms without partners (fewer blocks) and for interviews that ended early.
    """
    n = population.n
    rng = stream(population.seed, "border", "quality")
    u, z = rng.random((n, 4)), rng.standard_normal((n, 1))
    guided = rows.mode > 0
    seconds = FULL_QUESTIONNAIRE_SECONDS * np.exp(0.25 * z[:, 0]) * np.where(guided, 1.25, 1.0) * rows.pace
    seconds = seconds * np.where(population.groups["no_partner"] == 1, 0.75, 1.0) * np.where(rows.break_off, 0.7, 1.0)
    seconds = np.where(rows.screened > 0, 25.0 + 50.0 * u[:, 1], seconds)
    person = 1 + np.floor(ENUMERATORS * u[:, 0]).astype(np.int64)
    number = np.where(guided, person, 1000 + np.arange(n))
    return {
        "duration_s": np.rint(seconds).astype(np.int64),
        "mode": np.asarray(MODES)[rows.mode],
        "enumerator": np.where(guided, np.char.add("E", np.char.zfill(person.astype(str), 2)), ""),
        "lang": np.where(u[:, 2] < 0.96, "id", "en"),
        "form_version": np.full(n, FORM_VERSION),
        "device_hash": np.asarray([device(int(k), population.seed) for k in number]),
    }


def careless_kind(rows: RowDamage) -> NDArray[np.str_]:
    """Name of each row's kind of careless answering, empty for careful rows (n,)."""
    return np.asarray(CARELESS)[rows.careless]
