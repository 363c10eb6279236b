"""The pages on latent interactions: their code runs, their names and links exist."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

import semkit as sk

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "interaction-methods.md").read_text(encoding="utf-8")
PATH = (ROOT / "docs" / "moderation.md").read_text(encoding="utf-8")


def test_its_code_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S):
        exec(compile(block, "docs/interaction-methods.md", "exec"), names)  # noqa: S102
    fit = names["fit"]
    assert isinstance(fit, sk.Fit) and fit.converged
    assert all(name in dir(fit) for name in ("linear", "linear_test", "r2_change"))


def test_codes_it_names_are_documented() -> None:
    documented = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    for code in re.findall(r"`((?:fitting|interaction)\.[a-z-]+)`", PAGE + PATH):
        assert f"`{code}`" in documented


def test_the_worked_example_is_what_its_code_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    make, walkthrough = (_module(name) for name in ("make", "walkthrough"))
    made = walkthrough.walk("moderation.md")
    assert {name for name in made if name.startswith("images/")} == set(re.findall(r"\]\((images/[^)]*\.svg)\)", PATH))
    for name, text in made.items():
        old = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert make.same(old, text, numbers=True), f"{name}: run python docs/make.py moderation.md"


def test_pages_differ_by_more_than_a_last_digit() -> None:
    same = _module("make").same
    assert same("slope 0.61 [0.43, 0.80]", "slope 0.62 [0.43, 0.80]", numbers=True)
    assert not same("slope 0.61 [0.43, 0.80]", "slope 0.71 [0.43, 0.80]", numbers=True)
    assert not same("slope 0.61", "bend 0.61", numbers=True) and not same("1", "1.01")


def test_links_lead_somewhere() -> None:
    for page in (PAGE, PATH):
        for place, anchor in re.findall(r"\]\(([\w./-]+)(?:#([\w-]+))?\)", page):
            target = ROOT / "docs" / place
            assert target.is_file(), place
            if anchor:
                heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.M)
                assert anchor in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, anchor


def _module(name: str) -> ModuleType:
    spec = spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
