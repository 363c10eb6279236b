"""Pictures of two moderators, conditional effects and surfaces: what they show, in both languages, in grey."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError
from semkit.report import rounding
from semkit.report.captions import WORDS
from semkit.report.drawing import INK, ORANGE, PAPER, Area, Ellipse, Line, Rect, Text, extent
from semkit.report.probing import draw_panels, draw_paths, draw_surface
from semkit.report.relief import CELLS, View, hull
from semkit.report.surfaces import chains, contour_segments
from tests.probe.polynomials import regression
from tests.probe.test_paths import SQUARES, ratings
from tests.probe.test_regions import DATA, FULL


def words_of(drawing):
    return [shape.text for shape in drawing.shapes if isinstance(shape, Text)]


def inside(drawing):
    boxes = np.array([extent(shape) for shape in drawing.shapes])
    return (
        boxes[:, 0].min() >= -1 and boxes[:, 1].min() >= -1
        and boxes[:, 2].max() <= drawing.width + 1 and boxes[:, 3].max() <= drawing.height + 1
    )  # fmt: skip


@pytest.fixture(scope="module")
def joint():
    return sk.probe(regression(DATA, {"y": FULL}), "x", ("w", "z"))


@pytest.fixture(scope="module")
def paths():
    rng = np.random.default_rng(8)
    data = DATA.assign(m=lambda d: 0.3 * d["x"] * d["w"] + rng.normal(size=len(d)))
    data["y"] = 0.4 * data["m"] + rng.normal(size=len(data))
    return sk.conditional_effects(regression(data, {"m": ["x", "w", "x:w"], "y": ["m", "x"]}), "x", "y")


@pytest.fixture(scope="module")
def surface():
    return sk.response_surface(regression(ratings(), {"y": SQUARES}), "x", "z", origin=4.0)


def test_panels_show_every_slope_on_common_axes(joint):
    drawing = draw_panels(joint, {"w": "Support", "z": "Density"})
    said = words_of(drawing)
    assert said.count("Density") == 3 and said.count("Support") == 1
    for slope in joint.slopes["slope"]:
        assert any(text.startswith(f"{slope:.2f}".replace("-", "\u2212") + " [") for text in said)
    lines = [s for s in drawing.shapes if isinstance(s, Line) and len(s.points) == 25]
    assert len(lines) == 9
    assert len({line.dash for line in lines}) == 3, "lines differ without colour"
    assert inside(drawing)
    # one vertical scale: equal predictions stand at equal heights in every panel
    low = [min(p["predicted"].min() for p in (panel.lines,)) for panel in joint.panels]
    deepest = [max(y for line in lines[3 * i : 3 * i + 3] for _, y in line.points) for i in range(3)]
    assert np.argmin(low) == np.argmax(deepest)
    step = (deepest[0] - deepest[1]) / (low[1] - low[0])
    assert (deepest[0] - deepest[2]) / (low[2] - low[0]) == pytest.approx(step)


def test_more_than_three_panels_take_a_second_row():
    found = sk.probe(regression(DATA, {"y": FULL}), "x", ("w", "z"), values={"z": [-3, -1, 1, 3]})
    drawing = draw_panels(found)
    assert drawing.height > 1.9 * draw_panels(replace(found, panels=found.panels[:3], values=found.values[:3])).height
    assert inside(drawing)


def test_an_indirect_effect_is_shaded_where_its_interval_holds_zero(paths):
    drawing = draw_paths(paths, {"x": "Collaboration", "m": "Integration", "y": "Performance"})
    said = words_of(drawing)
    assert "Collaboration → Integration → Performance" in said
    edges = paths.curves.loc[paths.curves["boundary"], "moderator"]
    assert all(f"{edge:.2f}".replace("-", "\u2212") in said for edge in edges)
    shares = [float(text.split("\u2009")[0]) for text in said if "of respondents" in text]
    w = DATA["w"].to_numpy()
    expected = [100 * np.mean((w > a) & (w <= b)) for a, b in zip([-9, *edges], [*edges, 9], strict=True)]
    assert shares == pytest.approx(expected, abs=0.06)
    assert inside(drawing) and "Boundaries of significance" in drawing.description
    with pytest.raises(OptionError) as caught:
        draw_paths(replace(paths, curves=pd.DataFrame()))
    assert caught.value.code == "report.nothing-to-draw"


def test_a_surface_is_grey_with_its_lines_and_people(surface):
    drawing = draw_surface(surface, {"y": "Satisfaction"})
    assert inside(drawing)
    fills = {shape.fill for shape in drawing.shapes if isinstance(shape, Rect)}
    assert len(fills) > 4 and all(fill[1:3] == fill[3:5] == fill[5:7] for fill in fills)
    straight = {line.dash: line for line in drawing.shapes if isinstance(line, Line) and line.width == 1.8}
    assert len(straight) == 3 and [straight[d].stroke for d in ("", "7 4", "2 3")] == [INK, INK, ORANGE]
    # the key's strokes are the last; the lines themselves are the first of their dash
    first = next(line for line in drawing.shapes if isinstance(line, Line) and line.width == 1.8 and not line.dash)
    x, z = surface.surface["x"], surface.surface["z"]
    (x0, y0), (x1, y1) = first.points
    slope = (y0 - y1) / (394 - 14) * np.ptp(z) / ((x1 - x0) / (446 - 66) * np.ptp(x))
    assert slope == pytest.approx(1.0, abs=0.01)
    dots = [s for s in drawing.shapes if isinstance(s, Ellipse) and s.rx == 1.5]
    assert 300 < len(dots) <= 601
    a1 = surface.shape["est"][0]
    assert f"a1 = {a1:.2f}" in drawing.description and "Satisfaction" in drawing.title


def test_contours_lie_on_their_level():
    grid = np.linspace(-2, 2, 81)
    height = grid[:, None] ** 2 + grid[None, :] ** 2
    found = chains(contour_segments(grid, grid, height, 1.0))
    assert len(found) == 1 and found[0][0] == found[0][-1]
    assert np.hypot(*np.array(found[0]).T) == pytest.approx(1.0, abs=0.001)
    saddle = chains(contour_segments(grid, grid, grid[:, None] * grid[None, :], 0.37))
    assert len(saddle) == 2
    for way in saddle:
        assert np.prod(np.array(way), axis=1) == pytest.approx(0.37, abs=0.001)


def test_both_languages_have_all_words(joint, paths, surface):
    assert WORDS["en"].keys() == WORDS["id"].keys()
    assert "kemiringan [95 %]" in words_of(joint.plot(language="id"))
    assert any("responden di bawah" in text for text in words_of(paths.plot(language="id")))
    assert "garis kongruensi" in words_of(surface.plot(language="id"))
    one = joint.panels[0].plot(language="id", moderator_label="Dukungan")
    assert "Kemiringan x" in words_of(one) and "Dukungan" in words_of(one)
    for record in (joint, paths, surface, joint.panels[0]):
        with pytest.raises(OptionError) as caught:
            record.plot(language="xx")
        assert caught.value.code == "report.language"


def test_a_rug_shows_the_scores():
    found = sk.probe(regression(DATA, {"y": ["x", "w", "x:w"]}), "x", "w")
    strokes = [s for s in found.plot(kind="johnson_neyman").shapes if isinstance(s, Line) and s.width == 0.5]
    assert 200 < len(strokes) <= len(DATA)
    few = DATA.assign(w=DATA["w"].round())
    found = sk.probe(regression(few, {"y": ["x", "w", "x:w"]}), "x", "w")
    assert not [s for s in found.plot().shapes if isinstance(s, Line) and s.width == 0.5]


def test_a_curve_has_no_legend_of_slopes():
    found = sk.probe(regression(DATA, {"y": ["x", "w", "x:x"]}), "x", "x")
    said = words_of(found.plot(kind="slopes"))
    assert not any("slope" in text for text in said)
    assert found.plot(kind="slopes").description == "y along x, with 95 % interval."


def test_views_hold_figure_and_tables(joint, paths, surface):
    for record, words in ((joint, "Slope differences"), (paths, "moderated mediation"), (surface, "stationary_x")):
        view = record._repr_html_()
        assert "<svg" in view and words in view and "nan" not in view.lower().replace("nang", "")


def test_a_mesh_stands_over_its_floor_and_hides_what_lies_behind(surface):
    drawing = draw_surface(surface, {"y": "Satisfaction", "x": "Wanted", "z": "Received"}, kind="surface")
    assert inside(drawing) and {"Satisfaction", "Wanted", "Received"} <= set(words_of(drawing))
    cells = [s for s in drawing.shapes if isinstance(s, Area) and len(s.points) == 4]
    fills = [cell.fill for cell in cells]
    assert len(cells) == 1 + CELLS**2 and fills[1] == PAPER, "the far corner, where nobody is, is white"
    assert all(fill[1:3] == fill[3:5] == fill[5:7] for fill in fills) and len(set(fills)) > 5
    # the nearer of two cells on the screen is painted later: depth falls from the first cell to the last
    across = np.array([np.mean([x for x, _ in cell.points]) for cell in cells[1:]]).reshape(CELLS, CELLS)
    assert (np.diff(across, axis=0) < 0).all() and (np.diff(across, axis=1) > 0).all()
    assert "Mesh of predicted Satisfaction" in drawing.description
    both = surface.plot(kind="both")
    assert both.height > drawing.height + 400 and "Contour map" in both.description
    with pytest.raises(OptionError) as caught:
        surface.plot(kind="pie")
    assert caught.value.code == "report.plot-kind"


def test_a_plane_keeps_its_height_in_the_mesh(surface):
    view = View((0.0, 1.0), (0.0, 1.0), (0.0, 1.0))
    base, top = view.at(0.3, 0.6, 0.0), view.at(0.3, 0.6, 1.0)
    assert base[0] == top[0] and base[1] > top[1]
    x = np.array([0.0, 1.0, 1.0, 0.0, 0.4, np.nan])
    z = np.array([0.0, 0.0, 1.0, 1.0, 0.5, 1.0])
    assert {tuple(corner) for corner in hull(x, z)} == {(0, 0), (1, 0), (1, 1), (0, 1)}
    flat = replace(surface, surface=surface.surface.assign(predicted=2.0), people=surface.people.iloc[:0])
    assert inside(draw_surface(flat, kind="surface"))


def test_a_key_names_only_what_the_map_shows(surface):
    far = surface.features.assign(est=[99.0, 99.0, 500.0, 1.0, 500.0, -1.0])
    for kind in ("contour", "surface"):
        said = words_of(draw_surface(replace(surface, features=far), kind=kind))
        assert "line of congruence" in said and not {"stationary point", "first principal axis"} & set(said)


def test_indonesian_figures_have_decimal_commas(joint, paths, surface):
    for record in (joint, joint.panels[0], paths, surface):
        said = words_of(record.plot(language="id"))
        assert any(re.search(r"\d,\d", text) for text in said)
        assert not any(re.search(r"\d\.\d", text) for text in said)
        assert any(re.search(r"\d\.\d", text) for text in words_of(record.plot()))
    assert rounding.number(1234.5) == "1,234.50"
