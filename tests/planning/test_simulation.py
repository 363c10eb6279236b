"""The invented file: shape, bytes, streams, damage."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

from semkit import load_instrument, simulate_responses
from semkit.errors import OptionError
from semkit.planning import measurement
from semkit.planning.damage import CARELESS, MODES
from semkit.planning.draws import choose, poisson, whole
from semkit.planning.simulation import BLOCKS, CORE

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = {"border": "border_collaboration", "border_nointeraction": "border_nointeraction"}
N = 20_000
MC = 4.0


@pytest.fixture(scope="module")
def large():
    return simulate_responses(n=N, seed=5)


@pytest.fixture(scope="module")
def answered(large):
    """Rows that were interviewed to the end (bool, n)."""
    return large.rows.screened[large.rows.source] == 0


def column(simulated, name):
    return next(value for header, value in simulated.columns.items() if header.rsplit("/", 1)[-1] == name)


@pytest.mark.parametrize("study", FILES)
def test_committed_file_is_what_the_generator_makes(study):
    made = simulate_responses(study, n=660, seed=20260100).to_bytes()
    assert (EXAMPLES / FILES[study] / f"{study}_synthetic.csv").read_bytes() == made


@pytest.mark.parametrize("study", FILES)
def test_committed_side_car(study):
    side = json.loads((EXAMPLES / FILES[study] / f"{study}_synthetic.json").read_text(encoding="utf-8"))
    data = (EXAMPLES / FILES[study] / f"{study}_synthetic.csv").read_bytes()
    assert side["statement"] == "invented data; no respondent exists"
    assert (side["synthetic"], side["seed"], side["n"], side["study"]) == (True, 20260100, 660, study)
    assert side["data_sha256"] == hashlib.sha256(data).hexdigest()
    assert side["planted"]["draws"] == 1_000_000
    b3 = side["planted"]["all_firms"]["M2"]["b3"]
    wanted = 0.327 if study == "border" else -0.005
    assert abs(b3["raw"] - wanted) < 0.0005 + MC * b3["monte_carlo_se"]


def test_same_seed_same_bytes_and_another_seed_others():
    first = simulate_responses(n=40, seed=8)
    assert first.to_bytes() == simulate_responses(n=40, seed=8).to_bytes()
    assert first.sidecar(draws=2000) == simulate_responses(n=40, seed=8).sidecar(draws=2000)
    assert first.to_bytes() != simulate_responses(n=40, seed=9).to_bytes()


@pytest.mark.parametrize("blocks", [(), *((block,) for block in BLOCKS), BLOCKS[:2], BLOCKS[1:], BLOCKS[::-1]])
def test_leaving_blocks_out_changes_no_byte_of_the_others(blocks):
    whole_file = simulate_responses(n=150, seed=4, blocks=BLOCKS)
    part = simulate_responses(n=150, seed=4, blocks=blocks)
    for header, value in part.columns.items():
        assert np.array_equal(value, whole_file.columns[header]), header
    gone = {header.split("/")[0] for header in whole_file.columns} - {header.split("/")[0] for header in part.columns}
    assert gone == set(BLOCKS) - set(blocks)
    assert [h for h in whole_file.columns if h in part.columns] == list(part.columns)


def test_variants_differ_only_where_access_or_performance_enters():
    full, without = (simulate_responses(study, n=400, seed=6) for study in FILES)
    changed = {h.split("/")[-1] for h in full.columns if not np.array_equal(full.columns[h], without.columns[h])}
    from_performance = {
        "shipments_month", "turnover_12m", "export_turnover_12m", "export_growth_2y_pct", "n_buyers_active",
        "n_buyers_new", "n_distributors_abroad", "n_areas_domestic", "n_countries", "orders_month", "gross_margin_pct",
    }  # fmt: skip
    items = {f"cn_acc_{k}" for k in range(1, 5)} | set(measurement.item_names("marketing_performance"))
    assert changed <= from_performance | items
    assert {"cn_acc_1", "mp_sal_1", "export_growth_2y_pct"} <= changed


def test_file_is_shaped_like_the_platforms_export():
    invented = simulate_responses(n=30, seed=2)
    raw = invented.to_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf") and raw.count(b"\r\n") == 31 and raw.endswith(b'"\r\n')
    lines = raw.decode("utf-8").split("\r\n")[:-1]
    assert all(line.startswith('"') and line.endswith('"') for line in lines)
    rows = list(csv.reader(io.StringIO(raw.decode(), newline=""), delimiter=";"))
    assert rows[0][:3] == ["synthetic", "start", "end"]
    assert rows[0][-10:] == [
        "_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_status", "_submitted_by", "__version__",
        "_tags", "_index",
    ]  # fmt: skip
    assert {row[0] for row in rows[1:]} == {"1"}
    assert len({row[rows[0].index("_uuid")] for row in rows[1:]}) == 30
    assert all(len(row) == len(rows[0]) == len(set(rows[0])) for row in rows)
    assert '""' not in raw.decode().replace('"";', "").replace(';""', "")  # no doubled quotes inside cells


def test_time_stamps_agree_with_seconds_taken():
    from datetime import datetime

    invented = simulate_responses(n=80, seed=2)
    for start, end, seconds, sent in zip(
        invented.columns["start"], invented.columns["end"], column(invented, "duration_s"),
        invented.columns["_submission_time"], strict=True,
    ):  # fmt: skip
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
        assert (last - first).total_seconds() == int(seconds)
        assert datetime.fromisoformat(sent + "+00:00") > last
    assert list(invented.columns["_submission_time"]) == sorted(invented.columns["_submission_time"])


def test_choices_are_codes_and_headers_are_names_of_the_instruments():
    invented = simulate_responses(n=600, seed=2)
    questions, items = {}, {}
    for block in CORE:
        form = load_instrument(block)
        questions |= {question.name: question for question in form.questions}
        items |= {item.name: item for item in form.items}
        names = [h.split("/")[1] for h in invented.columns if h.startswith(f"{block}/")]
        own = {i.name for i in form.items if i not in form.marker_items} | {q.name for q in form.section("objective")}
        assert set(names) == own
    for header, value in invented.columns.items():
        _group, _, rest = header.partition("/")
        if not rest or "/" in rest:
            continue
        given = set(value) - {""}
        if rest in items:
            scale = [*range(1, 6), 97, 98]
            assert given <= {str(code) for code in scale}, header
        elif questions[rest].answer == "choice":
            codes = {choice.code for choice in questions[rest].choices} | {str(c) for c in questions[rest].special}
            assert given <= codes, header
        elif questions[rest].answer == "multiple":
            codes = [choice.code for choice in questions[rest].choices]
            assert {part for answer in given for part in answer.split()} <= set(codes)
            assert [h for h in invented.columns if h.startswith(header + "/")] == [f"{header}/{c}" for c in codes]
        elif questions[rest].answer != "text":
            low, high = questions[rest].minimum, questions[rest].maximum
            numbers = np.array([float(answer) for answer in given])
            assert low is None or numbers.min() >= low, header
            assert high is None or numbers.max() <= high, header


def test_reverse_items_and_attention_keys_are_the_instruments():
    for block in CORE:
        form = load_instrument(block)
        reverse = {f"{c}_{k}" for c, (_, numbers) in measurement.ITEMS[block].items() for k in numbers}
        assert reverse == {item.name for item in form.scored_items if item.reverse}
        assert measurement.item_names(block) == [item.name for item in form.scored_items]
        assert [measurement.ATTENTION[block]] == [(item.name, item.attention) for item in form.checks]


def test_split_columns_say_what_the_joined_one_says(large):
    joined = large.columns["profile/partner_types"]
    for header, value in large.columns.items():
        if header.startswith("profile/partner_types/"):
            option = header.rsplit("/", 1)[1]
            wanted = ["" if not a else str(int(option in a.split())) for a in joined]
            assert list(value) == wanted
    none = joined == "none"
    absent = large.population.groups["no_partner"][large.rows.source] == 1
    assert np.array_equal(none, absent & (joined != ""))


def test_row_damage_has_the_planted_shares(large):
    rows = large.rows
    for k, share in enumerate((0.94, 0.025, 0.025, 0.01)):
        assert np.mean(rows.careless == k) == pytest.approx(share, abs=MC * np.sqrt(share * (1 - share) / N)), CARELESS[
            k
        ]
    assert np.mean(rows.screened > 0) == pytest.approx(0.02, abs=MC * np.sqrt(0.02 * 0.98 / N))
    assert rows.duplicate.mean() == pytest.approx(0.01, abs=MC * np.sqrt(0.01 * 0.99 / N))
    for k, share in enumerate((0.70, 0.25, 0.05)):
        assert np.mean(rows.mode == k) == pytest.approx(share, abs=MC * np.sqrt(share * (1 - share) / N)), MODES[k]
    assert set(rows.mode[rows.careless > 0]) == {0}
    assert not rows.duplicate[rows.source].any()  # a duplicate repeats an original


def test_duplicates_repeat_everything_but_the_submission(large):
    again = np.flatnonzero(large.rows.duplicate)
    own = {"_id", "_uuid", "_submission_time", "_index"}
    for header, value in large.columns.items():
        if header not in own:
            assert np.array_equal(value[again], value[large.rows.source[again]]), header
        else:
            assert np.all(value[again] != value[large.rows.source[again]])


def test_screened_out_rows_end_at_their_question(large):
    source = large.rows.source
    for k, name in enumerate(("consent", "scr_owner", "scr_active", "scr_region"), start=1):
        rows = large.rows.screened[source] == k
        assert set(column(large, name)[rows]) == {"other" if name == "scr_region" else "no"}
        assert set(large.columns["profile/sex"][rows]) == set(column(large, "mk_1")[rows]) == {""}
    kept = large.rows.screened[source] == 0
    assert set(column(large, "consent")[kept]) == {"yes"} and "other" not in column(large, "scr_region")[kept]


def test_careless_rows_answer_as_their_kind(large):
    rows = large.rows
    names = measurement.item_names("marketing_performance")
    answers = np.array([column(large, name) for name in names])
    usable = (rows.screened == 0) & ~rows.duplicate & np.all((answers != "") & (answers != "98"), axis=0)
    points = np.where(usable, answers, "0").astype(int)
    straight = usable & (rows.careless == 1)
    assert straight.sum() > 100 and np.all(points[:, straight] == points[0, straight])
    turns = usable & (rows.careless == 3)
    assert np.all(points[::2, turns] == points[0, turns]) and np.all(points[1::2, turns] == points[1, turns])
    anyhow = points[:, usable & (rows.careless == 2)]
    assert np.allclose(
        np.bincount(anyhow.ravel(), minlength=6)[1:] / anyhow.size, 0.2, atol=MC * 0.4 / np.sqrt(anyhow.size)
    )


@pytest.mark.parametrize("name", ["cn_att", "gr_att", "mp_att"])
def test_attention_failures(large, answered, name):
    value, careless = column(large, name), large.rows.careless[large.rows.source] > 0
    asked = answered & (value != "97")
    for group, rate in ((careless, 0.85), (~careless, 0.03)):
        rows = asked & group
        assert np.mean(value[rows] != "2") == pytest.approx(rate, abs=MC * np.sqrt(rate * (1 - rate) / rows.sum()))


def test_careless_rows_are_quick(large):
    seconds = column(large, "duration_s").astype(float)
    rows = (large.rows.screened == 0) & ~large.rows.break_off & ~large.rows.duplicate & (large.rows.mode == 0)
    careless = large.rows.careless > 0
    pace = np.median(seconds[rows & careless]) / np.median(seconds[rows & ~careless])
    assert pace == pytest.approx(0.425, abs=0.03)  # the middle of 25 to 60 per cent


def test_missing_cells(large, answered):
    items = [name for block in CORE for name in measurement.item_names(block)] + list(measurement.MARKERS)
    cells = np.array([column(large, name)[answered] for name in items])
    asked = cells != "97"
    for mark, rate in (("", 0.015), ("98", 0.010)):
        found = np.mean(cells[asked] == mark)
        assert found == pytest.approx(rate, abs=MC * np.sqrt(rate / asked.sum()))
    micro = column(large, "size")[answered] == "micro"
    for group, rate in ((micro, 0.12), (~micro, 0.06)):
        for name in ("turnover_12m", "transport_cost_kg"):
            found = np.mean(column(large, name)[answered][group] == "")
            assert found == pytest.approx(rate, abs=MC * np.sqrt(rate * (1 - rate) / group.sum())), name


def test_routing_of_firms_without_partners(large, answered):
    absent = answered & (large.population.groups["no_partner"][large.rows.source] == 1)
    for name in measurement.item_names("collaborative_network"):
        value = column(large, name)
        assert set(value[absent]) == {"97"} if not name.startswith("cn_crs") else "97" not in value[absent]
        assert "97" not in value[~absent]
    for name in ("n_partners_local", "n_partners_my", "meet_local", "meet_my"):
        assert set(column(large, name)[absent]) == {"0"}
    for name in ("partner_my", "in_network", "partner_key"):
        assert set(column(large, name)[absent]) == {"no"}


def test_points_have_the_probabilities_of_the_cuts(large):
    """Careful answers to an item of a unit-variance latent: normal probabilities between the cuts."""
    wanted = np.diff(np.concatenate([[0.0], ndtr(measurement.CUTS), [1.0]]))
    for name in ("cn_str_1", "cn_str_5", "gr_cap_4"):
        points = measurement.draw_items(large.population, BLOCKS[0] if name.startswith("cn") else BLOCKS[1])[name]
        found = np.bincount(points, minlength=6)[1:] / N
        expected = wanted[::-1] if name == "cn_str_5" else wanted
        assert np.all(np.abs(found - expected) < MC * np.sqrt(expected * (1 - expected) / N)), name
    assert float(wanted @ np.arange(1, 6)) == pytest.approx(3.3, abs=0.02)


def test_items_correlate_as_their_loadings_say(large):
    """Two cut normals with correlation r: Pearson's correlation from bivariate normal probabilities (scipy)."""
    from scipy.stats import multivariate_normal

    strength = measurement.loading(4, ())
    r = strength[0] * strength[1]
    points = measurement.draw_items(large.population, "government_role")
    edges = np.array([-8.0, *measurement.CUTS, 8.0])
    upper = np.array([[multivariate_normal.cdf([a, b], cov=[[1, r], [r, 1]]) for b in edges] for a in edges])
    cells = np.diff(np.diff(upper, axis=0), axis=1)
    k = np.arange(1, 6)
    mean, second = cells.sum(axis=1) @ k, cells.sum(axis=1) @ k**2
    wanted = (k @ cells @ k - mean**2) / (second - mean**2)
    found = np.corrcoef(points["gr_cap_1"], points["gr_cap_2"])[0, 1]
    assert found == pytest.approx(wanted, abs=MC * (1 - wanted**2) / np.sqrt(N))


