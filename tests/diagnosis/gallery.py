"""Prints ``docs/diagnoses.md`` from the cases of the tests: ``python -m tests.diagnosis.gallery``."""

from __future__ import annotations

import inspect

from semkit.errors import Note
from tests.diagnosis.cases import CASES, Case

HEAD = """# Diagnoses

What semkit notices by itself, each with an input that has it, what it says then, and what to do. Written by
`python docs/make.py` from the cases of the tests (`tests/diagnosis/cases.py`), which run these inputs and compare.

A **note** travels with the fit: `fit.notes` lists them with `code`, `severity`, `where`, `what`, `cause` and `remedy`.
A note of severity `error` makes `fit.admissible` false: probes, verdicts and reports refuse such a fit. An **error**
stops the work: it is a `SemkitError` whose `problems` say the same things. Codes do not change; words may.

None of them is given on 200 healthy fits (`tests/diagnosis/healthy.py`): path models, one to three factors, mediation,
growth, moderation, groups, missing values, ordinal items, weights and clusters, all estimators, 150 to 600 respondents;
those of latent products on none of 60 fits by LMS and QML (`tests/interaction/test_notes.py`).

In the inputs `items(n, columns)` draws standard normal indicators of one factor with loadings of .8; `NAMES` is
`("x1", "x2", "x3")`, `FOUR` is `("x1", "x2", "y1", "y2")` and `THREE` the model `f =~ x1 + x2 + x3`.
`crossed(n, seed, noise)` draws X, Z and Y with an interaction, `PAIR` has the equation `Y ~ X + Z + X:Z` and `CURVE`
the equation `Y ~ X + X:X`, three indicators each.
"""


def entry(case: Case) -> str:
    """One section of the page."""
    found = case.found()
    source = inspect.getsource(case.make).split(":\n", 1)[1]
    body = inspect.cleandoc("\n" + source)
    if isinstance(found, Note):
        kind = f"note, {found.severity}"
        rows = [("where", found.where), ("what", found.what), ("cause", found.cause), ("remedy", found.remedy)]
    else:
        kind = "error"
        rows = [("where", found.where), ("what", found.what), ("allowed", found.allowed), ("remedy", found.remedy)]
    said = "\n".join(f"- **{name}**: {text}" for name, text in rows if text)
    return f"## {case.title}\n\n`{case.code}` ({kind})\n\n```python\n{body}\n```\n\n{said}\n"


def page() -> str:
    """The whole page."""
    index = ["| diagnosis | code |", "|---|---|"] + [f"| {case.title} | `{case.code}` |" for case in CASES]
    return "\n".join([HEAD, "\n".join(index), "", *(entry(case) for case in CASES)]).rstrip() + "\n"


if __name__ == "__main__":
    print(page(), end="")
