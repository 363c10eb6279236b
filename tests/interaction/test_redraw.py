"""Bootstrap of models with latent products: each draw is what a fit to the drawn rows gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from semkit.fitting.redraw import moderated_rows, with_draws
from semkit.numerics.jobs import Job, resample_counts
from tests.interaction.test_lms import SIMPLE, planted

MODELS = {
    "lms": (SIMPLE, {}),
    "qml": (SIMPLE, {}),
    "lms known": ("X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ X + z1 + X:z1", {}),
    "qml known": ("X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ X + z1 + X:z1", {}),
    "lms constrained": (SIMPLE.replace("X + Z", "a*X + b*Z") + "a == b\n", {}),
}


def draws_of(fit: Any, count: int, **options: Any) -> Any:
    return with_draws(fit, count, 3, kind="ordinary", ci="percentile", level=0.95, **options)


@pytest.mark.parametrize("name", list(MODELS))
def test_a_draw_is_the_fit_to_its_rows(name: str) -> None:
    text, options = MODELS[name]
    frame, method = planted(160), name.split()[0]
    fit = sk.sem(text, frame, interaction=method, **options)
    drawn = draws_of(fit, 2).bootstrap_draws
    assert drawn.failed == 0
    chunk = next(iter(Job(replicates=2, seed=3, chunk=2).chunks()))
    error = np.sqrt(np.diag(fit.vcov))
    for b, counts in enumerate(resample_counts(chunk, 160).astype(int)):
        again = sk.sem(text, frame.iloc[np.repeat(np.arange(160), counts)], interaction=method, **options)
        assert np.abs((drawn.est[b] - again.est) / error).max() < 2e-3
        assert np.abs(drawn.std[b] - again.std_est).max() < 2e-3


def test_draws_do_not_depend_on_workers_and_give_errors() -> None:
    fit = sk.sem(SIMPLE, planted(200), interaction="lms")
    one, two = (draws_of(fit, 120, workers=w).bootstrap_draws for w in (1, 2))
    np.testing.assert_array_equal(one.est, two.est)
    with_errors = sk.sem(SIMPLE, planted(200), interaction="lms", bootstrap=120, seed=3)
    np.testing.assert_allclose(with_errors.draws, one.est, atol=1e-6)
    plain = fit.estimates.query("op == '~'").se.to_numpy()
    assert np.all(np.abs(with_errors.estimates.query("op == '~'").se / plain - 1) < 0.35)
    with pytest.raises(NotSupportedError):
        fit.bootstrap(20, kind="parametric")


@pytest.mark.parametrize("design", [None, sk.Design(cluster="village")])
def test_bca_leaves_respondents_or_clusters_out(design: sk.Design | None) -> None:
    """One left out is a fit without that one; the acceleration is near that of influences ``A^-1 s``."""
    frame = planted(100).assign(village=np.arange(100) // 4)
    fit = sk.sem(SIMPLE, frame, interaction="lms", design=design)
    gone = frame["village"] == 3 if design else frame.index == 3
    rows = moderated_rows(fit, [np.where(gone, 0.0, 1.0)[None]], ("raw", "result"))
    again = sk.sem(SIMPLE, frame[~gone], interaction="lms")
    at = fit.names.index("Y ~ X:Z")
    error = np.sqrt(np.diagonal(fit.vcov))
    assert np.abs((rows["raw"][0, fit._positions] - again.est) / error).max() < 2e-3
    assert np.abs(rows["result"][0, fit._positions] - again.std_est).max() < 2e-3
    drawn = fit.bootstrap(40, seed=3, kind="cluster" if design else "ordinary", ci="bca")
    speed = drawn.bootstrap_draws._acceleration["raw"][fit._positions[at]]
    influence = (fit.solution.case_scores @ fit.solution.bread_observed)[:, at]
    influence = np.bincount(frame["village"], weights=influence) if design else influence
    assert abs(speed - np.sum(influence**3) / (6 * np.sum(influence**2) ** 1.5)) < 0.03
    shown = drawn.estimates.query("rhs == 'X:Z'").iloc[0]
    found = drawn.bootstrap_draws.interval("Y ~ X:Z", "bca")
    assert (shown.ci_lower, shown.ci_upper) == (found.ci_lower, found.ci_upper)
