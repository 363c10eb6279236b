"""How estimates, intervals and tests of latent interactions behave: every method side by side.

    python -m benchmarks.interaction_simulation                   # 1,000 samples a cell, an hour on two processors
    python -m benchmarks.interaction_simulation --quick           # 50 samples a cell, prints only
    python -m benchmarks.interaction_simulation --data FOLDER     # the samples for interaction_simulation.R
    python -m benchmarks.interaction_simulation --table           # the page again from interaction_simulation.json

Three indicators a construct with loadings 1, .9, .8 and reliabilities from .64 to .74, ``Y = .4 X + .3 Z + b XZ + e``,
``cor(X, Z) = .4``; skewed predictors are exponentials of normal ones (skewness 1.75), standardised.  Every sample is a
function of the seed, its cell and its number, so that workers and order change nothing.  lavaan's product indicators
(``lavaan_interactions.json``, made once by ``interaction_simulation.R``) stand beside semkit's on the same samples.
With skewed predictors LMS is also fitted with the squares of both in the equation.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import semkit as sk
from benchmarks.pages import put
from semkit.errors import SemkitError
from semkit.estimate.information import sandwich

SEED = 20261121
MODEL = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + X:Z"
SQUARES = MODEL + " + X:X + Z:Z"
CELLS = tuple((n, skewed, effect) for n in (150, 300, 500) for skewed in (False, True) for effect in (0.0, 0.2))
REPLICATIONS, DRAWS, CHUNK = 1000, 500, 50
Z95 = 1.959963984540054
HERE = Path(__file__).resolve().parent
OURS, PEER = HERE / "interaction_simulation.json", HERE / "lavaan_interactions.json"

Cell = tuple[int, bool, float]
Found = dict[str, tuple[float, float, float, float]]
"""Estimate, error, lower and upper bound of the interaction by method and kind of error."""


def draw(cell: Cell, number: int) -> pd.DataFrame:
    """One sample of a cell."""
    n, skewed, effect = cell
    rng = np.random.default_rng([SEED, n, int(skewed), round(100 * effect), number])
    x, z = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n).T
    if skewed:
        mean, sd = np.exp(0.125), np.sqrt((np.exp(0.25) - 1.0) * np.exp(0.25))
        x, z = ((np.exp(0.5 * v) - mean) / sd for v in (x, z))
    y = 0.4 * x + 0.3 * z + effect * x * z + 0.75 * rng.standard_normal(n)
    return pd.DataFrame({f"{v}{i}": load * f + 0.6 * rng.standard_normal(n)
                         for v, f in (("x", x), ("z", z), ("y", y)) for i, load in ((1, 1.0), (2, 0.9), (3, 0.8))})


def wald(est: float, var: float) -> tuple[float, float, float, float]:
    """Estimate, error and the interval of the normal approximation."""
    se = float(np.sqrt(var))
    return est, se, est - Z95 * se, est + Z95 * se


def by_likelihood(name: str, method: Any, frame: pd.DataFrame, model: str = MODEL) -> Found:
    """Product indicators, LMS and QML: one fit, its inverse information and its sandwich."""
    fit = sk.sem(model, frame, interaction=method, information="observed")
    if not fit.converged:
        return {}
    k = int(fit.table.unique[fit.table.free_names.index("Y ~ X:Z")])
    solution = fit.solution
    kinds = {"ml": solution.vcov, "robust": sandwich(solution.bread, solution.meat) / solution.total}
    out = {f"{name}, {kind}": wald(float(solution.theta[k]), float(vcov[k, k])) for kind, vcov in kinds.items()
           if np.isfinite(vcov[k, k]) and vcov[k, k] > 0.0}
    if name == "product":
        drawn = fit.bootstrap(DRAWS, seed=1).estimates.query("lhs == 'Y' and rhs == 'X:Z'").iloc[0]
        out["product, bootstrap"] = (float(drawn["est"]), float(drawn["se"]), float(drawn["ci_lower"]),
                                     float(drawn["ci_upper"]))
    return out


def by_steps(name: str, frame: pd.DataFrame, estimator: str, kind: str) -> Found:
    """SAM, factor scores and two-stage least squares, which have one kind of error a fit."""
    fit = sk.sem(MODEL, frame, interaction=name, estimator=estimator)
    if not fit.converged:
        return {}
    row = fit.estimates.query("lhs == 'Y' and rhs == 'X:Z'").iloc[0]
    return {f"{name}, {kind}": wald(float(row["est"]), float(row["se"]) ** 2)}


def found(cell: Cell, number: int) -> Found:
    """Every method on one sample; methods that fail are not there."""
    frame = draw(cell, number)
    calls = [
        partial(by_likelihood, "product", "product", frame), partial(by_likelihood, "lms", sk.LMS(check=False), frame),
        partial(by_likelihood, "qml", "qml", frame), partial(by_steps, "sam", frame, "mlr", "robust"),
        partial(by_steps, "factor_score", frame, "mlr", "robust"),
        partial(by_steps, "2sls", frame, "ml", "ml"), partial(by_steps, "2sls", frame, "mlr", "robust"),
    ]
    if cell[1]:
        calls.append(partial(by_likelihood, "lms and squares", sk.LMS(check=False), frame, SQUARES))
    out: Found = {}
    for call in calls:
        try:
            out |= call()
        except (SemkitError, np.linalg.LinAlgError):
            continue
    return out


def chunk(job: tuple[Cell, int, int]) -> list[Found]:
    """A worker's share of a cell."""
    cell, start, stop = job
    with threadpool_limits(limits=1):
        return [found(cell, number) for number in range(start, stop)]


