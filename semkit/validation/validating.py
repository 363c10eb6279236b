"""The orchestrators: answers in, tables and notes out; one table that fails never removes the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from semkit.errors import Note
from semkit.validation import consistency, tables, thresholds
from semkit.validation.blocks import Answers, Block, read_answers
from semkit.validation.measurement import FIT_COLUMNS, Measurement, measure
from semkit.validation.thresholds import Thresholds
from semkit.validation.view import Validation

NAN = float("nan")


def reliability(data: Any, constructs: Any = None, level: float = 0.95) -> pd.DataFrame:
    """Alpha with its interval, standardised alpha and omega of each construct.

    Parameters
    ----------
    data : DataFrame, or cleaned data
    constructs : mapping of str to sequence of str, instrument(s), optional
        Codes with their columns; the instruments of cleaned data by default.
    level : float, default 0.95
        Of Feldt's interval for alpha.

    Returns
    -------
    DataFrame
        The reliability columns of :attr:`Validation.constructs`, raw floats.

    Raises
    ------
    OptionError, SampleError
        As :func:`validate`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> trust = rng.normal(size=(300, 1)) + rng.normal(size=(300, 3))
    >>> table = reliability(pd.DataFrame(trust, columns=["t1", "t2", "t3"]), {"trust": ["t1", "t2", "t3"]})
    >>> bool(0.65 < table["alpha"][0] < 0.85)
    True
    """
    answers = read_answers(data, constructs)
    table = tables.scale_table(answers, level)
    return table.assign(omega=[_single(answers, block)[0] for block in answers.blocks])


def validity(data: Any, constructs: Any = None) -> Validation:
    """Convergent and discriminant validity from one factor model of all constructs together.

    As :func:`validate`, but with a single model, so that every pair of factors has a
    correlation in the Fornell-Larcker table.

    Parameters
    ----------
    data, constructs
        As in :func:`validate`.

    Returns
    -------
    Validation
    """
    return _validate(read_answers(data, constructs), joint=True, limits=Thresholds())


def validate(data: Any, constructs: Any = None, limits: Thresholds | None = None) -> Validation:
    """Item statistics, reliability, factor models, convergent and discriminant validity.

    One factor model for each instrument (robust ML, factors correlated) and one for each
    construct (for omega); HTMT for all pairs.  Missing answers: complete cases of the items each number needs,
    with their count beside it.

    Parameters
    ----------
    data : DataFrame, or cleaned data
    constructs : mapping of str to sequence of str, instrument(s), optional
        Codes with their columns; the instruments of cleaned data by default.
    limits : Thresholds, optional

    Returns
    -------
    Validation

    Raises
    ------
    OptionError
        ``validation.no-constructs``, ``validation.unknown-column`` ...
    SampleError
        ``validation.not-numeric``, ``validation.infinite``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> items = np.repeat(rng.normal(size=(300, 2)), 3, axis=1) + rng.normal(size=(300, 6))
    >>> frame = pd.DataFrame(items, columns=["a1", "a2", "a3", "b1", "b2", "b3"])
    >>> found = validate(frame, {"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]})
    >>> found.ratio("a", "b") < 0.85
    True
    """
    return _validate(read_answers(data, constructs), joint=False, limits=limits or Thresholds())


def _validate(answers: Answers, *, joint: bool, limits: Thresholds) -> Validation:
    models = _models(answers, joint)
    fitted = [measure(name, blocks, answers.values) for name, blocks in models if _identified(blocks)]
    singles = [_single(answers, block) for block in answers.blocks]
    factorability: list[dict[str, object]] = []
    adequacy: dict[str, float] = {}
    for name, blocks in models:
        row, each = tables.factorability_row(answers, name, blocks)
        factorability.append(row)
        adequacy |= each
    loadings = _loading_table(fitted)
    items = _with_loadings(tables.item_table(answers), loadings, adequacy)
    constructs = _with_model(tables.scale_table(answers), [value for value, _ in singles], fitted)
    htmt, htmt2 = tables.ratio_tables(answers)
    fit = pd.DataFrame(
        [
            {"model": one.name, "n": one.nobs, "items": sum(len(b.items) for b in one.blocks), **one.fit}
            for one in fitted
        ],
        columns=["model", "n", "items", *FIT_COLUMNS],
    )
    notes = (
        *answers.notes,
        *(note for one in fitted for note in one.notes),
        *(note for _, found in singles for note in found),
        *thresholds.construct_notes(constructs, limits),
        *thresholds.item_notes(items, limits),
        *thresholds.distinctness_notes(htmt, limits),
        *thresholds.fit_notes(fit, limits),
    )
    return Validation(
        constructs, items, loadings, htmt, htmt2, _fornell_larcker(constructs, fitted),
        tables.composite_table(answers), pd.DataFrame(factorability), fit, len(answers.values), limits, notes,
    )  # fmt: skip


def _models(answers: Answers, joint: bool) -> list[tuple[str, list[Block]]]:
    """Reflective blocks of two or more varying items, by instrument (or all in one model)."""
    models: dict[str, list[Block]] = {}
    for block in answers.blocks:
        part = tables.varying(answers, block)
        if part.reflective and len(part.items) > 1:
            models.setdefault("all constructs" if joint or not part.source else part.source, []).append(part)
    return list(models.items())


def _identified(blocks: Sequence[Block]) -> bool:
    """One factor needs three items; two items do when there are other factors."""
    return len(blocks) > 1 or len(blocks[0].items) > 2


def _single(answers: Answers, block: Block) -> tuple[float, tuple[Note, ...]]:
    """Omega of a construct from its own one-factor model; with two items from equal loadings (then it is alpha)."""
    part = tables.varying(answers, block)
    cov, _ = tables.covariance(answers, part)
    if cov is None or not block.reflective:
        return NAN, ()
    if len(part.items) == 2:
        return float(consistency.alpha(cov)), ()
    model = measure(block.code, [part], answers.values)
    if model.loadings.empty:
        return NAN, model.notes
    value = consistency.omega(model.values(block.code, "est"), model.values(block.code, "residual"))
    return float(value), tuple(note for note in model.notes if note.severity != "info")


def _loading_table(fitted: Sequence[Measurement]) -> pd.DataFrame:
    columns = ["item", "construct", "model", "est", "se", "residual", "std", "std_se"]
    frames = [one.loadings.assign(model=one.name)[columns] for one in fitted if not one.loadings.empty]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _with_loadings(items: pd.DataFrame, loadings: pd.DataFrame, adequacy: dict[str, float]) -> pd.DataFrame:
    keys = list(zip(items["item"], items["construct"], strict=True))
    found = {
        (row["item"], row["construct"]): (float(row["std"]), float(row["std_se"]))
        for row in loadings.to_dict("records")
    }
    pairs = [found.get(key, (NAN, NAN)) for key in keys]
    return items.assign(
        loading=[first for first, _ in pairs],
        loading_se=[second for _, second in pairs],
        msa=[adequacy.get(item, NAN) for item in items["item"]],
    )


def _with_model(constructs: pd.DataFrame, omegas: Sequence[float], fitted: Sequence[Measurement]) -> pd.DataFrame:
    """Add omega and what the instrument's factor model says of each construct."""
    home = {block.code: one for one in fitted for block in one.blocks if not one.loadings.empty}
    columns: dict[str, list[float]] = {name: [] for name in ("cr", "ave", "ave_raw", "omega_model", "smallest_loading")}
    for code in constructs["construct"]:
        if code not in home:
            for values in columns.values():
                values.append(NAN)
            continue
        std, est, residual = (home[code].values(code, name) for name in ("std", "est", "residual"))
        columns["cr"].append(float(consistency.composite_reliability(std)))
        columns["ave"].append(float(consistency.average_variance_extracted(std)))
        columns["ave_raw"].append(float(consistency.average_variance_extracted(est, residual)))
        columns["omega_model"].append(float(consistency.omega(est, residual)))
        columns["smallest_loading"].append(float(std.min()))
    return constructs.assign(omega=list(omegas), **columns)


def _fornell_larcker(constructs: pd.DataFrame, fitted: Sequence[Measurement]) -> pd.DataFrame:
    """Square root of AVE on the diagonal, factor correlations beside it (Fornell & Larcker 1981)."""
    codes = [block.code for one in fitted for block in one.blocks]
    table = pd.DataFrame(np.full((len(codes), len(codes)), NAN), index=codes, columns=codes)
    ave = dict(zip(constructs["construct"], constructs["ave"], strict=True))
    for one in fitted:
        if one.loadings.empty:
            continue
        own = [block.code for block in one.blocks]
        table.loc[own, own] = one.correlations.loc[own, own]
        for code in own:
            table.loc[code, code] = float(np.sqrt(ave[code]))
    return table
