"""The table of products and methods says what calls give."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interaction.kinds import KINDS, METHODS, outcome, page

PAGE = (Path(__file__).parents[2] / "docs" / "products.md").read_text(encoding="utf-8")
ROWS = {line.split(" | ")[0].removeprefix("| "): line.removesuffix(" |").split(" | ")[1:]
        for line in PAGE.split("\n") if line.startswith("| ")}


def test_the_page_is_what_calls_give() -> None:
    assert page() == PAGE, "run: python docs/make.py products.md"
    assert not any("no" in cells for cells in ROWS.values())  # nothing runs and misses what was planted


def test_lms_takes_every_product_but_those_of_composites_with_free_weights() -> None:
    at = list(METHODS).index("lms")
    assert [title for title, cells in ROWS.items() if cells[at] not in ("yes", "`lms`")] == [
        kind.title for kind in KINDS if "<~" in kind.title]


@pytest.mark.parametrize("method", ["product", "qml", "2sls"])
def test_another_seed_gives_the_same_table(method: str) -> None:
    at = list(METHODS).index(method)
    for kind in (KINDS[0], KINDS[3], KINDS[9], KINDS[12]):
        assert outcome(kind, method, seed=2)[0] == ROWS[kind.title][at], kind.title