def row(pairs: np.ndarray, effect: float) -> dict[str, float]:
    """Bias with its Monte Carlo error, spread, mean error, coverage and rejection of 0 (the interval without it)."""
    est, se, low, high = pairs.T
    return {
        "used": len(est), "bias": float(est.mean() - effect), "bias_error": float(est.std() / np.sqrt(len(est))),
        "sd": float(est.std()), "se": float(np.median(se)),
        "coverage": float(np.mean((low <= effect) & (effect <= high))),
        "rejected": float(np.mean((low > 0.0) | (high < 0.0))),
    }


def simulate(cell: Cell, replications: int, pool: ProcessPoolExecutor) -> dict[str, Any]:
    """One cell of the design."""
    jobs = [(cell, start, min(start + CHUNK, replications)) for start in range(0, replications, CHUNK)]
    by: dict[str, list[tuple[float, float, float, float]]] = {}
    for part in pool.map(chunk, jobs):
        for one in part:
            for name, values in one.items():
                by.setdefault(name, []).append(values)
    n, skewed, effect = cell
    return {"n": n, "skewed": skewed, "effect": effect, "replications": replications,
            "methods": {name: row(np.array(values), effect) for name, values in by.items()}}


def number(value: float, sign: bool = False) -> str:
    """Three decimals without the zero before the point."""
    return f"{value:{'+' if sign else ''}.3f}".replace("0.", ".", 1)


def acceptable(n: int, share: float, nominal: float, used: float) -> bool:
    """Within Monte Carlo error (2.58 standard errors) of nominal at 500, within .025 below."""
    margin = 2.58 * np.sqrt(nominal * (1.0 - nominal) / used) if n >= 500 else 0.025
    return bool(abs(share - nominal) <= margin + 1e-9)


def table(cells: list[dict[str, Any]], peers: dict[str, Any]) -> str:
    """Bias, coverage and rejection: a row a method, a column a cell."""
    of = [dict(cell["methods"]) | {f"{peers['package']}: {name}": one
                                   for name, one in peers["cells"].get(key(cell), {}).items()} for cell in cells]
    names = list(dict.fromkeys(name for methods in of for name in methods))
    heads = [f"{cell['n']} {'skewed' if cell['skewed'] else 'normal'}, {cell['effect']:g}" for cell in cells]
    parts: dict[str, Callable[[dict[str, Any], dict[str, float]], str]] = {
        "Bias": lambda cell, one: number(one["bias"], sign=True),
        "Standard deviation of estimates / median error": lambda cell, one: (
            f"{number(one['sd'])} / {number(one['se'])}"),
        "Coverage of the 95 % interval": lambda cell, one: marked(cell, one["coverage"], 0.95, one["used"]),
        "Share of intervals without 0 (level where the interaction is 0, power where it is .2)": lambda cell, one: (
            number(one["rejected"]) if cell["effect"] else marked(cell, one["rejected"], 0.05, one["used"])),
    }
    lines = []
    for title, value in parts.items():
        lines += [f"**{title}**", "", f"| method, errors | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
        lines += [f"| {name} | " + " | ".join(value(cell, methods[name]) if name in methods else ""
                                             for cell, methods in zip(cells, of, strict=True)) + " |" for name in names]
        lines.append("")
    few = list(dict.fromkeys(
        f"{name.rsplit(',', 1)[0]} with {heads[k]}: {methods[name]['used']}" for k, methods in enumerate(of)
        for name in methods if methods[name]["used"] < cells[k]["replications"]))
    everything = f"Converged in all {cells[0]['replications']} samples of a cell"
    lines.append(f"{everything}, but for {'; '.join(few)}." if few else f"{everything}.")
    return "\n".join(lines)


def marked(cell: dict[str, Any], share: float, nominal: float, used: float) -> str:
    """A share, in bold where it is not acceptable."""
    return number(share) if acceptable(cell["n"], share, nominal, used) else f"**{number(share)}**"


def key(cell: dict[str, Any]) -> str:
    """The name of a cell in the peer's file."""
    return f"{cell['n']}_{'skewed' if cell['skewed'] else 'normal'}_{round(100 * cell['effect'])}"


def write_data(folder: Path, replications: int) -> None:
    """One binary file a cell, ``(replications, N, 9)`` little-endian doubles."""
    folder.mkdir(parents=True, exist_ok=True)
    for cell in CELLS:
        name = key({"n": cell[0], "skewed": cell[1], "effect": cell[2]})
        values = np.stack([draw(cell, i).to_numpy() for i in range(replications)])
        (folder / f"{name}.bin").write_bytes(values.astype("<f8").tobytes())


def read(path: Path, empty: dict[str, Any]) -> dict[str, Any]:
    """What a file of results holds."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else empty


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interaction_simulation", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="50 samples a cell; print, do not write")
    parser.add_argument("--table", action="store_true", help="write the page from the stored results")
    parser.add_argument("--data", type=Path, help="write the samples into this folder, and nothing else")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if options.data:
        write_data(options.data, REPLICATIONS)
        return 0
    cells: list[dict[str, Any]] = read(OURS, {"cells": []})["cells"] if options.table else []
    if not options.table:
        with ProcessPoolExecutor(options.workers) as pool:
            for cell in CELLS:
                cells.append(simulate(cell, 50 if options.quick else REPLICATIONS, pool))
                print(table(cells[-1:], {"package": "", "cells": {}}), flush=True)
                if not options.quick:
                    page = {"seed": SEED, "replications": REPLICATIONS, "cells": cells}
                    OURS.write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
    if not options.quick:
        put("interactions", table(cells, read(PEER, {"package": "", "cells": {}})))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
