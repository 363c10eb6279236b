"""The reference page is the schema's: complete, up to date, and its example loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pydantic import BaseModel

from semkit.instrument import load_instrument, schema
from semkit.instrument.reference import EXAMPLE, SECTIONS, reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "instrument-file.md"


def test_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "semkit.instrument.reference"],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stdout == reference()
    assert PAGE.read_text(encoding="utf-8") == done.stdout, "run python docs/make.py instrument-file.md"


def test_page_has_every_key_of_every_model() -> None:
    page = reference()
    models = {
        model
        for model in vars(schema).values()
        if isinstance(model, type)
        and issubclass(model, BaseModel)
        and model not in (BaseModel, schema.Strict, schema.FileModel)
    }
    assert models == {model for _, model in SECTIONS}
    for model in models:
        for key, info in model.model_fields.items():
            assert f"| `{key}` |" in page
            assert info.description, f"{model.__name__}.{key} has no description"


def test_example_loads(tmp_path: Path) -> None:
    (tmp_path / "trust_survey.toml").write_text(EXAMPLE, encoding="utf-8")
    form = load_instrument(tmp_path / "trust_survey.toml")
    assert [item.name for item in form.scored_items] == ["trust_1", "trust_2"]
    assert EXAMPLE in PAGE.read_text(encoding="utf-8")
