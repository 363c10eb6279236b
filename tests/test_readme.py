"""The README's promises: its commands, its links, its notebook block."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def command(name: str) -> str:
    found = re.search(rf"<!-- command: {name} -->\n```bash\n(.+?)\n```", README, re.S)
    assert found, f"README has no command {name}"
    return found.group(1)


def test_there_are_two_commands_near_the_top() -> None:
    assert "semkit run examples/border_collaboration/study.toml" in command("study")
    assert "pytest" in command("tests")
    assert README.index("<!-- command: tests -->") < README.index("## ")


def test_every_link_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("https://") or (ROOT / link).exists(), f"README links to {link}, which is not there"


def test_the_notebook_block_runs(monkeypatch: object) -> None:
    block = re.search(r"```python\n(.+?)\n```", README, re.S)
    assert block
    import os

    before = Path.cwd()
    os.chdir(ROOT)
    try:
        scope: dict[str, object] = {}
        exec(compile(block.group(1), "README.md", "exec"), scope)
    finally:
        os.chdir(before)
    fit, probe = scope["fit"], scope["p"]
    assert fit.converged and fit.estimates.query("label == 'b3'").est.item() > 0  # type: ignore[attr-defined]
    assert len(probe.slopes) == 3  # type: ignore[attr-defined]