def test_loadings():
    assert measurement.loading(5, ()).mean() == pytest.approx(0.76)
    assert measurement.loading(4, (4,))[3] == pytest.approx(0.62)
    assert (measurement.loading(3, ()).min(), measurement.loading(3, ()).max()) == pytest.approx((0.70, 0.82))


def test_objective_questions_follow_their_formulas(large, answered):
    source = large.rows.source
    yes = lambda name: column(large, name)[answered] == "yes"  # noqa: E731
    number = lambda name: np.array([float(v) if v else np.nan for v in column(large, name)[answered]])  # noqa: E731
    ships, cost = yes("joint_ship"), number("transport_cost_kg")
    gap = np.nanmean(np.log(cost[ships])) - np.nanmean(np.log(cost[~ships]))
    assert gap == pytest.approx(np.log(0.75), abs=MC * 0.30 / np.sqrt(np.sum(ships) * 0.9) * 1.5)
    growth, m = number("export_growth_2y_pct"), large.population.latents["mperf"][source][answered]
    slope, start = np.polyfit(m, growth, 1)
    assert slope == pytest.approx(19.4, abs=MC * 20 / np.sqrt(m.size)) and start == pytest.approx(18.3, abs=0.8)
    member, innovations = yes("learning_community"), number("n_innov_12m")
    assert np.median(innovations[~member]) == 2
    assert np.mean(innovations[member] > 2) == pytest.approx(0.63, abs=MC * 0.49 / np.sqrt(member.sum()))
    partner = yes("partner_my")
    assert np.mean(yes("partner_key")[partner]) == pytest.approx(0.80, abs=MC * 0.40 / np.sqrt(partner.sum()))
    deal = column(large, "deal_6m")[answered]
    joined = yes("ex_train") | yes("ex_match") | yes("ex_mentor") | yes("ex_fair")
    assert np.array_equal(deal == "97", ~joined)
    assert np.mean(deal[yes("ex_train") & yes("ex_match")] == "yes") == pytest.approx(0.60, abs=0.04)


