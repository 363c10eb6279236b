"""The JSON that travels beside a synthetic file and says that, how and from what it was invented."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from semkit.planning.damage import CARELESS, SCREENED
from semkit.planning.export import FIRST_ID
from semkit.planning.planted import CLAIMS, Planted, planted_values
from semkit.planning.population import SYSTEMATIC_VARIANCE, VARIANTS, draw_population

if TYPE_CHECKING:
    from semkit.planning.simulation import Simulated

GENERATOR = "semkit.planning.simulate_responses"
GENERATOR_VERSION = "1.0"
STATEMENT = "invented data; no respondent exists"
TRUTH_SEED_OFFSET = 1_000_000
"""The large draw has a seed of its own: the file's seed plus this."""


def _rounded(value: Planted) -> dict[str, float]:
    return {"raw": round(value.raw, 4), "std": round(value.std, 4), "monte_carlo_se": round(value.error, 4)}


def _laid_out(value: Any, indent: int = 0) -> str:
    """JSON with one short object or list a line, so that a difference shows where it is."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= 110 or not isinstance(value, dict):
        return flat
    pad = " " * (indent + 1)
    inner = [f"{pad}{json.dumps(key)}: {_laid_out(part, indent + 1)}" for key, part in value.items()]
    return "{\n" + ",\n".join(inner) + "\n" + " " * indent + "}"


def _ids(flags: np.ndarray[Any, np.dtype[np.bool_]]) -> list[int]:
    return [int(FIRST_ID + k) for k in np.flatnonzero(flags)]


def _row_truth(simulated: Simulated) -> dict[str, Any]:
    """Damage of rows as ``_id``s; a duplicate has the damage of the row it repeats."""
    rows, source = simulated.rows, simulated.rows.source
    screened = rows.screened[source]
    careless = np.where(screened > 0, 0, rows.careless[source])
    groups = simulated.population.groups
    absent = groups.get("no_partner", np.zeros(source.size, dtype=np.int64))
    return {
        "careless": {name: _ids(careless == k) for k, name in enumerate(CARELESS) if k},
        "screened_out": {name: _ids(screened == k) for k, name in enumerate(SCREENED) if k},
        "duplicate_of": {str(FIRST_ID + int(k)): FIRST_ID + int(source[k]) for k in np.flatnonzero(rows.duplicate)},
        "no_partner": _ids((absent[source] == 1) & (screened == 0)),
        "broke_off_before_the_last_block": _ids(rows.break_off[source] & (screened == 0)),
    }


def _head(simulated: Simulated) -> dict[str, Any]:
    return {
        "synthetic": True,
        "statement": STATEMENT,
        "generator": GENERATOR,
        "generator_version": GENERATOR_VERSION,
        "study": simulated.study,
        "seed": simulated.population.seed,
        "n": simulated.population.n,
        "blocks": list(simulated.blocks),
        "data_sha256": hashlib.sha256(simulated.to_bytes()).hexdigest(),
    }


def _study_truth(simulated: Simulated, draws: int) -> dict[str, Any]:
    from semkit.planning.studies import STUDIES, draw_study
    from semkit.planning.studies import truth as studies_truth

    study = STUDIES[simulated.study]
    large = draw_study(study, draws, simulated.population.seed + TRUTH_SEED_OFFSET)
    planted = studies_truth.planted_values(study, large)
    speaks_of = {model: study.rows_of.get(model, "all") for model in planted}
    return {
        "planted": {
            "how": "ordinary least squares on latent variables; controls as in the study, the others have no effect",
            "draws": draws,
            "draws_seed": large.seed,
            "rows": speaks_of,
            "models": {model: {k: _rounded(v) for k, v in labels.items()} for model, labels in planted.items()},
            "claims": {
                claim: {"model": m, "label": k, **_rounded(planted[m][k])} for claim, (m, k) in study.claims.items()
            },
            "systematic_variance": {one.name: one.variance for one in study.equations},
        },
        "rows": _row_truth(simulated),
    }


def text(simulated: Simulated, *, draws: int = 1_000_000) -> str:
    """Return the side-car of a simulated file.

    Parameters
    ----------
    simulated : Simulated
    draws : int
        Size of the draw on whose latent variables the planted values are computed.
    """
    population = simulated.population
    if population.variant not in VARIANTS:
        return _laid_out(_head(simulated) | _study_truth(simulated, draws)) + "\n"
    large = draw_population(draws, population.seed + TRUTH_SEED_OFFSET, population.variant)
    planted = planted_values(large)
    content = {
        "synthetic": True,
        "statement": STATEMENT,
        "generator": GENERATOR,
        "generator_version": GENERATOR_VERSION,
        "study": simulated.study,
        "seed": population.seed,
        "n": population.n,
        "blocks": list(simulated.blocks),
        "data_sha256": hashlib.sha256(simulated.to_bytes()).hexdigest(),
        "planted": {
            "how": "ordinary least squares on latent variables, region as control",
            "draws": draws,
            "draws_seed": large.seed,
            "rows": "firms with partners, except M5: all firms",
            "models": {model: {k: _rounded(v) for k, v in labels.items()} for model, labels in planted.items()},
            "claims": {claim: {"model": m, "label": k, **_rounded(planted[m][k])} for claim, (m, k) in CLAIMS.items()},
            "all_firms": {
                model: {k: _rounded(v) for k, v in labels.items()}
                for model, labels in planted_values(large, partners_only=False).items()
                if model in ("M2", "M2d", "M4")
            },
            "systematic_variance": dict(SYSTEMATIC_VARIANCE[population.variant]),
        },
        "rows": _row_truth(simulated),
    }
    return _laid_out(content) + "\n"
