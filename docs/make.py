"""Writes the pages of ``docs/`` that come from the code; ``--check`` compares instead of writing.

Run ``python docs/make.py`` after changing an error code, a schema or a number.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
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


def walked(name: str) -> Callable[[], dict[str, str]]:
    """A page whose code is run, with its figures (``docs/walkthrough.py``)."""

    def pages() -> dict[str, str]:
        command = [sys.executable, "-m", "docs.walkthrough", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        return {str(place): str(text) for place, text in json.loads(done.stdout).items()}

    return pages


PAGES: dict[str, Callable[[], str | dict[str, str]]] = {
    "codes.md": codes,
    "instrument-file.md": printed_by("semkit.instrument.reference"),
    "study-file.md": printed_by("semkit.study.reference"),
    "synthetic-data.md": printed_by("semkit.planning.reference"),
    "accuracy.md": printed_by("tests.reference.accuracy"),
    "diagnoses.md": printed_by("tests.diagnosis.gallery"),
    "products.md": printed_by("tests.interaction.kinds"),
    "moderation.md": walked("moderation.md"),
}

_NUMBER = re.compile(r"[-−]?\d+(?:[.,]\d+)?")


def same(old: str, new: str, *, numbers: bool = False) -> bool:
    """Whether two texts are the same; with ``numbers`` up to last digits that another processor may round apart."""
    if not numbers or old == new:
        return old == new
    plain = [re.sub(r'id="[td]\w+"|aria-labelledby="[^"]*"', "", text) for text in (old, new)]
    words = [_NUMBER.split(text) for text in plain]
    values = [[float(v.replace("−", "-").replace(",", "")) for v in _NUMBER.findall(text)] for text in plain]
    return words[0] == words[1] and all(abs(a - b) <= 0.02 for a, b in zip(*values, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with what is there and exit 1 on a difference")
    parser.add_argument("pages", nargs="*", default=list(PAGES), help=f"default: {', '.join(PAGES)}")
    options = parser.parse_args()
    stale = []
    for name in options.pages:
        made = PAGES[name]()
        for place, text in ({name: made} if isinstance(made, str) else made).items():
            path = DOCS / place
            if not path.exists() or not same(path.read_text(encoding="utf-8"), text, numbers=not isinstance(made, str)):
                stale.append(place)
                if not options.check:
                    path.write_text(text, encoding="utf-8")
                    print(f"wrote docs/{place}")
    if options.check and stale:
        print(f"not up to date: {', '.join(stale)}. Run: python docs/make.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
