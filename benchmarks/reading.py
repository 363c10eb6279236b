"""Reading a large field export: ``python -m benchmarks.reading [rows]``.

Writes an invented export of 100,000 respondents and 100 items, once with codes and once with labels, reads each in a
process of its own, and prints seconds (of the processor) and peak memory beside the targets.  Exit code 1 when a target
is missed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

FORMS = ("collaborative_network", "government_role", "marketing_performance", "border_challenges_adaptive")
TARGET_SECONDS, TARGET_GB = 10.0, 1.0

READ = """
import resource, sys, time
import semkit as sk
forms = [sk.load_instrument(name) for name in sys.argv[2].split(",")]
start = time.process_time()
answers = sk.read_responses(sys.argv[1], forms)
seconds = time.process_time() - start  # of this process alone: the machine may be busy with others
assert answers.n == int(sys.argv[3])
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, len(answers.sources))
"""


def write(path: Path, rows: int, labels: bool) -> None:
    """An export with every item of the border questionnaires, filled up to 100 columns with numbers."""
    import semkit as sk

    items = {item.name: item for name in FORMS for item in sk.load_instrument(name).items}
    scales = {s.name: s for name in FORMS for s in sk.load_instrument(name).scales}
    header = [*items, "n_partners_local", "n_partners_my", "meet_local", "meet_my", "orders_month", "n_buyers_active",
              "n_buyers_new"][:100]  # fmt: skip
    rng = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(",".join(header) + "\n")
        for start in range(0, rows, 5000):
            points = rng.integers(1, 6, (min(5000, rows - start), len(header)))
            columns = []
            for k, name in enumerate(header):
                words = list("12345")
                if labels and name in items:
                    words = [scales[items[name].scale].label(code, "id") for code in range(1, 6)]
                columns.append(np.asarray(words)[points[:, k] - 1])
            stream.writelines(",".join(row) + "\n" for row in zip(*columns))


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    missed = 0
    print("| file | rows | columns | seconds | target | GB | target |\n|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, count, labels in (("codes", rows, False), ("labels", rows, True)):
            path = Path(folder) / f"{name}.csv"
            write(path, count, labels)
            arguments = [sys.executable, "-c", READ, str(path), ",".join(FORMS), str(count)]
            done = subprocess.run(arguments, capture_output=True, text=True, check=True)
            seconds, memory, columns = map(float, done.stdout.split())
            missed += seconds > TARGET_SECONDS or memory > TARGET_GB
            told = f"{seconds:.1f} | {TARGET_SECONDS:.0f} | {memory:.2f} | {TARGET_GB:.0f}"
            print(f"| {name} | {count:,} | {columns:.0f} | {told} |")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
