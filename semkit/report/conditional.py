"""Pictures of a probe: from its tidy frames to slopes and Johnson-Neyman drawings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from semkit.errors import OptionError, Problem
from semkit.report import rounding
from semkit.report.captions import words_in
from semkit.report.drawing import Drawing, moved
from semkit.report.slopes import Counts, Region, SlopeLine, region_plot, slopes_plot
from semkit.report.wording import name_of

Kind = Literal["both", "slopes", "johnson_neyman"]


def draw_slopes(probe: Any, labels: Mapping[str, str] | None = None, language: str = "en") -> Drawing | None:
    """Simple slopes of ``probe`` over the moderator's distribution."""
    names, words = labels or {}, words_in(language)
    return slopes_plot(
        slope_lines(probe, words), people_of(probe), focal=name_of(probe.focal, names),
        outcome=name_of(probe.outcome, names), moderated_by=name_of(probe.moderator, names), words=words,
        level=level_text(probe),
    )  # fmt: skip


def slope_lines(probe: Any, words: Mapping[str, str]) -> list[SlopeLine]:
    """Lines of a probe with what is printed of each."""
    slopes = {str(row["label"]): row for row in probe.slopes.to_dict("records")}
    lines = []
    for label, part in probe.lines.groupby("label", sort=False):
        row = slopes.get(str(label), {})
        at = float(part["moderator"].iloc[0])
        inside = rounding.interval(row.get("ci_lower"), row.get("ci_upper"))
        said = f"{words['slope']} {rounding.number(row.get('slope'))} {inside}" if row else ""
        lines.append(
            SlopeLine(
                label=value_label(str(label), at, words),
                slope=f"{said}, {rounding.p_phrase(row.get('pvalue'))}".strip(", "),
                at=at,
                x=part["focal"].to_numpy(dtype=float),
                y=part["predicted"].to_numpy(dtype=float),
                lower=part["lower"].to_numpy(dtype=float),
                upper=part["upper"].to_numpy(dtype=float),
            )
        )
    return lines


def value_label(label: str, at: float, words: Mapping[str, str]) -> str:
    """A chosen value in words, with its number; a mean that is 0 but for rounding is 0."""
    at = round(at, 2) + 0.0
    if not label or _is_number(label):
        return rounding.number(at)
    rank = label.removesuffix("th percentile")
    if rank != label:
        said = words["percentile"].format(n=rank)
    else:
        said = label.replace("mean", words["mean"]).replace("SD", words["sd"]).replace(" - ", f" {rounding.MINUS} ")
    return f"{said} ({rounding.number(at)})"


def level_text(probe: Any) -> str:
    """``95 %``."""
    level = f"{100 * probe.level:g}"
    return f"{rounding.number(100 * probe.level, len(level.partition('.')[2]))} %"


def draw_region(probe: Any, labels: Mapping[str, str] | None = None, language: str = "en") -> Drawing | None:
    """Johnson-Neyman plot of ``probe`` over the moderator's distribution."""
    names, words = labels or {}, words_in(language)
    bands = probe.bands
    roots = [float(v) for v in probe.roots["value"]] if len(probe.roots) else []
    grid = bands["moderator"].to_numpy(dtype=float)
    inside = tuple(r for r in roots if grid.min() <= r <= grid.max()) if grid.size else ()
    columns = {name: bands[name].to_numpy(dtype=float) for name in ("slope", "lower", "upper")}
    unclear = tuple(
        (max(float(row["lower"]), float(grid.min())), min(float(row["upper"]), float(grid.max())))
        for row in probe.johnson_neyman.to_dict("records") if not row["significant"] and grid.size
    )  # fmt: skip
    shares = []
    for row in probe.johnson_neyman.to_dict("records"):
        if math.isfinite(float(row["share"])) and row["inside_data"]:
            shares.append((region_words(row, words), float(row["share"])))
    focal, outcome, by = (name_of(name, names) for name in (probe.focal, probe.outcome, probe.moderator))
    region = Region(
        grid, columns["slope"], columns["lower"], columns["upper"], inside, unclear, tuple(shares),
        words["region"].format(outcome=outcome, focal=focal, moderator=by),
        words["region_said"].format(focal=focal, moderator=by, level=level_text(probe), edges="{edges}"),
    )  # fmt: skip
    return region_plot(
        region, people_of(probe), effect=words["slope_of"].format(focal=focal), moderated_by=by, words=words
    )


def draw_probe(
    probe: Any, kind: Kind = "both", labels: Mapping[str, str] | None = None, language: str = "en"
) -> Drawing:
    """Draw a probe; ``kind`` chooses slopes, Johnson-Neyman region, or one over the other.

    Raises
    ------
    OptionError
        ``report.language``;
        ``report.plot-kind``; ``report.nothing-to-draw`` when the probe holds no curve.
    """
    if kind not in get_args(Kind):
        raise OptionError(Problem("report.plot-kind", "kind", f'"{kind}" given', ", ".join(get_args(Kind))))
    parts: list[Drawing | None] = []
    if kind != "johnson_neyman":
        parts.append(draw_slopes(probe, labels, language))
    if kind != "slopes":
        parts.append(draw_region(probe, labels, language))
    drawn = [part for part in parts if part is not None]
    if not drawn:
        raise OptionError(
            Problem("report.nothing-to-draw", "probe", "it holds no curve", "a probe with at least one moderator value")
        )
    return drawn[0] if len(drawn) == 1 else stacked(drawn)


def people_of(probe: Any) -> Counts | None:
    """The moderator's histogram, if the respondents' values are known."""
    values = probe.distribution["moderator"].to_numpy(dtype=float)
    return Counts.of(values) if values.size else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def region_words(row: Mapping[Any, Any], words: Mapping[str, str], about: str = "") -> str:
    """Who is in a region and what holds there."""
    lower, upper = float(row["lower"]), float(row["upper"])
    slope = words[(row["sign"] if row["significant"] else "neither") + about]
    where = "between"
    if math.isinf(lower):
        where = "all" if math.isinf(upper) else "below"
    elif math.isinf(upper):
        where = "above"
    return words[where].format(low=rounding.number(lower), high=rounding.number(upper)) + f", {slope}"


def stacked(drawings: Sequence[Drawing]) -> Drawing:
    """One drawing over the other."""
    gap, height, shapes = 22.0, 0.0, []
    for drawing in drawings:
        shapes += [moved(shape, 0.0, height) for shape in drawing.shapes]
        height += drawing.height + gap
    return Drawing(
        "; ".join(drawing.title for drawing in drawings), " ".join(drawing.description for drawing in drawings),
        max(drawing.width for drawing in drawings), height - gap, tuple(shapes),
    )  # fmt: skip
