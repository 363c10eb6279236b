"""What a note may say of a cause."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import semkit as sk

DATA = Path(__file__).parents[1] / "reference" / "data" / "HolzingerSwineford1939.csv"


def test_a_negative_variance_without_an_error_is_not_called_chance() -> None:
    data = pd.read_csv(DATA)
    data["g"] = ["a"] * 12 + ["b"] * (len(data) - 12)
    model = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
    fit = sk.cfa(model, data, group="g")
    assert not fit.converged
    found = [note for note in fit.notes if note.code == "fitting.negative-variance"]
    assert found and all("no standard error" in note.cause and "chance of 0" not in note.cause for note in found)
