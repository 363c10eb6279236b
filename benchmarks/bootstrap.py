"""What a bootstrap costs: ``python -m benchmarks.bootstrap`` prints the tables of ``docs/bootstrap.md``.

Processor seconds of one thread and the peak of memory that the draws need on top of the fit (tracemalloc), medians of
five runs.  Linear cost shows as a constant in the last column.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import semkit as sk
from benchmarks.workloads import CHILDREN, DATA, MODERATED
from semkit.fitting.bootstrap import bootstrap


def measured(call: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Median processor seconds and peak megabytes."""
    from threadpoolctl import threadpool_limits

    times = []
    with threadpool_limits(limits=1):
        call()
        for _ in range(repeats):
            start = time.process_time()
            call()
            times.append(time.process_time() - start)
        tracemalloc.start()
        call()
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    return float(np.median(times)), peak


def row(name: str, draws: int, nobs: int, call: Callable[[], Any], repeats: int) -> str:
    seconds, peak = measured(call, repeats)
    cost = f"{1e3 * seconds:.0f} ms | {peak:.0f} MB | {1e3 * seconds / draws:.3f} ms"
    return f"| {name} | {nobs:,} | {draws:,} | {cost} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    moderated = pd.read_csv(DATA / "modsem12_n400.csv")
    children = pd.read_csv(DATA / "HolzingerSwineford1939.csv")
    gaps = pd.read_csv(DATA / "HS_missing10.csv")
    rows = ["| draws | N | number | time | memory | per draw |", "|---|---|---|---|---|---|"]
    fit = sk.sem(MODERATED, moderated)
    for draws in (250, 1000, 4000):
        rows.append(row("12 indicators, 3 products", draws, fit.nobs,
                        lambda d=draws: bootstrap(fit, d, 1, workers=1), repeats))
    for times in (4, 16):
        large = sk.sem(MODERATED, pd.concat([moderated] * times))
        rows.append(row("12 indicators, 3 products", 1000, large.nobs,
                        lambda f=large: bootstrap(f, 1000, 1, workers=1), repeats))
    plain = sk.cfa(CHILDREN, children)
    for kind in ("ordinary", "bollen.stine", "noncentral", "parametric"):
        rows.append(row(f"9 indicators, {kind}, with SRMR, RMSEA, CFI", 1000, plain.nobs,
                        lambda k=kind: bootstrap(plain, 1000, 1, kind=k, statistics=("srmr", "rmsea", "cfi"),
                                                 workers=1), repeats))
    full = sk.cfa(CHILDREN, gaps, missing="fiml")
    for draws in (100, 400):
        rows.append(row("9 indicators, full information, 48 patterns", draws, full.nobs,
                        lambda d=draws: bootstrap(full, d, 1, workers=1), max(1, repeats // 2)))
    big = sk.cfa(CHILDREN, pd.concat([gaps] * 8), missing="fiml")
    rows.append(row("9 indicators, full information, 48 patterns", 100, big.nobs,
                    lambda: bootstrap(big, 100, 1, workers=1), max(1, repeats // 2)))
    print("\n".join(rows))


if __name__ == "__main__":
    main()
