"""A result made by hand: least squares with any products, written without semkit's own code."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

import semkit as sk
from semkit.result import Reference, Term, Variable


def regression(frame, equations, *, kind="HC3", draws=0, seed=1):
    """Equations ``{"y": ["x", "w", "x:w"]}`` by least squares, products uncentred; a Result of any complexity."""
    base = sk.moderated_regression(
        pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=["y", "x", "w"]), "y", "x", "w"
    )
    names, terms, est, blocks = [], [], [], []
    for outcome, predictors in equations.items():
        b, v = least_squares(frame, outcome, predictors, kind)
        names += [f"{outcome} ~1", *(f"{outcome} ~ {p}" for p in predictors)]
        terms += [Term(outcome, tuple(p.split(":")), f"{outcome} ~ {p}") for p in predictors]
        est.append(b)
        blocks.append(v)
    ends = np.cumsum([0, *map(len, est)])
    vcov = np.zeros((ends[-1], ends[-1]))
    for (i, j), block in zip(pairwise(ends), blocks, strict=True):
        vcov[i:j, i:j] = block
    rng = np.random.default_rng(seed)
    drawn = np.array([
        np.concatenate([least_squares(sample, y, x, "none")[0] for y, x in equations.items()])
        for sample in (frame.iloc[rng.integers(0, len(frame), len(frame))] for _ in range(draws))
    ])  # fmt: skip
    both = np.concatenate(est)
    used = sorted({name for term in terms for name in (*term.factors, term.outcome)})
    variables = {n: Variable(n, "observed", frame[n].mean(), frame[n].std(), frame[n].min(), frame[n].max(),
                             frame[n].to_numpy(dtype=float)) for n in used}  # fmt: skip
    df = len(frame) - 1 - max(len(p) for p in equations.values())
    return replace(
        base, names=tuple(names), terms=tuple(terms), est=both, vcov=vcov, std_est=both, std_vcov=vcov,
        variables=variables, reference=Reference("t", df), nobs=len(frame), draws=drawn if draws else None,
        std_draws=drawn if draws else None,
    )  # fmt: skip


def least_squares(frame, outcome, predictors, kind):
    columns = [np.prod([frame[name].to_numpy(dtype=float) for name in p.split(":")], axis=0) for p in predictors]
    design = np.column_stack([np.ones(len(frame)), *columns])
    y = frame[outcome].to_numpy(dtype=float)
    b = np.linalg.lstsq(design, y, rcond=None)[0]
    if kind == "none":
        return b, None
    residual, bread = y - design @ b, np.linalg.inv(design.T @ design)
    if kind == "classical":
        return b, bread * (residual @ residual) / (len(y) - design.shape[1])
    hat = np.einsum("ij,jk,ik->i", design, bread, design)
    meat = design * (residual / (1 - hat))[:, None]
    return b, bread @ meat.T @ meat @ bread
