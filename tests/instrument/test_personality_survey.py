"""The format serves a survey from quite another field: the 2,800 people of bfi."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from semkit.instrument import codebook, load_instrument

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "personality_survey"


def test_every_column_of_the_data_is_in_the_instrument() -> None:
    form = load_instrument(FOLDER / "instrument.toml")
    data = pd.read_csv(FOLDER / "bfi.csv")
    assert [*(item.name for item in form.items), *(question.name for question in form.questions)] == list(data.columns)
    for item in form.items:
        assert set(data[item.name].dropna()) == set(form.scale(item.scale).codes)
    for name in ("gender", "education"):
        codes = {str(int(code)) for code in data[name].dropna()}
        assert codes == {choice.code for choice in form.question(name).choices}
    assert form.question("gender").dummies == {"female": "2"}


def test_reversed_items_are_those_that_correlate_negatively_with_the_rest() -> None:
    """An independent look at the keys: the sign of each item's correlation with its construct's other items."""
    form = load_instrument(FOLDER / "instrument.toml")
    data = pd.read_csv(FOLDER / "bfi.csv")
    for construct in form.constructs:
        items = form.items_of(construct.code)
        straight = next(item.name for item in items if not item.reverse)
        corr = data[[item.name for item in items]].corr()
        first = np.linalg.eigh(corr.to_numpy())[1][:, -1]
        sign = dict(zip((item.name for item in items), first * np.sign(first[list(corr).index(straight)]), strict=True))
        assert {item.name for item in items if item.reverse} == {name for name, value in sign.items() if value < 0}
    assert {i.name for i in form.items if i.reverse} == {"A1", "C4", "C5", "E1", "E2", "O2", "O5"}


def test_it_says_that_the_translation_is_unofficial() -> None:
    form = load_instrument(FOLDER / "instrument.toml")
    assert "UNOFFICIAL" in form.notice.en and "TIDAK RESMI" in form.notice.id
    assert len(codebook(form).entries) == 25 + 3 + 1 + 1
