"""The page on latent interactions: its code runs, its names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import semkit as sk

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "moderation.md").read_text(encoding="utf-8")


def test_its_code_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S):
        exec(compile(block, "docs/moderation.md", "exec"), names)  # noqa: S102
    fit = names["fit"]
    assert isinstance(fit, sk.Fit) and fit.converged
    assert all(name in dir(fit) for name in ("linear", "linear_test", "r2_change"))


def test_codes_it_names_are_documented() -> None:
    documented = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    for code in re.findall(r"`((?:fitting|interaction)\.[a-z-]+)`", PAGE):
        assert f"`{code}`" in documented
