"""Runs the code of a page and writes the page: what it prints, its figures and the numbers in its sentences.

``docs/sources/NAME.md`` holds the words and the code.  A fenced block's first line says what becomes of it:

    ```python            run; shown
    ```python show       run; shown, and under it what its last line is worth
    ```python figure=x   run; shown, and under it the drawing its last line makes (``docs/images/x.svg``)
    ```python hidden     run only; the names it sets fill ``{name}`` or ``{name:.2f}`` in the sentences below

``python -m docs.walkthrough moderation.md`` prints ``{file name: text}`` as JSON; ``docs/make.py`` writes the files.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

DOCS = Path(__file__).resolve().parent
BLOCK = re.compile(r"```python ?(?P<how>[^\n]*)\n(?P<code>.*?)```\n", flags=re.S)
FIELD = re.compile(r"\{([a-z_]\w*)(?::([^{}]*))?\}")


def walk(name: str) -> dict[str, str]:
    """The page and its figures, by their place under ``docs``."""
    source = (DOCS / "sources" / name).read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    out: dict[str, str] = {}
    page = re.sub(r"\n{3,}", "\n\n", "".join(_parts(source, name, names, out)))
    head = f"<!-- Written by `python docs/make.py` from docs/sources/{name}: do not edit it by hand. -->\n"
    return {name: head + page, **out}


def _parts(source: str, name: str, names: dict[str, Any], out: dict[str, str]) -> Iterator[str]:
    at = 0
    for block in BLOCK.finditer(source):
        yield _filled(source[at : block.start()], names)
        at = block.end()
        how, code = block["how"].strip(), block["code"]
        value = _run(code, f"docs/sources/{name}", names)
        if how == "hidden":
            continue
        yield f"```python\n{code}```\n"
        if how == "show":
            yield f"\n```text\n{_shown(value)}\n```\n"
        elif how.startswith("figure="):
            place = f"images/{how.removeprefix('figure=')}.svg"
            out[place] = f'<?xml version="1.0" encoding="UTF-8"?>\n{value.svg}\n'
            yield f"\n![{value.description}]({place})\n"
    yield _filled(source[at:], names)


def _run(code: str, where: str, names: dict[str, Any]) -> Any:
    """Run a block of the repository's own page; the value of its last line if that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, where, "exec"), names)  # noqa: S102
    if last is None:
        return None
    assert isinstance(last, ast.Expr)
    kept = ast.Module([ast.Assign(targets=[ast.Name("_", ast.Store())], value=last.value)], [])
    exec(compile(ast.fix_missing_locations(kept), where, "exec"), names)  # noqa: S102
    return names.pop("_")


def _shown(value: Any) -> str:
    """As a notebook would show it, with three decimals and no trailing blanks."""
    if isinstance(value, pd.DataFrame | pd.Series):
        index = isinstance(value, pd.Series)
        text = value.to_string(float_format=lambda v: f"{v:.3f}", na_rep="", **({} if index else {"index": False}))
    else:
        text = value if isinstance(value, str) else repr(value)
    text = text.replace("-0.000", " 0.000")  # rounded to nothing
    return "\n".join(line.rstrip() for line in text.splitlines())


def _filled(text: str, names: dict[str, Any]) -> str:
    """Sentences with their numbers; a true minus, p values as p values."""

    def put(field: re.Match[str]) -> str:
        value, form = names[field[1]], field[2] or ""
        if form == "p":
            return "p < .001" if value < 0.001 else f"p = {value:.3f}".replace("0.", ".")
        return format(value, form).replace("-", "−") if not isinstance(value, str) else value

    return FIELD.sub(put, text)


if __name__ == "__main__":
    os.chdir(DOCS.parent)
    sys.stdout.write(json.dumps({key: text for page in sys.argv[1:] for key, text in walk(page).items()}))
