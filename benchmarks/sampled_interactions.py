"""LMS in clustered, disproportionately drawn samples: coverage of the interaction and tests where there is none.

Population: two strata with 80 % and 20 % of the people, an interaction of .1 and .4 (weighted mean .16), or of 0 in
both; villages differ in both predictors and in what else moves the outcome (30 % of their variances).  As many villages
are drawn in either stratum, 10 people in each, so that the second stratum is drawn four times as often.

Run from the project folder: ``python -m benchmarks.sampled_interactions [--replications 400]``; prints the table of
``docs/survey-design.md``.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import semkit as sk

SEED = 20261123
MODEL = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + X:Z"
LOADINGS = (1.0, 0.9, 0.8)
SHARES, BETWEEN, SIZE = (0.8, 0.2), 0.3, 10
POPULATIONS = {0.16: (0.1, 0.4), 0.0: (0.0, 0.0)}
WAYS = {"none": None, "weights": sk.Design(weights="weight"),
        "full": sk.Design(weights="weight", strata="stratum", cluster="village")}


def draw(rng: np.random.Generator, villages: int, products: tuple[float, float]) -> pd.DataFrame:
    """One sample of ``villages`` villages, half of them in each stratum."""
    count = villages // 2
    village = np.repeat(np.arange(count), SIZE)
    n, parts = len(village), []
    for h, product in enumerate(products):
        between = np.sqrt(BETWEEN) * rng.standard_normal((count, 3))
        x, z, rest = (between[village] + np.sqrt(1.0 - BETWEEN) * rng.standard_normal((n, 3))).T
        z = 0.4 * x + np.sqrt(1.0 - 0.16) * z
        y = 0.3 * x + 0.3 * z + product * x * z + 0.8 * rest
        items = np.column_stack([a * f for f in (x, z, y) for a in LOADINGS]) + 0.6 * rng.standard_normal((n, 9))
        table = pd.DataFrame(items, columns=[f"{v}{i}" for v in "xzy" for i in (1, 2, 3)])
        parts.append(table.assign(stratum=h, village=village + 1000 * h, weight=SHARES[h] / count))
    return pd.concat(parts, ignore_index=True)


def cell(villages: int, replications: int) -> list[str]:
    """Rows of the table for one number of villages."""
    found = {(name, truth): np.zeros(5) for name in WAYS for truth in POPULATIONS}
    method = sk.LMS(nodes=16, check=False)
    for number in range(replications):
        for truth, products in POPULATIONS.items():
            data = draw(np.random.default_rng([SEED, villages, number]), villages, products)
            for name, design in WAYS.items():
                fit = sk.sem(MODEL, data, interaction=method, estimator="mlr", design=design)
                row = fit.estimates.set_index("rhs").loc["X:Z"]
                plain = fit.fit_measures["pvalue.diff"] < 0.05
                found[name, truth] += [row["ci_lower"] <= truth <= row["ci_upper"], row["est"] - truth, plain,
                                       fit.linear_test.pvalue < 0.05, row["pvalue"] < 0.05]
    out = []
    for name in WAYS:
        there, none = (found[name, truth] / replications for truth in POPULATIONS)
        shown = [f"{part[0]:.3f} ({part[1]:+.3f})" for part in (there, none)] + [f"{share:.3f}" for share in none[2:]]
        out.append(f"| {villages} | {name} | {' | '.join(shown)} |")
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=400)
    count = parser.parse_args().replications
    print(f"Seed {SEED}, {count} replications, Monte Carlo error of .95: {np.sqrt(0.95 * 0.05 / count):.3f}.\n")
    print("| villages | design | interaction of .16 | none | plain ratio | scaled ratio | z |")
    print("|---" * 7 + "|")
    for villages in (20, 60):
        print("\n".join(cell(villages, count)), flush=True)


if __name__ == "__main__":
    main()
