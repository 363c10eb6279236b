"""The table of products and methods says what calls give, and nothing is refused without a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interaction.kinds import KINDS, METHODS, outcome, page

PAGE = Path(__file__).parents[2] / "docs" / "products.md"


def test_the_page_is_what_calls_give() -> None:
    text = page()
    assert PAGE.read_text(encoding="utf-8") == text, "run: python docs/make.py products.md"
    assert "| no |" not in text  # nothing runs and misses what was planted


@pytest.mark.parametrize("method", METHODS)
def test_another_seed_gives_the_same_table(method: str) -> None:
    for kind in KINDS[:4]:
        assert outcome(kind, method, seed=2)[0] == outcome(kind, method, seed=1)[0], kind.title


def test_lms_takes_every_product_but_those_of_composites_with_free_weights() -> None:
    refused = [kind.title for kind in KINDS if outcome(kind, "lms")[0] != "yes"]
    assert all("<~" in title for title in refused)
