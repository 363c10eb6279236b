"""The questionnaires semkit brings: their words, counts and rules."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from semkit.errors import FileError, InstrumentFileError, OptionError
from semkit.instrument import Instrument, Item, combine, list_instruments, load_instrument

BORDER = ("collaborative_network", "government_role", "marketing_performance")

# SHA-256 over the sorted lines item|flag|id|en of the item bank the instruments were written from.
WORDS = {
    "collaborative_network": (31, 1, "297315032dcd906d843dac8e639150641bc32e147078c157657455c6a5fbfd0c"),
    "government_role": (13, 1, "bfee50ae7cd6cf0dabf237a78414a4a974fcc19bdbf5c62165d6f4fde2d71fb5"),
    "marketing_performance": (12, 1, "4c5b211802aade8b0140d29ac62f4ff5de9acf137dfc16df0d427c48983f7cb9"),
}
MARKER = (3, "3d3a946bdb892959fca345b557893047bfabf39770b746332e49e8f4128ff197")


def words(items: tuple[Item, ...]) -> str:
    def flag(item: Item) -> str:
        return "R" if item.reverse else f"A={item.attention}" if item.is_check else ""

    lines = sorted("|".join((item.name, flag(item), item.text.id, item.text.en)) for item in items)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@pytest.fixture(scope="module")
def border() -> dict[str, Instrument]:
    return {name: load_instrument(name) for name in BORDER}


@pytest.mark.parametrize("name", BORDER)
def test_words_are_those_of_the_item_bank(border: dict[str, Instrument], name: str) -> None:
    form = border[name]
    items, checks, digest = WORDS[name]
    assert (len(form.scored_items), len(form.checks)) == (items, checks)
    assert words((*form.scored_items, *form.checks)) == digest
    assert (len(form.marker_items), words(form.marker_items)) == MARKER


def test_one_changed_letter_changes_the_digest(border: dict[str, Instrument]) -> None:
    form = border["government_role"]
    first, *rest = form.scored_items
    changed = Item(first.name, first.construct, first.scale, type(first.text)(first.text.id + ".", first.text.en))
    assert words((changed, *rest, *form.checks)) != WORDS["government_role"][2]


def test_every_bundled_instrument_loads_and_says_that_it_is_unvalidated() -> None:
    for name in list_instruments():
        form = load_instrument(name)
        assert form.name == name
        assert form.status == "unvalidated"
        assert "BELUM DIVALIDASI" in form.notice.id and "not yet piloted" in form.notice.en
        assert len(form.digest) == 64 and form.origin == f"{name}.toml"


def test_reverse_items_and_their_scoring(border: dict[str, Instrument]) -> None:
    reverse = {item.name for form in border.values() for item in form.items if item.reverse}
    assert reverse == {"cn_str_5", "cn_rel_4", "cn_cog_4", "cn_knw_4", "gr_fac_5", "mp_cus_3"}
    scale = border["government_role"].scale("agree5")
    assert [scale.reverse(code) for code in scale.codes] == [5, 4, 3, 2, 1]


def test_attention_checks_ask_for_the_label_their_text_names(border: dict[str, Instrument]) -> None:
    for form in border.values():
        (check,) = form.checks
        assert check.attention in (1, 2)  # agreeing with everything fails
        for lang in ("id", "en"):
            assert f'"{form.scale(check.scale).label(check.attention, lang)}"' in check.text.get(lang)


def test_constructs_orders_and_types(border: dict[str, Instrument]) -> None:
    network, government, performance = (border[name] for name in BORDER)
    assert network.construct("collab").dimensions == ("cn_str", "cn_rel", "cn_cog")
    assert network.construct("collab").type == "reflective"
    govt = government.construct("govt")
    assert (govt.type, govt.weights, govt.reliability) == ("composite", "equal", "stratified_alpha")
    assert [len(government.items_of(code)) for code in govt.dimensions] == [5, 4, 4]
    assert [len(performance.items_of(code)) for code in performance.construct("mperf").dimensions] == [3, 3, 3, 3]
    assert len(network.items_of("collab")) == 13
    assert {item.scale for item in performance.scored_items} == {"change5"}
    assert network.construct("mk").type == "none"


def test_firms_without_partners_are_routed(border: dict[str, Instrument]) -> None:
    form = border["collaborative_network"]
    (routing,) = form.routing
    assert (routing.name, routing.when.question, routing.when.any_of) == ("no_partner", "partner_types", ("none",))
    first_order = {c.code for c in form.constructs if c.order == 1 and c.code not in form.marker}
    assert first_order - set(routing.skips) == {"cn_crs"}
    assert set(routing.scored) == {"cn_str", "cn_loc", "cn_acc", "cn_knw", "cn_vce"} and routing.scored_as == 1
    assert set(routing.missing) == {"cn_rel", "cn_cog"} == set(routing.sensitivity)
    assert {c.code for c in form.constructs if c.na_scored_as == 1} == {"cn_loc", "cn_crs"}
    skipped = {item.name for code in routing.skips for item in form.items_of(code, checks=True)}
    assert "cn_att" in skipped and len(skipped) == 29


def test_dont_know_is_not_offered_where_it_is_an_answer(border: dict[str, Instrument]) -> None:
    assert all(item.special == (97, 98, 99) for form in border.values() for item in form.items)
    special = {entry.code: entry.meaning for entry in border["government_role"].specials}
    assert special == {97: "not_applicable", 98: "dont_know", 99: "refused"}


def test_profile_gives_the_analysis_columns(border: dict[str, Instrument]) -> None:
    form = border["government_role"]
    assert form.question("size").dummies == {"size_small": "small", "size_medium": "medium"}
    assert form.question("size").base == "micro"
    assert form.question("sex").dummies == {"female": "female"}
    assert form.question("sector").base == "largest" and len(form.question("sector").dummies) == 10
    assert [choice.value for choice in form.question("educ").choices] == [0, 6, 9, 12, 15, 16]
    assert [choice.code for choice in form.question("scr_region").choices if choice.ends] == ["other"]
    derived = {entry.name: entry for entry in form.derived}
    new, experienced = derived["newexp"].bands
    assert (new.above, new.up_to, new.value) == (0, 3, 1)
    assert (experienced.above, experienced.up_to, experienced.value) == (3, None, 0)
    assert derived["no_partner"].choice == "none" and form.question("partner_types").choice("none").exclusive
    assert not {"poor", "formal", "weave_kind", "channels", "scr_wag", "scr_office"} & {q.name for q in form.questions}


def test_screening_and_quality(border: dict[str, Instrument]) -> None:
    form = border["marketing_performance"]
    assert [q.name for q in form.section("screening")] == [
        "scr_owner",
        "scr_years",
        "scr_active",
        "scr_export",
        "scr_region",
    ]
    assert [q.name for q in form.section("quality")] == [
        "start_time",
        "end_time",
        "duration_s",
        "mode",
        "enumerator",
        "lang",
        "form_version",
        "device_hash",
    ]
    assert not any(q.asked for q in form.section("quality"))
    assert form.question("consent").choice("no").ends
    assert {p.name for p in form.placeholders} == {"organisation", "topic", "minutes", "contact"}


def test_objective_questions(border: dict[str, Instrument]) -> None:
    sizes = [len(border[name].section("objective")) for name in BORDER]
    assert sizes == [12, 10, 13]
    deal = border["government_role"].question("deal_6m")
    assert deal.relevance is not None and deal.relevance.match == "any" and deal.relevance.otherwise == 97
    share = border["marketing_performance"].question("export_share_pct")
    assert (share.factor, share.maximum) == (10, 10)


def test_combining_asks_shared_parts_once(border: dict[str, Instrument]) -> None:
    whole = combine(tuple(border.values()))
    assert (len(whole.scored_items), len(whole.checks), len(whole.marker_items)) == (56, 3, 3)
    assert [item.name for item in whole.items[-3:]] == ["mk_1", "mk_2", "mk_3"]
    names = [question.name for question in whole.questions]
    assert len(names) == len(set(names)) and names[0] == "consent"
    assert whole.status == "unvalidated" and whole.minutes == 11


def test_combining_refuses_contradictions(border: dict[str, Instrument]) -> None:
    import dataclasses

    form = border["government_role"]
    first, *rest = form.items
    other = dataclasses.replace(form, name="copy", items=(dataclasses.replace(first, reverse=True), *rest))
    with pytest.raises(InstrumentFileError) as caught:
        combine([form, other])
    (problem,) = caught.value.problems
    assert problem.code == "instrument.contradiction" and first.name in problem.what and problem.remedy
    with pytest.raises(OptionError, match="at least one"):
        combine([])


def test_unknown_names_are_suggested(border: dict[str, Instrument]) -> None:
    with pytest.raises(OptionError) as caught:
        border["government_role"].construct("gr_fax")
    problem = caught.value.problems[0]
    assert problem.code == "instrument.unknown-name" and 'Did you mean "gr_fac"?' in problem.remedy
    with pytest.raises(OptionError, match="language"):
        border["government_role"].title.get("fr")


def test_records_are_frozen(border: dict[str, Instrument]) -> None:
    with pytest.raises(AttributeError):
        border["government_role"].name = "x"  # type: ignore[misc]


def test_seven_points_are_a_declared_variant(border: dict[str, Instrument]) -> None:
    for name in ("collaborative_network", "government_role"):
        five, seven = border[name], load_instrument(name, points=7)
        assert {item.scale for item in seven.scored_items} == {"agree7"} and seven.scale("agree7").points == 7
        assert {item.scale for item in seven.marker_items} == {"agree5"}
        assert [item.text for item in seven.items] == [item.text for item in five.items]
        (check,) = seven.checks
        assert check.attention is not None
        assert f'"{seven.scale("agree7").label(check.attention, "id")}"' in check.text.id
        assert seven.scale("agree7").reverse(1) == 7 and seven.digest != five.digest
    with pytest.raises(OptionError) as caught:
        load_instrument("marketing_performance", points=7)
    assert caught.value.code == "instrument.no-variant" and caught.value.problems[0].remedy
    with pytest.raises(OptionError, match="7"):
        load_instrument("government_role", points=6)


def test_found_inside_a_wheel_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    from semkit.instrument import library

    repository = library.bundled_folder()
    package = tmp_path / "site-packages" / "semkit"
    package.mkdir(parents=True)
    monkeypatch.setattr(library, "files", lambda _: package)
    with pytest.raises(FileError, match="not installed"):
        load_instrument("government_role")
    shutil.copytree(repository, package / "_instruments")
    assert library.bundled_folder() == package / "_instruments"
    assert load_instrument("government_role").name == "government_role"
