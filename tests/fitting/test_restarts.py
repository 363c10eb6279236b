"""Hard samples: the ladder of restarts, and lavaan's solutions of the same data (the whole study is in benchmarks)."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from benchmarks import convergence, coverage
from benchmarks.intervals import CONDITIONS, Condition, samples
from benchmarks.small_factors import CELLS
from benchmarks.small_factors import samples as small_samples

PEER = json.loads(convergence.PEER.read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", range(len(CELLS)))
def test_proper_or_correctly_flagged_at_least_as_often(number: int) -> None:
    """``judge`` checks gradient, curvature and notes of every solution and fails when one is wrong."""
    cell, some = CELLS[number], slice(6, 16)
    own = convergence.ours(cell, small_samples(cell)[some])
    theirs = convergence.peer(PEER["cells"][number][some])
    assert own.count("proper", "flagged") >= theirs.count("proper", "flagged")
    both = [a != "failed" and b != "failed" for a, b in zip(own.how, theirs.how, strict=True)]
    assert any(both)
    assert np.sum(own.stat[both] > theirs.stat[both] + 1e-4) <= 1  # one in a hundred, in the whole study


@pytest.mark.parametrize(("number", "sample"), [(0, 247), (1, 167), (2, 0), (3, 22), (3, 76), (2, 86)])
def test_the_lowest_of_several_minima(number: int, sample: int) -> None:
    """The first start ends in a local minimum, or its last step is too long: lavaan or another start goes lower."""
    cell = CELLS[number]
    fit = sk.cfa(cell.model, pd.DataFrame(small_samples(cell)[sample], columns=list(cell.columns)))
    assert convergence.judge(fit) in ("proper", "flagged")
    stat = PEER["cells"][number][sample][2]
    assert stat is None or fit.solution.stat <= stat + 1e-4


@pytest.mark.parametrize("number", range(len(CONDITIONS)))
def test_the_coverage_study_is_about_the_same_numbers(number: int) -> None:
    """Estimates and errors of the first data sets agree with lavaan's: the data are the same, and so is the method."""
    condition: Condition = CONDITIONS[number]
    _, theirs = coverage.peers()
    few = samples(condition.kind)[:2]
    peer = theirs[number]
    for k, data in enumerate(few):
        table = coverage.fit(data, condition).estimates[lambda d: d["se"] > 0.0]
        keys = [f"{r.lhs} {r.op} {r.rhs}".strip() for r in table.itertuples()]
        at = [peer.keys.index(key) for key in keys]
        np.testing.assert_allclose(table["est"], peer.first[k, at], atol=2e-5)
        np.testing.assert_allclose(table["se"], peer.first[k, len(peer.keys) + np.array(at)], atol=2e-5)
