"""Medians of repeated calls, one thread, both packages in turn.

Times are processor seconds of this process: with one thread they are the elapsed seconds of an idle machine,
and other programs do not disturb them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def once(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def alternate(*calls: Callable[[], Any], repeats: int) -> list[float]:
    """Median seconds of each call after a warm-up; the calls take turns, so that a busy moment hits all."""
    from threadpoolctl import threadpool_limits

    times = np.empty((repeats, len(calls)))
    with threadpool_limits(limits=1):
        for call in calls:
            call()
            call()
        for i in range(repeats):
            times[i] = [once(call) for call in calls]
    return [float(value) for value in np.median(times, axis=0)]


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
