"""Product columns: against semTools' ``indProd``, and rebuilt in every resample."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semkit.interaction import ProductIndicators, expand
from semkit.model import build_table, parse
from semkit.sample import group_moments, make_sample

DATA = Path(__file__).parents[1] / "reference" / "data"
MODEL = """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
Y =~ y1 + y2 + y3
Y ~ X + Z + X:Z
"""


def columns(frame: pd.DataFrame, option: ProductIndicators) -> pd.DataFrame:
    expansion = expand(parse(MODEL), option)
    names = [product.name for product in expansion.products]
    sample = make_sample(frame, names, products=expansion.products)
    return pd.DataFrame(sample.groups[0].data, columns=names)


def test_matched_products_are_those_of_indprod() -> None:
    raw, theirs = pd.read_csv(DATA / "modsem12_n400.csv"), pd.read_csv(DATA / "modsem12_indProd.csv")
    ours = columns(raw, ProductIndicators())
    assert list(ours) == ["x1:z1", "x2:z2", "x3:z3"]
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name.replace(":", ".")], atol=1e-12)


@pytest.mark.parametrize("match", ["order", "all"])
def test_products_of_oneint(match: str) -> None:
    root = os.environ.get("SEMKIT_REFERENCE")
    if not root:
        pytest.skip("SEMKIT_REFERENCE is not set: oneInt may not be copied")
    peers = Path(root) / "peer_data"
    file = "oneInt_indProd_dmc_matched.csv" if match == "order" else "oneInt_indProd_dmc_all.csv"
    theirs = pd.read_csv(peers / file)
    ours = columns(pd.read_csv(peers / "oneInt.csv"), ProductIndicators(match=match))
    assert len(ours.columns) == (3 if match == "order" else 9)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name.replace(":", ".")], atol=1e-10)


def test_products_rebuilt_from_moments_are_those_of_the_resample() -> None:
    frame = pd.read_csv(DATA / "lms_simple.csv").head(120)
    expansion = expand(parse(MODEL + "Y ~ x1\n".replace("x1", "X:X")), ProductIndicators())
    names = build_table(expansion.spec).variables.ov
    sample = make_sample(frame, names, products=expansion.products)
    rng = np.random.default_rng(11)
    drawn = rng.integers(0, len(frame), (5, len(frame)))
    weights = np.array([np.bincount(rows, minlength=len(frame)) for rows in drawn], dtype=float)
    moments = group_moments(sample, 0, weights)
    for b, rows in enumerate(drawn):
        direct = make_sample(frame.iloc[rows].reset_index(drop=True), names, products=expansion.products)
        data = direct.groups[0].data
        np.testing.assert_allclose(moments.cov[b], np.cov(data.T, bias=True), atol=1e-12)
        np.testing.assert_allclose(moments.mean[b], data.mean(axis=0), atol=1e-12)
    # Products that were kept from the full sample would be something else.
    kept = np.cov(sample.groups[0].data[drawn[0]].T, bias=True)
    assert np.abs(kept - moments.cov[0]).max() > 1e-3
