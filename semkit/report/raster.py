"""Drawings as pixels: the shapes of ``drawing`` painted by matplotlib (imported when a PNG is asked for)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semkit.report.drawing import PAPER, Area, Curve, Drawing, Ellipse, Line, Rect, Shape, Text, heads, text_width

DPI = 200
POINTS_PER_UNIT = 0.75
"""A drawing's unit is a CSS pixel, 1/96 inch."""


def paint(drawing: Drawing, path: Path) -> None:
    """Write ``drawing`` as PNG with 200 dots per inch on white.

    A font that is wider than the one the drawing was measured with is set smaller, so that text never grows over
    its neighbours.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(drawing.width / 96.0, drawing.height / 96.0), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0.0, drawing.width)
    axes.set_ylim(drawing.height, 0.0)
    axes.set_axis_off()
    for order, shape in enumerate(drawing.shapes):
        _paint_shape(axes, shape, float(order))
    figure.savefig(path, format="png", metadata={"Title": drawing.title, "Description": drawing.description})


def _dash(text: str) -> Any:
    return (0.0, tuple(float(part) for part in text.split())) if text else "solid"


def _paint_shape(axes: Any, shape: Shape, order: float) -> None:
    """Add one shape to the axes as a patch or text."""
    from matplotlib import patches
    from matplotlib.path import Path as Outline

    match shape:
        case Line() | Curve():
            codes = None
            if isinstance(shape, Curve):
                codes = [Outline.MOVETO, Outline.CURVE4, Outline.CURVE4, Outline.CURVE4]
            axes.add_patch(
                patches.PathPatch(
                    Outline(list(shape.points), codes),
                    fill=False,
                    edgecolor=shape.stroke,
                    zorder=order,
                    linewidth=shape.width * POINTS_PER_UNIT,
                    linestyle=_dash(shape.dash),
                )
            )
            for head in heads(shape):
                _paint_shape(axes, head, order)
        case Rect():
            style = f"round,pad=0,rounding_size={shape.radius}" if shape.radius else "square,pad=0"
            edge = shape.stroke if shape.line else "none"
            axes.add_patch(
                patches.FancyBboxPatch(
                    (shape.x, shape.y),
                    shape.width,
                    shape.height,
                    boxstyle=style,
                    zorder=order,
                    facecolor=shape.fill,
                    edgecolor=edge,
                    linewidth=shape.line * POINTS_PER_UNIT,
                )
            )
        case Ellipse():
            axes.add_patch(
                patches.Ellipse(
                    (shape.x, shape.y),
                    2 * shape.rx,
                    2 * shape.ry,
                    zorder=order,
                    facecolor=shape.fill,
                    edgecolor=shape.stroke,
                    linewidth=shape.line * POINTS_PER_UNIT,
                )
            )
        case Area():
            axes.add_patch(
                patches.Polygon(
                    list(shape.points),
                    closed=True,
                    facecolor=shape.fill,
                    edgecolor="none",
                    alpha=shape.opacity,
                    zorder=order,
                )
            )
        case Text():
            _paint_text(axes, shape, order)


def _paint_text(axes: Any, shape: Text, order: float) -> None:
    from matplotlib import patheffects
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(
        family="DejaVu Sans", weight="bold" if shape.bold else "normal", style="italic" if shape.italic else "normal"
    )
    # A dollar sign must stay a dollar sign: matplotlib would read mathematics between two of them.
    text = shape.text.replace("$", r"\$")
    size = shape.size
    if shape.text.strip():
        # control points bound the curves closely enough, and exact extents of every glyph cost a second a report
        drawn = float(np.ptp(TextPath((0, 0), text, size=size, prop=font).vertices[:, 0]))
        room = text_width(shape.text, size, bold=shape.bold)
        size *= min(1.0, room / drawn) if drawn > 0 else 1.0
    artist = axes.text(
        shape.x, shape.y, text, fontproperties=font, fontsize=size * POINTS_PER_UNIT, color=shape.fill,
        ha={"start": "left", "middle": "center", "end": "right"}[shape.anchor], va="baseline",
        rotation=90 if shape.turned else 0, rotation_mode="anchor", zorder=order,
    )  # fmt: skip
    if shape.halo:
        artist.set_path_effects([patheffects.withStroke(linewidth=2.2, foreground=PAPER)])
