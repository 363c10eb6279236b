"""From the field export back to what is planted: reader, cleaning, composite and latent interaction on a large file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semkit import simulate_responses
from semkit.planning.recovery import LABELS, recover

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = {"border": "border_collaboration", "border_nointeraction": "border_nointeraction"}


@pytest.mark.parametrize("study", FOLDERS)
def test_planted_values_come_back(study):
    """Every estimate within four of its robust standard errors of the committed side-car's value."""
    side = json.loads((EXAMPLES / FOLDERS[study] / f"{study}_synthetic.json").read_text(encoding="utf-8"))
    found = recover(simulate_responses(study, n=12_000, seed=20260555))
    for model, labels in LABELS.items():
        for label in labels:
            got, planted = found[model][label], side["planted"]["models"][model][label]["std"]
            assert got.error < 0.02, (model, label)
            assert abs(got.std - planted) < 4 * got.error, (model, label, got, planted)
            assert got.nobs > 7000
