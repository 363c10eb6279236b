"""Coverage of 95 % intervals and level of the model test: ``python -m benchmarks.coverage``.

Fits 1,000 data sets of every condition (:mod:`benchmarks.intervals`), compares with what lavaan made of the same data
(``lavaan_coverage.json``, made once by ``coverage.R``) and writes the table of ``docs/simulations.md``.

    python -m benchmarks.coverage                 # a minute or two
    python -m benchmarks.coverage --quick         # 100 data sets, prints only
    python -m benchmarks.coverage --data FOLDER   # writes the data for coverage.R
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import semkit as sk
from benchmarks.intervals import COLUMNS, CONDITIONS, KINDS, MODEL, REPLICATIONS, Condition, samples, truth
from benchmarks.pages import put

FloatArray = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
PEER = HERE / "lavaan_coverage.json"
Z = 1.959963984540054


@dataclass(frozen=True)
class Outcome:
    """What one program did in one condition.

    ``coverage`` by parameter; ``rejected`` at 5 %; ``used`` data sets that converged; ``first`` estimates and errors of
    the first ten data sets ``(10, 2 q)``.
    """

    keys: tuple[str, ...]
    coverage: FloatArray
    rejected: float
    used: int
    first: FloatArray


def fit(data: FloatArray, condition: Condition) -> Any:
    """One data set under the options of its condition."""
    options: dict[str, Any] = {"estimator": condition.estimator}
    if condition.ordered:
        options["ordered"] = COLUMNS
    else:
        options["missing"] = condition.missing
    return sk.sem(MODEL, pd.DataFrame(data, columns=list(COLUMNS)), **options)


def ours(condition: Condition, count: int) -> Outcome:
    """semkit on the first ``count`` data sets of a condition."""
    keys: tuple[str, ...] = ()
    est, se, p = [], [], []
    for data in samples(condition.kind)[:count]:
        found = fit(data, condition)
        if not found.converged:
            continue
        table = found.estimates[lambda d: d["se"] > 0.0]
        now = tuple(f"{r.lhs} {r.op} {r.rhs}".strip() for r in table.itertuples())
        keys = keys or now
        at = [now.index(key) for key in keys]
        est.append(table["est"].to_numpy()[at])
        se.append(table["se"].to_numpy()[at])
        name = "pvalue" if condition.estimator == "ml" else "pvalue.scaled"
        p.append(float(found.fit_measures[name]))
    values, errors, known = np.array(est), np.array(se), truth()
    target = np.array([known.get(key, known.get(f"{key} ")) for key in keys], dtype=np.float64)
    inside = np.abs(values - target) <= Z * errors
    first = np.hstack([values, errors])[:10]
    return Outcome(keys, inside.mean(axis=0), float(np.mean(np.array(p) < 0.05)), len(values), first)


def peers() -> tuple[str, list[Outcome]]:
    """What lavaan did."""
    page = json.loads(PEER.read_text(encoding="utf-8"))
    out = [
        Outcome(tuple(c["keys"]), np.array(c["coverage"]), c["rejected"], c["used"],
                np.array(c["first"], dtype=np.float64))
        for c in page["conditions"]
    ]
    return page["package"], out


def shown(outcome: Outcome) -> tuple[str, str]:
    low, high = outcome.coverage.min(), outcome.coverage.max()
    return (f"{outcome.coverage.mean():.3f} ({low:.3f} to {high:.3f})", f"{outcome.rejected:.3f}")


def difference(a: Outcome, b: Outcome) -> float:
    """Largest difference of estimates and errors in the first data sets."""
    at = [b.keys.index(key) for key in a.keys]
    q = len(b.keys)
    return float(np.nanmax(np.abs(a.first - b.first[:, [*at, *(q + k for k in at)]])))


def report(count: int, tell: bool = True) -> str:
    package, theirs = peers()
    lines = [
        f"| condition | N | converged | coverage, semkit | coverage, {package} | rejected, semkit "
        f"| rejected, {package} | largest difference |", "|---|---|---|---|---|---|---|---|",
    ]
    for condition, peer in zip(CONDITIONS, theirs, strict=False):
        own = ours(condition, count)
        (c1, r1), (c2, r2) = shown(own), shown(peer)
        lines.append(f"| {condition.name} | {condition.nobs} | {own.used} / {peer.used} | {c1} | {c2} | {r1} | {r2} | "
                     f"{difference(own, peer):.0e} |")
        if tell:
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def write_data(folder: Path) -> None:
    """The data and what ``coverage.R`` needs to know about them."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / f"{kind}.bin").write_bytes(samples(kind).astype("<f8").tobytes())
    head = "name\tkind\tnobs\testimator\tmissing\tordered\treplications\n"
    rows = "\n".join(f"{c.name}\t{c.kind}\t{c.nobs}\t{c.estimator}\t{c.missing}\t{int(c.ordered)}\t{REPLICATIONS}"
                     for c in CONDITIONS)
    (folder / "conditions.txt").write_text(f"{head}{rows}\n", encoding="utf-8")
    values = "\n".join(f"{name}\t{float(value)!r}" for name, value in truth().items())
    (folder / "truth.txt").write_text(f"name\tvalue\n{values}\n", encoding="utf-8")
    (folder / "model.txt").write_text(MODEL + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 data sets; print, do not write the page")
    parser.add_argument("--data", type=Path, help="write the data for coverage.R into this folder, and nothing else")
    options = parser.parse_args()
    if options.data:
        write_data(options.data)
        return 0
    table = report(100 if options.quick else REPLICATIONS)
    print(table)
    if not options.quick:
        put("coverage", table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
