"""``python -m benchmarks``: time semkit and semopy and write ``benchmarks/README.md``.

``--quick`` prints without writing.  With ``--strict`` the exit code is 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks import workloads
from benchmarks.timing import alternate, commit, import_times

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Row:
    """One measured line with its target."""

    what: str
    ours: str
    peer: str
    measured: str
    target: str
    met: bool


def ratio_row(what: str, ours: float, peer: float, target: float) -> Row:
    ratio = peer / ours
    return Row(what, f"{1e3 * ours:.2f} ms", f"{1e3 * peer:.1f} ms", f"{ratio:.1f} times faster", f"{target:g} times",
               ratio >= target)  # fmt: skip


def measure(repeats: int, tell: Callable[[str], None]) -> tuple[list[Row], list[workloads.Work]]:
    """All rows of the table."""
    rows: list[Row] = []
    works = workloads.works()
    for work in works:
        tell(work.name)
        ours, more, peer = alternate(
            lambda w=work: workloads.whole_call(w), lambda w=work: workloads.every_table(w),
            lambda w=work: workloads.semopy_whole(w), repeats=repeats,
        )
        rows.append(ratio_row(f"{work.name}: whole call", ours, peer, 4.0))
        rows.append(Row(f"{work.name}: with standardised errors and R2", f"{1e3 * more:.2f} ms", f"{1e3 * peer:.1f} ms",
                        f"{peer / more:.1f} times faster", "", True))
        ours, peer = alternate(workloads.kernel(work), workloads.semopy_kernel(work), repeats=repeats)
        rows.append(ratio_row(f"{work.name}: estimation alone", ours, peer, 8.0))
    tell("bootstrap")
    (seconds,) = alternate(workloads.bootstrap(), repeats=repeats)
    rows.append(Row("1,000 bootstrap draws, 12 indicators and 3 products", f"{1e3 * seconds:.0f} ms", "", "",
                    "400 ms", seconds <= 0.4))  # fmt: skip
    tell("import")
    base, extra = import_times(max(5, repeats // 4))
    what = f"import semkit, above import numpy, pandas ({1e3 * base:.0f} ms)"
    rows.append(Row(what, f"{1e3 * extra:.0f} ms", "", "", "100 ms", extra <= 0.1))
    return rows, works


def table(rows: list[Row]) -> str:
    lines = ["| work | semkit | semopy | measured | target | met |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {r.what} | {r.ours} | {r.peer} | {r.measured} | {r.target} | {'yes' if r.met else 'NO'} |" for r in rows
    ]
    return "\n".join(lines)


def page(rows: list[Row], works: list[workloads.Work], repeats: int) -> str:
    sizes = "\n".join(f"- {w.name}: {w.size}." + (f" {w.remark}." if w.remark else "") for w in works)
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas", "semopy"))
    written = f"commit {commit()}, Python {platform.python_version()}, {packages}, {platform.machine()}"
    return f"""# Benchmarks

Written by `python -m benchmarks` ({written}).

One BLAS thread on both sides, medians of {3 * repeats} calls in three turns of each package, each after a
warm-up, nothing kept between calls. The times are processor seconds of one machine; the ratios are what
carries over.

{table(rows)}

A *whole call* goes from model text and data frame to the same tables on both sides: estimates with errors, the two
standardised solutions, fit measures. The row below it adds what semopy has not: errors of the standardised solution
(`standardized()`) and `r2`. *Estimation alone* goes from moments to estimates of a model that has been read and
laid out, starting values included; semopy's from a model object that has read its description. semopy gets the model
that semkit prints from its parameter table, and the same columns, products included.

{sizes}
- Bootstrap: `modsem12_n400`, mediated moderation, products rebuilt in every draw, all parameters.

`python benchmarks/small_samples.py` is something else: how tests behave at small samples. `python -m
benchmarks.convergence` and `python -m benchmarks.coverage` write the tables of `docs/simulations.md`. `python -m
benchmarks.reading` reads 100,000 rows of 100 items; its figures are in `docs/field-tools.md`.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="print, do not write the page")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a target is missed")
    parser.add_argument("--repeats", type=int, default=0, help="calls of each kind (default: 40, or 20 with --quick)")
    options = parser.parse_args()
    repeats = options.repeats or (20 if options.quick else 40)
    rows, works = measure(repeats, lambda text: print(f"  {text}", file=sys.stderr, flush=True))
    print(table(rows))
    if not options.quick:
        (HERE / "README.md").write_text(page(rows, works, repeats), encoding="utf-8")
    return int(options.strict and not all(row.met for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
