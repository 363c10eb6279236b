"""Medians of repeated calls, one thread, both packages in turn.

Times are processor seconds of this process: with one thread they are the elapsed seconds of an idle machine,
and other programs do not disturb them.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def once(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def alternate(*calls: Callable[[], Any], repeats: int, rounds: int = 3) -> list[float]:
    """Median seconds of each call: ``rounds`` turns of two warm-up calls and ``repeats`` timed ones."""
    from threadpoolctl import threadpool_limits

    times: list[list[float]] = [[] for _ in calls]
    with threadpool_limits(limits=1):
        for _ in range(rounds):
            for call, found in zip(calls, times, strict=True):
                call()
                call()
                gc.collect()
                gc.disable()  # as timeit does
                try:
                    found += [once(call) for _ in range(repeats)]
                finally:
                    gc.enable()
    return [float(np.median(found)) for found in times]


def import_times(repeats: int) -> tuple[float, float]:
    """Seconds of ``import numpy, pandas`` and of ``import semkit`` after them, in fresh processes."""
    code = (
        "import time; a = time.perf_counter(); import numpy, pandas; b = time.perf_counter(); import semkit; "
        "print(b - a, time.perf_counter() - b)"
    )
    rows = [
        [float(value) for value in subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                                  check=True).stdout.split()]
        for _ in range(repeats + 1)
    ]  # fmt: skip
    first, second = np.median(np.array(rows[1:]), axis=0)
    return float(first), float(second)


def commit() -> str:
    """Short name of the commit that is measured."""
    ask = ["git", "rev-parse", "--short", "HEAD"]
    found = subprocess.run(ask, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
