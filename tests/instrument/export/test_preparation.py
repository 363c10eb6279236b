"""Nothing goes to the field with a blank translation or an unfilled consent text."""

from __future__ import annotations

import pytest

from semkit.errors import InstrumentFileError, OptionError
from semkit.instrument import Text, load_instrument
from semkit.instrument.export import export, prepare
from tests.instrument.export.forms import STUDY, reworded


def test_placeholders_must_be_filled_and_all_are_listed(tmp_path):
    with pytest.raises(OptionError) as caught:
        export(load_instrument("government_role"), "xlsform", tmp_path / "form.xlsx", settings={"minutes": "10"})
    assert {problem.code for problem in caught.value.problems} == {"instrument.unfilled-placeholder"}
    assert [problem.where for problem in caught.value.problems] == [
        'setting "organisation"', 'setting "topic"', 'setting "contact"'
    ]  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_one_language_needs_words_in_that_language_only():
    form = prepare(load_instrument("government_role"), ["en"], {k: v for k, v in STUDY.items() if ".id" not in k})
    assert "Example University" in form.whole.question("consent").text.en
    with pytest.raises(OptionError) as caught:
        prepare(load_instrument("government_role"), ["id"], {k: v for k, v in STUDY.items() if ".id" not in k})
    assert len(caught.value.problems) == 2


def test_unknown_setting_gets_a_hint():
    with pytest.raises(OptionError) as caught:
        prepare(load_instrument("government_role"), ["id"], STUDY | {"organisaton": "x"})
    assert caught.value.code == "instrument.unknown-setting" and "organisation" in str(caught.value)


def test_words_for_one_mark_are_not_read_as_another():
    form = prepare(load_instrument("government_role"), ["en"], STUDY | {"organisation.en": "[topic] Institute"})
    assert "[topic] Institute" in form.whole.question("consent").text.en


@pytest.mark.parametrize("blank", [Text("kata", ""), Text("kata", "  \n"), Text("", "words")])
def test_blank_translation_is_refused(blank, tmp_path):
    with pytest.raises(InstrumentFileError) as caught:
        export(reworded("gr_fac_1", blank), "xlsform", tmp_path / "form.xlsx", settings=STUDY)
    assert caught.value.code == "instrument.missing-translation" and 'item "gr_fac_1"' in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_reference_in_words_is_refused():
    with pytest.raises(InstrumentFileError) as caught:
        prepare(reworded("sex", Text("${consent}", "${consent}")), ["id", "en"], STUDY)
    assert caught.value.code == "instrument.form-reference"
    with pytest.raises(InstrumentFileError):
        prepare(load_instrument("government_role"), ["en"], STUDY | {"topic.en": "${age}"})


def test_unknown_target_and_language(tmp_path):
    with pytest.raises(OptionError) as caught:
        export(load_instrument("government_role"), "xslform", tmp_path / "x", settings=STUDY)
    assert caught.value.code == "instrument.unknown-target" and "xlsform" in str(caught.value)
    with pytest.raises(OptionError) as caught:
        prepare(load_instrument("government_role"), ["fr"], STUDY)
    assert caught.value.code == "instrument.unknown-language"


def test_routing_question_comes_before_what_it_routes():
    for name in ("export_compliance", "marketing_network_partnership", "collaborative_network"):
        form = prepare(load_instrument(name), ["id"], STUDY)
        order = [one.name for part in form.parts for one in (*part.questions, *part.items)]
        assert len(order) == len(set(order))
        for routing in form.whole.routing:
            routed = [item.name for item in form.whole.items if item.construct in routing.skips]
            routed += routing.items
            assert order.index(routing.when.question) < min(map(order.index, routed))
