"""Interactions by several methods in one table."""

from __future__ import annotations

import numpy as np
import pytest

import semkit as sk
from semkit.errors import OptionError
from tests.interaction.test_lms import SIMPLE, planted


def test_one_table_has_what_each_fit_says() -> None:
    frame = planted()
    found = sk.compare_methods(SIMPLE, frame, methods=("product", "lms", sk.LMS(nodes=32), "qml"))
    assert list(found.frame.method) == ["product", "lms", "lms'", "qml"] == list(found.fits)
    for row in found.frame.itertuples():
        fit = found.fits[row.method]
        own = fit.estimates.query("op == '~' and rhs == 'X:Z'").iloc[0]
        std = fit.standardized().query("op == '~' and rhs == 'X:Z'").iloc[0]
        assert (row.est, row.se, row.pvalue, row.ci_lower) == (own.est, own.se, own.pvalue, own.ci_lower)
        assert (row.std_est, row.std_se, row.n) == (std.est_std, std.se, 300)
        assert row.seconds > 0
    assert np.ptp(found.frame.est) < 0.05 and "lms" in repr(found)


def test_a_method_that_cannot_takes_nothing_from_the_others() -> None:
    text = "X =~ x1 + x2 + x3\nM =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nM ~ X + X:X\nY ~ M + X + M:X"
    found = sk.compare_methods(text, planted(200), methods=("lms", "qml"))
    frame = found.frame.set_index(["method", "product"])
    assert np.isfinite(frame.loc[("lms", "M:X"), "est"])
    assert np.isnan(frame.loc[("qml", "M:X"), "est"]) and "moved by a product" in frame.loc[("qml", "M:X"), "notes"]


def test_disagreement_is_said() -> None:
    frame = planted(400, skew=True, square=0.4)
    found = sk.compare_methods(SIMPLE, frame)
    assert [note.code for note in found.notes] == ["fitting.methods-disagree"]


def test_nothing_to_compare() -> None:
    with pytest.raises(OptionError):
        sk.compare_methods("Y =~ y1 + y2 + y3", planted(60))
    with pytest.raises(OptionError):
        sk.compare_methods(SIMPLE, planted(60), methods="lms")
