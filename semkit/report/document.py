"""The report as one HTML file: sections, numbered tables and figures, style, all inside."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from semkit.errors import Note
from semkit.report import listing, probed, products, quality, rounding, wording
from semkit.report.content import Claim, ModelPart, ReportContent
from semkit.report.drawing import Drawing
from semkit.report.flowchart import flowchart
from semkit.report.forest import forest
from semkit.report.pages import render
from semkit.report.table import Table
from semkit.writing import write_text


@dataclass(frozen=True, slots=True)
class Block:
    """A numbered table or figure, ready to print: ``html`` is the package's own markup."""

    kind: str
    name: str
    caption: str
    html: str
    table: Table | None = None
    drawing: Drawing | None = None


@dataclass
class Numbering:
    """Numbers tables and figures in the order in which they are asked for, and keeps them for the files."""

    blocks: list[Block] = field(default_factory=list)
    slugs: set[str] = field(default_factory=set)

    def slug(self, kind: str, text: str) -> str:
        """A name no other of its kind has, for anchors and files; ids of strangers may look alike."""
        plain = _slug(text)
        name, count = plain, 1
        while f"{kind}/{name}" in self.slugs:
            count += 1
            name = f"{plain}-{count}"
        self.slugs.add(f"{kind}/{name}")
        return name

    def _next(self, kind: str) -> int:
        return 1 + sum(block.kind == kind for block in self.blocks)

    def table(self, name: str, table: Table) -> Block | None:
        """Number a table; None when it has no rows."""
        if not any(not row.heading for row in table.rows):
            return None
        caption = f"Table {self._next('table')}. {table.caption}"
        shown = Table(table.columns, table.rows, caption, table.notes)
        block = Block("table", name, caption, shown.html(), table=table)
        self.blocks.append(block)
        return block

    def figure(self, name: str, drawing: Drawing | None, caption: str) -> Block | None:
        """Number a figure; None when there is nothing to draw."""
        if drawing is None:
            return None
        caption = f"Figure {self._next('figure')}. {caption}"
        block = Block("figure", name, caption, drawing.svg, drawing=drawing)
        self.blocks.append(block)
        return block


