"""How estimators and tests behave when the answers are not normal.

Run ``python benchmarks/nonnormal.py`` (a few minutes); it prints the table of ``docs/estimators.md`` with seed and
replications.  The model is right (three factors of three items, loadings .7, correlations .3); the data are normal, or
normal times a common random scale, which makes every kurtosis 5/3 of the normal one.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import semkit as sk

SEED = 20261121
SIZES = (150, 300, 500)
ITEMS = [f"x{k}" for k in range(1, 10)]
MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nh =~ x7 + x8 + x9"
TESTS = ("standard", "satorra.bentler", "mean.var.adjusted", "scaled.shifted", "browne.residual.adf",
         "browne.residual.adf.model")
ERRORS = ("ml", "mlm", "mlr", "gls", "wls")


def answers(n: int, heavy: bool, rng: np.random.Generator) -> pd.DataFrame:
    """Normal data from the model, or times the root of a chi-square (3 degrees of freedom) over its mean."""
    mixing = np.linalg.cholesky(np.full((3, 3), 0.3) + 0.7 * np.eye(3))
    factors = np.repeat(rng.normal(size=(n, 3)) @ mixing.T, 3, axis=1)
    values = 0.7 * factors + np.sqrt(0.51) * rng.normal(size=(n, 9))
    if heavy:
        values *= np.sqrt(rng.chisquare(3, size=(n, 1)) / 3.0)
    return pd.DataFrame(values, columns=ITEMS)


def row(n: int, replications: int, heavy: bool, rng: np.random.Generator) -> tuple[dict[str, float], dict[str, float]]:
    """Rejection rates at .05, and coverage of the 95 % interval of a loading."""
    rejected = dict.fromkeys((*TESTS, "yuan.bentler.mplus", "gls", "wls"), 0.0)
    covered = dict.fromkeys(ERRORS, 0.0)
    for _ in range(replications):
        data = answers(n, heavy, rng)
        fits = {
            "ml": sk.cfa(MODEL, data, test=TESTS), "mlm": sk.cfa(MODEL, data, se="robust.sem"),
            "mlr": sk.cfa(MODEL, data, estimator="mlr"), "gls": sk.cfa(MODEL, data, estimator="gls"),
            "wls": sk.cfa(MODEL, data, estimator="wls"),
        }
        for name in TESTS:
            rejected[name] += fits["ml"].tests[name].pvalue < 0.05
        rejected["yuan.bentler.mplus"] += fits["mlr"].tests["yuan.bentler.mplus"].pvalue < 0.05
        for name in ("gls", "wls"):
            rejected[name] += fits[name].tests["standard"].pvalue < 0.05
        for name in ERRORS:
            fit = fits[name]
            at = fit.names.index("f =~ x2")
            covered[name] += abs(fit.est[at] - 1.0) <= 1.959964 * np.sqrt(fit.vcov[at, at])
    return ({name: count / replications for name, count in rejected.items()},
            {name: count / replications for name, count in covered.items()})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=1000)
    count = parser.parse_args().replications
    error = 1.96 * np.sqrt(0.05 * 0.95 / count)
    print(f"Seed {SEED}, {count} replications, Monte Carlo error of .05: {error:.3f}\n")
    rng = np.random.default_rng(SEED)
    rows = {(heavy, n): row(n, count, heavy, rng) for heavy in (False, True) for n in SIZES}
    words = [f"{'heavy tails' if heavy else 'normal'}, N = {n}" for heavy, n in rows]
    print("| | " + " | ".join(words) + " |\n|---|" + "---|" * len(words))
    for part, title in ((0, "rejects"), (1, "covers")):
        for name in next(iter(rows.values()))[part]:
            cells = " | ".join(f"{found[part][name]:.3f}" for found in rows.values())
            print(f"| {title}: `{name}` | {cells} |")


if __name__ == "__main__":
    main()
