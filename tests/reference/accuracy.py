"""Prints ``docs/accuracy.md``: case by case, the largest difference in units of its tolerance.

``python -m tests.reference.accuracy``; cases whose data are not here keep the row they have.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.reference.cases import CASES
from tests.reference.harness import WITHOUT, compare, compared, entries, find_data, found_values, load_case, run_case

PAGE = Path(__file__).resolve().parents[2] / "docs" / "accuracy.md"
STEPS = (0.001, 0.01, 0.1, 0.5, 1.0)

HEAD = """# Accuracy

Every number of a peer's result is compared with semkit's: estimates, standard errors, z, p, intervals,
standardised solutions with errors, fit measures, tests, implied and sample moments, R2, the covariance matrix
of the estimates. The allowed difference is 1e-4 of a standard error for an estimate (1e-3 under robust
methods), 1e-4 (1e-3) of itself for a standard error or statistic, nothing for a fixed value. The largest
difference is given in units of what is allowed, rounded up. Written by `python docs/make.py`; the comparison is
part of the tests.

| case | peer | numbers compared | largest difference / allowed |
|---|---|---|---|
"""


def step(ratio: float) -> str:
    return next((f"< {limit:g}" for limit in STEPS if ratio < limit), f"{ratio:.3g}")


def row(name: str) -> str:
    case = load_case(name)
    path = find_data(case["data"])
    if path is None:
        kept = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {name} |")]
        return kept[0] if kept else f"| {name} | {case['package']} {case['version']} | - | data not here |"
    wanted, found = compared(name, entries(case)), found_values(run_case(case, pd.read_csv(path)))
    tight = [entry for entry in wanted if entry.tolerance > 0]
    ratio = max(
        abs(found.get(entry.key, float("nan")) - entry.value) / entry.tolerance
        for entry in tight
        if entry.key in found and entry.value == entry.value
    )
    failing = len(compare(wanted, found))
    verdict = step(ratio) if not failing else f"{step(ratio)}; {failing} lacking or outside"
    return f"| {name} | {case['package']} {case['version']} | {len(wanted)} | {verdict} |"


def page() -> str:
    lines = [row(name) for name in CASES]
    excused = [f"- {name}, `{' '.join(key)}`: {reason}." for (name, key), reason in WITHOUT.items()] or ["None."]
    tail = ["", "## Keys on which semkit differs on purpose, with the reason", "", *excused]
    return HEAD + "\n".join(lines + tail) + "\n"


if __name__ == "__main__":
    print(page(), end="")
