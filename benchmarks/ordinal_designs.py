"""Coverage and rejection rates of WLSMV in clustered samples with informative weights, with and without the design.

Population: six items in four categories cut from normal responses, two factors of three items each, a slope of .4;
villages differ in both factors (a fifth of their variance) and in each item (three tenths of what is left).  As many
villages are drawn among those with little trust as among those with much (two strata).  In a village people who look
trusting (trust + noise above 0) are drawn four times as often as others, and weigh a quarter.  In the population all
responses are normal and the model holds.

Run from the project folder: ``python -m benchmarks.ordinal_designs [--replications 1000]``; prints the table of
``docs/survey-design.md``.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import semkit as sk

SEED = 20261124
MODEL = "trust =~ y1 + y2 + y3\ngrowth =~ y4 + y5 + y6\ngrowth ~ trust"
LOADINGS = np.array([0.8, 0.7, 0.6])
CUTS = (-0.8, 0.2, 1.0)
SLOPE, BETWEEN, OWN, PEOPLE, SHARE = 0.4, 0.2, 0.3, 24, 4.0
TRUTH = {"trust =~ y2": 0.875, "growth ~ trust": SLOPE, "trust ~~ trust": 0.64, "y1 | t2": 0.2}


def draw(rng: np.random.Generator, villages: int) -> pd.DataFrame:
    """One sample of ``villages`` villages, half of them in each stratum; about 15 people a village."""
    stratum = np.arange(villages) % 2
    level = np.sqrt(BETWEEN) * rng.standard_normal((villages, 2))
    level[:, 0] = np.where(stratum == 1, 1.0, -1.0) * np.abs(level[:, 0])
    village = np.repeat(np.arange(villages), PEOPLE)
    own = level[village] + np.sqrt(1.0 - BETWEEN) * rng.standard_normal((len(village), 2))
    trust = own[:, 0]
    growth = SLOPE * trust + np.sqrt(1.0 - SLOPE**2) * own[:, 1]
    signal = np.concatenate([trust[:, None] * LOADINGS, growth[:, None] * LOADINGS], axis=1)
    rest = np.sqrt(OWN) * rng.standard_normal((villages, 6))[village]
    rest = rest + np.sqrt(1.0 - OWN) * rng.standard_normal(signal.shape)
    items = signal + np.sqrt(1.0 - np.tile(LOADINGS**2, 2)) * rest
    chance = np.where(trust + rng.standard_normal(len(trust)) > 0.0, 1.0, 1.0 / SHARE)
    drawn = rng.random(len(trust)) < chance
    table = pd.DataFrame(np.digitize(items, CUTS)[drawn], columns=[f"y{k}" for k in range(1, 7)])
    return table.assign(stratum=stratum[village][drawn], village=village[drawn], weight=1.0 / chance[drawn])


def cell(villages: int, replications: int) -> list[str]:
    """Rows of the table for one number of villages."""
    full = sk.Design(weights="weight", strata="stratum", cluster="village")
    ways = {"none": None, "weights": sk.Design(weights="weight"), "full": full}
    covered = {name: dict.fromkeys(TRUTH, 0) for name in ways}
    bias = {name: dict.fromkeys(TRUTH, 0.0) for name in ways}
    rejected = dict.fromkeys(ways, 0)
    for number in range(replications):
        data = draw(np.random.default_rng([SEED, villages, number]), villages)
        for name, design in ways.items():
            fit = sk.sem(MODEL, data, ordered=True, design=design)
            est, se = fit.est, np.sqrt(np.diagonal(fit.vcov))
            for key, truth in TRUTH.items():
                at = fit.names.index(key)
                covered[name][key] += bool(abs(est[at] - truth) <= 1.959964 * se[at])
                bias[name][key] += float(est[at] - truth)
            rejected[name] += bool(fit.tests["scaled.shifted"].pvalue < 0.05)
    out = []
    for name in ways:
        cells = " | ".join(f"{covered[name][key] / replications:.3f} ({bias[name][key] / replications:+.3f})"
                           for key in TRUTH)
        out.append(f"| {villages} | {name} | {cells} | {rejected[name] / replications:.3f} |")
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=1000)
    count = parser.parse_args().replications
    print(f"Seed {SEED}, {count} replications, Monte Carlo error of .95: {np.sqrt(0.95 * 0.05 / count):.3f}.\n")
    heads = [key.replace("|", "\\|") for key in TRUTH]
    print("| villages | design | " + " | ".join(heads) + " | test |")
    print("|---" * (len(TRUTH) + 3) + "|")
    for villages in (20, 40, 100):
        print("\n".join(cell(villages, count)), flush=True)


if __name__ == "__main__":
    main()
