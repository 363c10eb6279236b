"""Bootstrap of models with latent products: each draw is what a fit to the drawn rows gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from semkit.fitting.redraw import with_draws
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
