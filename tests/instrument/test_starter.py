"""A new questionnaire file loads as it stands, and no file is ever overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from semkit.errors import FileError, OptionError
from semkit.instrument import load_instrument, new_instrument


def test_it_loads_and_explains_itself(tmp_path: Path) -> None:
    path = new_instrument(tmp_path / "my_survey.toml")
    form = load_instrument(path)
    assert form.name == "my_survey" and form.status == "unvalidated" and len(form.scored_items) == 2
    assert sum(line.startswith("#") for line in path.read_text(encoding="utf-8").splitlines()) >= 8


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileError) as caught:
        new_instrument(path)
    assert caught.value.code == "instrument.file-exists" and path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("name", "code"), [("a.txt", "instrument.bad-path"), ("2 x.toml", "instrument.bad-name")])
def test_names_that_cannot_be(tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(OptionError) as caught:
        new_instrument(tmp_path / name)
    assert caught.value.code == code and not list(tmp_path.iterdir())
