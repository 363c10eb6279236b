"""How estimates, intervals and tests of latent interactions behave: product indicators, LMS, QML and SAM side by side.

Run ``python -m benchmarks.interaction_simulation --replications 1000`` (about an hour on one processor); it prints the
table of ``docs/moderation.md`` with seed, replications and Monte Carlo errors.  Three indicators a construct with
loadings 1, .9, .8 and reliabilities from .64 to .74, ``Y = .4 X + .3 Z + b XZ + e``, ``cor(X, Z) = .4``; skewed
predictors are exponentials of normal ones (skewness 1.75), standardised.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import semkit as sk
from semkit.errors import SemkitError
from semkit.estimate.information import sandwich

SEED = 20261121
MODEL = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + X:Z"
SIZES = (150, 300, 500)


def draw(n: int, effect: float, skewed: bool, rng: np.random.Generator) -> pd.DataFrame:
    """One sample."""
    x, z = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n).T
    if skewed:
        mean, sd = np.exp(0.125), np.sqrt((np.exp(0.25) - 1.0) * np.exp(0.25))
        x, z = ((np.exp(0.5 * v) - mean) / sd for v in (x, z))
    y = 0.4 * x + 0.3 * z + effect * x * z + 0.75 * rng.standard_normal(n)
    return pd.DataFrame({f"{v}{i}": load * f + 0.6 * rng.standard_normal(n)
                         for v, f in (("x", x), ("z", z), ("y", y)) for i, load in ((1, 1.0), (2, 0.9), (3, 0.8))})


def estimates(frame: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Estimate and error of the interaction by method and kind of error; methods that fail are not there."""
    out: dict[str, tuple[float, float]] = {}
    methods: dict[str, Any] = {"product": "product", "lms": sk.LMS(check=False), "qml": "qml", "sam": "sam"}
    for name, method in methods.items():
        try:
            fit = sk.sem(MODEL, frame, interaction=method, information="observed" if name != "sam" else None)
        except (SemkitError, np.linalg.LinAlgError):
            continue
        if not fit.converged:
            continue
        k = int(fit.table.unique[fit.table.free_names.index("Y ~ X:Z")])
        solution = fit.solution
        kinds = {"robust": solution.vcov} if name == "sam" else {
            "ml": solution.vcov, "robust": sandwich(solution.bread, solution.meat) / solution.total}
        for kind, vcov in kinds.items():
            if np.isfinite(vcov[k, k]) and vcov[k, k] > 0.0:
                out[f"{name}, {kind}"] = float(solution.theta[k]), float(np.sqrt(vcov[k, k]))
    return out


def cell(n: int, effect: float, skewed: bool, replications: int) -> list[str]:
    """Rows of one design cell."""
    rng = np.random.default_rng([SEED, n, round(100 * effect), int(skewed)])
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(replications):
        for name, pair in estimates(draw(n, effect, skewed, rng)).items():
            found.setdefault(name, []).append(pair)
    rows = []
    for name, pairs in found.items():
        est, se = np.array(pairs).T
        inside = np.mean(np.abs(est - effect) <= 1.959964 * se)
        reject = np.mean(np.abs(est) > 1.959964 * se)
        rows.append(f"| {n} | {'skewed' if skewed else 'normal'} | {effect:g} | {name} | {len(est)} | "
                    f"{est.mean() - effect:+.3f} ({est.std() / np.sqrt(len(est)):.3f}) | {est.std():.3f} | "
                    f"{np.median(se):.3f} | {inside:.3f} | {reject:.3f} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    options = parser.parse_args()
    print(f"Seed {SEED}, {options.replications} replications a cell; Monte Carlo error of a share of .95: "
          f"{np.sqrt(0.95 * 0.05 / options.replications):.3f}.\n")
    print("| N | predictors | true | method, errors | converged | bias (error) | SD | median error | coverage | "
          "p < .05 |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with threadpool_limits(limits=1):
        for n in options.sizes:
            for skewed in (False, True):
                for effect in (0.0, 0.2):
                    print("\n".join(cell(n, effect, skewed, options.replications)), flush=True)


if __name__ == "__main__":
    main()
