"""Broken and hostile instrument files: each kind is named with its place, what is allowed and a remedy."""

from __future__ import annotations

import copy
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semkit.errors import FileError, InstrumentFileError, SemkitError
from semkit.instrument import load_instrument

GOOD = """\
schema_version = 1
name = "mine"
version = "1"
status = "unvalidated"
minutes = 5
title = { id = "Judul", en = "Title" }
description = { id = "Isi", en = "Content" }
notice = { id = "Baru", en = "New" }

[[use]]
block = "scales"

[[scales]]
name = "odd3"
points = 3
codes = [1, 2, 5]
labels.id = ["rendah", "sedang", "tinggi"]
labels.en = ["low", "middle", "high"]

[[constructs]]
code = "trust"
id = "trust"
label = { id = "Percaya", en = "Trust" }
scale = "agree5"
items = [
  { name = "TR1", id = "satu", en = "one" },
  { name = "TR2", reverse = true, id = "dua", en = "two" },
  { name = "TR3", attention = 2, id = "tiga", en = "three" },
]

[[constructs]]
code = "care"
id = "care"
label = { id = "Peduli", en = "Care" }
scale = "agree5"
items = [{ name = "CA1", id = "satu", en = "one" }]

[[constructs]]
code = "warmth"
id = "warmth"
label = { id = "Hangat", en = "Warmth" }
order = 2
dimensions = ["trust", "care"]

[[questions]]
name = "partner"
section = "profile"
answer = "choice"
text = { id = "Mitra?", en = "Partner?" }
choices = [
  { code = "yes", value = 1, id = "ya", en = "yes" },
  { code = "no", value = 0, id = "tidak", en = "no" },
]

[[questions]]
name = "years"
section = "profile"
answer = "count"
text = { id = "Berapa tahun?", en = "How many years?" }
minimum = 0
relevance = { conditions = [{ question = "partner", any_of = ["yes"] }] }

[[derived]]
name = "newcomer"
label = { id = "Baru", en = "New" }
rule = "bands"
sources = ["years"]
bands = [{ above = 0, up_to = 3, value = 1 }, { above = 3, value = 0 }]

[[routing]]
name = "lonely"
when = { question = "partner", any_of = ["no"] }
skips = ["trust"]
scored = ["trust"]
"""

