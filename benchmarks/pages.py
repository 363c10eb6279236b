"""Tables of simulations in ``docs/simulations.md``: every command writes its own part."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "simulations.md"


def put(part: str, text: str) -> None:
    """Replace what stands between the marks of one part of the page."""
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    page = PAGE.read_text(encoding="utf-8")
    if begin not in page or end not in page:
        raise SystemExit(f"{PAGE.name} has no part {part!r}")
    head, tail = page.split(begin)[0], page.split(end)[1]
    PAGE.write_text(f"{head}{begin}\n\n{text.strip()}\n\n{end}{tail}", encoding="utf-8")
