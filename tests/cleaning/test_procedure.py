"""The rules of cleaning, one bent answer at a time, and what must hold of every cleaning."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import semkit as sk
from semkit.cleaning.flags import FLAGS, is_careless
from semkit.cleaning.procedure import steps_agree

from .survey import answers, cleaned, forms, items

NA = np.nan
FIRST = 2  # row in the file of the first respondent: the header is row 1


def rules(data: sk.Cleaned, respondent: int) -> set[str]:
    return set(data.ledger.loc[data.ledger["respondent"] == respondent, "rule"])


def test_careful_respondents_all_stay() -> None:
    data = cleaned(answers())
    assert (data.states == "analysed").all()
    assert data.flow["removed"].sum() == 0 and steps_agree(data) == []
    assert not data.flags.drop(columns="flag_mahalanobis").to_numpy().any()
    assert data.frame.index.name == "respondent" and data.frame.index[0] == FIRST


# --- who leaves before quality is looked at ------------------------------------------------------------------------


def test_copies_of_a_submission_leave_and_the_first_stays() -> None:
    frame = answers(6)
    frame.iloc[4] = frame.iloc[1]
    frame.iloc[5] = frame.iloc[1]
    frame.loc[5, "cn_str_1"] = "1" if frame.loc[1, "cn_str_1"] != "1" else "2"  # same device, another answer
    data = cleaned(frame)
    assert data.states.tolist() == ["analysed"] * 4 + ["duplicate", "analysed"]


def test_same_answers_on_another_device_are_no_copy() -> None:
    frame = answers(4)
    frame.iloc[3] = frame.iloc[1]
    frame.loc[3, "device_hash"] = "another"
    assert (cleaned(frame).states == "analysed").all()


def test_a_submission_exported_twice_is_a_copy_without_a_device() -> None:
    frame = answers(4).drop(columns="device_hash")
    frame.iloc[3] = frame.iloc[1]
    frame["_uuid"] = ["a", "b", "c", "b"]
    data = cleaned(frame)
    assert data.states.tolist() == ["analysed", "analysed", "analysed", "duplicate"]
    without = cleaned(frame.drop(columns="_uuid"))
    assert (without.states == "analysed").all()
    assert "cleaning.identical-answers" in {note.code for note in without.notes}


def test_two_refusals_on_one_tablet_are_two_refusals() -> None:
    frame = answers(5)
    frame.loc[[3, 4], :] = ""
    frame.loc[[3, 4], "consent"] = "no"
    frame.loc[[3, 4], "device_hash"] = "tablet"
    data = cleaned(frame)
    assert data.states.tolist()[3:] == ["no_consent", "no_consent"]


@pytest.mark.parametrize("answer", ["no", ""])
def test_without_consent_nobody_stays(answer: str) -> None:
    frame = answers(4)
    frame.loc[2, "consent"] = answer
    data = cleaned(frame)
    assert data.states.tolist()[2] == "no_consent"
    assert FIRST + 2 not in data.frame_all.index


@pytest.mark.parametrize(
    "question, answer, threshold",
    [
        ("scr_owner", "no", "ends the interview"),
        ("scr_active", "no", "ends the interview"),
        ("scr_region", "other", "ends the interview"),
        ("scr_years", "0", "at least 1"),
    ],
)
def test_screening(question: str, answer: str, threshold: str) -> None:
    frame = answers(4)
    frame.loc[1, question] = answer
    data = cleaned(frame)
    assert data.states.tolist() == ["analysed", "screened_out", "analysed", "analysed"]
    entry = data.ledger[(data.ledger["rule"] == "screening")].iloc[0]
    assert (entry["respondent"], entry["column"], entry["threshold"]) == (FIRST + 1, question, threshold)
    assert (cleaned(frame, sk.CleaningPlan(screening=False)).states == "analysed").all()


def test_each_leaves_at_the_first_step_that_applies() -> None:
    frame = answers(5)
    frame.loc[1, "consent"] = "no"
    frame.loc[1, "scr_owner"] = "no"
    frame.iloc[2] = frame.iloc[1]
    data = cleaned(frame)
    assert data.states.tolist()[:3] == ["analysed", "no_consent", "duplicate"]
    assert data.flow["removed"].tolist() == [0, 1, 1, 0, 0, 0]
    assert data.flow["remaining"].tolist() == [5, 4, 3, 3, 3, 3]


# --- flags ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "counts"), [("self", True), ("enumerator", False), ("phone", False), ("", True)])
def test_a_failed_check_counts_only_against_those_who_filled_in_themselves(mode: str, counts: bool) -> None:
    frame = answers()
    frame["mode"] = "enumerator"
    frame.loc[7, "mode"] = mode
    frame.loc[7, "gr_att"] = "5"
    frame.loc[7, "enumerator"] = "E03"
    data = cleaned(frame)
    assert bool(data.flags.loc[FIRST + 7, "flag_attention"]) is counts
    row = data.attention[data.attention["enumerator"] == "E03"].iloc[0]
    assert (row["failed"], row["share"]) == (1, 1.0)  # reported in every mode


def test_speed_is_two_seconds_for_each_item_answered() -> None:
    frame = answers()
    # 56 items, 3 checks, 3 marker items: 62 answers; with two empty, 60
    frame.loc[3, "duration_s"] = "124"
    frame.loc[4, "duration_s"] = "123.9"
    frame.loc[5, ["cn_str_1", "cn_str_2"]] = ""
    frame.loc[5, "duration_s"] = "120"
    data = cleaned(frame)
    assert data.flags["flag_speed"].sum() == 1 and bool(data.flags.loc[FIRST + 4, "flag_speed"])
    entry = data.ledger[data.ledger["rule"] == "speed"].iloc[0]
    assert (entry["value"], entry["threshold"], entry["action"]) == (123.9, 124.0, "flagged")


def test_duration_from_start_and_end() -> None:
    start, end = "2026-05-31T09:00:00.000+07:00", "2026-05-31T09:20:00.000+07:00"
    frame = answers().drop(columns="duration_s").copy().assign(start=start, end=end)
    frame.loc[2, "end"] = "2026-05-31T09:01:00.000+07:00"
    data = cleaned(frame)
    assert data.flags["flag_speed"].sum() == 1 and bool(data.flags.loc[FIRST + 2, "flag_speed"])


@pytest.mark.parametrize(
    ("names", "flagged"),
    [
        (items("cn_str", "cn_rel", "cn_cog", "cn_loc")[:15], False),  # 15 of 31: half is 16
        (items("cn_str", "cn_rel", "cn_cog", "cn_loc")[:16], True),
        (items("gr_fac", "gr_cap")[1:8], False),  # 7 of 13: at least eight
        (items("gr_fac", "gr_cap")[1:9], True),
        (items("mp_sal", "mp_rch", "mp_cus")[:8], True),
    ],
)
def test_longest_run_of_identical_answers(names: list[str], flagged: bool) -> None:
    frame = answers()
    for name in items("collab", "cn_loc", "cn_crs", "cn_acc", "cn_knw", "cn_vce", "govt", "mperf"):
        frame.loc[9, name] = "2" if names[0] != name and int(name[-1]) % 2 else "4"
    frame.loc[9, names] = "3"
    data = cleaned(frame)
    found = "identical answers" in rules(data, FIRST + 9)
    assert found is flagged
    assert bool(data.flags.loc[FIRST + 9, "flag_longstring"]) or not flagged


def test_no_variance_over_blocks_with_a_reverse_item() -> None:
    frame = answers()
    frame.loc[9, items("mp_cus")] = "2"  # the only block of its instrument with a reverse item
    data = cleaned(frame)
    entry = data.ledger[(data.ledger["respondent"] == FIRST + 9) & (data.ledger["rule"] == "no variance")].iloc[0]
    assert entry["column"] == "marketing_performance"
    frame.loc[9, "mp_cus_1"] = "3"
    assert "no variance" not in rules(cleaned(frame), FIRST + 9)


def test_more_than_thirty_per_cent_missing_excludes_by_itself() -> None:
    names = items("collab", "cn_loc", "cn_crs", "cn_acc", "cn_knw", "cn_vce")
    frame = answers()
    frame.loc[3, names[:16]] = ""  # 16 of 56: .286
    frame.loc[4, names[:17]] = "98"  # 17 of 56: .304; 'don't know' is missing too
    data = cleaned(frame)
    assert data.states.loc[FIRST + 3] == "analysed" and data.states.loc[FIRST + 4] == "careless"
    assert data.flags.loc[FIRST + 4, "flag_missing"]


def test_reverse_items_that_contradict() -> None:
    frame = answers()
    frame.loc[6, items("cn_rel")] = ["5", "5", "4", "4"]  # flipped 2: |5-2| |5-2| |4-2| -> 2.67
    frame.loc[8, items("cn_rel")] = ["4", "4", "4", "4"]  # flipped 2: 2 each
    data = cleaned(frame)
    entries = data.ledger[(data.ledger["rule"] == "reverse items")]
    assert entries["respondent"].tolist() == [FIRST + 6] and entries["column"].tolist() == ["cn_rel"]
    assert entries["value"].iloc[0] == pytest.approx(8 / 3) and data.states.loc[FIRST + 6] == "analysed"


def test_mahalanobis_only_flags() -> None:
    from scipy.stats import chi2

    rng = np.random.default_rng(1)
    frame = answers(400)
    names = [item.name for form in forms() for item in form.scored_items]
    codes = rng.integers(2, 5, (400, len(names)))
    codes[11, -12:] = [1, 5, 1, 5, 5, 1, 5, 1, 5, 1, 5, 1]
    frame[names] = codes.astype(str)
    data = cleaned(frame, sk.CleaningPlan(reverse_gap=9.0))
    centred = codes - codes.mean(axis=0)
    d2 = np.einsum("ij,ij->i", centred @ np.linalg.inv(np.cov(codes, rowvar=False)), centred)
    entry = data.ledger[(data.ledger["rule"] == "Mahalanobis distance")].set_index("respondent").loc[FIRST + 11]
    assert entry["value"] == pytest.approx(chi2.sf(d2[11], len(names)), rel=1e-6)
    assert data.flags["flag_mahalanobis"].tolist() == (chi2.sf(d2, len(names)) < 0.001).tolist()
    assert data.states.loc[FIRST + 11] == "analysed"


def test_rule_of_exclusion_over_all_combinations() -> None:
    for up in itertools.product([False, True], repeat=6):
        flags = pd.DataFrame([dict(zip(FLAGS, up, strict=True))])
        attention, speed, run, missing, reverse, _ = up
        others = [speed, run, missing, reverse]
        wanted = (attention and any(others)) or sum([attention, *others]) >= 2 or missing
        assert bool(is_careless(flags)[0]) is bool(wanted), up


def test_two_flags_exclude_and_the_ledger_says_which() -> None:
    frame = answers()
    frame.loc[7, "gr_att"] = "5"
    frame.loc[7, "duration_s"] = "30"
    data = cleaned(frame)
    assert data.states.loc[FIRST + 7] == "careless"
    entry = data.ledger[(data.ledger["action"] == "excluded")].iloc[0]
    assert (entry["respondent"], entry["rule"], entry["value"]) == (FIRST + 7, "careless", "attention + speed")
    assert FIRST + 7 in data.frame_all.index and data.frame_all.loc[FIRST + 7, "careless"] == 1.0
    assert "careless" not in data.frame.columns
    kept = cleaned(frame, sk.CleaningPlan(exclude_careless=False))
    assert (kept.states == "analysed").all() and kept.flags.loc[FIRST + 7, "flag_speed"]


# --- scores --------------------------------------------------------------------------------------------------------


def without_partners(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    frame.loc[row, "partner_types"] = "none"
    skipped = items("cn_str", "cn_rel", "cn_cog", "cn_loc", "cn_acc", "cn_knw", "cn_vce")
    frame.loc[row, [*skipped, "cn_att"]] = "97"
    return frame


def test_firms_without_partners() -> None:
    frame = without_partners(answers(), 5)
    frame.loc[5, items("cn_crs")] = ["2", "97", "4"]
    data = cleaned(frame)
    firm = data.frame.loc[FIRST + 5]
    assert firm["no_partner"] == 1.0 and data.frame["no_partner"].sum() == 1.0
    for code in ("cn_str", "cn_loc", "cn_acc", "cn_knw", "cn_vce"):  # reverse items too are scored 1 after reversal
        assert firm[items(code)].tolist() == [1.0] * len(items(code)) and firm[f"m_{code}"] == 1.0
        assert not data.not_applicable.loc[FIRST + 5, items(code)].any()
    for code in ("cn_rel", "cn_cog"):
        assert firm[[*items(code), f"m_{code}"]].isna().all()
        assert data.not_applicable.loc[FIRST + 5, [*items(code), f"m_{code}"]].all()
    assert firm[items("cn_crs")].tolist() == [2.0, 1.0, 4.0]
    assert not data.not_applicable.drop(index=FIRST + 5)[items("cn_rel")].to_numpy().any()
    assert data.states.loc[FIRST + 5] == "analysed" and not data.flags.loc[FIRST + 5].any()  # not asked, so not missing
    entries = data.ledger[(data.ledger["respondent"] == FIRST + 5) & (data.ledger["rule"] == "routing")]
    assert entries["action"].value_counts().to_dict() == {"scored 1": 20, "does not exist": 8, "not asked": 1}


def test_sensitivity_check_of_firms_without_partners() -> None:
    data = cleaned(without_partners(answers(), 5), sk.CleaningPlan(score_routed=True))
    assert data.frame.loc[FIRST + 5, ["m_cn_rel", "m_cn_cog"]].tolist() == [1.0, 1.0]


def test_not_applicable_of_firms_with_partners() -> None:
    frame = answers()
    frame.loc[5, ["cn_loc_1", "cn_crs_2", "cn_str_1", "gr_fac_1"]] = "97"
    frame.loc[6, ["cn_loc_1", "cn_crs_2"]] = ["98", "99"]
    data = cleaned(frame)
    first, second = data.frame.loc[FIRST + 5], data.frame.loc[FIRST + 6]
    assert first[["cn_loc_1", "cn_crs_2"]].tolist() == [1.0, 1.0]
    assert first[["cn_str_1", "gr_fac_1"]].isna().all() and second[["cn_loc_1", "cn_crs_2"]].isna().all()
    assert not data.not_applicable.loc[FIRST + 5, ["cn_str_1", "gr_fac_1"]].any()
    entries = data.ledger[(data.ledger["rule"] == "special code")].set_index(["respondent", "column"])
    assert entries.loc[(FIRST + 5, "cn_loc_1"), ["value", "action"]].tolist() == [97.0, "scored 1"]
    assert entries.loc[(FIRST + 6, "cn_crs_2"), ["value", "action"]].tolist() == [99.0, "missing"]
    assert len(entries) == 6


def test_answers_that_the_form_should_not_have_asked_for() -> None:
    frame = without_partners(answers(), 5)
    frame.loc[5, "cn_rel_1"] = "4"
    data = cleaned(frame)
    assert np.isnan(data.frame.loc[FIRST + 5, "cn_rel_1"])
    assert "cleaning.routing-contradicted" in {note.code for note in data.notes}


def test_reverse_items_are_flipped_and_the_raw_text_stays() -> None:
    frame = answers()
    frame.loc[0, ["cn_str_5", "cn_str_1"]] = ["1", "1"]
    data = cleaned(frame)
    assert data.frame.loc[FIRST, ["cn_str_5", "cn_str_1"]].tolist() == [5.0, 1.0]
    assert data.raw.loc[FIRST, "cn_str_5"] == "1"
    flips = data.ledger[data.ledger["rule"] == "reverse item"]
    turned = [item.name for form in forms() for item in form.items if item.reverse]
    assert flips["column"].tolist() == turned and flips["respondent"].isna().all()


def test_means_need_half_of_the_items() -> None:
    frame = answers()
    frame.loc[3, items("cn_str")] = ["4", "", "5", "2", ""]  # three of five: reverse item missing
    frame.loc[4, items("cn_str")] = ["4", "", "5", "", ""]  # two of five
    frame.loc[5, items("gr_cap")] = ["4", "", "3", ""]  # two of four
    data = cleaned(frame)
    assert data.frame.loc[FIRST + 3, "m_cn_str"] == pytest.approx(11 / 3)
    assert np.isnan(data.frame.loc[FIRST + 4, "m_cn_str"])
    assert data.frame.loc[FIRST + 5, "m_gr_cap"] == 3.5
    assert np.isnan(cleaned(frame, sk.CleaningPlan(min_answered=1.0)).frame.loc[FIRST + 3, "m_cn_str"])


# --- analysis variables --------------------------------------------------------------------------------------------


def test_profile_variables() -> None:
    frame = answers(6)
    frame["sex"] = ["female", "male", "", "female", "male", "male"]
    frame["educ"] = ["none", "primary", "junior", "senior", "diploma", "degree"]
    frame["size"] = ["micro", "small", "medium", "micro", "", "small"]
    frame["sector"] = ["food", "food", "craft", "agriculture", "food", "craft"]
    frame["yrs_export"] = ["0", "1", "3", "4", "", "9"]
    frame["scr_years"] = ["1", "2", "3", "10", "11", "6"]
    frame["in_network"] = ["yes", "yes", "yes", "no", "yes", ""]
    frame["scr_export"] = ["directly", "via_others", "directly", "directly", "no", "directly"]
    frame["export_share_pct"] = ["0", "3", "10", "", "1", "2"]
    frame["gross_margin_pct"] = ["2500", "0", "", "10000", "1", "2"]
    data = cleaned(frame, sk.CleaningPlan(exclude_careless=False))
    table = data.frame
    expect = {
        "female": [1, 0, NA, 1, 0, 0],
        "educ_years": [0, 6, 9, 12, 15, 16],
        "size_small": [0, 1, 0, 0, NA, 1],
        "size_medium": [0, 0, 1, 0, NA, 0],
        "newexp": [NA, 1, 1, 0, NA, 0],
        "yrs_business": [1, 2, 3, 10, 11, 6],
        "established": [0, 0, 1, 1, 1, 1],
        "replica": [0, 0, 1, 0, 0, NA],
        "export_share_pct": [0, 30, 100, NA, 10, 20],
        "gross_margin_pct": [25, 0, NA, 100, 0.01, 0.02],
        "ln_yrs_export": [0, np.log(2), np.log(4), np.log(5), NA, np.log(10)],
    }
    for name, values in expect.items():
        np.testing.assert_allclose(table[name].to_numpy(dtype=float), values, err_msg=name)
    assert table["yrs_business_class"].tolist() == ["0-2", "0-2", "3-5", "6-10", ">10", "6-10"]
    assert data.bases["sector"] == "food" and data.bases["size"] == "micro"
    assert "sector_craft" in data.dummies("sector") and "sector_food" not in data.dummies("sector")


def test_select_multiple_and_routed_questions() -> None:
    frame = answers(4)
    frame.loc[1, ["ex_train", "ex_match", "ex_mentor", "ex_fair"]] = "no"
    frame.loc[1, "deal_6m"] = "97"
    frame.loc[2, "deal_6m"] = "98"
    data = cleaned(frame)
    assert data.frame["partner_types_retailer"].tolist() == [1.0] * 4
    np.testing.assert_allclose(data.frame["deal_6m"], [1, NA, NA, 1])
    assert data.not_applicable["deal_6m"].tolist() == [False, True, False, False]
    actions = data.ledger[data.ledger["column"] == "deal_6m"].set_index("respondent")["action"]
    assert actions.to_dict() == {FIRST + 1: "does not exist", FIRST + 2: "missing"}


def test_objective_index_by_hand() -> None:
    frame = answers(5)
    frame["turnover_12m"] = ["100", "200", "300", "", "500"]
    frame["turnover_prev"] = ["100", "100", "0", "100", "250"]  # the third has no ratio
    frame["n_buyers_active"] = ["1", "2", "3", "", "5"]
    frame["n_areas_domestic"] = ["2", "2", "2", "", "2"]  # does not vary: says nothing
    frame["n_countries"] = ["0", "1", "", "1", "4"]
    plan = sk.CleaningPlan(winsorise=(0.0, 1.0), exclude_careless=False)
    data = cleaned(frame, plan)
    columns = pd.DataFrame(
        {"ratio": [1.0, 2.0, NA, NA, 2.0], "buyers": [1, 2, 3, NA, 5], "countries": [0, 1, NA, 1, 4]}, dtype=float
    )
    logs = np.log1p(columns)
    z = (logs - logs.mean()) / logs.std(ddof=1)
    wanted = z.mean(axis=1).where(z.notna().sum(axis=1) >= 2)  # half of the four sources
    np.testing.assert_allclose(data.frame["turnover_ratio"], columns["ratio"])
    np.testing.assert_allclose(data.frame["mp_obj"].to_numpy(), wanted.to_numpy())


def test_money_is_winsorised_before_its_logarithm_and_entered() -> None:
    frame = answers(200)
    frame["turnover_12m"] = [str(100 + row) for row in range(200)]
    frame["turnover_prev"] = "100"
    frame.loc[0, "turnover_12m"] = "999999"
    data = cleaned(frame)
    entries = data.ledger[(data.ledger["rule"] == "winsorise")]
    assert entries["column"].unique().tolist() == ["turnover_ratio"] and FIRST in entries["respondent"].tolist()
    assert data.frame.loc[FIRST, "turnover_12m"] == 999999.0  # the amount itself stays


# --- what must hold of every cleaning ------------------------------------------------------------------------------

CELLS = st.sampled_from(["1", "2", "3", "4", "5", "97", "98", "99", ""])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.integers(1, 30), st.floats(0.0, 0.5))
def test_every_respondent_ends_in_exactly_one_state(seed: int, n: int, harm: float) -> None:
    rng = np.random.default_rng(seed)
    frame = answers(n + 3, seed)
    names = [item.name for form in forms() for item in form.items]
    for name in names:
        hit = rng.random(n + 3) < harm
        frame.loc[hit, name] = rng.choice(["1", "2", "3", "4", "5", "97", "98", "99", ""], int(hit.sum()))
    for name, values in {"consent": ["yes", "no", ""], "scr_owner": ["yes", "no", ""], "scr_years": ["0", "4", ""],
                         "partner_types": ["none", "supplier", ""], "mode": ["self", "phone", ""],
                         "duration_s": ["20", "600", ""], "device_hash": ["d1", "d2", ""]}.items():  # fmt: skip
        hit = rng.random(n + 3) < harm
        frame.loc[hit, name] = rng.choice(values, int(hit.sum()))
    frame.iloc[n] = frame.iloc[0]
    frame.iloc[n + 1] = answers(n + 3, seed).iloc[n + 1]  # somebody stays
    data = cleaned(frame)
    assert steps_agree(data) == []
    assert data.states.isin(["duplicate", "no_consent", "screened_out", "careless", "analysed"]).all()
    assert len(data.states) == n + 3 == data.flow["remaining"].iloc[0]
    assert set(data.frame.index) <= set(data.frame_all.index)
    assert set(data.frame_all.index) == set(data.states.index[data.states.isin(["careless", "analysed"])])
    scored = data.frame_all[[name for name in data.frame.columns if name in names]].to_numpy()
    assert np.isnan(scored[(scored < 1) | (scored > 5)]).all()
    gone = data.not_applicable.loc[data.frame_all.index]
    shared = [name for name in gone.columns if name in data.frame_all.columns]
    assert data.frame_all[shared].isna().to_numpy()[gone[shared].to_numpy()].all()


def test_the_responses_are_not_changed() -> None:
    responses = sk.read_responses(without_partners(answers(), 3), forms())

    def hashes() -> list[int]:
        frames = (responses.raw, responses.coded, responses.quality, responses.declared)
        return [int(pd.util.hash_pandas_object(frame.astype(str)).sum()) for frame in frames]

    before = hashes()
    data = sk.clean(responses)
    data.frame.loc[:, "cn_str_1"] = -1.0  # not even through what was handed out
    data.frame_all.loc[:, "mk_1"] = -1.0
    assert hashes() == before
    pd.testing.assert_frame_equal(data.raw, responses.raw)


def test_the_order_of_columns_and_their_names_do_not_matter() -> None:
    frame = answers()
    data = cleaned(frame)
    turned = frame[frame.columns[::-1]].rename(columns=lambda name: f"group/{name}")
    pd.testing.assert_frame_equal(cleaned(turned).frame, data.frame)


def test_the_order_of_respondents_does_not_matter() -> None:
    frame = answers(60)
    frame.loc[7, "gr_att"] = "5"
    frame.loc[7, "duration_s"] = "30"
    data = cleaned(frame)
    back = cleaned(frame.iloc[::-1].reset_index(drop=True))
    assert data.states.tolist() == back.states.tolist()[::-1]
    pd.testing.assert_frame_equal(data.frame.reset_index(drop=True), back.frame.iloc[::-1].reset_index(drop=True))


def test_nothing_personal_reaches_frame_ledger_or_notes() -> None:
    frame = answers()
    secret = "Siti Rahmawati"
    frame["nama"], frame["device_hash"], frame["no_hp"] = secret, [f"{secret}{row}" for row in range(40)], "0812345"
    frame["enumerator"], frame["mode"] = secret, "enumerator"
    frame.loc[3, "gr_att"] = "5"
    data = cleaned(frame)
    shown = [data.frame.to_csv(), data.frame_all.to_csv(), data.ledger.to_csv(), data.attention.to_csv(),
             " ".join(map(str, data.notes)), repr(data), data._repr_html_()]  # fmt: skip
    assert not any(secret in text or "0812345" in text for text in shown)
    assert data.attention["enumerator"].tolist() == ["enumerator 1"]


def test_the_marker_of_invented_data_stays() -> None:
    frame = answers()
    frame["synthetic"] = "1"
    data = cleaned(frame)
    assert data.synthetic and (data.frame["synthetic"] == 1.0).all() and "SYNTHETIC" in repr(data)
    assert "responses.synthetic" in {note.code for note in data.notes}


def test_nobody_left_is_an_error_that_says_why() -> None:
    frame = answers(4)
    frame["consent"] = "no"
    with pytest.raises(sk.SemkitError) as caught:
        cleaned(frame)
    problem = caught.value.problems[0]
    assert (problem.code, caught.value.exit_code) == ("cleaning.nobody-left", 1)
    assert "no consent 4" in problem.what and problem.allowed and problem.remedy


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("seconds_per_item", -1.0, "0 to 60"), ("run_minimum", 1, "2 or more"), ("run_share", 1.5, "0 to 1"),
        ("max_missing", 1.2, "0 to 1"), ("reverse_gap", 0.0, "more than 0"), ("mahalanobis_p", 1.0, "less than 1"),
        ("flags_to_exclude", 0, "1 or more"), ("min_answered", 2.0, "None"), ("winsorise", (0.9, 0.1), "in order"),
        ("attention_fails", 0, "1 or more"),
    ],
)  # fmt: skip
def test_bad_plans(name: str, value: object, allowed: str) -> None:
    with pytest.raises(sk.SemkitError) as caught:
        sk.CleaningPlan(**{name: value})  # type: ignore[arg-type]
    problem = caught.value.problems[0]
    assert (problem.code, caught.value.exit_code) == ("cleaning.bad-plan", 2)
    assert name in problem.where and allowed in problem.allowed and problem.remedy


def test_a_notebook_sees_flow_and_flags_escaped() -> None:
    from semkit.cleaning.records import plain_html

    text = plain_html(cleaned(answers()))
    assert "received" in text and "flag_speed" in text and "<script" not in text
