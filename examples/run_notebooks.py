"""Executes every notebook of this folder and fails on the first error; ``--write`` keeps the outputs."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent


def main() -> int:
    for path in sorted(HERE.glob("*.ipynb")):
        started = time.perf_counter()
        notebook = nbformat.read(path, as_version=4)
        folder = {"metadata": {"path": str(HERE)}}
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder).execute()
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        rich = sum("text/html" in output.get("data", {}) for output in outputs)
        if not rich:
            print(f"{path.name}: no result was shown as rich HTML", file=sys.stderr)
            return 1
        if "--write" in sys.argv[1:]:
            nbformat.write(notebook, path)
        print(f"{path.name}: {len(notebook.cells)} cells, {rich} rich outputs, {time.perf_counter() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