# (what is changed, into what) -> (code, part of the place, part of what is allowed, part of the message)
BROKEN = {
    "undefined scale": (
        ('name = "TR1", id', 'name = "TR1", scale = "agree9", id'),
        ("instrument.undefined-scale", 'line 26, construct "trust", item "TR1"', "agree5", 'Did you mean "agree7"?'),
    ),
    "undefined scale of a construct": (
        ('scale = "agree5"\nitems = [{', 'scale = "agre5"\nitems = [{'),
        ("instrument.undefined-scale", 'line 31, construct "care"', "agree5", 'Did you mean "agree5"?'),
    ),
    "duplicate item": (
        ('name = "TR2"', 'name = "tr1"'),
        ("instrument.duplicate-name", 'line 27, construct "trust", item "tr1"', "letter case", "line 26"),
    ),
    "item named like a question": (
        ('name = "CA1"', 'name = "years"'),
        ("instrument.duplicate-name", "line 55, question", "names", "Rename"),
    ),
    "missing translation": (
        ('id = "dua", en = "two"', 'id = "dua"'),
        ("instrument.missing-translation", 'line 27, construct "trust", item "TR2"', "id, en", "English"),
    ),
    "blank translation": (
        ('id = "satu", en = "one" },\n  { name = "TR2"', 'id = " ", en = "one" },\n  { name = "TR2"'),
        (
            "instrument.missing-translation",
            'line 26, construct "trust", item "TR1"',
            "id, en",
            "Indonesian words are blank",
        ),
    ),
    "reversed without a mirror": (
        ('name = "TR2", reverse', 'name = "TR2", scale = "odd3", reverse'),
        ("instrument.no-mirror", 'item "TR2"', "lowest + highest - code", "1, 2, 5"),
    ),
    "reversed item without a straight one": (
        ('items = [{ name = "CA1", id', 'items = [{ name = "CA1", reverse = true, id'),
        ("instrument.reverse-without-twin", 'construct "care"', "not reversed", "straight item"),
    ),
    "routing of an item that is not there": (
        ('scored = ["trust"]', 'scored = ["trust"]\nitems = ["CA2"]'),
        ("instrument.undefined-name", 'routing "lonely"', "CA1", 'Did you mean "CA1"?'),
    ),
    "routing of an item of a skipped block": (
        ('scored = ["trust"]', 'scored = ["trust"]\nitems = ["TR1"]'),
        ("instrument.routing-shape", 'routing "lonely"', "not in skips", "TR1"),
    ),
    "answered and unanswered at once": (
        ('{ question = "partner", any_of = ["yes"] }', '{ question = "partner", any_of = ["yes"], unanswered = true }'),
        ("instrument.condition-shape", 'question "years"', "alone", "for none"),
    ),
    "attention key out of range": (
        ("attention = 2", "attention = 7"),
        ("instrument.attention-key", 'line 28, construct "trust", item "TR3"', "1, 2, 3, 4, 5", "7"),
    ),
    "attention check reversed": (
        ("attention = 2", "attention = 2, reverse = true"),
        ("instrument.attention-key", 'item "TR3"', "one of the two", "never scored"),
    ),
    "wrong number of labels": (
        ('labels.en = ["low", "middle", "high"]', 'labels.en = ["low", "high"]'),
        ("instrument.label-count", 'line 13, scale "odd3"', "exactly 3 labels", "2 labels in English"),
    ),
    "two points with the same words": (
        ('labels.en = ["low", "middle", "high"]', 'labels.en = ["low", "Low", "high"]'),
        ("instrument.duplicate-label", 'scale "odd3"', "different words", "read back"),
    ),
    "codes out of order": (
        ("codes = [1, 2, 5]", "codes = [1, 5, 2]"),
        ("instrument.scale-codes", 'scale "odd3"', "rising", "1, 5, 2"),
    ),
    "undefined special code": (
        ("codes = [1, 2, 5]", "special = [96]\ncodes = [1, 2, 5]"),
        ("instrument.undefined-special", 'scale "odd3"', "97, 98, 99", "96"),
    ),
    "special code that is a possible answer": (
        ("minimum = 0", "minimum = 0\nspecial = [98]"),
        ("instrument.special-is-answer", 'question "years"', "no possible answer", "98"),
    ),
    "circular relevance": (
        (
            '{ code = "no", value = 0, id = "tidak", en = "no" },\n]',
            '{ code = "no", value = 0, id = "tidak", en = "no" },\n]\n'
            'relevance = { conditions = [{ question = "years", at_least = 1 }] }',
        ),
        ("instrument.circular-relevance", 'question "partner"', "do not depend", "partner, years"),
    ),
    "asked too late": (
        (
            '\n[[questions]]\nname = "partner"',
            '\n[[questions]]\nname = "why"\nsection = "profile"\nanswer = "text"\ntext = { id = "a", en = "b" }\n'
            'relevance = { conditions = [{ question = "years", at_least = 1 }] }\n\n[[questions]]\nname = "partner"',
        ),
        ("instrument.asked-too-late", 'question "why", key "relevance"', "asked before", "order"),
    ),
    "unknown question in a condition": (
        ('{ question = "partner", any_of = ["yes"] }', '{ question = "partners", any_of = ["yes"] }'),
        ("instrument.undefined-question", 'question "years"', "partner, years", 'Did you mean "partner"?'),
    ),
    "unknown choice in a condition": (
        ('{ question = "partner", any_of = ["yes"] }', '{ question = "partner", any_of = ["ye"] }'),
        ("instrument.undefined-choice", 'question "years"', "yes, no", 'Did you mean "yes"?'),
    ),
    "condition of the wrong kind": (
        ('{ question = "partner", any_of = ["yes"] }', '{ question = "partner", at_least = 1 }'),
        ("instrument.condition-shape", 'question "years"', "any_of", "choice"),
    ),
    "circle of dimensions": (
        ('dimensions = ["trust", "care"]', 'dimensions = ["trust", "warmth"]'),
        ("instrument.circular-dimension", 'construct "warmth"', "trust, care", "order 2 itself"),
    ),
    "unknown dimension": (
        ('dimensions = ["trust", "care"]', 'dimensions = ["trust", "cares"]'),
        ("instrument.undefined-construct", 'construct "warmth"', "care", 'Did you mean "care"?'),
    ),
    "routing that forgets a block": (
        ('scored = ["trust"]', "scored = []"),
        ("instrument.routing-shape", 'routing "lonely"', "exactly once", "Complete"),
    ),
    "condition on a choice that ends the interview": (
        ('{ code = "yes", value = 1,', '{ code = "yes", value = 1, ends = true,'),
        ("instrument.unreachable", 'question "years"', "goes on: no", 'answers "partner" with yes'),
    ),
    "routing on a choice that ends the interview": (
        ('{ code = "no", value = 0,', '{ code = "no", value = 0, ends = true,'),
        ("instrument.unreachable", 'routing "lonely"', "goes on: yes", "ends = true"),
    ),
    "routing question asked after its block": (
        ('name = "partner"\nsection = "profile"', 'name = "partner"\nsection = "objective"'),
        ("instrument.unreachable", 'routing "lonely"', "consent, screening or profile", "section objective"),
    ),
    "condition on a question of a later section": (
        ('name = "years"\nsection = "profile"', 'name = "years"\nsection = "screening"'),
        ("instrument.asked-too-late", 'question "years"', "asked before", "profile"),
    ),
    "routing on a choice that does not exist": (
        ('question = "partner", any_of = ["no"]', 'question = "partner", any_of = ["none"]'),
        ("instrument.undefined-choice", 'routing "lonely"', "yes, no", '"none"'),
    ),
    "routing on numbers that no answer has": (
        (
            'when = { question = "partner", any_of = ["no"] }',
            'when = { question = "years", at_least = 5, at_most = 3 }',
        ),
        ("instrument.unreachable", 'routing "lonely"', "at_least <= at_most", "no answer"),
    ),
    "conditions that contradict each other": (
        (
            'conditions = [{ question = "partner", any_of = ["yes"] }]',
            'conditions = [{ question = "partner", any_of = ["yes"] }, { question = "partner", any_of = ["no"] }]',
        ),
        ("instrument.unreachable", 'question "years"', "one respondent", 'conditions on "partner" contradict'),
    ),
    "condition on an answer and on none": (
        (
            'conditions = [{ question = "partner", any_of = ["yes"] }]',
            'conditions = [{ question = "partner", any_of = ["yes"] }, { question = "partner", unanswered = true }]',
        ),
        ("instrument.unreachable", 'question "years"', "one respondent", 'conditions on "partner" contradict'),
    ),
    "routing on numbers outside the question's range": (
        ('when = { question = "partner", any_of = ["no"] }', 'when = { question = "years", at_most = -1 }'),
        ("instrument.unreachable", 'routing "lonely"', "0 to inf", "no answer"),
    ),
    "a block that is skipped whatever is answered": (
        ('when = { question = "partner", any_of = ["no"] }', 'when = { question = "partner", any_of = ["yes", "no"] }'),
        ("instrument.unreachable", 'routing "lonely"', "at least one answer", 'block "trust" is skipped whatever'),
    ),
    "overlapping bands": (
        ("{ above = 3, value = 0 }", "{ above = 2, value = 0 }"),
        ("instrument.bands-overlap", 'derived variable "newcomer"', "rising bands", "overlap"),
    ),
    "source that does not exist": (
        ('sources = ["years"]', 'sources = ["year"]'),
        ("instrument.undefined-name", 'derived variable "newcomer"', "years", 'Did you mean "years"?'),
    ),
    "unknown key": (
        ("reverse = true", "revers = true"),
        (
            "instrument.unknown-key",
            'line 27, construct "trust", item "TR2", key "revers"',
            "reverse",
            'Did you mean "reverse"?',
        ),
    ),
    "unknown section": (
        ("[[derived]]", "[[derivd]]"),
        ("instrument.unknown-key", 'key "derivd"', "derived", 'Did you mean "derived"?'),
    ),
    "missing key": (
        ('version = "1"\n', ""),
        ("instrument.missing-key", "mine.toml", "version", 'Add a line with "version = ..."'),
    ),
    "wrong type": (
        ("attention = 2", 'attention = "2"'),
        ("instrument.wrong-type", 'item "TR3", key "attention"', "a whole number", '"2"'),
    ),
    "number that is none": (
        ("minimum = 0", "minimum = nan"),
        ("instrument.wrong-type", 'question "years", key "minimum"', "a finite number", "nan"),
    ),
    "value that is none of the allowed": (
        ('answer = "count"', 'answer = "counts"'),
        ("instrument.unknown-value", 'question "years", key "answer"', "count", 'Did you mean "count"?'),
    ),
    "name that cannot be a column": (
        ('name = "CA1"', 'name = "=cmd|calc"'),
        ("instrument.bad-name", 'construct "care"', "letters", "column"),
    ),
    "name that is a path": (
        ('block = "scales"', 'block = "../../etc/passwd"'),
        ("instrument.bad-name", "block", "letters", "../../etc/passwd"),
    ),
    "unknown block": (
        ('block = "scales"', 'block = "scale"'),
        ("instrument.unknown-block", 'line 10, block "scale"', "scales", 'Did you mean "scales"?'),
    ),
    "instrument used as a block": (
        ('block = "scales"', 'block = "government_role"'),
        ("instrument.not-a-block", 'block "government_role"', 'kind = "block"', "Load both"),
    ),
    "future version": (
        ("schema_version = 1", "schema_version = 2"),
        ("instrument.schema-version", 'line 1, key "schema_version"', "1", "newer semkit"),
    ),
    "invisible direction sign": (
        ('en = "two"', 'en = "two\\u202e"'),
        ("instrument.control-character", 'item "TR2", key "en"', "printable", "U+202E"),
    ),
    "text without an end": (
        ('en = "two"', 'en = "two'),
        ("instrument.not-toml", "line 27, column", "TOML", "missing quote"),
    ),
    "key twice": (
        ("minutes = 5", "minutes = 5\nminutes = 6"),
        ("instrument.not-toml", "line 6", "TOML", "overwrite"),
    ),
    "construct without items": (
        ('items = [{ name = "CA1", id = "satu", en = "one" }]', "items = []"),
        ("instrument.no-items", 'line 31, construct "care"', "at least one item", "Add items"),
    ),
    "impossible limits": (
        ("minimum = 0", "minimum = 9\nmaximum = 3"),
        ("instrument.empty-range", 'question "years"', "minimum <= maximum", "Exchange"),
    ),
    "number beyond measure": (
        ("minimum = 0", "minimum = 1" + "0" * 400),
        ("instrument.wrong-type", 'question "years", key "minimum"', "a finite number", "1000"),
    ),
    "date for a number": (
        ("minimum = 0", "minimum = 2026-01-01"),
        ("instrument.wrong-type", 'question "years", key "minimum"', "a finite number", "2026-01-01"),
    ),
    "variant with the wrong points": (
        ("[[routing]]", '[[variants]]\npoints = 7\nscale = "agree5"\nby = "can5"\n\n[[routing]]'),
        ("instrument.variant-shape", 'variant "can5"', "points = 5", "7 points"),
    ),
    "variant on which a check asks for other words": (
        ("[[routing]]", '[[variants]]\npoints = 5\nscale = "agree5"\nby = "can5"\n\n[[routing]]'),
        ("instrument.variant-shape", 'variant "can5"', "same words", "TR3"),
    ),
    "time that no questionnaire takes": (
        ("minutes = 5", "minutes = 0"),
        ("instrument.out-of-range", 'line 5, key "minutes"', "more than 0", "outside"),
    ),
}


