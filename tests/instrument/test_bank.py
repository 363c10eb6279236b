"""The whole item bank: every row in exactly one instrument or shared block, with the same words."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from semkit.instrument import Instrument, Item, list_instruments, load_instrument

# SHA-256 over the sorted lines item|construct|scale|flag|id|en of the item bank the instruments were written from.
BANK = {
    "all": (282, "a99f52c585b06313b6a60ea8d99ff681b2a2da84feb38b991252e2a5b7bcc523"),
    "border_challenges_adaptive": (31, "59ae8e93dcab2b65301e25d2696b513f02c732a5d926452aabc3580f4a095bac"),
    "collaborative_governance": (44, "ac8de43c5dc608e299966b821d0106f553992dac0946948aace5cc4b70070d93"),
    "collaborative_network": (32, "0ecfb8343fead74826d9d1b00559c9bf2d98aa0f6d9b8e87242da3faee691197"),
    "digital_collaboration": (48, "6d77541b68ef1eb6de1168ea9c8fd1ffa5c2ac3cf29c54bee15e25814b385420"),
    "export_compliance": (51, "7a39de58f391552681323ef9a88144d0cfef5c6d085d36748b17334c50965ce7"),
    "government_role": (14, "60b350b5f1f7d52ee1e6e84dbce0bb315c65c20b3a0e54164eff33da7fe41532"),
    "marker": (3, "98196d6afbf84267e130d9601f09e6b9c883b5795588e5674c8c3b538ebb43c1"),
    "marketing_network_partnership": (46, "471d25c0ceb446b0447f4829331095543de324aeb880240c1c2d9fb994ee85bf"),
    "marketing_performance": (13, "a9a70c981e4a6fc9b77bf1270b87b8766b695f4202cb091b513dafbcc58c04e2"),
}
# Codes of the objective questions, instrument by instrument; derived ones are made from questions with wording.
OBJECTIVE = {
    "border_challenges_adaptive": "",
    "collaborative_network": "n_partners_local n_partners_my meet_local meet_my joint_ship joint_buy joint_cert "
    "learning_community transport_cost_kg shipments_month n_innov_12m partner_key",
    "government_role": "ex_plbn ex_insw ex_tax ex_train ex_match ex_mentor ex_fair ex_wh doc_days deal_6m",
    "marketing_performance": "turnover_12m turnover_prev export_turnover_12m export_turnover_prev export_growth_pct "
    "export_growth_2y_pct export_share_pct n_buyers_active n_buyers_new n_distributors_abroad n_areas_domestic "
    "n_countries orders_month gross_margin_pct mp_obj",
    "marketing_network_partnership": "cluster cluster_size cluster_id pattern pattern_years partner_role lk_mkt lk_cap "
    "lk_prod lk_raw lk_mgt lnk n_intermediaries prod_growth_pct share_dir reach export_mode growth_strategy "
    "promo_count cp_obj",
    "export_compliance": "el_qz_1 el_qz_2 el_qz_3 el_qz_4 el_qz_5 export_status n_shipments_total n_countries "
    "share_docs_own digital_use doc_rejections_12m clearance_days programmes indonesian_store staff_export",
    "digital_collaboration": "n_groups group_age_months posts_week orders_outside_share new_partnerships_12m "
    "income_month income_month_prev data_cost_month promo_cost_month input_price_joint_ratio local_inputs_share",
    "collaborative_governance": "visits_12m trainings_12m mentor_sessions_12m aid_kind aid_wanted price_min "
    "price_usual n_weavers_now n_weavers_5y n_under30 sell_outside_share brand permit",
}


def line(item: Item) -> str:
    flag = "R" if item.reverse else f"A={item.attention}" if item.is_check else ""
    return "|".join((item.name, item.construct, item.scale, flag, item.text.id, item.text.en))


def digest(items: list[Item]) -> str:
    return hashlib.sha256("\n".join(sorted(map(line, items))).encode()).hexdigest()


@pytest.fixture(scope="module")
def forms() -> dict[str, Instrument]:
    return {name: load_instrument(name) for name in list_instruments()}


def test_every_row_is_in_exactly_one_place(forms: dict[str, Instrument]) -> None:
    own = {name: [item for item in form.items if item.construct not in form.marker] for name, form in forms.items()}
    marker = list(next(iter(forms.values())).marker_items)
    assert all(list(form.marker_items) == marker for form in forms.values())
    parts = {**own, "marker": marker}
    assert {name: (len(items), digest(items)) for name, items in parts.items()} == {
        name: value for name, value in BANK.items() if name != "all"
    }
    everything = [item for items in parts.values() for item in items]
    assert (len(everything), digest(everything)) == BANK["all"]
    assert max(Counter(item.name for item in everything).values()) == 1


def test_counts_are_those_of_the_headings(forms: dict[str, Instrument]) -> None:
    counts = {name: len(form.scored_items) for name, form in forms.items()}
    assert counts == {
        "collaborative_network": 31, "government_role": 13, "marketing_performance": 12,
        "border_challenges_adaptive": 30, "marketing_network_partnership": 45, "export_compliance": 50,
        "digital_collaboration": 47, "collaborative_governance": 43,
    }  # fmt: skip
    assert sum(counts.values()) == 271 and all(len(form.checks) == 1 for form in forms.values())


@pytest.mark.parametrize("name", OBJECTIVE)
def test_every_objective_code_has_wording(forms: dict[str, Instrument], name: str) -> None:
    form = forms[name]
    texts = {question.name: question.text for question in form.questions}
    labels = {derived.name: derived.label for derived in form.derived}
    for code in OBJECTIVE[name].split():
        words = texts.get(code) or labels[code]
        assert words.id and words.en


def test_dont_know_is_not_offered_where_it_is_an_answer(forms: dict[str, Instrument]) -> None:
    for form in forms.values():
        for item in form.items:
            assert item.special == ((97, 99) if item.scale in ("know5", "can5") else (97, 98, 99))
    quiz = [q for q in forms["export_compliance"].questions if q.name.startswith("el_qz_")]
    assert len(quiz) == 5 and all(98 not in q.special and q.shuffle == "el_qz" for q in quiz)
    assert all([choice.code for choice in q.choices] == ["true", "false", "dont_know"] for q in quiz)


def test_the_key_of_the_quiz(forms: dict[str, Instrument]) -> None:
    (score,) = [derived for derived in forms["export_compliance"].derived if derived.name == "el_qz"]
    assert score.rule == "share"
    assert [one.any_of for one in score.conditions] == [("true",), ("true",), ("true",), ("false",), ("false",)]


def test_attention_checks_ask_for_a_label_of_their_scale(forms: dict[str, Instrument]) -> None:
    for form in forms.values():
        (check,) = form.checks
        assert check.attention in (1, 2)
        for lang in ("id", "en"):
            assert f'"{form.scale(check.scale).label(check.attention, lang)}"' in check.text.get(lang)


def test_blocks_only_for_those_they_concern(forms: dict[str, Instrument]) -> None:
    found = {name: form.routing for name, form in forms.items() if form.routing}
    assert set(found) == {
        "collaborative_network", "marketing_network_partnership", "export_compliance", "digital_collaboration",
        "collaborative_governance",
    }  # fmt: skip
    (partner,), (preparing,) = found["marketing_network_partnership"], found["export_compliance"]
    assert partner.when.any_of == ("none",) and set(partner.missing) == {"pt_qlt", "pt_inf"}
    assert preparing.skips == ("el_inc",) and preparing.items == ("el_ipf_2", "el_ipf_3", "el_ipf_4")
    (group,), form = found["digital_collaboration"], forms["digital_collaboration"]
    asked = {c.code for c in form.constructs if c.items and c.code not in group.skips and c.code not in form.marker}
    assert asked == {"dg_lit", "dg_net", "dg_acc", "dg_inc", "dg_sup"}
    (office,), form = found["collaborative_governance"], forms["collaborative_governance"]
    asked = {c.code for c in form.constructs if c.items and c.code not in office.skips and c.code not in form.marker}
    assert asked == {"cg_val", "cg_mkt", "cg_res", "cg_pcm"}
    for form in forms.values():
        for rule in form.routing:  # known before the blocks are reached
            assert form.question(rule.when.question).section in ("screening", "profile")
            assert not rule.scored or form.name == "collaborative_network"


def test_regions_of_the_studies(forms: dict[str, Instrument]) -> None:
    sizes = {
        "border_challenges_adaptive": ("scr_region", 4), "marketing_network_partnership": ("province", 38),
        "export_compliance": ("scr_region", 0), "digital_collaboration": ("subdistrict", 18),
        "collaborative_governance": ("subdistrict", 16),
    }  # fmt: skip
    for name, (question, size) in sizes.items():
        assert len(forms[name].question(question).dummies) == size
        assert "region" in {derived.name for derived in forms[name].derived}
