"""The tables of a validation that need no factor model: items, scales, discriminant validity."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from semkit.result import FloatArray
from semkit.validation import consistency, distinctness, distribution
from semkit.validation.blocks import Answers, Block, Whole

NAN = float("nan")


def varying(answers: Answers, block: Block) -> Block:
    """The block without items that everybody answered alike (or nobody at all)."""
    kept = tuple(item for item in block.items if answers.values[item].nunique() > 1)
    return Block(block.code, kept, block.label, block.source, block.reflective, block.lowest, block.highest)


def covariance(answers: Answers, *blocks: Block) -> tuple[FloatArray | None, int]:
    """Covariance matrix of the blocks' complete cases; None with too few, or without variation."""
    values = answers.of(*blocks)
    n, k = values.shape
    if k < 2 or n < 3:
        return None, n
    cov = np.atleast_2d(np.cov(values, rowvar=False))
    return (cov if (np.diag(cov) > 0).all() else None), n


def item_table(answers: Answers) -> pd.DataFrame:
    """Distribution of each item, and how it goes with the rest of its construct."""
    rows = []
    for block in answers.blocks:
        values = answers.values[list(block.items)].to_numpy(dtype=float)
        k = len(block.items)
        there = ~np.isnan(values)
        floor = distribution.share_at(values, np.full(k, block.lowest))
        ceiling = distribution.share_at(values, np.full(k, block.highest))
        skew, kurt = distribution.skewness(values), distribution.kurtosis(values)
        rest, dropped = _in_scale(answers, block)
        for i, item in enumerate(block.items):
            column = values[there[:, i], i]
            rows.append(
                {
                    "item": item, "construct": block.code, "reflective": block.reflective, "n": int(column.size),
                    "missing": 1.0 - column.size / max(len(values), 1),
                    "mean": float(column.mean()) if column.size else NAN,
                    "sd": float(column.std(ddof=1)) if column.size > 1 else NAN,
                    "skew": float(skew[i]), "kurtosis": float(kurt[i]),
                    "floor": float(floor[i]), "ceiling": float(ceiling[i]),
                    "item_rest": rest.get(item, NAN), "alpha_if_dropped": dropped.get(item, NAN),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _in_scale(answers: Answers, block: Block) -> tuple[dict[str, float], dict[str, float]]:
    part = varying(answers, block)
    cov, _ = covariance(answers, part)
    if cov is None:
        return {}, {}
    return (
        dict(zip(part.items, consistency.item_rest(cov).tolist(), strict=True)),
        dict(zip(part.items, consistency.alpha_if_dropped(cov).tolist(), strict=True)),
    )


def scale_table(answers: Answers, level: float = 0.95) -> pd.DataFrame:
    """Reliability of each construct on its complete cases, constant items left out."""
    rows = []
    for block in answers.blocks:
        part = varying(answers, block)
        cov, n = covariance(answers, part)
        values = answers.values[list(block.items)]
        score = values.mean(axis=1)[values.notna().mean(axis=1) >= 0.5]
        row = {
            "construct": block.code, "label": block.label, "source": block.source, "reflective": block.reflective,
            "items": len(block.items), "n": n, "missing": float(values.isna().to_numpy().sum() / max(values.size, 1)),
            "mean": float(score.mean()) if len(score) else NAN, "sd": float(score.std()) if len(score) > 1 else NAN,
            "mean_r": NAN, "alpha": NAN, "alpha_lower": NAN, "alpha_upper": NAN, "alpha_std": NAN, "alpha_se": NAN,
        }  # fmt: skip
        if cov is not None:
            alpha = consistency.alpha(cov)
            lower, upper = consistency.alpha_interval(alpha, n, len(cov), level)
            row |= {
                "mean_r": float(consistency.mean_correlation(cov)), "alpha": float(alpha),
                "alpha_lower": float(lower), "alpha_upper": float(upper),
                "alpha_std": float(consistency.standardised_alpha(cov)),
                "alpha_se": float(consistency.alpha_error(answers.of(part))),
            }  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def composite_table(answers: Answers) -> pd.DataFrame:
    """Stratified alpha of second-order constructs: the equal-weight mean of the parts' means, complete cases."""
    rows = []
    blocks = {block.code: block for block in answers.blocks}
    for whole in answers.wholes:
        rows.append(_composite_row(answers, whole, [varying(answers, blocks[code]) for code in whole.parts]))
    return pd.DataFrame(rows, columns=["construct", "label", "parts", "n", "stratified_alpha"])


def _composite_row(answers: Answers, whole: Whole, parts: Sequence[Block]) -> dict[str, object]:
    row: dict[str, object] = {
        "construct": whole.code, "label": whole.label, "parts": len(parts), "n": 0, "stratified_alpha": NAN,
    }  # fmt: skip
    cov, n = covariance(answers, *parts)
    if cov is None or any(len(part.items) < 2 for part in parts):
        return row | {"n": n}
    owner = np.repeat(np.arange(len(parts)), [len(part.items) for part in parts])
    mean = (owner == np.arange(len(parts))[:, None]) / np.bincount(owner)[:, None]
    alphas = np.array([consistency.alpha(cov[np.ix_(owner == j, owner == j)]) for j in range(len(parts))])
    rho = consistency.stratified_alpha(mean @ cov @ mean.T, alphas)
    return row | {"n": n, "stratified_alpha": float(rho)}


Ratio = Callable[[FloatArray, Sequence[int], Sequence[int]], float]


def ratio_tables(answers: Answers) -> tuple[pd.DataFrame, pd.DataFrame]:
    """HTMT and HTMT2 of every pair of reflective constructs, each on the pair's complete cases."""
    blocks = [part for block in answers.blocks if block.reflective for part in (varying(answers, block),)]
    codes = [block.code for block in blocks]
    tables = []
    for ratio in (distinctness.htmt, distinctness.htmt2):
        tables.append(pd.DataFrame(_pairs(answers, blocks, ratio), index=codes, columns=codes))
    return tables[0], tables[1]


def _pairs(answers: Answers, blocks: Sequence[Block], ratio: Ratio) -> FloatArray:
    out = np.eye(len(blocks))
    for i, j in itertools.combinations(range(len(blocks)), 2):
        first, second = blocks[i], blocks[j]
        cov, _ = covariance(answers, first, second)
        value = NAN
        if cov is not None:
            sd = np.sqrt(np.diag(cov))
            k = len(first.items)
            value = ratio(cov / np.outer(sd, sd), range(k), range(k, len(sd)))
        out[i, j] = out[j, i] = value
    return out


def factorability_row(
    answers: Answers, name: str, blocks: Sequence[Block]
) -> tuple[dict[str, object], dict[str, float]]:
    """Kaiser-Meyer-Olkin and Bartlett for the items of one model; NaN for a singular correlation matrix.

    Returns
    -------
    row : dict
    items : dict of item to its measure of sampling adequacy
    """
    items = [item for block in blocks for item in block.items]
    cov, n = covariance(answers, *blocks)
    row: dict[str, object] = {
        "model": name, "n": n, "kmo": NAN, "bartlett_chisq": NAN, "bartlett_df": NAN, "bartlett_pvalue": NAN,
    }  # fmt: skip
    if cov is None:
        return row, {}
    sd = np.sqrt(np.diag(cov))
    corr = cov / np.outer(sd, sd)
    if np.linalg.eigvalsh(corr)[0] < 1e-8:
        return row, {}
    kmo, each = distinctness.sampling_adequacy(corr)
    chisq, df, pvalue = distinctness.sphericity(corr, n)
    row |= {"kmo": kmo, "bartlett_chisq": chisq, "bartlett_df": float(df), "bartlett_pvalue": pvalue}
    return row, dict(zip(items, each.tolist(), strict=True))
