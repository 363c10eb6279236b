"""Figures: sound SVG, text that covers no text, the right things drawn."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from invented import CONTROLS, LABELS, M1, M2, claims, content, estimates, probe

from semkit.errors import OptionError
from semkit.report import Flow, FlowStep
from semkit.report.conditional import draw_probe, draw_region, draw_slopes
from semkit.report.diagram import draw_diagram
from semkit.report.drawing import Curve, Drawing, Ellipse, Line, Rect, Text, shorten, text_width, wrap
from semkit.report.flowchart import flowchart
from semkit.report.forest import forest
from semkit.report.graph import read_graph
from semkit.report.slopes import Counts

THREE = """
collab =~ m_cn_str .82 0
collab =~ m_cn_rel .84 .02
mperf =~ m_mp_sal .80 0
mperf =~ m_mp_rch .78 .02
gr_fac =~ gr_fac_1 .7 0
gr_fac =~ gr_fac_2 .7 .02
gr_fac =~ gr_fac_3 .7 .02
gr_cap =~ gr_cap_1 .7 0
gr_cap =~ gr_cap_2 .7 .02
gr_inf =~ gr_inf_1 .7 0
gr_inf =~ gr_inf_2 .7 .02
mperf ~ collab .42 .05
mperf ~ gr_fac .1 .05
mperf ~ gr_cap .1 .05
mperf ~ gr_inf .1 .05
mperf ~ collab:gr_fac .2 .05
mperf ~ collab:gr_cap .14 .05
mperf ~ collab:gr_inf .05 .05
mperf ~~ mperf .61 .04
"""
FACTORS = """
visual =~ x1 .77 0
visual =~ x2 .42 .05
visual =~ x3 .58 .05
textual =~ x4 .85 0
textual =~ x5 .85 .02
speed =~ x7 .57 0
speed =~ x8 .72 .05
visual ~~ textual .46 .05
visual ~~ speed .47 .05
textual ~~ speed .28 .05
"""
HIGHER = """
visual =~ x1 .77 0
visual =~ x2 .42 .05
speed =~ x7 .57 0
speed =~ x8 .72 .05
g =~ visual .8 .05
g =~ speed .5 .05
"""
LOOP = """
a ~ b .2 .05
b ~ a .3 .05
c ~ a .1 .05
"""
OBSERVED = """
y ~ m .3 .05
y ~ x .2 .05
m ~ x .4 .05
y ~ x:z .1 .05
y ~ z .1 .05
"""


def drawings() -> dict[str, Drawing]:
    made = {
        "mechanisms": draw_diagram(estimates(M1), labels=LABELS, controls=CONTROLS, r2={"mperf": 0.3}),
        "moderation": draw_diagram(estimates(M2), labels=LABELS, controls=CONTROLS),
        "three moderators": draw_diagram(estimates(THREE), labels=LABELS),
        "factors": draw_diagram(estimates(FACTORS)),
        "higher order": draw_diagram(estimates(HIGHER)),
        "loop": draw_diagram(estimates(LOOP)),
        "observed": draw_diagram(estimates(OBSERVED)),
        "flow": flowchart(content().flow),  # type: ignore[arg-type]
        "forest": forest(claims()),
        "slopes": draw_slopes(probe(), LABELS),
        "region": draw_region(probe(), LABELS),
        "both": draw_probe(probe(), labels=LABELS),
    }
    assert all(drawing is not None for drawing in made.values())
    return {name: drawing for name, drawing in made.items() if drawing is not None}


DRAWINGS = drawings()


@pytest.mark.parametrize("name", DRAWINGS)
def test_svg_is_sound_and_self_contained(name: str) -> None:
    svg = DRAWINGS[name].svg
    root = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title") is not None and len(root.findtext(f"{space}desc") or "") > 20
    assert root.get("role") == "img"
    assert "url(" not in svg and "href" not in svg and "<style" not in svg
    assert "nan" not in svg


@pytest.mark.parametrize("name", DRAWINGS)
def test_no_text_covers_another_or_leaves_the_picture(name: str) -> None:
    drawing = DRAWINGS[name]
    texts = [shape for shape in drawing.shapes if isinstance(shape, Text)]
    for text in texts:
        left, top, right, bottom = text.box()
        assert left >= -1 and top >= -1 and right <= drawing.width + 1 and bottom <= drawing.height + 1, text.text
    for first, second in combinations(texts, 2):
        a, b = first.box(), second.box()
        width = min(a[2], b[2]) - max(a[0], b[0])
        height = min(a[3], b[3]) - max(a[1], b[1])
        assert not (width > 1.0 and height > 2.0), (first.text, second.text)


@pytest.mark.parametrize("name", [n for n in DRAWINGS if n not in ("slopes", "region", "both", "flow", "forest")])
def test_nodes_of_a_diagram_do_not_cover_each_other(name: str) -> None:
    boxes = []
    for shape in DRAWINGS[name].shapes:
        if isinstance(shape, Ellipse) and shape.rx > 10:
            boxes.append((shape.x - shape.rx, shape.y - shape.ry, shape.x + shape.rx, shape.y + shape.ry))
        if isinstance(shape, Rect) and shape.line > 0:
            boxes.append((shape.x, shape.y, shape.x + shape.width, shape.y + shape.height))
    for a, b in combinations(boxes, 2):
        assert min(a[2], b[2]) <= max(a[0], b[0]) + 0.5 or min(a[3], b[3]) <= max(a[1], b[1]) + 0.5


def test_a_moderation_is_an_arrow_that_ends_on_the_path_it_moderates() -> None:
    drawing = DRAWINGS["moderation"]
    ellipses = [s for s in drawing.shapes if isinstance(s, Ellipse) and s.rx > 10]
    left, right = min(ellipses, key=lambda e: e.x), max(ellipses, key=lambda e: e.x)
    above = next(e for e in ellipses if e not in (left, right))
    ends = left.x + left.rx, right.x - right.rx
    path = next(
        s for s in drawing.shapes
        if isinstance(s, Line) and s.head and abs(s.points[0][0] - ends[0]) + abs(s.points[-1][0] - ends[1]) < 1
    )  # fmt: skip
    onto = next(s for s in drawing.shapes if isinstance(s, Line) and s.head and s.width > 2)
    assert abs(onto.points[0][0] - above.x) < above.rx and onto.points[0][1] > above.y
    x, y = onto.points[-1]
    (x0, y0), (x1, y1) = path.points[0], path.points[-1]
    assert x0 < x < x1
    assert abs((y1 - y0) * (x - x0) - (y - y0) * (x1 - x0)) < 1e-6 * (x1 - x0)
    assert any(isinstance(s, Text) and s.text.startswith(".25 [") for s in drawing.shapes)


def test_three_moderators_end_at_three_places_of_one_path() -> None:
    ends = [s.points[-1] for s in DRAWINGS["three moderators"].shapes if isinstance(s, Line) and s.width > 2]
    assert len(ends) == 3 and len({round(x, 3) for x, _ in ends}) == 3


def test_a_path_that_skips_a_layer_runs_around_the_nodes_between() -> None:
    drawing = DRAWINGS["mechanisms"]
    way = next(s for s in drawing.shapes if isinstance(s, Line) and len(s.points) == 4)
    between = [
        s for s in drawing.shapes if isinstance(s, Ellipse) and s.rx > 10 and way.points[1][0] < s.x < way.points[2][0]
    ]
    assert len(between) == 3
    assert all(abs(way.points[1][1] - e.y) > e.ry for e in between)
    assert way.dash, "an interval that holds zero is dashed"


def test_the_graph_folds_controls_and_hides_the_product_factor() -> None:
    graph = read_graph(estimates(M2), CONTROLS)
    assert {node.name for node in graph.nodes} == {"collab", "mperf", "govt"}
    assert set(graph.controls) == set(CONTROLS)
    assert [(m.moderator, m.focal, m.outcome) for m in graph.moderations] == [("govt", "collab", "mperf")]
    assert graph.node("mperf").residual == pytest.approx(0.74)
    free = read_graph(estimates(M2))
    assert set(free.controls) == set(CONTROLS), "observed covariates are folded without being named"


def test_a_product_without_its_path_stays_a_node() -> None:
    graph = read_graph(estimates("y ~ a:b .2 .05"))
    assert graph.moderations == ()
    assert [edge.source for edge in graph.edges] == ["a:b"]


def test_circles_and_single_nodes_are_drawn() -> None:
    assert DRAWINGS["loop"].width > 100
    assert draw_diagram(pd.DataFrame()) is None
    alone = draw_diagram(estimates("f =~ x1 .7 0"))
    assert alone is not None and "by 1" in alone.description


def test_the_second_group_can_be_drawn() -> None:
    both = pd.concat([estimates(M2).assign(group="a"), estimates(M2).assign(group="b", std_all=0.11)])
    assert ".11" in draw_diagram(both, group="b").svg  # type: ignore[union-attr]
    assert ".25 [" in draw_diagram(both).svg  # type: ignore[union-attr]


def test_slopes_show_the_moderators_distribution_and_the_chosen_values() -> None:
    drawing = draw_slopes(probe(), LABELS)
    assert drawing is not None
    bars = [s for s in drawing.shapes if isinstance(s, Rect)]
    assert len(bars) > 10
    text = " ".join(s.text for s in drawing.shapes if isinstance(s, Text))
    assert "Mean + 1 SD (4.00)" in text and "n = 575" in text and "slope 0.31 [0.20,\u00a00.42]" in text
    lines = [s for s in drawing.shapes if isinstance(s, Line) and len(s.points) == 25]
    assert len({s.dash for s in lines}) == 3, "lines differ without colour"


def test_slopes_stay_inside_the_data() -> None:
    found = probe()
    drawing = draw_slopes(found)
    assert drawing is not None
    lines = [s for s in drawing.shapes if isinstance(s, Line) and len(s.points) == 25]
    assert max(x for s in lines for x, _ in s.points) < 441


def test_region_marks_boundaries_and_shares() -> None:
    found = probe()
    drawing = draw_region(found, LABELS)
    assert drawing is not None
    texts = [s.text for s in drawing.shapes if isinstance(s, Text)]
    for root in found.roots["value"]:
        assert f"{root:.2f}" in texts
    shares = [t for t in texts if "of respondents" in t]
    assert len(shares) == 3
    assert sum(float(t.split("\u2009")[0]) for t in shares) == pytest.approx(100.0, abs=0.2)


def test_a_probe_without_respondents_values_is_drawn_without_bars() -> None:
    found = probe()
    found.distribution = pd.DataFrame({"moderator": np.empty(0)})
    found.johnson_neyman["share"] = math.nan
    drawing = draw_probe(found)
    assert not [s for s in drawing.shapes if isinstance(s, Rect)]
    assert "nan" not in drawing.svg


def test_plot_kinds() -> None:
    assert draw_probe(probe(), "slopes").height < draw_probe(probe()).height
    with pytest.raises(OptionError) as error:
        draw_probe(probe(), "pie")  # type: ignore[arg-type]
    assert error.value.code == "report.plot-kind"


def test_few_values_are_bars_at_their_places() -> None:
    counts = Counts.of(np.array([0.0, 1.0, 1.0, math.nan]))
    assert counts.count.tolist() == [1.0, 2.0]
    assert counts.left[0] < 0.0 < counts.right[0] < counts.left[1]


def test_forest_shades_the_smallest_effect_of_every_part() -> None:
    drawing = forest(claims())
    assert drawing is not None
    bands = [s for s in drawing.shapes if isinstance(s, Rect)]
    assert len(bands) == sum(len(claim.parts) for claim in claims())
    assert bands[0].width > bands[1].width > 0, ".10 is wider than .03"
    assert forest([replace(claims()[0], parts=())]) is None


def test_flow_counts_add_up_in_the_picture() -> None:
    flow = Flow((FlowStep("Received", 10), FlowStep("Analysed", 7, (("left", 2), ("gone", 1)))), (("M", 6),))
    drawing = flowchart(flow)
    assert drawing is not None
    texts = [s.text for s in drawing.shapes if isinstance(s, Text)]
    assert "Left out (n = 3)" in texts and "n = 7" in texts and "n = 6" in texts
    assert flowchart(Flow(())) is None


@pytest.mark.parametrize("label", ["w" * 300, "<b>&\"'", "\u05d0\u05d1\u05d2", "$x$", "a_b_c_d_e_f_g_h_i_j_k", ""])
def test_any_label_keeps_a_diagram_whole(label: str) -> None:
    names = dict.fromkeys([*LABELS, "cn_acc_1", "govt_score"], label)
    drawing = draw_diagram(estimates(M1), labels=names, controls=CONTROLS)
    assert drawing is not None
    ElementTree.fromstring(drawing.svg)
    for text in (s for s in drawing.shapes if isinstance(s, Text)):
        assert text_width(text.text, text.size) < 450


def test_png_and_svg_files(tmp_path: Path) -> None:
    drawing = DRAWINGS["moderation"]
    assert drawing.save(tmp_path / "d.png").read_bytes().startswith(b"\x89PNG\r\n")
    ElementTree.parse(drawing.save(tmp_path / "d.svg"))
    with pytest.raises(OptionError) as error:
        drawing.save(tmp_path / "d.gif")
    assert error.value.code == "report.picture-format"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.png", "d.svg"]


def test_a_dollar_sign_is_no_formula(tmp_path: Path) -> None:
    drawing = Drawing("t", "d", 100, 20, (Text(50, 15, "$\\frac{1}"),))
    assert drawing.save(tmp_path / "x.png").stat().st_size > 100


def test_measuring_and_cutting_text() -> None:
    assert text_width("iii", 10) < text_width("mmm", 10)
    assert shorten("a long label", 30, 12).endswith("…")
    assert text_width(shorten("a long label", 30, 12), 12) <= 30
    assert wrap("one two three four", 60, 12, lines=2)[-1].endswith("four")
    assert len(wrap("one two three four five six seven", 40, 12, lines=2)) == 2


def test_curves_are_inside_the_picture() -> None:
    for drawing in DRAWINGS.values():
        for shape in drawing.shapes:
            if isinstance(shape, Curve):
                assert all(-1 <= x <= drawing.width + 1 and -1 <= y <= drawing.height + 1 for x, y in shape.points)
