"""Writes the pages of ``docs/`` that come from the code; ``--check`` compares instead of writing.

Run ``python docs/make.py`` after changing an error code, a schema or a number.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent


def codes() -> str:
    """Every code of an error or note, with the file that gives it."""
    rows: dict[tuple[str, str], set[str]] = {}
    for path in sorted((ROOT / "semkit").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = next((k.value for k in node.keywords if k.arg == "code"), node.args[0] if node.args else None)
            if name in ("Problem", "Note") and isinstance(first, ast.Constant):
                kind = "error" if name == "Problem" else "note"
                room = path.relative_to(ROOT).as_posix()
                rows.setdefault((str(first.value), kind), set()).add(room)
    lines = [
        "# Codes", "",
        "Every error and note carries a stable code. Scripts may rely on it; the words beside it may change.",
        "Written by `python docs/make.py`.", "", "| code | kind | given in |", "|---|---|---|",
    ]
    lines += [f"| `{code}` | {kind} | {', '.join(sorted(rooms))} |" for (code, kind), rooms in sorted(rows.items())]
    return "\n".join(lines) + "\n"


def printed_by(module: str) -> Callable[[], str]:
    """The page that ``python -m module`` prints."""

    def page() -> str:
        done = subprocess.run([sys.executable, "-m", module], capture_output=True, text=True, check=True, cwd=ROOT)
        return done.stdout

    return page


PAGES: dict[str, Callable[[], str]] = {
    "codes.md": codes,
    "instrument-file.md": printed_by("semkit.instrument.reference"),
    "study-file.md": printed_by("semkit.study.reference"),
    "synthetic-data.md": printed_by("semkit.planning.reference"),
    "accuracy.md": printed_by("tests.reference.accuracy"),
    "diagnoses.md": printed_by("tests.diagnosis.gallery"),
    "products.md": printed_by("tests.interaction.kinds"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with what is there and exit 1 on a difference")
    parser.add_argument("pages", nargs="*", default=list(PAGES), help=f"default: {', '.join(PAGES)}")
    options = parser.parse_args()
    stale = []
    for name in options.pages:
        text, path = PAGES[name](), DOCS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not options.check:
                path.write_text(text, encoding="utf-8")
                print(f"wrote docs/{name}")
    if options.check and stale:
        print(f"not up to date: {', '.join(stale)}. Run: python docs/make.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