def test_planted_intercept_of_one_regency(large):
    points = measurement.draw_items(large.population, "government_role")
    far = large.population.groups["regency"] == 2
    usual = points["gr_inf_2"][far].mean() - points["gr_inf_2"][~far].mean()
    shifted = points["gr_inf_1"][far].mean() - points["gr_inf_1"][~far].mean()
    assert -0.65 < shifted - usual < -0.35


def test_poisson_quantiles_are_scipys():
    from scipy.stats import poisson as reference

    rng = np.random.default_rng(0)
    u, mean = rng.random(5000), rng.uniform(0.01, 40.0, 5000)
    assert np.array_equal(poisson(u, mean), reference.ppf(u, mean).astype(int))


def test_choices_and_whole_numbers_cover_their_range():
    u = np.array([0.0, 0.2499, 0.25, 0.9999999])
    assert choose(u, (0.25, 0.50, 0.25)).tolist() == [0, 0, 1, 2]
    assert whole(u, 3, 5).tolist() == [3, 3, 3, 5]


def test_unknown_block_is_an_error():
    with pytest.raises(OptionError) as caught:
        simulate_responses(n=5, blocks=["government_rule"])
    assert caught.value.code == "planning.unknown-block"
    assert "government_role" in str(caught.value)


def test_written_files_say_that_they_are_synthetic(tmp_path):
    invented = simulate_responses(n=12, seed=1)
    data, side = invented.write(tmp_path / "new", draws=2000)
    assert data.name == "border_synthetic.csv" and side.name == "border_synthetic.json"
    assert data.read_bytes() == invented.to_bytes()
    assert json.loads(side.read_text())["statement"] == "invented data; no respondent exists"


def test_side_car_lists_the_damaged_rows(large):
    side = json.loads(large.sidecar(draws=2000))
    assert {k: len(v) for k, v in side["rows"]["careless"].items()} == {
        name: int(np.sum((large.rows.careless[large.rows.source] == k) & (large.rows.screened[large.rows.source] == 0)))
        for k, name in enumerate(CARELESS)
        if k
    }
    assert len(side["rows"]["duplicate_of"]) == large.rows.duplicate.sum()
