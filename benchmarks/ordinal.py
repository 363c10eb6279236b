"""Times of fits to ordinal indicators, beside lavaan's on the same data: ``python -m benchmarks.ordinal``.

A whole call goes from text and frame to estimates, errors and tests; lavaan's is ``cfa()``, which gives the same.
lavaan is timed when ``Rscript`` with lavaan is there.  Processor seconds, one thread, medians.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import semkit as sk
from benchmarks.workloads import CHILDREN, DATA

TURNS = 15


def twenty_items() -> tuple[str, pd.DataFrame]:
    """Four correlated factors of five items with five categories, N = 500."""
    rng = np.random.default_rng(1)
    f = rng.normal(size=(500, 4)) @ np.linalg.cholesky(0.3 + 0.7 * np.eye(4)).T
    y = 0.7 * np.repeat(f, 5, axis=1) + 0.7 * rng.normal(size=(500, 20))
    data = pd.DataFrame(np.digitize(y, [-1.2, -0.4, 0.4, 1.2]) + 1, columns=[f"v{k}" for k in range(20)])
    return "\n".join(f"f{k} =~ " + " + ".join(f"v{5 * k + j}" for j in range(5)) for k in range(4)), data


def ours(model: str, data: pd.DataFrame) -> float:
    """Median processor milliseconds."""
    times = []
    for _ in range(TURNS + 1):
        start = time.process_time()
        fit = sk.cfa(model, data, ordered=True)
        _ = fit.estimates, fit.tests
        times.append(1000.0 * (time.process_time() - start))
    return statistics.median(times[1:])


def theirs(model: str, data: pd.DataFrame) -> tuple[float, str]:
    """Median processor milliseconds of lavaan and its version; NaN without R."""
    program = shutil.which("Rscript")
    if program is None:
        return float("nan"), ""
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(Path(folder) / "data.csv", index=False)
        text = model.replace("\n", "\\n")
        (Path(folder) / "time.R").write_text(
            f'suppressMessages(library(lavaan)); d <- read.csv("data.csv"); m <- "{text}"\n'
            "invisible(cfa(m, d, ordered = TRUE))\n"
            "t <- sapply(1:5, function(i) sum(system.time(cfa(m, d, ordered = TRUE))[1:2]))\n"
            'cat(1000 * median(t), as.character(packageVersion("lavaan")))\n', encoding="utf-8")
        done = subprocess.run([program, "time.R"], cwd=folder, capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return (float(words[-2]), words[-1]) if done.returncode == 0 and len(words) > 1 else (float("nan"), "")


def main() -> None:
    children = pd.read_csv(DATA / "HS_ordinal5.csv")[[f"x{k}" for k in range(1, 10)]]
    print("| work | semkit | lavaan | times faster |\n|---|---|---|---|")
    for name, (model, data) in (("Holzinger-Swineford, five categories", (CHILDREN, children)),
                                ("20 items, N = 500", twenty_items())):
        own, (peer, version) = ours(model, data), theirs(model, data)
        shown, ratio = (f"{peer:.0f} ms ({version})", f"{peer / own:.0f}") if version else ("not there", "")
        print(f"| {name} | {own:.1f} ms | {shown} | {ratio} |")


if __name__ == "__main__":
    main()
