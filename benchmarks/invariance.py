"""``python -m benchmarks.invariance``: processor time of the four-step ladder, beside lavaan's on the same machine.

lavaan's side runs when ``Rscript`` with lavaan is there (``invariance.R``).
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from pathlib import Path

import pandas as pd

import semkit as sk
from benchmarks.workloads import CHILDREN, DATA

HERE = Path(__file__).resolve().parent


def seconds(repeats: int = 41) -> float:
    """Median processor seconds of one ladder, from model text and data frame to the table with verdicts."""
    data = pd.read_csv(DATA / "HolzingerSwineford1939.csv")
    found = []
    for _ in range(repeats):
        start = time.process_time()
        assert sk.invariance(CHILDREN, data, group="school").reached == "metric"
        found.append(time.process_time() - start)
    return statistics.median(found[1:])


def main() -> None:
    print(f"semkit {sk.__version__}: {1e3 * seconds():.1f} ms")
    if shutil.which("Rscript"):
        subprocess.run(["Rscript", str(HERE / "invariance.R")], check=True, cwd=HERE.parent)


if __name__ == "__main__":
    main()