def load(folder: Path, text: str) -> InstrumentFileError:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    before = path.read_bytes(), sorted(folder.iterdir())
    with pytest.raises(InstrumentFileError) as caught:
        load_instrument(path)
    assert (path.read_bytes(), sorted(folder.iterdir())) == before
    return caught.value


def test_the_good_file_is_good(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    form = load_instrument(tmp_path / "mine.toml")
    assert [item.name for item in form.scored_items] == ["TR1", "TR2", "CA1"]
    assert load_instrument(str(tmp_path / "mine.toml")) == form


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_file(tmp_path: Path, kind: str) -> None:
    (old, new), (code, place, allowed, message) = BROKEN[kind]
    assert GOOD.count(old) == 1, "the change must be one change"
    error = load(tmp_path, GOOD.replace(old, new))
    problems = [problem for problem in error.problems if problem.code == code]
    assert problems, [str(problem) for problem in error.problems]
    problem = problems[0]
    assert place in problem.where and problem.where.startswith(str(tmp_path))
    assert allowed in problem.allowed
    assert message in str(problem)
    assert problem.remedy
    assert error.exit_code == 2
    assert copy.copy(error).problems == error.problems  # errors cross process borders by __reduce__


def test_a_contradiction_further_back_is_found_once(tmp_path: Path) -> None:
    """Asked only those with partners about the years, then only those without about one year: nobody is left."""
    late = """
[[questions]]
name = "NAME"
section = "profile"
answer = "count"
text = { id = "Apa?", en = "What?" }
relevance = { CONDITIONS }
"""
    first = late.replace("NAME", "lost").replace(
        "CONDITIONS",
        'conditions = [{ question = "years", at_least = 1 }, { question = "partner", any_of = ["no"] }]',
    )
    after = late.replace("NAME", "later").replace("CONDITIONS", 'conditions = [{ question = "lost", at_least = 1 }]')
    error = load(tmp_path, GOOD + first + after)
    assert [(one.code, "lost" in one.where) for one in error.problems] == [("instrument.unreachable", True)]
    assert "those of years count too" in error.problems[0].what
    either = first.replace("conditions =", 'match = "any", conditions =')
    (tmp_path / "mine.toml").write_text(GOOD + either + after, encoding="utf-8")
    assert load_instrument(tmp_path / "mine.toml").questions[-1].name == "later"


def test_there_are_many_kinds() -> None:
    assert len(BROKEN) >= 40 and len({expected[0] for _, expected in BROKEN.values()}) >= 25


def test_all_problems_at_once(tmp_path: Path) -> None:
    kinds = (
        "undefined scale",
        "missing translation",
        "attention key out of range",
        "unknown key",
        "missing key",
        "wrong number of labels",
        "circular relevance",
        "overlapping bands",
    )
    text = GOOD
    for kind in kinds:
        text = text.replace(*BROKEN[kind][0])
    text = text.replace('name = "CA1"', 'name = "CA1", revers = true')
    codes = {problem.code for problem in load(tmp_path, text).problems}
    assert {BROKEN[kind][1][0] for kind in kinds} <= codes


def test_references_to_a_broken_entry_are_not_called_unknown(tmp_path: Path) -> None:
    error = load(tmp_path, GOOD.replace('code = "care"', 'code = "care"\nmin_answered = 5'))
    assert [problem.code for problem in error.problems] == ["instrument.out-of-range"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (GOOD.encode("utf-16"), "instrument.not-utf8"),
        (GOOD.replace("dua", "d\u00fca").encode("latin-1"), "instrument.not-utf8"),
        (b"\x00\x01\x02", "instrument.not-toml"),
        (b"a = " + b"[" * 100_000, "instrument.not-toml"),
        (b"# " + b"x" * 1_000_001, "instrument.file-too-large"),
        (GOOD[: GOOD.index('"two"') + 3].encode(), "instrument.not-toml"),
        (b"", "instrument.missing-key"),
        (b"minutes = " + b"9" * 10_000, "instrument.not-toml"),
    ],
    ids=["utf-16", "latin-1", "binary", "deep", "large", "truncated", "empty", "digits"],
)
def test_content_that_is_no_instrument(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(SemkitError) as caught:
        load_instrument(path)
    problem = caught.value.problems[0]
    assert problem.code == code and str(path) in problem.where and problem.allowed and problem.remedy


def test_names_and_paths(tmp_path: Path) -> None:
    with pytest.raises(InstrumentFileError, match='Did you mean "government_role"') as unknown:
        load_instrument("goverment_role")
    assert unknown.value.code == "instrument.unknown-instrument"
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(FileError, match=r'Did you mean "mine\.toml"') as missing:
        load_instrument(tmp_path / "mien.toml")
    assert missing.value.code == "instrument.file-not-found"
    with pytest.raises(FileError) as folder:
        load_instrument(tmp_path)
    assert folder.value.code == "instrument.not-a-file"
    with pytest.raises(FileError) as null:
        load_instrument("a\x00b.toml")
    assert null.value.code == "instrument.unreadable"
    with pytest.raises(FileError) as path:
        load_instrument("somewhere/government_role")  # a folder in it makes it a path
    assert path.value.code == "instrument.file-not-found" and path.value.exit_code == 2


def test_a_block_is_no_instrument() -> None:
    from semkit.instrument.library import bundled_folder

    with pytest.raises(InstrumentFileError) as caught:
        load_instrument(bundled_folder() / "profile.toml")
    assert caught.value.code == "instrument.is-block"


def test_a_block_beside_the_file_comes_first_but_no_link_leads_out(tmp_path: Path) -> None:
    from semkit.instrument.library import bundled_folder

    study = tmp_path / "study"
    study.mkdir()
    own = (bundled_folder() / "scales.toml").read_text(encoding="utf-8").replace('"Setuju"', '"Sepakat"')
    (study / "scales.toml").write_text(own, encoding="utf-8")
    (study / "mine.toml").write_text(GOOD, encoding="utf-8")
    assert load_instrument(study / "mine.toml").scale("agree5").label(4, "id") == "Sepakat"
    (study / "scales.toml").write_text(own.replace('name = "scales"', 'name = "answers"'), encoding="utf-8")
    with pytest.raises(InstrumentFileError) as named:
        load_instrument(study / "mine.toml")
    assert named.value.code == "instrument.block-name" and 'name = "scales"' in named.value.problems[0].allowed
    (study / "scales.toml").unlink()
    (tmp_path / "outside.toml").write_text(own, encoding="utf-8")
    os.symlink(tmp_path / "outside.toml", study / "scales.toml")
    with pytest.raises(FileError) as caught:
        load_instrument(study / "mine.toml")
    assert caught.value.code == "writing.path-outside"


def test_a_large_hostile_file_does_not_hang(tmp_path: Path) -> None:
    lines = [GOOD]
    for number in range(4000):
        lines.append(
            f'[[questions]]\nname = "q{number}"\nsection = "profile"\nanswer = "count"\ntext = {{ id = "a" }}\n'
            f'relevance = {{ conditions = [{{ question = "q{(number + 1) % 4000}", at_least = 1 }}] }}\n'
        )
    start = time.perf_counter()
    error = load(tmp_path, "\n".join(lines))
    assert time.perf_counter() - start < 20
    assert 1 <= len(error.problems) <= 200


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_text_makes_a_crash(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever is cut, doubled or typed into a file: an instrument or a SemkitError, nothing else."""
    lines = GOOD.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["cut", "double", "type", "swap"]))
        if change == "cut":
            del lines[at]
        elif change == "double":
            lines.insert(at, lines[at])
        elif change == "swap":
            lines[at] = lines[at].replace("=", "= [", 1)
        else:
            lines[at] += data.draw(st.text(max_size=8))
    path = tmp_path_factory.mktemp("any") / "mine.toml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    try:
        load_instrument(path)
    except SemkitError as error:
        assert all(
            problem.code.startswith(("instrument.", "writing.")) and problem.remedy for problem in error.problems
        )
