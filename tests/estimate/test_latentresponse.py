"""Moments of latent responses: derivatives against differences, and the two parameterisations against each other."""

from __future__ import annotations

import numpy as np
import pytest

from semkit.estimate.latentresponse import ResponseModel, make_responses, response_layout
from semkit.model import build_table, parse

CFA = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nx1 ~~ x4"
CASES = {
    "one group": (CFA, {}),
    "mixed": (CFA, {"only": ("x1", "x4", "x5")}),
    "groups": (CFA, {"groups": ("a", "b"), "group_equal": ("thresholds", "loadings")}),
    "group means": (CFA, {"groups": ("a", "b"), "group_equal": ("thresholds", "loadings", "intercepts")}),
    "latent covariates": (CFA + "\nf ~ w + z\ng ~ f + z", {}),
    "covariates": (CFA + "\nf ~ w + z\nx3 ~ z", {}),
    "ordinal mediator": ("x1 ~ w\nx2 ~ x1 + w\nx3 ~ x2 + x1", {}),
}


def problem(
    text: str, parameterization: str, only: tuple[str, ...] = (), **options: object
) -> tuple[ResponseModel, int]:
    spec = parse(text)
    ordinal = only or tuple(name for name in spec.observed if name.startswith("x"))
    thresholds = {name: 1 + k % 3 for k, name in enumerate(ordinal)}
    table = build_table(spec, thresholds=thresholds, parameterization=parameterization, **options)  # type: ignore[arg-type]
    layout = response_layout(table, ordinal)
    given = np.zeros((1, len(layout.given_rows)))
    return ResponseModel(make_responses(table, layout, thresholds), given), table.n_unique


def point(q: int) -> np.ndarray:
    return np.linspace(0.35, 0.75, q)[None] + 0.05 * np.sin(np.arange(q))


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str, parameterization: str) -> None:
    text, options = CASES[name]
    model, q = problem(text, parameterization, **options)  # type: ignore[arg-type]
    theta, h = point(q), 1e-6
    found = model.moments(theta, True)
    for g, (_, slope) in enumerate(found):
        assert slope is not None
        numeric = np.stack([(model.moments(theta + h * e, False)[g][0] - model.moments(theta - h * e, False)[g][0])[0]
                            / (2 * h) for e in np.eye(q)], axis=1)
        np.testing.assert_allclose(slope[0], numeric, atol=2e-8)
    followers = np.stack([(model.extend(theta + h * e) - model.extend(theta - h * e))[0, q:] / (2 * h)
                          for e in np.eye(q)], axis=1)
    np.testing.assert_allclose(model.followers_slope(theta)[0], followers, atol=2e-8)


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
@pytest.mark.parametrize("name", ["one group", "mixed", "groups", "group means", "latent covariates"])
def test_curvature(name: str, parameterization: str) -> None:
    text, options = CASES[name]
    model, q = problem(text, parameterization, **options)  # type: ignore[arg-type]
    theta, h = point(q), 1e-6
    by = tuple(np.sin(np.arange(value.shape[1]))[None] for value, _ in model.moments(theta, False))

    def pull(at: np.ndarray) -> np.ndarray:
        return np.asarray(sum(b @ d[0] for b, (_, d) in zip(by, model.moments(at, True), strict=True))[0])  # type: ignore[index]

    numeric = np.stack([(pull(theta + h * e) - pull(theta - h * e)) / (2 * h) for e in np.eye(q)], axis=1)
    np.testing.assert_allclose(model.curvature(theta, by)[0], numeric, atol=5e-7)


def test_batches_are_the_single_draws() -> None:
    model, q = problem(*CASES["one group"][:1], "theta")
    theta = np.concatenate([point(q), point(q) * 1.1])
    both = model.moments(theta, True)[0]
    for b in range(2):
        one = model.moments(theta[b : b + 1], True)[0]
        np.testing.assert_allclose(both[0][b], one[0][0], atol=1e-14)
        np.testing.assert_allclose(both[1][b], one[1][0], atol=1e-14)  # type: ignore[index]


def test_followers_give_responses_their_variance() -> None:
    """An ordinal mediator under delta: every response has the variance its scale says, given the covariate."""
    model, q = problem(CASES["ordinal mediator"][0], "delta")
    group = model.groups[0]
    assert group.structural
    from semkit.estimate.implied import imply

    implied = imply(group.block, model.extend(point(q)), model.given)
    np.testing.assert_allclose(implied.sigma[0, group.y, group.y], 1.0, atol=1e-12)
