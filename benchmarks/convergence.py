"""Proper or correctly flagged solutions in hard small samples: ``python -m benchmarks.convergence``.

Fits 1,000 samples of 50 respondents (:mod:`benchmarks.small_factors`), compares with what lavaan made of the same data
(``lavaan_convergence.json``, made once by ``convergence.R``) and writes the table of ``docs/simulations.md``.  The exit
code is 1 when semkit does worse in any population.

    python -m benchmarks.convergence                 # two minutes
    python -m benchmarks.convergence --data FOLDER   # writes the data for convergence.R
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import semkit as sk
from benchmarks.pages import put
from benchmarks.small_factors import Cell, each
from semkit.estimate.discrepancy import discrepancy

FloatArray = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
PEER = HERE / "lavaan_convergence.json"
WRONG = {"fitting.negative-variance", "fitting.latent-correlation", "fitting.residual-correlation",
         "fitting.latent-covariance-not-positive-definite"}  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How the fits of one population ended, one entry a sample: ``proper``, ``flagged`` or ``failed``; statistics."""

    how: tuple[str, ...]
    stat: FloatArray

    def count(self, *what: str) -> int:
        return sum(one in what for one in self.how)


def judge(fit: sk.Fit) -> str:
    """How a fit ended, from its numbers and not from its notes; a wrong flag would be an error of semkit.

    Proper: a minimum (no gradient, positive curvature) with no negative variance and a latent covariance matrix without
    negative eigenvalues, and no note says otherwise.  Flagged: a minimum that is not so, and a note says which.
    """
    solution = fit.solution
    if not fit.converged:
        return "failed"
    value = discrepancy(solution.layout, solution.minimum.x, solution.observed, solution.given, "exact")
    assert value.gradient is not None and value.hessian is not None
    scale = np.sqrt(np.abs(np.diagonal(value.hessian[0])))
    curve = np.linalg.eigvalsh(value.hessian[0] / np.outer(scale, scale))
    if np.abs(value.gradient[0] / scale).max() > 1e-6 or curve[0] <= 0.0:
        raise AssertionError("converged, but not at a minimum")
    rows = fit.estimates[lambda d: (d["op"] == "~~") & (d["lhs"] == d["rhs"])]
    improper = bool((rows["est"] < 0.0).any()) or float(np.linalg.eigvalsh(fit.cov_lv.to_numpy())[0]) < 0.0
    said = bool(WRONG & {note.code for note in fit.notes})
    if said != improper or fit.admissible == improper:
        raise AssertionError("a note that is wrong, or missing")
    return "flagged" if improper else "proper"


def ours(cell: Cell, data: FloatArray) -> Ended:
    """semkit on all samples of a population."""
    fits = [sk.cfa(cell.model, pd.DataFrame(one, columns=list(cell.columns))) for one in data]
    return Ended(tuple(judge(fit) for fit in fits), np.array([fit.solution.stat for fit in fits]))


def peer(rows: list[list[float | None]]) -> Ended:
    """lavaan's outcomes: its own word on convergence and on whether a solution is proper."""
    how = tuple("failed" if not ok else "proper" if proper else "flagged" for ok, proper, *_ in rows)
    return Ended(how, np.array([np.nan if row[2] is None else row[2] for row in rows], dtype=np.float64))


def row(name: str, own: Ended, theirs: Ended) -> str:
    both = [a != "failed" and b != "failed" for a, b in zip(own.how, theirs.how, strict=True)]
    gain = theirs.stat[both] - own.stat[both]
    cells = [name, own.count("proper"), theirs.count("proper"), own.count("flagged"), theirs.count("flagged"),
             own.count("proper", "flagged"), theirs.count("proper", "flagged"), int(np.sum(gain > 1e-4)),
             int(np.sum(gain < -1e-4))]
    return "| " + " | ".join(map(str, cells)) + " |"


def write_data(folder: Path) -> None:
    """The data as ``convergence.R`` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, (cell, data) in enumerate(each()):
        (folder / f"cell{k}.bin").write_bytes(data.astype("<f8").tobytes())
        (folder / f"cell{k}.size").write_text(" ".join(map(str, data.shape)) + "\n", encoding="utf-8")
        (folder / f"cell{k}.model").write_text(cell.model + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convergence", description=__doc__)
    parser.add_argument("--data", type=Path, help="write the data for convergence.R into this folder, and nothing else")
    parser.add_argument("--quick", action="store_true", help="print, do not write the page")
    options = parser.parse_args()
    if options.data:
        write_data(options.data)
        return 0
    page = json.loads(PEER.read_text(encoding="utf-8"))
    name = page["package"]
    lines = [
        f"| population | proper, semkit | proper, {name} | flagged, semkit | flagged, {name} | either, semkit "
        f"| either, {name} | lower, semkit | lower, {name} |", "|" + "---|" * 9,
    ]
    worse = False
    for (cell, data), rows in zip(each(), page["cells"], strict=True):
        own, theirs = ours(cell, data), peer(rows)
        lines.append(row(cell.name, own, theirs))
        print(lines[-1], file=sys.stderr, flush=True)
        worse |= own.count("proper", "flagged") < theirs.count("proper", "flagged")
        lost = [i for i, (a, b) in enumerate(zip(own.how, theirs.how, strict=True)) if b != "failed" and a == "failed"]
        if lost:
            print(f"  solutions that only {name} has: samples {lost}", file=sys.stderr)
    print("\n".join(lines))
    if not options.quick:
        put("convergence", "\n".join(lines))
    return int(worse)


if __name__ == "__main__":
    raise SystemExit(main())
