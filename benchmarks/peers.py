"""``python -m benchmarks.peers``: whole calls of semkit beside lavaan's, written into ``docs/speed.md``.

With R and lavaan on this machine both are timed in the same run, one thread each; without them the command says so and
writes nothing.  ``--quick`` prints without writing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import semkit as sk
from benchmarks.timing import alternate, commit
from benchmarks.workloads import CHILDREN, DATA, MODERATED
from semkit.fitting.bootstrap import bootstrap

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "speed.md"


@dataclass(frozen=True)
class Work:
    """One call, what it is, how much faster than lavaan it should be and how often it is repeated."""

    name: str
    what: str
    target: float
    call: Callable[[], Any]
    repeats: int = 15


def blocks(frame: pd.DataFrame, size: int) -> str:
    """Factors of ``size`` neighbouring columns each."""
    names = list(frame.columns)
    parts = [names[k : k + size] for k in range(0, len(names), size)]
    return "\n".join(f"f{j + 1} =~ {' + '.join(part)}" for j, part in enumerate(parts))


def whole(fit: Any) -> Any:
    """Every table of a fit."""
    return fit.estimates, fit.fit_measures, fit.standardized(), fit.r2


def ordinal(n: int = 500, factors: int = 4, items: int = 5, seed: int = 20) -> pd.DataFrame:
    """Twenty items in five categories on four factors with correlations .3 and loadings .7."""
    rng = np.random.default_rng(seed)
    cov = np.full((factors, factors), 0.3) + 0.7 * np.eye(factors)
    eta = rng.multivariate_normal(np.zeros(factors), cov, size=n)
    y = 0.7 * np.repeat(eta, items, axis=1) + np.sqrt(0.51) * rng.standard_normal((n, factors * items))
    codes = np.digitize(y, [-1.2, -0.4, 0.4, 1.2]) + 1
    return pd.DataFrame(codes, columns=[f"u{k + 1}" for k in range(factors * items)])


def ladder(school: pd.DataFrame) -> Any:
    """Configural, metric, scalar and strict invariance with the tests between them."""
    return sk.invariance(CHILDREN, school, group="school").frame


def works(folder: Path) -> list[Work]:
    """The jobs; the data that are made here are written into ``folder`` for lavaan."""
    school, gaps, five = (
        pd.read_csv(DATA / name) for name in ("HolzingerSwineford1939.csv", "HS_missing10.csv", "HS_ordinal5.csv")
    )
    product = pd.read_csv(DATA / "modsem12_n400.csv")
    rng = np.random.default_rng(5)
    eta = rng.multivariate_normal(np.zeros(20), np.full((20, 20), 0.3) + 0.7 * np.eye(20), size=1000)
    y = 0.75 * np.repeat(eta, 5, axis=1) + np.sqrt(1 - 0.75**2) * rng.standard_normal((1000, 100))
    large = pd.DataFrame(y.round(6), columns=[f"f{j + 1}_{k + 1}" for j in range(20) for k in range(5)])
    twenty = ordinal()
    large.to_csv(folder / "cfa20x5_n1000.csv", index=False)
    twenty.to_csv(folder / "ordinal20_n500.csv", index=False)
    for name, frame in (("HolzingerSwineford1939", school), ("HS_missing10", gaps), ("HS_ordinal5", five),
                        ("modsem12_n400", product)):
        frame.to_csv(folder / f"{name}.csv", index=False)
    draws = sk.sem(MODERATED, product)
    nine = [f"x{k}" for k in range(1, 10)]
    return [
        Work("hs_cfa", "Holzinger-Swineford CFA", 12, lambda: whole(sk.cfa(CHILDREN, school)), 80),
        Work("cfa_20x5", "CFA, 20 factors x 5 items, N = 1,000", 20, lambda: whole(sk.cfa(blocks(large, 5), large))),
        Work("hs_fiml", "Holzinger-Swineford, 10 % missing, full information", 15,
             lambda: whole(sk.cfa(CHILDREN, gaps, missing="fiml"))),
        Work("hs_wlsmv", "Holzinger-Swineford in five categories, WLSMV", 10,
             lambda: whole(sk.cfa(CHILDREN, five, ordered=nine))),
        Work("wlsmv_20", "20 items in five categories, N = 500, WLSMV", 10,
             lambda: whole(sk.cfa(blocks(twenty, 5), twenty, ordered=list(twenty.columns)))),
        Work("ladder", "four-step invariance ladder with tests", 15, lambda: ladder(school)),
        Work("bootstrap_1000", "1,000 bootstrap refits, 12 indicators and 3 products", 100,
             lambda: bootstrap(draws, 1000, 1, workers=1), 9),
    ]  # fmt: skip


def lavaan(folder: Path, repeats: int) -> pd.DataFrame:
    """lavaan's times on the same files, by its own script."""
    out = folder / "lavaan.csv"
    one = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    subprocess.run(["Rscript", str(HERE / "lavaan.R"), str(folder), str(out), str(repeats)], check=True, env=one)
    return pd.read_csv(out).set_index("job")


def page(rows: list[str], version: str) -> str:
    """The page of the docs."""
    return "\n".join([
        "# Speed beside lavaan", "",
        f"Written by `python -m benchmarks.peers` (commit {commit()}, numpy {np.__version__}, pandas "
        f"{pd.__version__}, lavaan {version}).", "",
        "Whole calls in the same run on the same machine, one thread each, medians of processor time: from model text",
        "and data to the table of estimates, every fit measure, the standardised solution with errors and R2 on both",
        "sides. lavaan's 1,000 bootstrap refits are fifty times its time for 20 (estimates only, products as columns);",
        "lavaan 0.7 took 22.4 s for 1,000 on a machine where its whole Holzinger-Swineford call takes 44 ms.",
        "`benchmarks/README.md` has the comparison with semopy.",
        "", "| work | semkit | lavaan | faster | target |", "|---|---|---|---|---|", *rows, "",
    ])  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions, print only")
    options = parser.parse_args()
    if shutil.which("Rscript") is None:
        print("Rscript is not on this machine: nothing to compare with", file=sys.stderr)
        return 1
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = works(folder)
        peer = lavaan(folder, 2 if options.quick else 5)
        for job in jobs:
            (seconds,) = alternate(job.call, repeats=2 if options.quick else job.repeats)
            ours, theirs = 1e3 * seconds, float(peer.loc[job.name, "milliseconds"])
            rows.append(f"| {job.what} | {ours:,.1f} ms | {theirs:,.0f} ms | {theirs / ours:.0f} times |"
                        f" {job.target:g} |")
            print(rows[-1], file=sys.stderr)
    if not options.quick:
        PAGE.write_text(page(rows, str(peer["version"].iloc[0])), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
