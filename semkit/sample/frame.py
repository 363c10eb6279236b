"""A data frame becomes arrays; everything wrong with it is reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, NotSupportedError, OptionError, Problem, SampleError, spelling
from semkit.sample.arrays import Group, Sample
from semkit.sample.composite import Composite
from semkit.sample.dependence import LARGEST, dependent_columns, flat
from semkit.sample.design import Design
from semkit.sample.gaps import check_overlap, empty_rows, gap_notes, usable
from semkit.sample.products import Product, product_column
from semkit.sample.sampling import Sampling, make_sampling

FloatArray = NDArray[np.float64]


def make_sample(
    frame: Any,
    names: Iterable[str],
    *,
    group: str | None = None,
    group_order: tuple[str, ...] = (),
    missing: str = "listwise",
    design: Design | None = None,
    products: tuple[Product, ...] = (),
    composites: Mapping[str, Composite] | None = None,
    complete: Iterable[str] = (),
) -> Sample:
    """Take the columns a model needs out of a frame.

    Parameters
    ----------
    frame : DataFrame, or any object with a ``.frame``
    names : iterable of str
        Model columns in the wanted order, derived ones (products, composites) included.
    group : str, optional
        Grouping column.  Groups come in order of first appearance among the used rows.
    group_order : tuple of str
        Group labels in another order.
    missing : {"listwise", "fiml"}
        Respondents with a missing value in one of the model's own columns are left out; under ``"fiml"`` only those
        without any value, or with a gap in one of the columns named in ``complete``.
    design : Design, optional
    products : tuple of Product
    composites : mapping of str to Composite
        By the name of the column to be formed.
    complete : iterable of str
        Columns that must be complete under ``missing="fiml"`` (fixed covariates).

    Returns
    -------
    Sample

    Raises
    ------
    SampleError
        All problems: missing, non-numeric, infinite, constant, all-missing or collinear columns,
        too few respondents.
    """
    if missing not in ("listwise", "fiml"):
        raise NotSupportedError(
            Problem("sample.missing-not-supported", "missing", f"{missing!r} is not offered yet", "listwise, fiml",
                    "Use missing='fiml' or 'listwise'; the number of respondents used is shown.")
        )
    table = getattr(frame, "frame", frame)
    wanted = tuple(dict.fromkeys(names))
    made = dict(composites or {})
    derived = {product.name for product in products}
    base_names = tuple(dict.fromkeys(
        [*(name for name in wanted if name not in derived), *(n for p in products for n in p.parts),
         *(part for composite in made.values() for part in composite.parts)]
    ))
    item_names = tuple(dict.fromkeys(item for c in made.values() for item in c.columns[len(c.parts) :]))
    read = [name for name in base_names if name not in made]
    columns = _read(table, read, item_names, group)
    base = np.column_stack([_formed(name, columns, made) for name in base_names])
    items = np.column_stack([columns[name] for name in item_names]) if item_names else np.empty((len(base), 0))
    codes, labels = _group_codes(table, group, group_order)
    received = base.shape[0]
    sampling = None if design is None or design.trivial else make_sampling(table, design)
    if sampling is not None:
        codes[sampling.weights == 0.0] = -1
    if missing == "fiml":
        used = usable(base, base_names, tuple(complete)) & (codes >= 0)
        if any(product.centering == "residual" for product in products) and np.isnan(base[used]).any():
            raise NotSupportedError(Problem(
                "sample.residual-with-gaps", "data", "residual-centred products need complete data",
                "centering='double', or missing='listwise'", "Change one of them."))
        nobs = int(used.sum())
        notes = gap_notes(base, codes, base_names, tuple(complete), used, bool(products))
    else:
        used = ~np.isnan(base).any(axis=1) & (codes >= 0)
        nobs = int(used.sum())
        notes = _notes(received, nobs, base, base_names)
    if nobs < received or made:  # columns as they were read have been looked at
        _check_used(base[used], base_names, nobs, received)
    members = tuple(np.flatnonzero(used & (codes == g)) for g in range(len(labels)))
    if sampling is not None:
        notes = (*notes, *sampling.notes)
        sampling = sampling.take(members)
    groups = _groups(labels, members, base, items, base_names, wanted, products, sampling)
    if missing == "fiml":
        check_overlap(groups, wanted)
    else:
        _check_groups(groups, wanted)
    return Sample(wanted, tuple(groups), received, nobs, base_names, item_names, tuple(products), made, notes,
                  sampling)


def _groups(
    labels: tuple[str, ...], members: tuple[NDArray[np.int64], ...], base: FloatArray, items: FloatArray,
    base_names: tuple[str, ...], wanted: tuple[str, ...], products: tuple[Product, ...], sampling: Sampling | None,
) -> list[Group]:
    out, start = [], 0
    for label, rows in zip(labels, members, strict=True):
        at = slice(start, start + len(rows))
        start += len(rows)
        weights = None if sampling is None else sampling.weights[at]
        cluster = np.arange(at.start, at.stop) if sampling is None else sampling.psu[at]
        out.append(_group(label, base[rows], items[rows], rows, base_names, wanted, products, weights, cluster))
    return out


def require_table(data: Any) -> None:
    """Refuse what is no table.

    Raises
    ------
    OptionError
        ``sample.not-a-frame``.
    """
    if not hasattr(getattr(data, "frame", data), "columns"):
        raise OptionError(Problem("sample.not-a-frame", "data", f"{type(data).__name__}",
                                  "a DataFrame or an object with .frame", "Pass a pandas DataFrame."))


def _read(table: Any, read: list[str], items: tuple[str, ...], group: str | None) -> dict[str, FloatArray]:
    """The columns as float vectors, or one error with everything that is wrong with them."""
    require_table(table)
    known = [str(column) for column in table.columns]
    problems: list[Problem] = []
    columns: dict[str, FloatArray] = {}
    wanted = tuple(dict.fromkeys([*read, *items]))
    whole = _numeric_block(table, wanted) if len(set(known)) == len(known) and set(wanted) <= set(known) else None
    for k, name in enumerate(wanted):
        place = f'column "{name}"'
        if whole is None and known.count(name) != 1:
            what = "is not in the data" if name not in known else f"is {known.count(name)} times in the data"
            problems.append(Problem("sample.missing-column", place, what, ", ".join(known[:60]),
                                    spelling(name, known)))
            continue
        values = _numbers(table[name]) if whole is None else whole[:, k]
        if values is None:
            problems.append(Problem("sample.not-numeric", place, "holds something that is not a number",
                                    "numbers and missing values",
                                    "Recode it to numbers first, or name it in ordered= if it is ordered."))
            continue
        columns[name] = values
    problems += _useless(columns)
    problems.sort(key=lambda problem: wanted.index(problem.where.split('"')[1]))
    if group is not None and known.count(group) != 1:
        problems.append(_no_group(group, known))
    if problems:
        raise SampleError(*problems)
    return columns


def _no_group(group: str, known: list[str]) -> Problem:
    what = "is not in the data" if group not in known else f"is {known.count(group)} times in the data"
    return Problem("sample.missing-column", f'group "{group}"', what, ", ".join(known[:60]),
                   spelling(group, known))


def group_labels(frame: Any, group: str) -> tuple[str, ...]:
    """Labels of the groups in a column, in order of first appearance.

    Raises
    ------
    SampleError
        ``sample.missing-column``, ``sample.no-group-labels``.
    """
    table = getattr(frame, "frame", frame)
    known = [str(column) for column in getattr(table, "columns", ())]
    if known.count(group) != 1:
        raise SampleError(_no_group(group, known))
    labels = _group_codes(table, group, ())[1]
    if not labels:
        raise SampleError(Problem("sample.no-group-labels", f'group "{group}"', "no value at all",
                                  "a label for every respondent", "Leave group out, or fill the column."))
    return labels


def _useless(columns: Mapping[str, FloatArray]) -> list[Problem]:
    """Columns from which nothing can be learnt."""
    if not columns:
        return []
    values = np.stack(list(columns.values()))
    low, high = values.min(axis=1, initial=np.inf), values.max(axis=1, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        if np.all((low > -LARGEST) & (high < LARGEST) & ~flat(low, high)):
            return []
        low = np.min(values, axis=1, where=~np.isnan(values), initial=np.inf)
        high = np.max(values, axis=1, where=~np.isnan(values), initial=-np.inf)
        bad = ~((low > -LARGEST) & (high < LARGEST)) | flat(low, high)
    out = []
    for k in np.flatnonzero(bad):
        place = f'column "{list(columns)[k]}"'
        column = values[k]
        if np.isinf(column).any():
            out.append(Problem("sample.infinite", place, f"{int(np.isinf(column).sum())} infinite values",
                               "finite numbers", "Set them to missing or correct them."))
        elif np.isnan(column).all():
            out.append(Problem("sample.all-missing", place, "no value at all", "numbers", "Leave it out."))
        elif max(-low[k], high[k]) >= LARGEST:
            out.append(Problem("sample.too-large", place, f"values from {low[k]:.3g} to {high[k]:.3g}",
                               f"numbers below {LARGEST:g}", "Correct them, or use larger units."))
        elif low[k] < high[k]:
            out.append(Problem("sample.constant", place,
                               f"values between {low[k]:.6g} and {high[k]:.6g} differ in no more than rounding",
                               "a column that varies", "Leave it out of the model, or subtract its lowest value."))
        else:
            out.append(Problem("sample.constant", place, f"every value is {high[k]:g}", "a column that varies",
                               "Leave it out of the model."))
    return out


def _numeric_block(table: Any, names: tuple[str, ...]) -> FloatArray | None:
    """All columns in one pass when they are plain numbers under text names; None otherwise."""
    try:
        columns = [table[name].values for name in names]
    except KeyError:
        return None
    if columns and all(isinstance(column, np.ndarray) and column.dtype.kind in "fiub" for column in columns):
        return np.column_stack(columns).astype(np.float64, copy=False)
    return None


def _numbers(column: Any) -> FloatArray | None:
    """A column as floats with NaN, or None when it is not numeric."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "fiub" and isinstance(column.dtype, np.dtype):
        return np.asarray(column.to_numpy(), dtype=np.float64)
    if kind in "fiub" and str(column.dtype) not in ("category",):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "O" and isinstance(column.dtype, np.dtype):
        values = column.to_numpy()
        if all(v is None or (isinstance(v, (int, float, np.number)) and not isinstance(v, str)) for v in values):
            return np.array([np.nan if v is None else float(v) for v in values])
    return None


