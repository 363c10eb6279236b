"""What a report prints of a probe: its figures and tables, for every kind of probe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from semkit.report import listing
from semkit.report.conditional import draw_region, draw_slopes, level_text
from semkit.report.drawing import Drawing
from semkit.report.probing import draw_panels, draw_paths, draw_surface
from semkit.report.quality import Labels
from semkit.report.table import Table
from semkit.report.wording import name_of

Figure = tuple[Drawing | None, str]
Piece = Figure | Table
"""A figure with its caption, or a table."""

_NUMBERS: tuple[tuple[str, ...], ...] = (
    ("est", "b", "raw3", "Raw"), ("se", "SE", "raw3", "Raw"), ("ci", "95 % CI", "interval", "Raw"),
    ("pvalue", "p", "p", "Raw"), ("std_est", "β", "std", "Standardised"),
    ("std_ci", "95 % CI", "std_interval", "Standardised"),
)  # fmt: skip


def title_of(probe: Any, labels: Labels) -> str:
    """Heading of a probe."""
    match type(probe).__name__:
        case "ConditionalEffects":
            return f"{name_of(probe.predictor, labels)} → {name_of(probe.outcome, labels)}"
        case "ResponseSurface":
            return f"{name_of(probe.outcome, labels)} over {name_of(probe.x, labels)} and {name_of(probe.z, labels)}"
        case "TwoModerators":
            return " × ".join(name_of(name, labels) for name in (probe.focal, *probe.moderators))
        case _:
            return f"{name_of(probe.focal, labels)} × {name_of(probe.moderator, labels)}"


def names_of(probe: Any) -> str:
    """Variables of a probe, for names of files."""
    match type(probe).__name__:
        case "ConditionalEffects":
            return f"{probe.predictor}-{probe.outcome}"
        case "ResponseSurface":
            return f"{probe.x}-{probe.z}"
        case "TwoModerators":
            return "-".join((probe.focal, *probe.moderators))
        case _:
            return f"{probe.focal}-{probe.moderator}"


def pieces(probe: Any, labels: Labels) -> Iterator[tuple[str, Piece]]:
    """Figures and tables of a probe in the order in which they are printed, each with the stem of its file's name."""
    yield from PIECES.get(type(probe).__name__, _single)(probe, labels)


def _single(probe: Any, labels: Labels) -> Iterator[tuple[str, Piece]]:
    focal, moderator, outcome = (name_of(n, labels) for n in (probe.focal, probe.moderator, probe.outcome))
    level = level_text(probe)
    yield "slopes", (draw_slopes(probe, labels), f"{outcome} along {focal} at values of {moderator}, with "
                     f"{level} intervals; below, where the respondents are.")  # fmt: skip
    held = {"simultaneous": " that holds along the whole line", "fdr": " that keeps the false discovery rate"}
    yield "johnson-neyman", (
        draw_region(probe, labels), f"Slope of {outcome} on {focal} along {moderator}, with {level} "
        f"interval{held.get(getattr(probe, 'adjust', 'none'), '')}; below, where the respondents are.",
    )  # fmt: skip
    yield "simple-slopes", listing.slope_table(probe, labels)


def _joint(found: Any, labels: Labels) -> Iterator[tuple[str, Piece]]:
    focal, outcome, first, second = (name_of(n, labels) for n in (found.focal, found.outcome, *found.moderators))
    yield "slopes", (draw_panels(found, labels), f"{outcome} along {focal} at values of {first} and {second}, "
                     f"with {level_text(found)} intervals.")  # fmt: skip
    slopes = found.slopes.rename(columns={"slope": "est", "std_slope": "std_est"})
    about = f"of {outcome} on {focal}"
    yield "simple-slopes", _numbers(slopes, {"label": "At"}, f"Simple slopes {about}", labels, found)
    pairs = {"first": "Slope at", "second": "Less slope at"}
    caption = f"Differences of simple slopes {about}"
    yield "slope-differences", _numbers(found.differences, pairs, caption, labels, found)
    caption = f"{focal} × {first} at values of {second}"
    yield "interactions", _numbers(found.interactions, {"label": "At"}, caption, labels, found)