@dataclass(frozen=True, slots=True)
class Report:
    """A report that was composed: its page, and its tables and figures for files of their own."""

    html: str
    blocks: tuple[Block, ...]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page."""
        return write_text(path, self.html)

    def save_tables(self, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
        """Write each table as CSV: raw numbers in full, texts neutralised."""
        home = Path(folder)
        return tuple(b.table.csv(home / f"{b.name}.csv") for b in self.blocks if b.table is not None)

    def save_figures(
        self, folder: str | os.PathLike[str], formats: tuple[str, ...] = ("svg", "png")
    ) -> tuple[Path, ...]:
        """Write each figure in each of ``formats``."""
        home = Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        return tuple(
            b.drawing.save(home / f"{b.name}.{suffix}") for b in self.blocks if b.drawing is not None
            for suffix in formats
        )  # fmt: skip


def compose(content: ReportContent) -> Report:
    """Compose the report.

    Parameters
    ----------
    content : ReportContent

    Returns
    -------
    Report
        ``html`` loads nothing from anywhere and holds no script; a content policy forbids both.
    """
    numbering = Numbering()
    values = {
        "content": content,
        "wording": wording,
        "rounding": rounding,
        "style": (files("semkit.report") / "templates" / "report.css").read_text(encoding="utf-8"),
        "glance": numbering.table("verdicts", listing.verdict_table(content.claims)),
        "forest": numbering.figure(
            "estimates", forest(content.claims),
            "Standardised estimates behind the verdicts, with 95 % intervals. Filled disc: supported; filled square: "
            "contradicted; open disc: neither.",
        ),
        "claims": [_claim(numbering, claim) for claim in content.claims],
        "flow": numbering.figure("flow", flowchart(content.flow), "Respondents' flow.") if content.flow else None,
        "quality": _quality(numbering, content),
        "fit": numbering.table("fit", listing.fit_table([m for m in content.models if m.fit_measures])),
        "products": numbering.table("products", products.product_table(content.models)),
        "models": [_model(numbering, model, content) for model in content.models],
        "agreements": [(m, m.agreement, _agreement(numbering, m, content)) for m in content.models if m.agreement],
        "notes": _notes(content),
        "method": wording.method_paragraphs(content),
        "references": wording.references(content),
    }  # fmt: skip
    return Report(render("report.html.j2", **values), tuple(numbering.blocks))


def write_report(content: ReportContent, path: str | os.PathLike[str]) -> Path:
    """Write the report of ``content`` as one self-contained HTML file and return its path.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_report(ReportContent(title="Border study"), pathlib.Path(folder) / "report.html")
    ...     "Border study" in page.read_text(encoding="utf-8")
    True
    """
    return compose(content).save(path)


def _slug(text: str) -> str:
    """A file's name from a stranger's id: letters, digits and hyphens only."""
    clean = "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower()).strip("-")
    return clean[:40] or "x"


def _claim(numbering: Numbering, claim: Claim) -> dict[str, Any]:
    name = numbering.slug("claim", claim.id)
    return {
        "claim": claim,
        "anchor": f"claim-{name}",
        "answer": wording.answer(claim),
        "evidence": numbering.table(f"evidence-{name}", listing.evidence_table(claim)),
        "gates": numbering.table(f"gates-{name}", listing.gate_table(claim)),
        "checks": numbering.table(f"robustness-{name}", listing.check_table(claim)),
    }


def _quality(numbering: Numbering, content: ReportContent) -> list[Block]:
    part = content.quality
    if part is None:
        return []
    makers: list[tuple[str, bool, Callable[[], Table]]] = [
        ("reliability", part.constructs.empty, lambda: quality.quality_table(part, content.labels)),
        ("htmt", part.htmt.empty, lambda: quality.htmt_table(part, content.labels)),
        ("measurement-fit", part.fit.empty, lambda: quality.measurement_fit_table(part)),
        ("items", part.items.empty, lambda: quality.item_table(part, content.labels)),
    ]
    made = [numbering.table(name, make()) for name, empty, make in makers if not empty]
    return [block for block in made if block is not None]


def _model(numbering: Numbering, model: ModelPart, content: ReportContent) -> dict[str, Any]:
    from semkit.report.diagram import draw_diagram

    name = numbering.slug("model", model.id)
    title = model.id + (f": {model.title}" if model.title and model.title != model.id else "")
    main = listing.estimate_table(model, content.labels, sections=listing.MAIN_SECTIONS)
    rest = listing.estimate_table(
        model, content.labels, sections=[s for s in listing.SECTIONS if s not in listing.MAIN_SECTIONS],
        caption=f"Other parameters of model {model.id}",
    )  # fmt: skip
    return {
        "model": model,
        "anchor": f"model-{name}",
        "title": title,
        "diagram": numbering.figure(
            f"diagram-{name}",
            draw_diagram(model.estimates, labels=content.labels, controls=model.controls, r2=model.r2),
            _diagram_caption(model),
        ),
        "estimates": numbering.table(f"estimates-{name}", main),
        "rest": numbering.table(f"other-parameters-{name}", rest),
        "r2": numbering.table(f"r2-{name}", products.r2_table(model, content.labels)),
        "probes": [_probe(numbering, probe, name, content) for probe in model.probes],
    }  # fmt: skip


def _diagram_caption(model: ModelPart) -> str:
    """Caption with a key for what this diagram shows, no more."""
    text = (
        f"Model {model.id}, standardised estimates. Ellipses are latent, boxes observed; dashed: the interval holds 0."
    )
    frame = model.estimates
    if not frame.empty and ((frame["op"] == "~") & frame["rhs"].astype(str).str.contains(":")).any():
        text += " An arrow that ends on another arrow is a moderation."
    if wording.has_latent_product(model):
        text += " The product factor's indicators are not drawn."
    return text


def _probe(numbering: Numbering, probe: Any, model: str, content: ReportContent) -> dict[str, Any]:
    name = numbering.slug("probe", f"{model}-{probed.names_of(probe)}")
    blocks = [
        numbering.table(f"{stem}-{name}", piece) if isinstance(piece, Table)
        else numbering.figure(f"{stem}-{name}", *piece)
        for stem, piece in probed.pieces(probe, content.labels)
    ]  # fmt: skip
    shown = [block for block in blocks if block is not None]
    return {"title": probed.title_of(probe, content.labels), "blocks": shown, "notes": probe.notes}


def _agreement(numbering: Numbering, model: ModelPart, content: ReportContent) -> Block | None:
    if model.agreement is None:
        return None
    return numbering.table(
        f"agreement-{numbering.slug('agreement', model.id)}", listing.agreement_table(model.agreement, content.labels)
    )


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Notes of one code from one place: what they share, and (where, what) of each."""

    place: str
    first: Note
    found: tuple[tuple[str, str], ...]


def _notes(content: ReportContent) -> list[Diagnosis]:
    """Notes of the stages, the instruments and the models: each once, alike ones together, the gravest first."""
    found = list(content.notes)
    if content.quality is not None:
        found += [("instruments", note) for note in content.quality.notes]
    for model in content.models:
        found += [(model.id, note) for note in model.notes]
        found += [(model.id, note) for probe in model.probes for note in probe.notes]
    places: dict[Note, str] = {}
    for place, note in found:
        # The same words about a model come from every model; the same words about an instrument from one.
        places.setdefault(note, place)
    groups: dict[tuple[str, ...], list[Note]] = {}
    for note, place in places.items():
        groups.setdefault((place, note.code, note.severity, note.cause, note.remedy), []).append(note)
    grave = {"error": 0, "warning": 1, "info": 2}
    made = [Diagnosis(key[0], notes[0], tuple((n.where, n.what) for n in notes)) for key, notes in groups.items()]
    return sorted(made, key=lambda entry: grave.get(entry.first.severity, 3))
