"""A strict reader of HTML: balanced tags, unique ids, nothing loaded, no handler."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "img", "hr", "link", "input", "col"}
LOADS = {"src", "srcset", "data", "poster", "background", "action", "formaction", "ping", "xlink:href"}


class Reader(HTMLParser):
    """Collects what is wrong with a page in ``faults``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("script", "iframe", "object", "embed", "base", "form"):
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on"):
                self.faults.append(f"handler {name}")
            if name in LOADS or (name == "href" and not (value or "").startswith("#")):
                self.faults.append(f"{tag} {name}={value}")
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "aria-labelledby"):
                self.links += [part.lstrip("#") for part in (value or "").split()]
            if name == "style" and "url" in (value or ""):
                self.faults.append(f"style {value}")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.stack[-1:]}")
        elif self.stack:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] == "style":
            if "url(" in data or "@import" in data:
                self.faults.append("style loads something")
        else:
            self.text.append(data)


def read(page: str) -> Reader:
    """Read a page or a fragment to its end."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    if reader.stack:
        reader.faults.append(f"left open: {reader.stack}")
    doubled = {name for name in reader.ids if reader.ids.count(name) > 1}
    reader.faults += [f"id twice: {name}" for name in doubled]
    reader.faults += [f"points at nothing: {name}" for name in reader.links if name not in reader.ids]
    return reader