def _paths(found: Any, labels: Labels) -> Iterator[tuple[str, Piece]]:
    predictor, outcome = name_of(found.predictor, labels), name_of(found.outcome, labels)
    if len(found.curves):
        by = name_of(found.moderators[0], labels)
        yield "effects", (draw_paths(found, labels), f"Effects of {predictor} on {outcome} along {by}, with "
                          f"{level_text(found)} intervals; below, where the respondents are.")  # fmt: skip
    heads = {"effect": "Effect", "path": "Path", "label": "At"}
    caption = f"Effects of {predictor} on {outcome} at values of the moderators"
    yield "conditional-effects", _numbers(found.effects, heads, caption, labels, found)
    if len(found.index):
        heads = {"index": "Index of", "path": "Path", "moderator": "Moderator", "at": "At"}
        heads = {key: text for key, text in heads.items() if key != "at" or found.index["at"].astype(bool).any()}
        yield "indices", _numbers(found.index, heads, "Indices of moderated mediation", labels, found)
    if len(found.contrasts):
        heads = {"path": "Path", "first": "First", "second": "Second less first"}
        yield "contrasts", _numbers(found.contrasts, heads, f"Contrasts of effects on {outcome}", labels, found)


def _surface(found: Any, labels: Labels) -> Iterator[tuple[str, Piece]]:
    x, z, outcome = (name_of(n, labels) for n in (found.x, found.z, found.outcome))
    caption = f"Predicted {outcome} over {x} and {z}"
    yield "contour", (draw_surface(found, labels), f"{caption}; darker is higher.")
    yield "surface", (draw_surface(found, labels, kind="surface"),
                      f"{caption}, seen from above the low corner; white where no respondent is.")  # fmt: skip
    shape = found.shape.assign(name=[f"{row['parameter']}, {row['meaning']}" for row in found.shape.to_dict("records")])
    yield "shape", _numbers(shape, {"name": "Shape"}, f"Shape of the surface of {outcome}", labels, found)
    kept = found.features[found.features["est"].notna()]
    if len(kept):
        words = {"stationary_x": f"stationary point, {x}", "stationary_z": f"stationary point, {z}",
                 "p10": "first principal axis, intercept", "p11": "first principal axis, slope",
                 "p20": "second principal axis, intercept", "p21": "second principal axis, slope"}  # fmt: skip
        named = kept.assign(name=[words[name] for name in kept["parameter"]])
        caption = f"Stationary point ({found.form}) and principal axes of the surface of {outcome}"
        yield "axes", _numbers(named, {"name": "Feature"}, caption, labels, found)


PIECES: Mapping[str, Callable[[Any, Labels], Iterator[tuple[str, Piece]]]] = {
    "TwoModerators": _joint, "ConditionalEffects": _paths, "ResponseSurface": _surface,
}  # fmt: skip
"""Class of what a probe found -> what is printed of it; anything else is a probe of one moderator."""


def _numbers(frame: pd.DataFrame, heads: Mapping[str, str], caption: str, labels: Labels, found: Any) -> Table:
    """Text columns and the numbers that the frame has, raw and standardised."""
    level = level_text(found)
    has = {*frame.columns, "ci"} | ({"std_ci"} if "std_ci_lower" in frame else set())
    chosen = [tuple(part.replace("95 %", level) for part in column) for column in _NUMBERS if column[0] in has]
    if "std_est" not in frame:
        chosen = [column[:3] for column in chosen]
    table = Table.of([*((key, text, "words") for key, text in heads.items()), *chosen], caption=caption)
    for row in frame.to_dict("records"):
        said = {key: _words(str(row[key]), labels) for key in heads}
        numbers = {key: row[key] for key in ("est", "se", "pvalue", "std_est") if key in frame}
        numbers["ci"] = (row["ci_lower"], row["ci_upper"])
        if "std_ci_lower" in frame:
            numbers["std_ci"] = (row["std_ci_lower"], row["std_ci_upper"])
        table = table.add(**said, **numbers)
    kinds = {"percentile": "bootstrap percentiles", "monte carlo": "Monte Carlo draws of the estimates",
             "t": "standard errors (t)", "normal": "standard errors (delta method)"}  # fmt: skip
    return table.note(f"Intervals and p from {kinds[found.method]}.")


def _words(text: str, labels: Labels) -> str:
    """A path or the place of a value with the variables' names for people."""
    if " -> " in text:
        whole, _, rest = text.partition(" (")
        return " → ".join(name_of(name, labels) for name in whole.split(" -> ")) + (f" ({rest}" if rest else "")
    if " x " in text:
        return " × ".join(name_of(name, labels) for name in text.split(" x "))
    out = []
    for part in text.split(", "):
        name, gap, value = part.partition(" ")
        out.append(f"{name_of(name, labels)}{gap}{value}".replace(" - ", " − "))
    return ", ".join(out)
