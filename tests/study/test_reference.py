"""The page of the study file is what the schema says, and places are lines of the file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from semkit.study.places import Places
from semkit.study.reference import EXAMPLE, SECTIONS, reference
from tests.study import small

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / "study-file.md").read_text(encoding="utf-8") == reference(), "run python docs/make.py"


def test_every_key_is_explained() -> None:
    for _, model in SECTIONS:
        assert model.__doc__
        assert all(info.description for info in model.model_fields.values()), model


def test_the_example_is_the_study_that_tests_run() -> None:
    assert small.STUDY.lstrip("\n") == EXAMPLE


def test_places() -> None:
    text = '''seed = 1
[study]
title = { en = "x" }
[[claims]]
id = "A"
[[claims.parts]]
id = "A.0"
text = """
[[claims]]
id = "no"
"""
delta = 3
[[claims]]
id = "B"
parts = [
  { id = "B.0" },
  { id = "B.1", delta = 2 },
]
rule = "R"
'''
    places = Places("s.toml", text, tomllib.loads(text))
    assert places.of(("seed",)) == 's.toml, line 1, key "seed"'
    assert places.of(("study", "title", "en")).startswith("s.toml, line 3,")
    assert places.of(("claims", 0, "parts", 0, "delta")) == 's.toml, line 12, claims "A", parts "A.0", key "delta"'
    assert places.line(("claims", 1)) == 13
    assert places.line(("claims", 1, "parts", 1, "delta")) == 15
    assert places.line(("claims", 1, "rule")) == 19
    assert places.of(("nowhere",)) == 's.toml, key "nowhere"'
