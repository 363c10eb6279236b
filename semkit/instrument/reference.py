"""The reference of the instrument file, made from its schema.

``python -m semkit.instrument.reference`` prints ``docs/instrument-file.md``; a test compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from semkit.instrument import schema as s

# In the order a writer of a file meets them.
SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", s.InstrumentModel),
    ("`[[use]]`", s.UseModel),
    ("`[[sources]]`", s.SourceModel),
    ("Texts", s.TextModel),
    ("`[[specials]]`", s.SpecialModel),
    ("`[[scales]]`", s.ScaleModel),
    ("`labels` of a scale", s.LabelsModel),
    ("`[[constructs]]`", s.ConstructModel),
    ("`items` of a construct", s.ItemModel),
    ("`[[questions]]`", s.QuestionModel),
    ("`choices` of a question", s.ChoiceModel),
    ("`relevance` of a question", s.RelevanceModel),
    ("A condition", s.ConditionModel),
    ("`[[routing]]`", s.RoutingModel),
    ("`[[derived]]`", s.DerivedModel),
    ("`bands` of a derived variable", s.BandModel),
    ("`[[variants]]`", s.VariantModel),
    ("`[[expectations]]`", s.ExpectationModel),
    ("`[[placeholders]]`", s.PlaceholderModel),
    ("A shared block", s.BlockModel),
)

INTRODUCTION = """# The instrument file

An instrument is one questionnaire in one TOML file: constructs, items, scales and questions with their words in
Indonesian (`id`) and English (`en`). It is data: nothing in it is evaluated. Unknown keys are errors, nothing is
converted (`"5"` is not 5), and every problem of a file is reported at once with its line. `semkit check FILE.toml`
shows them; `sk.load_instrument("FILE.toml")` loads the file.

Limits: 1 MB, UTF-8, names of at most 40 letters, digits and `_`, texts of at most 2,000 characters.

This page is printed from the schema by `python -m semkit.instrument.reference` (`python docs/make.py` writes it); do
not edit it by hand.

## A small example

```toml
{example}```
"""

RULES = """
## What is checked besides

- Names of constructs, items, questions, dummies and derived variables are different, also in other letter case.
- Every text exists and is not blank in every language of the file; `definition` and `lead_in` may be left out.
- A scale has as many labels as points in each language, no two alike; special codes are defined and are no answers.
- A reversed item stands on a scale with a mirror; the required answer of an attention check is a point of its scale.
- Dimensions are first-order constructs; conditions refer to questions asked before, never in a circle.
- Routing says of every skipped construct whether it is scored or missing; bands rise and do not overlap.
- A shared block is `NAME.toml` beside the file, else one of semkit's own ({blocks}).

## Rules of derived variables

| rule | value |
|---|---|
| `copy` | the answer of the source |
| `code` | the code of the chosen choice |
| `value` | the `value` of the chosen choice |
| `chosen` | 1 if `choice` was chosen in the source, else 0 |
| `bands` | the value of the band that holds the source; in no band: missing |
| `log1p` | ln(1 + source) |
| `growth_pct` | 100 (first / second - 1); missing unless the second is above 0 |
| `ratio` | first / second; missing unless the second is above 0 |
| `mean_z_log1p` | mean of the standardised ln(1 + x) of the sources; missing when fewer than half exist |
| `mean_z` | mean of the standardised sources; missing when fewer than half exist |
| `first` | the first of the sources that exists: an amount, else the class that was chosen instead |
| `sum` | sum of the sources; missing when one is |
| `all_of` | 1 if every condition holds, 0 if one fails, else missing |
| `count` | how many conditions hold; missing when one is unknown |
| `share` | share of the known conditions that hold; missing when fewer than half are known |
"""

EXAMPLE = """\
schema_version = 1
name = "trust_survey"
version = "0.1"
status = "unvalidated"
minutes = 2
title = { id = "Survei kepercayaan", en = "Trust survey" }
description = { id = "Kepercayaan antar mitra.", en = "Trust between partners." }
notice = { id = "Belum diuji coba.", en = "Not yet piloted." }

[[use]]
block = "scales"

[[constructs]]
code = "trust"
id = "trust_in_partners"
label = { id = "Kepercayaan", en = "Trust" }
scale = "agree5"
items = [
  { name = "trust_1", id = "Mitra saya jujur.", en = "My partners are honest." },
  { name = "trust_2", reverse = true, id = "Mitra saya sering ingkar.", en = "My partners often break their word." },
  { name = "trust_att", attention = 2, id = "Pilih \\"Tidak setuju\\".", en = "Choose \\"Disagree\\"." },
]

[[questions]]
name = "has_partner"
section = "profile"
answer = "choice"
text = { id = "Apakah Anda punya mitra?", en = "Do you have partners?" }
choices = [
  { code = "yes", value = 1, id = "ya", en = "yes" },
  { code = "no", value = 0, id = "tidak", en = "no" },
]

[[questions]]
name = "n_partners"
section = "profile"
answer = "count"
text = { id = "Berapa mitra?", en = "How many partners?" }
minimum = 0
relevance = { conditions = [{ question = "has_partner", any_of = ["yes"] }] }
"""


def reference() -> str:
    """Return the page as Markdown."""
    from semkit.instrument.library import list_instruments

    blocks = ", ".join(f"`{name}`" for name in list_instruments(blocks=True))
    parts = [INTRODUCTION.replace("{example}", EXAMPLE)]
    shared = set(s.FileModel.model_fields)
    for title, model in SECTIONS:
        parts.append(f"\n## {title}\n\n{' '.join((model.__doc__ or '').split())}\n")
        skipped = shared if model is s.BlockModel else set()
        if skipped:
            parts.append(
                "\nIt has these keys of an instrument: " + ", ".join(f"`{key}`" for key in s.FileModel.model_fields)
            )
            parts.append("; and:\n")
        parts.append("\n| key | type | default | meaning | example |\n|---|---|---|---|---|\n")
        parts.extend(_rows(model, skipped - {"kind"}))
    parts.append(RULES.replace("{blocks}", blocks))
    return "".join(parts)


def _rows(model: type[BaseModel], skipped: set[str]) -> Iterator[str]:
    fields = sorted(model.model_fields.items(), key=lambda entry: not entry[1].is_required())
    for key, info in fields:
        if key not in skipped:
            cells = (f"`{key}`", _type(info), _default(info), info.description or "", _example(info))
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _type(info: FieldInfo) -> str:
    words = _words(info.annotation)
    limits = {type(part).__name__.lower(): part for part in info.metadata}
    bounds = [
        f"{sign} {getattr(part, name):g}"
        for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="))
        for part in limits.values()
        if hasattr(part, name)
    ]
    return words + (f" {' and '.join(bounds)}" if bounds else "")


def _words(annotation: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{_value(argument)}`" for argument in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_words(argument) for argument in arguments if argument is not NoneType)
    if origin is list:
        return f"list of {_words(arguments[0])}"
    if hasattr(annotation, "__metadata__"):
        return _words(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, s.TextModel) and annotation is s.TextModel:
        return "text in each language"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        title = next((title for title, model in SECTIONS if model is annotation), annotation.__name__)
        return f"table, see {title}"
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return plain[annotation]


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True, validated_data={})
    if default is None or isinstance(default, BaseModel) or default in ("", []):
        return ""
    return f"`{_value(default)}`"


def _example(info: FieldInfo) -> str:
    return f"`{_value(info.examples[0])}`" if info.examples else ""


if __name__ == "__main__":
    sys.stdout.write(reference())
