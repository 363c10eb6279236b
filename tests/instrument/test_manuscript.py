"""The writer of instrument files: whatever it writes, the standard reader gives back."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import semkit as sk
from semkit.errors import OptionError
from semkit.instrument import Instrument, list_instruments, to_toml
from semkit.instrument.library import bundled_folder

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_ATOMS = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), _TEXTS)
_VALUES = st.recursive(_ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3))


def bare(form: Instrument) -> Instrument:
    """Without the name and the hash of its file."""
    return dataclasses.replace(form, origin="", digest="")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_TEXTS, _VALUES, max_size=4))
def test_any_document_comes_back(document: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(document)) == document


@pytest.mark.parametrize("name", list_instruments())
def test_bundled_files_come_back(name: str) -> None:
    document = tomllib.loads((bundled_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    assert tomllib.loads(to_toml(document)) == document


@pytest.mark.parametrize("name", list_instruments())
def test_an_instrument_is_written_with_its_blocks(name: str, tmp_path: Path) -> None:
    form = sk.load_instrument(name)
    path = tmp_path / f"{name}.toml"
    path.write_text(to_toml(form), encoding="utf-8")
    assert "[[use]]" not in path.read_text(encoding="utf-8")
    assert bare(sk.load_instrument(path)) == bare(form)


def test_whole_numbers_and_numbers_stay_apart() -> None:
    back = tomllib.loads(to_toml({"whole": 5, "number": 5.0, "truth": True, "big": 1e16}))
    assert [type(value) for value in back.values()] == [int, float, bool, float]


@pytest.mark.parametrize("value", [b"x", object(), "\ud800", {1, 2}])
def test_a_value_without_a_form_is_refused(value: object) -> None:
    with pytest.raises(OptionError) as caught:
        to_toml({"scales": [{"name": value}]})
    assert caught.value.code == "instrument.not-toml-value" and "scales, number 1" in caught.value.problems[0].where
