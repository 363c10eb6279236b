"""Profile answers that every study asks and that have no effect on anything; every share is an assumption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semkit.planning.damage import EMPTY, MODES, RowDamage, refuses_money
from semkit.planning.draws import FloatArray, choose, logistic, poisson, whole
from semkit.planning.objective import Answers, yes_no
from semkit.planning.population import Population
from semkit.planning.profile import FORM_VERSION, PARTNER_LEVELS, PARTNER_TYPES, SCHOOLING, SCHOOLING_SHARES, device
from semkit.planning.streams import stream

EDUC_YEARS = np.array([0.0, 6.0, 9.0, 12.0, 15.0, 16.0])
ENUMERATORS = 8


def screening(
    population: Population,
    rows: RowDamage,
    *,
    years: FloatArray,
    export: NDArray[np.str_],
    region: Mapping[str, NDArray[np.str_]],
    extra: Mapping[str, NDArray[np.str_]],
    by_region: bool = True,
) -> Answers:
    """Consent and screening answers in order of asking, before the interview is cut where it ended."""
    ended = rows.screened
    active = (ended == 3) | ((ended == 4) & ~np.bool_(by_region))
    places = {name: np.where((ended == 4) & by_region, "other", value) if name == "scr_region" else value
              for name, value in region.items()}  # fmt: skip
    return {
        "consent": yes_no(ended != 1),
        "scr_owner": yes_no(ended != 2),
        "scr_years": years.astype(np.int64),
        "scr_active": yes_no(~active),
        "scr_export": export,
        **extra,
        **places,
    }


def profile(
    population: Population,
    *,
    sector: NDArray[np.str_],
    size: NDArray[np.int64],
    women: float,
    partners: str = "",
) -> Answers:
    """Sex, age, schooling, size, workers and partners, each (n,); sector and size come from the study."""
    n = population.n
    rng = stream(population.seed, population.variant, "profile")
    u, z = rng.random((n, 20)), rng.standard_normal((n, 1))
    level = population.latents[partners] if partners else np.zeros(n)
    has = u[:, 5:14] < logistic(PARTNER_LEVELS + 0.3 * level[:, None])
    has[:, 0] |= ~has.any(axis=1)
    names = np.asarray(PARTNER_TYPES)
    chosen = np.asarray([" ".join(names[row]) for row in has], dtype=np.str_)
    schooling = population.groups.get("educ", choose(u[:, 1], SCHOOLING_SHARES))
    return {
        "sex": np.where(u[:, 0] < women, "female", "male"),
        "age": np.clip(np.rint(42.0 + 10.0 * z[:, 0]), 19, 75).astype(np.int64),
        "educ": np.asarray(SCHOOLING)[schooling],
        "sector": sector,
        "size": np.asarray(("micro", "small", "medium"))[size],
        "workers": 1 + poisson(u[:, 2], np.array([1.5, 6.0, 22.0])[size]),
        "yrs_export": population.groups.get("yrs_export", np.zeros(n, dtype=np.int64)),
        "partner_my": yes_no(u[:, 4] < 0.10),
        "coop": yes_no(u[:, 3] < 0.35),
        "partner_types": chosen,
    }


def quality(population: Population, rows: RowDamage, seconds: float) -> Answers:
    """Fields the form records: log-normal around ``seconds``, a quarter more with an interviewer, less for careless."""
    n = population.n
    rng = stream(population.seed, population.variant, "quality")
    u, z = rng.random((n, 4)), rng.standard_normal((n, 1))
    guided = rows.mode > 0
    taken = seconds * np.exp(0.25 * z[:, 0]) * np.where(guided, 1.25, 1.0) * rows.pace
    taken = np.where(rows.screened > 0, 25.0 + 50.0 * u[:, 1], taken)
    number = np.where(guided, whole(u[:, 0], 1, ENUMERATORS), 1000 + np.arange(n))
    code = np.char.add("E", np.char.zfill(number.astype(str), 2))
    return {
        "duration_s": np.rint(taken).astype(np.int64),
        "mode": np.asarray(MODES)[rows.mode],
        "enumerator": np.where(guided, code, ""),
        "lang": np.where(u[:, 2] < 0.98, "id", "en"),
        "form_version": np.full(n, FORM_VERSION),
        "device_hash": np.asarray([device(int(k), population.seed) for k in number]),
    }


def pick(u: FloatArray, options: Sequence[str], shares: Sequence[float]) -> NDArray[np.str_]:
    """One option for each uniform number."""
    return np.asarray(options)[choose(u, shares)]


def lose_money(answers: Answers, population: Population, names: Sequence[str]) -> Answers:
    """Amounts that are refused: 6 %, and 6 % more in micro firms."""
    if not names:
        return answers
    u = stream(population.seed, population.variant, "export", "money").random((population.n, len(names)))
    out = dict(answers)
    for k, name in enumerate(names):
        gone = refuses_money(u[:, k], population.groups["size"] == 0)
        out[name] = np.where(gone, EMPTY, out[name].astype(np.int64))
    return out


def ask_classes(answers: Answers) -> Answers:
    """A class ``x_class`` is asked only when the amount ``x`` was not given; then it is told."""
    out = dict(answers)
    for name, value in answers.items():
        amount = answers.get(name.removesuffix("_class"))
        if name.endswith("_class") and amount is not None:
            out[name] = np.where(amount.astype(np.int64) == EMPTY, value, "")
    return out


def tens(value: FloatArray, *, down: bool = False) -> NDArray[np.int64]:
    """A per cent figure as "of ten": clipped to 0-100, to the nearest ten or rounded down."""
    held = np.clip(value, 0.0, 100.0) / 10.0
    return np.asarray(np.floor(held) if down else np.rint(held), dtype=np.int64)


def boxes(u: FloatArray, options: Sequence[str], chance: FloatArray) -> NDArray[np.str_]:
    """Space-separated ticked boxes (n,); ``chance`` broadcasts to (n, options)."""
    ticked = u < chance
    names = np.asarray(options)
    return np.asarray([" ".join(names[row]) for row in ticked], dtype=np.str_)
