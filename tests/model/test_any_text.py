"""Strangers' text: only semkit's own errors; what can be read prints and reads back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from semkit.errors import SemkitError
from semkit.model import build_table, check, parse, print_model

PIECES = [
    "f", "g", "x1", "x2", "y", "a", "b", "c", "NA", "group", "level", "1", "0", "2.5", "-", "+", "*", ":", ":=", "==",
    "=~", "~", "~~", "<", ">", "<~", "|", "~*~", "(", ")", ",", "start(", "c(", "equal(", "'q'", '"', "\n", ";", " ",
    "#", "sd(", "std(", "^", "/", "=", "?", "\t", "\r\n", "é", "\x00", "efa(",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_only_semkit_errors(text: str) -> None:
    try:
        spec = parse(text)
        again = parse(print_model(spec))
        assert again == spec
        check(spec, ("x1", "x2", "y"))
        build_table(spec, groups=spec.blocks or ("",))
    except SemkitError as error:
        for problem in error.problems:
            assert problem.code.startswith("model.") and problem.what
            str(problem)


names = st.sampled_from(["f", "g", "h", "x1", "x2", "x.3", "y", "énergie", "f:g", "x1:x2:y"])
numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
labels = st.sampled_from(["a", "b1", ".p2.", "my label", "it's", "NA", "c"])
written = st.sampled_from(['"', "'"])


def quoted(text: str) -> str:
    return f'"{text}"'


modifier = st.one_of(
    numbers.map(repr),
    st.just("NA"),
    labels.map(quoted),
    st.sampled_from(["a", "b1", "c", "start"]),
    st.tuples(st.sampled_from(["start", "lower", "upper"]), numbers).map(lambda t: f"{t[0]}({t[1]!r})"),
    st.tuples(numbers, numbers).map(lambda t: f"c({t[0]!r}, {t[1]!r})"),
    st.tuples(numbers, numbers).map(lambda t: f"start(c({t[0]!r}, {t[1]!r}))"),
    st.tuples(labels.map(quoted), st.just("NA")).map(lambda t: f"c({t[0]}, {t[1]})"),
    labels.map(lambda text: f"equal({quoted(text)})"),
)
term = st.tuples(st.lists(modifier, max_size=3), names).map(lambda t: "*".join([*t[0], t[1]]))
intercept = st.tuples(st.lists(modifier, max_size=2)).map(lambda t: "*".join([*t[0], "1"]))
statement = st.one_of(
    st.tuples(
        st.lists(names, min_size=1, max_size=2), st.sampled_from(["=~", "~", "~~"]),
        st.lists(term, min_size=1, max_size=3),
    ).map(
        lambda t: f"{' + '.join(t[0])} {t[1]} {' + '.join(t[2])}"
    ),
    st.tuples(names, intercept).map(lambda t: f"{t[0]} ~ {t[1]}"),
    st.sampled_from(["ind := a*b1", "a == b1^2", "a > 0.25", "exp(a) < -b1 + 2", "q := sd(f:g)*std(a)"]),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(statement, min_size=1, max_size=6), st.booleans())
def test_what_was_printed_reads_back(lines: list[str], grouped: bool) -> None:
    if grouped:
        lines = ["group: one", *lines, 'group: "number two"', *lines]
    text = "\n".join(lines)
    try:
        spec = parse(text)
    except SemkitError as error:  # labels that are variables, only formulas, ...
        assert error.code in ("model.product-sign", "model.empty"), text
        return
    printed = print_model(spec)
    assert parse(printed) == spec
    assert print_model(parse(printed)) == printed
