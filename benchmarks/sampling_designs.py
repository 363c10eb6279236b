"""Coverage and rejection rates of fits to clustered, disproportionately drawn samples, with and without the design.

Population: two strata with 80 % and 20 % of the people, a slope of .3 and .6 between two factors of three indicators;
villages differ in both factors (a fifth of their variance).  As many villages are drawn in either stratum, 15 people in
each, so that the second stratum is drawn four times as often.  In the population the factor model holds exactly and
the slope is .8 x .3 + .2 x .6 = .36.

Run from the project folder: ``python -m benchmarks.sampling_designs [--replications 1000]``; prints the table of
``docs/survey-design.md``.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import semkit as sk

SEED = 20261122
MODEL = "trust =~ y1 + y2 + y3\ngrowth =~ y4 + y5 + y6\ngrowth ~ slope*trust"
LOADINGS = (1.0, 0.8, 0.7)
SHARES, SLOPES = (0.8, 0.2), (0.3, 0.6)
BETWEEN, SIZE = 0.2, 15
TRUTH = {"growth ~ trust": 0.36, "trust =~ y2": 0.8, "trust ~~ trust": 1.0, "y1 ~~ y1": 0.5}


def draw(rng: np.random.Generator, villages: int) -> pd.DataFrame:
    """One sample of ``villages`` villages, half of them in each stratum."""
    parts = []
    for h in (0, 1):
        count = villages // 2
        village = np.repeat(np.arange(count), SIZE)
        n = len(village)

        def factor(n: int = n, count: int = count, village: np.ndarray = village) -> np.ndarray:
            between = np.sqrt(BETWEEN) * rng.standard_normal(count)
            return np.asarray(between[village] + np.sqrt(1.0 - BETWEEN) * rng.standard_normal(n))

        trust = factor()
        growth = SLOPES[h] * trust + 0.8 * factor()
        items = np.column_stack([a * f for f in (trust, growth) for a in LOADINGS])
        items = items + np.sqrt(0.5) * rng.standard_normal((n, 6))
        table = pd.DataFrame(items, columns=[f"y{k}" for k in range(1, 7)])
        parts.append(table.assign(stratum=h, village=village + 1000 * h, weight=SHARES[h] / count))
    return pd.concat(parts, ignore_index=True)


def cell(villages: int, replications: int) -> list[str]:
    """Rows of the table for one number of villages."""
    full = sk.Design(weights="weight", strata="stratum", cluster="village")
    ways = {"none": None, "weights": sk.Design(weights="weight"), "full": full}
    found = {name: {key: [0, 0.0] for key in TRUTH} for name in ways}
    rejected = dict.fromkeys(ways, 0)
    for number in range(replications):
        data = draw(np.random.default_rng([SEED, villages, number]), villages)
        for name, design in ways.items():
            fit = sk.sem(MODEL, data, estimator="mlr", design=design)
            table = fit.estimates
            keys = (table["lhs"] + " " + table["op"] + " " + table["rhs"]).tolist()
            for key, truth in TRUTH.items():
                row = table.iloc[keys.index(key)]
                found[name][key][0] += bool(row["ci_lower"] <= truth <= row["ci_upper"])
                found[name][key][1] += float(row["est"]) - truth
            rejected[name] += bool(fit.fit_measures["pvalue.scaled"] < 0.05)
    out = []
    for name in ways:
        cells = " | ".join(f"{c / replications:.3f} ({b / replications:+.3f})" for c, b in found[name].values())
        out.append(f"| {villages} | {name} | {cells} | {rejected[name] / replications:.3f} |")
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=1000)
    count = parser.parse_args().replications
    print(f"Seed {SEED}, {count} replications, Monte Carlo error of .95: {np.sqrt(0.95 * 0.05 / count):.3f}.\n")
    print("| villages | design | " + " | ".join(TRUTH) + " | test |")
    print("|---" * (len(TRUTH) + 3) + "|")
    for villages in (20, 40, 100):
        print("\n".join(cell(villages, count)), flush=True)


if __name__ == "__main__":
    main()
