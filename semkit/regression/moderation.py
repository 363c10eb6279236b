"""The orchestrator of a moderated regression: unpack, compute, pack."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from semkit.errors import OptionError, Problem, spelling
from semkit.regression import leastsquares as ls
from semkit.regression.columns import Columns, check_design, describe, frame_of, make_columns
from semkit.regression.diagnosis import diagnose
from semkit.regression.outcome import InteractionTest, RegressionRecipe, RegressionResult
from semkit.regression.weighting import design_df, design_errors, design_note, label, used_design, weighted_variance
from semkit.result import FloatArray, Reference, Term, Variable
from semkit.sample import Design, Sampling
from semkit.sample.sampling import make_sampling

MAX_DRAWS = 100_000


def moderated_regression(
    data: Any,
    outcome: str,
    focal: str,
    moderator: str,
    covariates: Sequence[str] = (),
    se: str | None = None,
    center: bool = True,
    factors: Sequence[str] | Mapping[str, Any] | None = None,
    bootstrap: int = 0,
    seed: int = 1,
    design: Design | None = None,
) -> RegressionResult:
    r"""Regress an outcome on a focal variable, a moderator and their product.

    ``y = b0 + b1 (x - x_bar) + b2 (w - w_bar) + b3 (x - x_bar)(w - w_bar) + covariates + e``
    by ordinary least squares on complete cases.  With ``center=True`` (also for 0/1
    variables) ``b1`` and ``b2`` are effects at the other variable's mean; ``b3`` does not
    depend on the centring (Aiken & West 1991, ch. 3).

    Parameters
    ----------
    data : DataFrame, or anything with a ``.frame``
    outcome, focal, moderator : str
        Numeric columns.
    covariates : sequence of str
        Numeric columns, not centred.
    se : {"HC3", "HC0", "HC1", "HC2", "HC4", "classical"}, optional
        Covariance matrix of the estimates; default HC3, which holds its level at small N (Long & Ervin 2000).
    center : bool, default True
    factors : sequence of str, or mapping of str to reference level, optional
        Categorical covariates: one 0/1 column for each level but the reference (default: the first in order).
    bootstrap : int, default 0
        Draws of cases with replacement.  Centres stay those of the sample, so that a moderator
        value means the same in each draw.  Then intervals and p are percentile ones.
    seed : int, default 1
        Seed of the draws.
    design : Design, optional
        Sampling design: weighted least squares, errors from the design (linearised, or from replicate weights),
        design effects beside them; rows left out for a gap stay part of the design (Binder 1983).

    Returns
    -------
    RegressionResult
        t reference with n - k degrees of freedom; under a design, those of the design plus 1 less k.

    Raises
    ------
    OptionError
        Unknown, repeated names or options.
    SampleError
        Not numeric, constant, collinear, too few complete cases.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(3)
    >>> x, w = rng.normal(size=(2, 200))
    >>> frame = pd.DataFrame({"x": x, "w": w, "y": 0.3 * x + 0.2 * x * w + rng.normal(size=200)})
    >>> moderated_regression(frame, "y", "x", "w").names
    ('y ~1', 'y ~ x', 'y ~ w', 'y ~ x:w')
    """
    recipe = _recipe(outcome, focal, moderator, covariates, se or "HC3", center, factors, bootstrap, seed)
    recipe = replace(recipe, design=used_design(design, se, recipe.bootstrap))
    whole = None if recipe.design is None else make_sampling(frame_of(data), recipe.design)
    counting = None if whole is None else whole.weights > 0.0
    columns = make_columns(data, outcome, focal, moderator, recipe.covariates, dict(recipe.factors), counting)
    assert columns.rows is not None
    sampling = None if whole is None else whole.take((columns.rows,))
    variables = _variables(columns, center, None if sampling is None else sampling.weights)
    y = columns.column(outcome)
    x, w = (columns.column(name) - variables[name].center for name in (focal, moderator))
    extra = columns.names[3:]
    terms = np.column_stack([np.ones_like(x), x, w, x * w, columns.values[:, 3:]])
    predictors = (focal, moderator, f"{focal}:{moderator}", *extra)
    check_design(terms, ("intercept", *predictors), y, outcome)
    factors_of = ((focal,), (moderator,), (focal, moderator), *((name,) for name in extra))
    powers = _powers(factors_of, columns.names[1:], variables)
    if sampling is not None:
        return _estimate_weighted(recipe, columns, variables, terms, y, predictors, factors_of, powers, sampling)
    return _estimate(recipe, columns, variables, terms, y, predictors, factors_of, powers)


def _estimate(
    recipe: RegressionRecipe,
    columns: Columns,
    variables: Mapping[str, Variable],
    design: FloatArray,
    y: FloatArray,
    predictors: tuple[str, ...],
    factors_of: tuple[tuple[str, ...], ...],
    powers: FloatArray,
) -> RegressionResult:
    from statsmodels.regression.linear_model import OLS

    fit = OLS(y, design).fit()
    est, residual = np.asarray(fit.params, dtype=float), np.asarray(fit.resid, dtype=float)
    kind: ls.ErrorKind = recipe.se  # type: ignore[assignment]
    vcov = ls.coefficient_covariance(design, residual, kind)
    scaling = columns.values[:, 1:]
    std_est = ls.standardise(est, scaling.var(axis=0, ddof=1), powers, np.asarray(y.var(ddof=1)))
    std_vcov = ls.standardised_covariance(design, residual, est, scaling, y, powers, kind)
    unknown = ls.undetermined(design) if kind != "classical" else np.zeros(len(est), dtype=bool)
    vcov[unknown], vcov[:, unknown] = np.nan, np.nan
    unknown[0] = True  # an intercept has no standardised value
    std_est[0], std_vcov[unknown], std_vcov[:, unknown] = np.nan, np.nan, np.nan
    names = (f"{recipe.outcome} ~1", *(f"{recipe.outcome} ~ {name}" for name in predictors))
    draws, std_draws = _draws(recipe, design, y, scaling, powers)
    df = int(fit.df_resid)
    vif, hat = ls.inflation(design), ls.leverage(design)
    return RegressionResult(
        method=f"OLS ({recipe.se})" + (f", percentile bootstrap of {len(draws)}" if draws is not None else ""),
        names=names,
        est=est,
        vcov=vcov,
        std_est=std_est,
        std_vcov=std_vcov,
        draws=draws,
        std_draws=std_draws,
        reference=Reference("t", float(df)),
        variables=variables,
        terms=tuple(Term(recipe.outcome, parts, name) for parts, name in zip(factors_of, names[1:], strict=True)),
        nobs_received=columns.nobs_received,
        nobs=len(y),
        recipe=recipe,
        r2=float(fit.rsquared),
        adj_r2=float(fit.rsquared_adj),
        sigma=float(np.sqrt(fit.mse_resid)),
        df_residual=df,
        interaction=_product_test(design, y, residual, est[3], vcov[3, 3], df),
        vif=vif,
        fitted=y - residual,
        residuals=residual,
        leverage=hat,
        notes=(*columns.notes, *diagnose(recipe, variables, predictors, vif, hat, len(y))),
        provenance=_provenance(recipe, draws),
    )


def _estimate_weighted(
    recipe: RegressionRecipe,
    columns: Columns,
    variables: Mapping[str, Variable],
    design: FloatArray,
    y: FloatArray,
    predictors: tuple[str, ...],
    factors_of: tuple[tuple[str, ...], ...],
    powers: FloatArray,
    sampling: Sampling,
) -> RegressionResult:
    w, n, k = sampling.weights, len(y), design.shape[1]
    root = np.sqrt(w)
    rooted = design * root[:, None]
    est = np.asarray(np.linalg.lstsq(rooted, y * root, rcond=None)[0], dtype=np.float64)
    scaling = columns.values[:, 1:]
    found = design_errors(sampling, design, y, est, scaling, powers)
    spread = weighted_variance(np.column_stack([scaling, y]), w)
    std_est = ls.standardise(est, spread[:-1], powers, np.asarray(spread[-1]))
    std_est[0], found.std_vcov[0], found.std_vcov[:, 0] = np.nan, np.nan, np.nan
    names = (f"{recipe.outcome} ~1", *(f"{recipe.outcome} ~ {name}" for name in predictors))
    residual = y - design @ est
    rss, total = float(w @ residual**2), float(spread[-1]) * (n - 1)
    df = design_df(sampling, k)
    vif, hat = ls.inflation(design, w), ls.leverage(rooted)
    return RegressionResult(
        method=label(sampling),
        names=names,
        est=est,
        vcov=found.vcov,
        std_est=std_est,
        std_vcov=found.std_vcov,
        reference=Reference("t", float(df)),
        variables=variables,
        terms=tuple(Term(recipe.outcome, parts, name) for parts, name in zip(factors_of, names[1:], strict=True)),
        nobs_received=columns.nobs_received,
        nobs=n,
        recipe=recipe,
        r2=1.0 - rss / total,
        adj_r2=1.0 - rss / (n - k) / (total / (n - 1)),
        sigma=float(np.sqrt(rss / (n - k))),
        df_residual=df,
        interaction=_weighted_product_test(rooted, y * root, total, est[3], found.vcov[3, 3], df),
        vif=vif,
        fitted=y - residual,
        residuals=residual,
        leverage=hat,
        deff=np.diagonal(found.vcov) / np.diagonal(found.simple),
        notes=(
            *columns.notes,
            *sampling.notes,
            design_note(sampling),
            *diagnose(recipe, variables, predictors, vif, hat, n),
        ),
        provenance=_provenance(recipe, None),
    )


def _recipe(
    outcome: str,
    focal: str,
    moderator: str,
    covariates: Sequence[str],
    se: str,
    center: bool,
    factors: Sequence[str] | Mapping[str, Any] | None,
    bootstrap: int,
    seed: int,
) -> RegressionRecipe:
    problems = []
    if se not in ls.ERROR_KINDS:
        problems.append(
            Problem(
                "regression.se",
                "se",
                f"{se!r} is not a covariance matrix semkit has",
                ", ".join(ls.ERROR_KINDS),
                spelling(str(se), ls.ERROR_KINDS),
            )
        )
    for option, value in (("covariates", covariates), ("factors", factors)):
        if isinstance(value, str):
            problems.append(
                Problem(
                    "regression.names",
                    option,
                    f"one string, {value!r}, was given",
                    "a list of names",
                    f"Write {option}=[{value!r}].",
                )
            )
    if isinstance(bootstrap, bool) or not isinstance(bootstrap, (int, np.integer)) or not 0 <= bootstrap <= MAX_DRAWS:
        problems.append(
            Problem(
                "regression.bootstrap",
                "bootstrap",
                f"{bootstrap!r} given",
                f"a whole number from 0 to {MAX_DRAWS}",
                "2000 is usual.",
            )
        )
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        problems.append(Problem("regression.seed", "seed", f"{seed!r} given", "a whole number, 0 or more", "Give one."))
    if problems:
        raise OptionError(*problems)
    pairs = factors.items() if isinstance(factors, Mapping) else ((name, None) for name in factors or ())
    return RegressionRecipe(
        outcome, focal, moderator, tuple(covariates), se, bool(center), tuple(pairs), int(bootstrap), int(seed)
    )


def _variables(columns: Columns, center: bool, weights: FloatArray | None) -> dict[str, Variable]:
    variables = {}
    for position, name in enumerate(columns.names):
        values = columns.values[:, position]
        centred = center and position in (1, 2)
        mean = float(np.average(values, weights=weights)) if weights is not None else float(values.mean())
        variables[name] = describe(values, name, mean if centred else 0.0, weights)
    return variables


def _powers(
    factors_of: Sequence[tuple[str, ...]], names: Sequence[str], variables: Mapping[str, Variable]
) -> FloatArray:
    """Return (k, v) with 1 where the SD of variable v scales coefficient j; 0/1 variables never do."""
    powers = np.zeros((len(factors_of) + 1, len(names)))
    for row, parts in enumerate(factors_of, start=1):
        for part in parts:
            powers[row, names.index(part)] += not variables[part].binary
    return powers


def _product_test(
    design: FloatArray, y: FloatArray, residual: FloatArray, est: float, variance: float, df: int
) -> InteractionTest:
    from scipy.special import fdtrc

    reduced = np.delete(design, 3, axis=1)
    without = y - reduced @ np.linalg.lstsq(reduced, y, rcond=None)[0]
    total = float(((y - y.mean()) ** 2).sum())
    rss, added = float(residual @ residual), float(without @ without - residual @ residual)
    f, f_robust = added / (rss / df), est * est / variance
    return InteractionTest(
        added / total, f, 1, df, float(fdtrc(1, df, f)), f_robust, float(fdtrc(1, df, f_robust)), added / rss
    )


def _weighted_product_test(
    rooted: FloatArray, y: FloatArray, total: float, est: float, variance: float, df: int
) -> InteractionTest:
    """What the product adds to the weighted R2, and its Wald test; the classical F test has no place in a design."""
    from scipy.special import fdtrc

    reduced = np.delete(rooted, 3, axis=1)
    rss, without = (
        float(np.sum((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2)) for x in (rooted, reduced)
    )
    f, nan = est * est / variance, float("nan")
    added = without - rss
    return InteractionTest(added / total, nan, 1, df, nan, f, float(fdtrc(1, df, f)), added / rss)


def _draws(
    recipe: RegressionRecipe, design: FloatArray, y: FloatArray, scaling: FloatArray, powers: FloatArray
) -> tuple[FloatArray | None, FloatArray | None]:
    if not recipe.bootstrap:
        return None, None
    from semkit.numerics.jobs import Chunk, Job, resample_counts, run_job

    def task(chunk: Chunk) -> dict[str, FloatArray]:
        coef, variance, out, ok = ls.resampled_fits(design, y, scaling, resample_counts(chunk, len(y)))
        return {"coef": coef, "variance": variance, "out": out, "ok": ok}

    done = run_job(task, Job(recipe.bootstrap, recipe.seed))
    ok = done["ok"].astype(bool)
    coef = done["coef"][ok]
    # a 0/1 covariate without variation makes its draw singular, so every kept variance is positive
    std = ls.standardise(coef, done["variance"][ok], powers, done["out"][ok])
    std[:, 0] = np.nan
    return coef, std


def _provenance(recipe: RegressionRecipe, draws: FloatArray | None) -> dict[str, Any]:
    import statsmodels

    import semkit

    made: dict[str, Any] = {
        "semkit": semkit.__version__,
        "statsmodels": statsmodels.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    if draws is not None:
        failed = recipe.bootstrap - len(draws)
        made |= {
            "seed": recipe.seed,
            "draws_requested": recipe.bootstrap,
            "draws_failed": failed,
            "draws_inadmissible": 0,
        }
    return made
