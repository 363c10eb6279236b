"""Data from a model with stated values: ``simulate_model``."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import OptionError, Problem, spelling
from semkit.fitting.fit import Fit
from semkit.fitting.population import Population, make_population, population_of
from semkit.numerics.nonnormal import cubic, intermediate
from semkit.numerics.normal import moved

FloatArray = NDArray[np.float64]


def simulate_model(
    model: str | Fit,
    n: int | Mapping[str, int],
    *,
    values: Mapping[str, float] | None = None,
    groups: Sequence[str] = (),
    skew: float | Mapping[str, float] = 0.0,
    kurtosis: float | Mapping[str, float] = 0.0,
    thresholds: Mapping[str, Sequence[float]] | None = None,
    missing: float | Mapping[str, float] = 0.0,
    depends: str | None = None,
    strength: float = 1.0,
    empirical: bool = False,
    seed: int | None = None,
) -> Any:
    """Draw respondents from a population that a model describes.

    What the text fixes (``f =~ 0.7*x1``) and ``values`` give is the population's.  What neither gives: the first
    loading of a latent variable is 1, means, intercepts and covariances are 0, and a (residual) variance is what
    makes the variable's total variance 1.  A loading or slope without a value is an error.
    Constraints and definitions in the text are not looked at.

    Parameters
    ----------
    model : str or Fit
        Model text, or a fit, whose estimates are then the population.
    n : int or mapping of str to int
        Respondents, of every group or by group label.
    values : mapping of str to float, optional
        By label or ``"lhs op rhs"``; with ``.g2`` for a later group, without for all groups.
    groups : sequence of str
        Labels of groups, written to a column ``group``.
    skew, kurtosis : float or mapping of str to float
        Of the observed variables; kurtosis in excess of 3.  Variables are cubics of normal ones whose covariances are
        the population's (Vale & Maurelli 1983).
    thresholds : mapping of str to sequence of float, optional
        Cut points of ordered variables in standard deviations from the mean; they become 1, 2, ...  The text may have
        them, too: ``x1 | -1*t1 + 0.5*t2``.
    missing : float or mapping of str to float
        Share of values to be lost, of all variables or by variable.
    depends : str, optional
        A variable whose values decide what is lost: the log-odds rise by ``strength`` per standard deviation (missing
        at random; the variable itself stays complete).  Without it values are lost completely at random.
    strength : float
    empirical : bool
        The sample has the population's means and covariances (divisor N) exactly.
    seed : int, optional
        Drawn from the system when not given; kept in ``frame.attrs["seed"]``.

    Returns
    -------
    DataFrame
        One row a respondent, columns in the order of the model; ``attrs`` has ``seed``.

    Raises
    ------
    ModelError, OptionError, NotSupportedError

    References
    ----------
    Vale & Maurelli (1983), Psychometrika 48, 465-471; Rubin (1976), Biometrika 63, 581-592.

    Examples
    --------
    >>> data = simulate_model("f =~ 0.8*x1 + 0.7*x2 + 0.6*x3", 200, empirical=True, seed=1)
    >>> round(float(data.corr().loc["x1", "x2"]), 6)
    0.56
    """
    import pandas as pd

    population = _population(model, values, groups, thresholds)
    seed = secrets.randbelow(2**31) if seed is None else int(seed)
    sizes = _sizes(n, population)
    moments = _third_and_fourth(population, skew, kurtosis)
    lost = _by_name(population, missing, "missing")
    _check(population, sizes, lost, depends, empirical)
    frames = []
    streams = np.random.SeedSequence(seed).spawn(len(population.groups))
    for g, (label, stream) in enumerate(zip(population.groups, streams, strict=True)):
        generator = np.random.default_rng(stream)
        drawn = _draw(generator, population, g, sizes[g], moments, empirical)
        complete = drawn.copy()
        for name, cuts in population.thresholds.items():
            k = population.names.index(name)
            scale = np.sqrt(population.cov[g][k, k])
            drawn[:, k] = 1.0 + np.searchsorted(population.mean[g][k] + np.asarray(cuts) * scale, complete[:, k])
        _lose(generator, population, drawn, complete, lost, depends, strength)
        frame = pd.DataFrame(drawn, columns=list(population.names))
        frames.append(frame.assign(group=label) if label else frame)
    out = pd.concat(frames, ignore_index=True)
    out.attrs["seed"] = seed
    return out


def _population(
    model: str | Fit, values: Mapping[str, float] | None, groups: Sequence[str],
    thresholds: Mapping[str, Sequence[float]] | None,
) -> Population:
    if isinstance(model, Fit):
        if values or groups:
            raise OptionError(Problem("fitting.contradictory-options", "values=, groups=", "a fit has its own",
                                      "only with a model text", "Leave them out."))
        found = population_of(model)
    else:
        found = make_population(model, values, tuple(groups) or ("",))
    cuts = {**found.thresholds, **{name: tuple(sorted(part)) for name, part in (thresholds or {}).items()}}
    _known(found, cuts, "thresholds")
    return Population(found.names, found.groups, found.mean, found.cov, cuts)


def _known(population: Population, given: Mapping[str, Any], option: str) -> None:
    unknown = [name for name in given if name not in population.names]
    if unknown:
        raise OptionError(*(Problem("fitting.unknown-variable", f'{option}["{name}"]', "is not in the model",
                                    ", ".join(population.names), spelling(name, population.names))
                            for name in unknown))


def _by_name(population: Population, given: float | Mapping[str, float], option: str) -> FloatArray:
    """One number a variable ``(p,)``."""
    if isinstance(given, Mapping):
        _known(population, given, option)
        return np.array([float(given.get(name, 0.0)) for name in population.names])
    return np.full(len(population.names), float(given))


def _sizes(n: int | Mapping[str, int], population: Population) -> list[int]:
    labels = population.groups
    sizes = [n.get(label, 0) for label in labels] if isinstance(n, Mapping) else [n] * len(labels)
    p = len(population.names)
    for label, size in zip(population.groups, sizes, strict=True):
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size <= p:
            raise OptionError(Problem("fitting.simulated-size", f"n ({label})" if label else "n", f"{size!r} given",
                                      f"a whole number above the {p} variables", "Write for example n=300."))
    return [int(size) for size in sizes]


def _check(
    population: Population, sizes: list[int], lost: FloatArray, depends: str | None, empirical: bool
) -> None:
    problems = []
    if depends is not None and depends not in population.names:
        problems.append(Problem("fitting.unknown-variable", f"depends={depends!r}", "is not in the model",
                                ", ".join(population.names), spelling(depends, population.names)))
    if np.any(lost < 0.0) or np.any(lost >= 1.0):
        problems.append(Problem("fitting.missing-share", "missing", f"{lost.min():g} to {lost.max():g}",
                                "0 up to, but not including, 1", "Write shares, for example missing=0.1."))
    if empirical and (population.thresholds or np.any(lost > 0.0)):
        problems.append(Problem("fitting.contradictory-options", "empirical=True",
                                "exact moments are lost with categories or gaps", "complete continuous data",
                                "Leave empirical out."))
    if problems:
        raise OptionError(*problems)


def _third_and_fourth(
    population: Population, skew: float | Mapping[str, float], kurtosis: float | Mapping[str, float]
) -> tuple[FloatArray, list[FloatArray]] | None:
    """Coefficients of the cubics and intermediate correlations of each group; None for normal variables."""
    third, fourth = _by_name(population, skew, "skew"), _by_name(population, kurtosis, "kurtosis")
    if not (third.any() or fourth.any()):
        return None
    coefficients = cubic(third, fourth)
    bad = [name for name, row in zip(population.names, coefficients, strict=True) if np.isnan(row).any()]
    if bad:
        raise OptionError(*(Problem("fitting.impossible-moments", f"skew, kurtosis of {name}",
                                    "no cubic of a normal variable has both",
                                    "kurtosis above 1.5884 skew^2 - 1.1513, not too far", "Raise the kurtosis.")
                            for name in bad))
    behind = []
    for cov in population.cov:
        s = np.sqrt(np.diagonal(cov))
        found = intermediate(cov / np.outer(s, s), coefficients)
        if np.isnan(found).any() or np.linalg.eigvalsh(found)[0] < 1e-10:
            raise OptionError(Problem("fitting.impossible-moments", "skew, kurtosis",
                                      "no normal variables lie behind such variables with these correlations",
                                      "smaller correlations, or shapes that differ less", "Lower skew or kurtosis."))
        behind.append(found)
    return coefficients, behind


def _draw(
    generator: np.random.Generator, population: Population, g: int, n: int,
    moments: tuple[FloatArray, list[FloatArray]] | None, empirical: bool,
) -> FloatArray:
    mean, cov = population.mean[g], population.cov[g]
    z = generator.standard_normal((n, len(mean)))
    if moments is None:
        values = mean + z @ np.linalg.cholesky(cov).T
    else:
        coefficients, behind = moments
        z = z @ np.linalg.cholesky(behind[g]).T
        b, c, d = coefficients.T
        values = mean + np.sqrt(np.diagonal(cov)) * (b * z + c * (z**2 - 1.0) + d * z**3)
    if not empirical:
        return np.asarray(values)
    own = values.mean(axis=0)
    return moved(values, own, (values - own).T @ (values - own) / n, mean, cov)


def _lose(
    generator: np.random.Generator, population: Population, drawn: FloatArray, complete: FloatArray,
    lost: FloatArray, depends: str | None, strength: float,
) -> None:
    """Set values to missing, in place."""
    from scipy.special import expit

    for k, share in enumerate(lost):
        if share == 0.0 or population.names[k] == depends:
            continue
        chance: FloatArray = np.full(len(drawn), share)
        if depends is not None:
            z = complete[:, population.names.index(depends)]
            z = strength * (z - z.mean()) / z.std()
            low, high = -30.0 - np.abs(z).max(), 30.0 + np.abs(z).max()
            for _ in range(80):  # the intercept at which the mean chance is the share
                middle = 0.5 * (low + high)
                low, high = (middle, high) if float(np.mean(expit(middle + z))) < share else (low, middle)
            chance = np.asarray(expit(0.5 * (low + high) + z))
        drawn[generator.random(len(drawn)) < chance, k] = np.nan
