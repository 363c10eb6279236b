"""Pictures of two-moderator probes, conditional effects and response surfaces, from their tidy frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np

from semkit.errors import OptionError, Problem
from semkit.report import rounding
from semkit.report.captions import words_in
from semkit.report.conditional import level_text, people_of, region_words, slope_lines, stacked, value_label
from semkit.report.drawing import Drawing
from semkit.report.panels import Panel, panels_plot
from semkit.report.relief import relief_plot
from semkit.report.slopes import Region, region_plot
from semkit.report.surfaces import SurfaceMap, inside, surface_plot
from semkit.report.wording import name_of


def draw_panels(found: Any, labels: Mapping[str, str] | None = None, language: str = "en") -> Drawing:
    """Simple slopes at two moderators, a panel for each value of the second."""
    names, words = labels or {}, words_in(language)
    focal, outcome = name_of(found.focal, names), name_of(found.outcome, names)
    first, second = (name_of(name, names) for name in found.moderators)
    panels, said = [], []
    for (value, label), probe in zip(found.values, found.panels, strict=True):
        head = f"{second}: {value_label(label, value, words)}"
        lines = tuple(_short(line, words["slope"]) for line in slope_lines(probe, words))
        panels.append(Panel((second, value_label(label, value, words)), lines))
        said.append(f"{head}: " + "; ".join(f"{line.label}: {line.slope}" for line in lines))
    about = words["slopes_said"].format(outcome=outcome, focal=focal, moderator=first, level=level_text(found))
    return panels_plot(
        panels, focal=focal, outcome=outcome, moderated_by=first, numbers=f"{words['slope']} [{level_text(found)}]",
        description=f"{about} {'. '.join(said)}.",
        title=words["panels"].format(outcome=outcome, focal=focal, moderator=first, second=second),
    )  # fmt: skip


def _short(line: Any, slope: str) -> Any:
    return replace(line, slope=line.slope.removeprefix(f"{slope} ").split(", p")[0])


def draw_paths(found: Any, labels: Mapping[str, str] | None = None, language: str = "en") -> Drawing:
    """Effects along each moderated path of two or more steps (or the direct one, when no other is moderated).

    Raises
    ------
    OptionError
        ``report.nothing-to-draw`` when no path is moderated.
    """
    names, words = labels or {}, words_in(language)
    if not len(found.curves):
        raise OptionError(
            Problem("report.nothing-to-draw", "conditional effects", "no path is moderated", "a moderated path")
        )
    paths = list(dict.fromkeys(found.curves["path"]))
    longer = [path for path in paths if path.count("->") > 1] or paths
    by, focal, outcome = (name_of(name, names) for name in (found.moderators[0], found.predictor, found.outcome))
    drawings = []
    for path in longer:
        part = found.curves[found.curves["path"] == path]
        x, effect, low, high = (part[n].to_numpy(dtype=float) for n in ("moderator", "effect", "lower", "upper"))
        text = " → ".join(name_of(name, names) for name in path.split(" -> "))
        edges = part.loc[part["boundary"], "moderator"].tolist()
        people = found.distribution["moderator"].dropna().to_numpy(dtype=float)
        shares, unclear = _regions(part, edges, people, words)
        region = Region(
            x, effect, low, high, tuple(edges), unclear, shares,
            words["path"].format(focal=focal, outcome=outcome, path=text),
            words["path_said"].format(path=text, moderator=by, level=level_text(found), edges="{edges}"),
        )  # fmt: skip
        drawn = region_plot(
            region, people_of(found), effect=words["effect"], note=text, moderated_by=by, words=words
        )
        drawings += [drawn] if drawn is not None else []
    return stacked(drawings)


def _regions(
    part: Any, edges: list[float], people: Any, words: Mapping[str, str]
) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[float, float], ...]]:
    """Share of respondents between neighbouring boundaries, and the stretches that hold zero."""
    x = part["moderator"].to_numpy(dtype=float)
    shares, unclear = [], []
    for low, high in pairwise([-np.inf, *edges, np.inf]):
        middle = 0.5 * (max(low, x[0]) + min(high, x[-1]))
        bounds = [float(np.interp(middle, x, part[name].to_numpy(dtype=float))) for name in ("lower", "upper")]
        sign = "positive" if bounds[0] > 0 else "negative" if bounds[1] < 0 else "neither"
        if sign == "neither":
            unclear.append((max(low, float(x[0])), min(high, float(x[-1]))))
        if people.size:
            row = {"lower": low, "upper": high, "significant": sign != "neither", "sign": sign}
            shares.append((region_words(row, words, "_effect"), float(np.mean((people > low) & (people <= high)))))
    return tuple(shares), tuple(unclear)


SurfaceKind = Literal["contour", "surface", "both"]


def draw_surface(
    found: Any, labels: Mapping[str, str] | None = None, language: str = "en", kind: SurfaceKind = "contour"
) -> Drawing:
    """Response surface as a contour map, as a mesh seen from above, or one over the other.

    Raises
    ------
    OptionError
        ``report.language``, ``report.plot-kind``.
    """
    names, words = labels or {}, words_in(language)
    if kind not in get_args(SurfaceKind):
        raise OptionError(Problem("report.plot-kind", "kind", f"{kind!r:.40} given", ", ".join(get_args(SurfaceKind))))
    x, z, outcome = (name_of(name, names) for name in (found.x, found.z, found.outcome))
    grid = found.surface.pivot(index="x", columns="z", values="predicted")
    feature = dict(zip(found.features["parameter"], found.features["est"], strict=True))
    point = feature["stationary_x"], feature["stationary_z"]
    p10, p11 = feature["p10"], feature["p11"]
    lines = [
        f"{row['parameter']} = {rounding.number(row['est'])} {rounding.interval(row['ci_lower'], row['ci_upper'])}"
        for row in found.shape.to_dict("records")[:4]
    ]
    height = grid.to_numpy(dtype=float)
    one, two = grid.index.to_numpy(dtype=float), grid.columns.to_numpy(dtype=float)
    at = _over_people(found, one, two, height)
    # the axis in the predictors' metric, from deviations from the origin on both sides
    line = found.origin + p10 - p11 * found.origin, p11
    surface = SurfaceMap(
        one, two, height,
        found.people["x"].to_numpy(dtype=float), found.people["z"].to_numpy(dtype=float), found.origin,
        point if inside((one[0], one[-1]), (two[0], two[-1]), *point) else None,
        line if _crosses(line, one, two) else None,
        tuple(lines), (float(at.min()), float(at.max())),
    )  # fmt: skip
    drawings = []
    for one, plot in (("contour", surface_plot), ("surface", relief_plot)):
        if kind in (one, "both"):
            about = words[f"{one}_said"].format(
                outcome=outcome, low=rounding.number(at.min()), high=rounding.number(at.max())
            )
            drawings.append(plot(
                surface, words, x=x, z=z, outcome=outcome, title=words["surface"].format(outcome=outcome, x=x, z=z),
                description=f"{about} {'; '.join(lines)}.",
            ))  # fmt: skip
    return drawings[0] if len(drawings) == 1 else stacked(drawings)


def _crosses(line: tuple[float, float], x: Any, z: Any) -> bool:
    """Whether a line (intercept, slope) passes through the map."""
    at = line[0] + line[1] * np.linspace(x[0], x[-1], 801)
    return bool(np.sum((at >= z[0]) & (at <= z[-1])) > 1)


def _over_people(found: Any, x: Any, z: Any, height: Any) -> Any:
    """Predicted values of the cells in which somebody is; of all cells when nobody is known."""
    if not len(found.people):
        return height
    i = np.clip(np.searchsorted(x, found.people["x"].to_numpy(dtype=float)), 0, len(x) - 1)
    k = np.clip(np.searchsorted(z, found.people["z"].to_numpy(dtype=float)), 0, len(z) - 1)
    return height[i, k]
