"""The reference of the study file, made from its schema.

``python -m semkit.study.reference`` prints ``docs/study-file.md``; a test compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from semkit.study import schema as s

# In the order a writer of a file meets them.
SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", s.StudyFileModel),
    ("`[study]`", s.StudyModel),
    ("Texts", s.TextModel),
    ("`[data]`", s.DataModel),
    ("`[cleaning]`", s.CleaningModel),
    ("`[design]`", s.DesignModel),
    ("`[scores.NAME]`", s.ScoreModel),
    ("`[composites.NAME]`", s.CompositeModel),
    ("`[controls.NAME]`", s.ControlsModel),
    ("`variables` of a set of controls", s.ControlModel),
    ("`[models.ID]`", s.ModelModel),
    ("`[[claims]]`", s.ClaimModel),
    ("`parts` of a claim", s.PartModel),
    ("`index` of a part", s.IndexModel),
    ("`lines` of a claim", s.LineModel),
    ("`[gates]`", s.GatesModel),
    ("`[[checks]]`", s.CheckModel),
    ("`[[probes]]`", s.ProbeModel),
    ("`[output]`", s.OutputModel),
)

EXAMPLE = '''\
schema_version = 1
instruments = ["mini.toml"]
seed = 7

[study]
id = "mini"
title = { en = "A small study" }

[data]
file = "answers.csv"

[controls.X]
variables = [{ column = "age", transform = "log1p" }]

[models.M]
text = """
measure x y
y ~ b*x + X
"""

[[claims]]
id = "H-1"
rule = "R-PATH"
statement = { en = "x raises y." }
parts = [{ id = "H-1.0", model = "M", parameter = "b", direction = "+", delta = 0.10 }]

[gates]
n = 100
'''

INTRODUCTION = """# The study file

A study is one TOML file in a folder of its own: data, cleaning, columns made from items, models, claims with their
decision rules, preconditions and checks. It is data: nothing in it is evaluated. Unknown keys are errors, nothing is
converted (`"5"` is not 5), paths stay inside the folder, and every problem of a file is reported at once with its
line. `semkit check study.toml` shows them, `semkit run study.toml` runs every stage.

Limits: 1 MB, UTF-8, model texts of at most 50,000 characters, at most 100,000 bootstrap draws.

This page is printed from the schema by `python -m semkit.study.reference` (`python docs/make.py` writes it); do not
edit it by hand.

## A small example

```toml
{example}```
"""

RULES = """
## Model text

Plain lavaan syntax, and two shorthands that are written out before the text is read. The expanded text is what is
fitted, printed, hashed and exported.

- `measure a b`, on a line of its own, measures the constructs `a` and `b` by all their scored items:
  `a =~ a_1 + a_2 + a_3`.
- The name of a set of controls (`X` above), as a term of its own on the right of `~`, stands for its columns. A column
  is left out where the equation names it already, where it defines the groups, and where it is constant among the
  respondents of the model; the report lists what was left out.
- Latent variables, composites and products that nothing predicts are regressed on every exogenous observed variable and
  covary with each other. Written as `=~ ~ ~~` alone, a latent and an observed exogenous variable would be uncorrelated,
  which answers never are.
- A composite's name is a latent variable with one indicator: the mean of its parts, loading 1, residual variance
  (1 - reliability) times its variance, computed from the respondents of the model and again in every bootstrap draw.
- `a:b` is the product of two variables, `a:a` a square. With `interaction = "product"` a latent product is a factor of
  product indicators; with the other methods it is no variable of its own, and nothing is added for it. A mean and its
  items cannot stand in one model.
- With methods other than `"product"`, exogenous observed variables that no product holds count from their means among
  the respondents of the model: latent variables then have mean 0, and the coefficient of a factor is its slope at
  average values of the other, as with product indicators.

## Checks

Every check gives the same rule another analysis of the claim; it changes the tag (`robust`, `mixed`, `fragile`), never
the verdict. `docs/verdicts.md` explains rules, gates, reasons and tags.

## Probes

A probe shows a moderation and judges nothing; `docs/moderation.md` explains its numbers. What a claim says about a
moderation is a part: the interaction's label, a simple slope (`b1 + b3*sd(govt)`), or an `index` of moderated
mediation:

```toml
[[probes]]
model = "S0-M4"
kind = "effects"
focal = "collab"
outcome = "mperf"

[[claims]]
id = "H-mm"
rule = "R-PATH"
statement = { en = "Government strengthens the effect that runs through market access." }

[[claims.parts]]
id = "H-mm.0"
model = "S0-M4"
index = { path = ["collab", "cn_acc", "mperf"], moderator = "govt" }
delta = 0.01
```

## What is checked besides

- Instruments load and do not contradict each other; the data file exists; no path leaves the folder.
- Names of scores, composites, controls, claims and parts differ; scores are means of items, composites of scores.
- Every model can be read, makes sense, and names only items, questions, scores, composites and controls that exist.
- Rules exist and have as many primary parts as they need; parameters are labels of their model, or expressions of them.
- Checks, lines and probes name claims, parts, models and columns that exist; an index follows a path of its model and
  one of its steps is moderated; options of a method stand beside that method only.

## Results

`report.html` (one file, no network), `verdicts.csv`, `ledger.csv`, `flow.csv`, `tables/`, `figures/`, `models/`,
`validation/`, `probes/`, and `manifest.json`: hashes of inputs and outputs, versions, seeds, expanded models, every
number a verdict rests on. The folder is written beside its place and moved there when it is whole; the same inputs and
versions give the same numbers.
"""


def reference() -> str:
    """Return the page as Markdown."""
    parts = [INTRODUCTION.replace("{example}", EXAMPLE)]
    for title, model in SECTIONS:
        parts.append(f"\n## {title}\n\n{' '.join((model.__doc__ or '').split())}\n")
        parts.append("\n| key | type | default | meaning | example |\n|---|---|---|---|---|\n")
        parts.extend(_rows(model))
    parts.append(RULES)
    return "".join(parts)


def _rows(model: type[BaseModel]) -> Iterator[str]:
    for key, info in sorted(model.model_fields.items(), key=lambda entry: not entry[1].is_required()):
        cells = (f"`{info.alias or key}`", _type(info), _default(info), info.description or "", _example(info))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _type(info: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(part, name):g}"
        for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="))
        for part in info.metadata
        if getattr(part, name, None) is not None
    ]
    return _words(info.annotation) + (f" {' and '.join(bounds)}" if bounds else "")


def _words(annotation: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{_value(argument)}`" for argument in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_words(argument) for argument in arguments if argument is not NoneType)
    if origin is list:
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return f"table of {_words(arguments[1])} by name"
    if hasattr(annotation, "__metadata__"):
        return _words(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation is s.TextModel:
            return "text in each language"
        return f"table, see {next(title for title, model in SECTIONS if model is annotation)}"
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}[annotation]


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True, validated_data={})
    if default is None or isinstance(default, BaseModel) or default in ("", [], {}):
        return ""
    return f"`{_value(default)}`"


def _example(info: FieldInfo) -> str:
    return f"`{_value(info.examples[0])}`" if info.examples else ""


if __name__ == "__main__":
    sys.stdout.write(reference())