def _formed(name: str, columns: Mapping[str, FloatArray], composites: Mapping[str, Composite]) -> FloatArray:
    if name not in composites:
        return columns[name]
    parts = [columns[part] for part in composites[name].parts]
    return np.asarray(np.mean(parts, axis=0))


def _group_codes(table: Any, group: str | None, order: tuple[str, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if group is None:
        return np.zeros(len(table), dtype=np.int64), ("",)
    values = table[group].astype(object).to_numpy()
    empty = np.asarray(table[group].isna(), dtype=bool)
    text = np.array([_label(v) for v in values], dtype=object)
    labels = order or tuple(dict.fromkeys(text[~empty]))
    codes = np.full(len(text), -1, dtype=np.int64)
    for g, label in enumerate(labels):
        codes[(text == label) & ~empty] = g
    return codes, labels


def _label(value: Any) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _group(
    label: str, base: FloatArray, items: FloatArray, rows: NDArray[np.int64],
    base_names: tuple[str, ...], wanted: tuple[str, ...], products: tuple[Product, ...],
    weights: FloatArray | None, cluster: NDArray[np.int64],
) -> Group:
    columns = {name: base[:, k] for k, name in enumerate(base_names)} if base_names != wanted else {}
    for product in products:
        values = product_column(product, columns, weights) if len(base) else base[:, 0]
        columns[product.name] = values
    data = np.column_stack([columns[name] for name in wanted]) if columns else base
    n, p = data.shape
    if weights is None:
        weights = np.ones(n)
    if np.isnan(data).any():
        patterns, pattern = np.unique(~np.isnan(data), axis=0, return_inverse=True)
        return Group(label, data, base, items, weights, pattern.ravel().astype(np.int64), patterns, rows, cluster)
    one = np.ones((1, p), dtype=bool)
    return Group(label, data, base, items, weights, np.zeros(n, dtype=np.int64), one, rows, cluster)


def _check_used(base: FloatArray, names: tuple[str, ...], nobs: int, received: int) -> None:
    problems = []
    if nobs < 2:
        problems.append(Problem("sample.no-complete-rows", "data",
                                f"{nobs} of {received} respondents have no missing value", "2 or more",
                                "Look which column is mostly missing and leave it out."))
        raise SampleError(*problems)
    lowest, highest = base.min(axis=0), base.max(axis=0)
    if np.isnan(lowest).any():
        lowest, highest = np.nanmin(base, axis=0), np.nanmax(base, axis=0)
    for k in np.flatnonzero(flat(lowest, highest)):
        problems.append(Problem("sample.constant", f'column "{names[k]}"',
                                f"every value is {lowest[k]:g} among the {nobs} respondents used",
                                "a column that varies", "Leave it out of the model."))
    if problems:
        raise SampleError(*problems)


def _check_groups(groups: list[Group], names: tuple[str, ...]) -> None:
    problems = []
    for group in groups:
        where = f'group "{group.label}"' if group.label else "data"
        n, p = group.data.shape
        if n <= p:
            problems.append(Problem("sample.too-few", where, f"{n} complete respondents for {p} variables",
                                    f"at least {p + 1}", "Use fewer variables or more respondents."))
            continue
        # a single group whose columns were all read has been looked at
        fresh = len(groups) > 1 or group.data is not group.base
        constant = flat(group.data.min(axis=0), group.data.max(axis=0)) if fresh else np.zeros(p, dtype=bool)
        if np.any(constant):
            stuck = ", ".join(names[k] for k in np.flatnonzero(constant))
            problems.append(Problem("sample.constant", where, f"constant in this group: {stuck}", "columns that vary",
                                    "Leave them out or join groups."))
            continue
        problems += _collinear(group.data, names, where)
    if problems:
        raise SampleError(*problems)


def _collinear(data: FloatArray, names: tuple[str, ...], where: str) -> list[Problem]:
    centred = data - data.mean(axis=0)
    cov = centred.T @ centred
    size = 1.0 / np.sqrt(np.diagonal(cov))
    correlation = cov * size[:, None] * size
    try:
        # the smallest eigenvalue of a correlation matrix is at least its determinant divided by e
        if np.prod(np.diagonal(np.linalg.cholesky(correlation)) ** 2) > 1e-6:
            return []
    except np.linalg.LinAlgError:
        pass
    return dependent_columns(data, names, where)


def _notes(received: int, nobs: int, base: FloatArray, names: tuple[str, ...]) -> tuple[Note, ...]:
    if nobs == received:
        return ()
    gaps = np.isnan(base).sum(axis=0)
    worst = int(gaps.argmax())
    return (
        *empty_rows(base),
        Note("sample.listwise", "info", f"{nobs} of {received} respondents have all values and are used.",
             cause=f"Most gaps: {names[worst]} ({int(gaps[worst])} missing)." if gaps[worst] else
             "The others have no group, or weight 0."),
    )
