"""Pictures of a probe: from its tidy frames to slopes and Johnson-Neyman drawings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from semkit.errors import OptionError, Problem
from semkit.report import rounding
from semkit.report.drawing import Drawing, moved
from semkit.report.slopes import Counts, Region, SlopeLine, region_plot, slopes_plot
from semkit.report.wording import name_of

Kind = Literal["both", "slopes", "johnson_neyman"]


def draw_slopes(probe: Any, labels: Mapping[str, str] | None = None) -> Drawing | None:
    """Simple slopes of ``probe`` over the moderator's distribution."""
    names = labels or {}
    slopes = {str(row["label"]): row for row in probe.slopes.to_dict("records")}
    lines = []
    for label, part in probe.lines.groupby("label", sort=False):
        row = slopes.get(str(label), {})
        at = float(part["moderator"].iloc[0])
        said = (
            f"slope {rounding.number(row.get('slope'))} {rounding.interval(row.get('ci_lower'), row.get('ci_upper'))}"
        )
        lines.append(
            SlopeLine(
                label=f"{_sentence_case(str(label))} ({rounding.number(at)})"
                if not _is_number(str(label))
                else rounding.number(at),
                slope=f"{said}, {rounding.p_phrase(row.get('pvalue'))}".rstrip(", "),
                at=at,
                x=part["focal"].to_numpy(dtype=float),
                y=part["predicted"].to_numpy(dtype=float),
                lower=part["lower"].to_numpy(dtype=float),
                upper=part["upper"].to_numpy(dtype=float),
            )
        )
    return slopes_plot(
        lines, _people(probe), focal=name_of(probe.focal, names), outcome=name_of(probe.outcome, names),
        moderated_by=name_of(probe.moderator, names),
    )  # fmt: skip


def draw_region(probe: Any, labels: Mapping[str, str] | None = None) -> Drawing | None:
    """Johnson-Neyman plot of ``probe`` over the moderator's distribution."""
    names = labels or {}
    bands = probe.bands
    roots = [float(v) for v in probe.roots["value"]] if len(probe.roots) else []
    grid = bands["moderator"].to_numpy(dtype=float)
    inside = tuple(r for r in roots if grid.min() <= r <= grid.max()) if grid.size else ()
    # The boundaries themselves are points of the grid, so that the shading ends exactly there.
    x = np.unique(np.concatenate([grid, inside, np.nextafter(inside, np.inf)])) if inside else grid
    columns = {name: np.interp(x, grid, bands[name].to_numpy(dtype=float)) for name in ("slope", "lower", "upper")}
    shares = []
    for row in probe.johnson_neyman.to_dict("records"):
        if math.isfinite(float(row["share"])) and row["inside_data"]:
            shares.append((_region_words(row), float(row["share"])))
    region = Region(x, columns["slope"], columns["lower"], columns["upper"], inside, tuple(shares))
    return region_plot(
        region, _people(probe), focal=name_of(probe.focal, names), outcome=name_of(probe.outcome, names),
        moderated_by=name_of(probe.moderator, names),
    )  # fmt: skip


def draw_probe(probe: Any, kind: Kind = "both", labels: Mapping[str, str] | None = None) -> Drawing:
    """Draw a probe; ``kind`` chooses slopes, Johnson-Neyman region, or one over the other.

    Raises
    ------
    OptionError
        ``report.plot-kind``; ``report.nothing-to-draw`` when the probe holds no curve.
    """
    if kind not in get_args(Kind):
        raise OptionError(Problem("report.plot-kind", "kind", f'"{kind}" given', ", ".join(get_args(Kind))))
    parts: list[Drawing | None] = []
    if kind != "johnson_neyman":
        parts.append(draw_slopes(probe, labels))
    if kind != "slopes":
        parts.append(draw_region(probe, labels))
    drawn = [part for part in parts if part is not None]
    if not drawn:
        raise OptionError(
            Problem("report.nothing-to-draw", "probe", "it holds no curve", "a probe with at least one moderator value")
        )
    return drawn[0] if len(drawn) == 1 else _stack(drawn[0], drawn[1])


def _people(probe: Any) -> Counts | None:
    values = probe.distribution["moderator"].to_numpy(dtype=float)
    return Counts.of(values) if values.size else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _sentence_case(text: str) -> str:
    return (text[:1].upper() + text[1:]).replace(" - ", f" {rounding.MINUS} ")


def _region_words(row: Mapping[Any, Any]) -> str:
    lower, upper = float(row["lower"]), float(row["upper"])
    slope = f"where the slope is {row['sign']}" if row["significant"] else "where the slope does not differ from zero"
    if math.isinf(lower) and math.isinf(upper):
        return f"of respondents, {slope}"
    if math.isinf(lower):
        return f"of respondents below {rounding.number(upper)}, {slope}"
    if math.isinf(upper):
        return f"of respondents above {rounding.number(lower)}, {slope}"
    return f"of respondents between {rounding.number(lower)} and {rounding.number(upper)}, {slope}"


def _stack(first: Drawing, second: Drawing) -> Drawing:
    """One drawing over the other."""
    gap = 22.0
    return Drawing(
        f"{first.title}; {second.title}",
        f"{first.description} {second.description}",
        max(first.width, second.width),
        first.height + gap + second.height,
        (*first.shapes, *(moved(shape, 0.0, first.height + gap) for shape in second.shapes)),
    )
