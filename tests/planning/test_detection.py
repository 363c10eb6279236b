"""End to end: an invented file through reader and cleaning, against what is planted in it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from semkit import simulate_responses
from semkit.planning.detection import cleaned, detect
from semkit.planning.measurement import ITEMS


@pytest.fixture(scope="module")
def invented():
    return simulate_responses(n=3000, seed=31)


@pytest.fixture(scope="module")
def found(invented):
    return detect(invented)


@pytest.fixture(scope="module")
def result(invented):
    return cleaned(invented)


def test_copies_and_screening_are_found_exactly(found):
    assert found.duplicates.rate == found.screened.rate == 1.0
    assert found.duplicates.rows > 15 and found.screened.rows > 30


def test_straight_lining_is_found_and_careful_rows_are_kept(found):
    assert found.careless["straight_line"].rate > 0.95
    assert found.careless["random"].rate > 0.40
    assert found.careless["careful"].rate < 0.03
    for kind in ("straight_line", "random", "alternating"):
        assert found.flags[kind]["flag_attention"] > 0.95  # three checks, each missed with .85


def test_states_add_up(found, result):
    removed = int(result.flow["removed"].sum())
    assert found.received == 3000 == found.analysed + removed


def test_the_analysed_keep_the_synthetic_mark(result):
    assert result.synthetic and set(result.frame["synthetic"]) == {1}


def test_scores_are_the_flipped_answers(invented, result):
    """Reverse items of careful rows, from the export's own text: 6 minus the answer."""
    for block, name in (("collaborative_network", "cn_str_5"), ("marketing_performance", "mp_cus_3")):
        raw = invented.columns[f"{block}/{name}"][result.frame.index.to_numpy() - 2]
        plain = np.isin(raw, list("12345"))
        score = result.frame[name].to_numpy(dtype=float)
        assert np.array_equal(score[plain], 6.0 - raw[plain].astype(float))


def test_routing_of_firms_without_partners_after_cleaning(invented, result):
    rows = result.frame.index.to_numpy() - 2
    absent = invented.population.groups["no_partner"][invented.rows.source[rows]] == 1
    assert np.array_equal(result.frame["no_partner"].to_numpy() == 1, absent) and absent.sum() > 60
    for code, (count, _) in ITEMS["collaborative_network"].items():
        block = result.frame.loc[absent, [f"{code}_{k}" for k in range(1, count + 1)]].to_numpy(dtype=float)
        if code in ("cn_rel", "cn_cog"):
            assert np.isnan(block).all(), code
        elif code != "cn_crs":
            assert np.all(block == 1.0), code


def test_construct_means_follow_the_latent_variables(invented, result):
    """Correlation of an item mean with its latent variable: near sqrt(reliability), about .9."""
    rows = result.frame.index.to_numpy() - 2
    careful = (invented.rows.careless[rows] == 0) & (result.frame["no_partner"].to_numpy() == 0)
    for code in ("cn_str", "cn_rel", "cn_acc", "gr_fac", "gr_cap", "mp_sal"):
        mean = result.frame[f"m_{code}"].to_numpy(dtype=float)
        use = careful & ~np.isnan(mean)
        r = np.corrcoef(mean[use], invented.population.latents[code][rows][use])[0, 1]
        assert 0.83 < r < 0.95, (code, r)


def test_the_committed_file_leaves_about_six_hundred():
    side = json.loads(simulate_responses().sidecar(draws=2000))
    found = detect(simulate_responses())
    assert 580 <= found.analysed <= 640
    assert found.duplicates.found == len(side["rows"]["duplicate_of"])
