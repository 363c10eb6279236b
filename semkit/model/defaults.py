"""From a parsed model to a parameter table, with the defaults of lavaan's ``cfa()`` and ``sem()``."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from semkit.errors import ModelError, NotSupportedError, OptionError, Problem, spelling
from semkit.model.check import expand_definitions, formula_problems, place, substitute
from semkit.model.coding import coded_classes, effect_constraints, free_means
from semkit.model.composites import composite_constraints, composite_rows, parts_of
from semkit.model.equality import EQUALITIES, hold_equal, settle_shared_labels, share_referenced_labels
from semkit.model.expression import Expression
from semkit.model.ordinal import check_followers, check_ordinal, ordinal_defaults, ordinal_of, release_scales
from semkit.model.rows import Options, Row
from semkit.model.statements import ModelSpec, Modifier, Term
from semkit.model.table import ParameterTable, Variables

MAX_ROWS = 200_000


def build_table(
    spec: ModelSpec,
    *,
    groups: Sequence[str] = ("",),
    meanstructure: bool | None = None,
    fixed_x: bool = True,
    std_lv: bool = False,
    orthogonal: bool = False,
    int_ov_free: bool = True,
    int_lv_free: bool = False,
    auto_fix_first: bool | None = None,
    auto_fix_single: bool = True,
    auto_var: bool = True,
    auto_cov_lv_x: bool = True,
    auto_cov_y: bool = True,
    group_equal: str | Collection[str] = (),
    group_partial: str | Collection[str] = (),
    effect_coding: bool | str | tuple[str, ...] | list[str] = False,
    apart: Collection[str] = (),
    thresholds: Mapping[str, int] | None = None,
    parameterization: str = "delta",
    composites_cov_free: bool = False,
) -> ParameterTable:
    """Complete a model with lavaan's defaults.

    Parameters
    ----------
    spec : ModelSpec
        Products that are not left of ``=~`` are treated as columns of that name.
    groups : sequence of str
        Group labels in the order of the sample; ``("",)`` without groups.
    meanstructure : bool, optional
        Default: true when the text has an intercept or there are several groups.
    fixed_x : bool
        Hold moments of exogenous observed variables at their sample values.
    std_lv : bool
        Identify constructs by variance 1 instead of by a first loading of 1.
    orthogonal : bool
        Fix default covariances between constructs at 0.
    int_ov_free, int_lv_free : bool
        Whether default intercepts of observed variables, and means of constructs, are free.
    auto_fix_first, auto_fix_single, auto_var, auto_cov_lv_x, auto_cov_y : bool
        lavaan's ``auto.*`` arguments; ``auto_fix_first`` defaults to ``not std_lv``.
    group_equal : str or collection of str
        Among ``loadings intercepts means residuals residual.covariances lv.variances lv.covariances
        regressions thresholds``.
    group_partial : str or collection of str
        Exceptions such as ``"f=~x2"`` or ``"x1~1"``.
    effect_coding : bool, or among ``loadings intercepts``
        Scale constructs by a mean loading of 1 and a mean intercept of 0 instead of by a marker.
    apart : collection of str
        Variables whose means and covariances ``group_equal`` leaves alone.
    thresholds : mapping of str to int, optional
        Number of thresholds of each ordinal variable; the model then has means.
    parameterization : {"delta", "theta"}
        Whether scales or residual variances of ordinal variables are parameters (:mod:`semkit.model.ordinal`).
    composites_cov_free : bool
        Whether covariances of a composite's indicators are parameters or held at their sample values.

    Returns
    -------
    ParameterTable
        Rows in lavaan's order: per group the user's rows, then default variances, covariances of
        exogenous constructs, of outcomes, moments of exogenous observed variables, intercepts.

    Raises
    ------
    ModelError
        Among others ``model.unknown-label``, ``model.modifier-length``, ``model.unknown-group``,
        ``model.label-conflict``.
    OptionError
        ``model.group-equal``, ``model.group-partial``, ``model.effect-coding``.
    NotSupportedError
        ``model.groups-differ``: groups with different observed variables.

    Notes
    -----
    A free row that shares its label with a fixed row is fixed at that value, which is what equality
    with a fixed parameter means.

    Examples
    --------
    >>> from semkit.model import parse
    >>> table = build_table(parse("f =~ x1 + x2 + x3"))
    >>> table.free_names[:3], table.n_free
    (('f =~ x2', 'f =~ x3', 'x1 ~~ x1'), 6)
    """
    wanted = (group_equal,) if isinstance(group_equal, str) else tuple(group_equal)
    _check_options(wanted)
    coded = coded_classes(effect_coding, std_lv=std_lv)
    problems = formula_problems(spec, len(groups))
    if problems:
        raise ModelError(*problems)
    if meanstructure is None:
        meanstructure = any(term.op == "~1" for term in spec.terms) or len(groups) > 1 or bool(thresholds)
    options = Options(
        meanstructure, fixed_x, std_lv, orthogonal, int_ov_free, int_lv_free,
        (not std_lv and "loadings" not in coded) if auto_fix_first is None else auto_fix_first, auto_fix_single,
        auto_var, auto_cov_lv_x, auto_cov_y, dict(thresholds or {}), parameterization,
        composites_cov_free,
    )  # fmt: skip
    rows: list[Row] = []
    variables: list[Variables] = []
    references: list[tuple[Row, str, Modifier]] = []
    for number, terms in enumerate(_terms_by_group(spec, groups), start=1):
        found = classify(terms)
        check_ordinal(spec, found, options.thresholds)
        variables.append(found)
        rows += _block_rows(spec, terms, found, options, number, len(groups), references)
        if len(rows) > MAX_ROWS:
            raise ModelError(Problem("model.too-large", "model", f"more than {MAX_ROWS} parameters"))
    if any(set(v.ov) != set(variables[0].ov) for v in variables):
        raise NotSupportedError(
            Problem("model.groups-differ", "model", "the groups have different observed variables",
                    "the same variables in every group", "Fit the groups one by one.")
        )  # fmt: skip
    share_referenced_labels(spec, rows, references)
    if len(groups) > 1 and wanted:
        partial = (group_partial,) if isinstance(group_partial, str) else tuple(group_partial)
        hold_equal(rows, variables[0], wanted, partial, options, frozenset(apart))
        release_scales(rows, variables[0], wanted, options)
    if "intercepts" in coded:
        free_means(rows, variables[0])
    settle_shared_labels(rows)
    constraints = [*effect_constraints(rows, variables[0], coded), *composite_constraints(rows, std_lv=std_lv)]
    return _pack(spec, rows, tuple(groups), variables[0], meanstructure, constraints)


def _check_options(wanted: tuple[str, ...]) -> None:
    problems = [
        Problem("model.group-equal", f'group_equal="{name}"', "no such class of parameters", ", ".join(EQUALITIES),
                spelling(name, EQUALITIES))
        for name in wanted if name not in EQUALITIES
    ]  # fmt: skip
    if problems:
        raise OptionError(*problems)


def _terms_by_group(spec: ModelSpec, groups: Sequence[str]) -> list[tuple[Term, ...]]:
    if not spec.blocks:
        return [spec.terms] * len(groups)
    names = list(groups)
    if set(spec.blocks) != set(names):
        numbers = [str(i + 1) for i in range(len(names))]
        if set(spec.blocks) != set(numbers):
            raise ModelError(
                Problem("model.unknown-group", "model", "the group: lines name " + ", ".join(spec.blocks),
                        f"one block for each of: {', '.join(names) or 'no groups'} (or {', '.join(numbers)})",
                        "" if len(groups) > 1 else "Give group= the column with the groups.")
            )  # fmt: skip
        names = numbers
    return [tuple(term for term in spec.terms if term.block == name) for name in names]


def classify(terms: Sequence[Term]) -> Variables:
    """Sort the variables of one group's terms into lavaan's classes and order."""
    latents = list(dict.fromkeys(t.lhs for t in terms if t.op in ("=~", "<~")))
    parts = parts_of(terms)
    is_latent = set(latents)
    measured = dict.fromkeys(t.rhs for t in terms if t.op in ("=~", "<~"))
    outcomes = dict.fromkeys(t.lhs for t in terms if t.op == "~")
    predictors = dict.fromkeys(t.rhs for t in terms if t.op == "~")
    ov_ind = [name for name in measured if name not in is_latent]
    is_ind = set(ov_ind)
    ov_y = [name for name in outcomes if name not in is_latent and name not in is_ind]
    ov_x = [name for name in predictors if name not in is_latent and name not in is_ind and name not in outcomes]
    known = {*ov_ind, *ov_y, *ov_x, *is_latent}
    extra = [t.lhs for t in terms if t.op == "~~"] + [t.rhs for t in terms if t.op == "~~"]
    extra += [t.lhs for t in terms if t.op == "~1"]
    ov_extra = [name for name in dict.fromkeys(extra) if name not in known]
    # A written variance, covariance or intercept makes an exogenous variable a random one.
    written = set(extra)
    random = {name for name in ov_x if name in written}
    ov = (*ov_ind, *ov_y, *ov_x, *ov_extra)
    exogenous = tuple(name for name in ov_x if name not in random)
    is_exogenous = set(exogenous)
    return Variables(
        ov=ov, ov_ind=tuple(ov_ind), ov_y=tuple(ov_y), ov_x=exogenous,
        ov_nox=tuple(name for name in ov if name not in is_exogenous),
        lv=tuple(latents),
        lv_x=tuple(name for name in latents if name not in measured and name not in outcomes),
        lv_y=tuple(name for name in latents if name in outcomes),
        lv_c=tuple(parts), ov_c=tuple(dict.fromkeys(item for items in parts.values() for item in items)),
    )  # fmt: skip


# --- one group ---------------------------------------------------------------------------------------


def _block_rows(
    spec: ModelSpec,
    terms: Sequence[Term],
    found: Variables,
    options: Options,
    block: int,
    n_groups: int,
    references: list[tuple[Row, str, Modifier]],
) -> list[Row]:
    rows: dict[tuple[str, str, str], Row] = {}
    pending: list[tuple[Row, Term]] = []
    for term in terms:
        key = (term.lhs, term.op, term.rhs)
        if term.op == "~~" and key not in rows and (term.rhs, term.op, term.lhs) in rows:
            key = (term.rhs, term.op, term.lhs)
        row = rows.get(key)
        if row is None:
            row = rows[key] = Row(*key, block, user=1)
        pending.append((row, term))
    outcomes_free = _add_defaults(rows, terms, found, options, block)
    _apply_defaults(rows, terms, found, options, outcomes_free)
    for row, term in pending:
        _modify(spec, row, term, block, n_groups, references)
    check_followers(rows, found, options)
    return list(rows.values())


def _add_defaults(
    rows: dict[tuple[str, str, str], Row], terms: Sequence[Term], found: Variables, options: Options, block: int
) -> list[Row]:
    """Add lavaan's default rows where the user has none; return the default covariances of constructs."""

    def add(lhs: str, op: str, rhs: str) -> Row | None:
        if (lhs, op, rhs) in rows or (op == "~~" and (rhs, op, lhs) in rows):
            return None
        rows[(lhs, op, rhs)] = row = Row(lhs, op, rhs, block)
        return row

    ordinal = ordinal_of(found, options.thresholds)
    for name in ordinal:
        for k in range(options.thresholds[name]):
            add(name, "|", f"t{k + 1}")
    parts, held = parts_of(terms), set(found.ov_c)
    for name in (*found.ov_nox, *found.lv):
        if options.auto_var or name in held or name in parts:
            row = add(name, "~~", name)
            if row is not None and name in held:
                row.free = options.composites_cov_free
    between: list[Row | None] = []
    latents = set(found.lv)
    if options.auto_cov_lv_x:
        between += [add(a, "~~", b) for a, b in itertools.combinations(found.lv_x, 2)]
    if options.auto_cov_y:
        predictors = {t.rhs for t in terms if t.op == "~"}
        measured = {t.rhs for t in terms if t.op == "=~"}
        last = [name for name in found.lv_y if name not in predictors and name not in measured]
        last += [name for name in found.ov_y if name not in predictors]
        for a, b in itertools.combinations(last, 2):
            row = add(a, "~~", b)
            if a in latents and b in latents:
                between.append(row)
    for a, b in itertools.combinations_with_replacement(found.ov_x, 2):
        row = add(a, "~~", b)
        if row is not None and options.fixed_x:
            row.exo = True
            row.free = False
    for items in parts.values():
        for a, b in itertools.combinations(items, 2):
            row = add(a, "~~", b)
            if row is not None:
                row.free = options.composites_cov_free
    for name in ordinal:
        add(name, "~~", name)
        add(name, "~*~", name)
    if options.meanstructure:
        for name in (*found.ov, *found.lv):
            row = add(name, "~1", "")
            if row is not None and name in found.ov_x and options.fixed_x:
                row.exo, row.free = True, False
    marker = options.auto_fix_first or not options.std_lv  # effect coding is about factors
    composite_rows(rows, parts, block, means=options.meanstructure, first_fixed=marker)
    return [row for row in between if row is not None]


def _apply_defaults(
    rows: dict[tuple[str, str, str], Row], terms: Sequence[Term], found: Variables, options: Options,
    between: list[Row],
) -> None:  # fmt: skip
    """Fix what lavaan fixes by default; modifiers come later and win."""
    indicators: dict[str, list[str]] = {}
    for term in terms:
        if term.op == "=~" and term.rhs not in indicators.setdefault(term.lhs, []):
            indicators[term.lhs].append(term.rhs)
    for latent, items in indicators.items():
        if options.auto_fix_first:
            rows[(latent, "=~", items[0])].fix(1.0)
        alone = len(items) == 1 and not any(items[0] in other for name, other in indicators.items() if name != latent)
        if options.auto_fix_single and alone:
            row = rows.get((items[0], "~~", items[0]))
            if row is not None and not row.user:
                row.fix(0.0)
    ordinal_defaults(rows, found, options)
    if options.std_lv:
        for latent in found.lv:
            row = rows.get((latent, "~~", latent))
            if row is not None and (latent not in found.lv_c or latent in found.lv_x):
                row.fix(1.0)
    if options.orthogonal:
        for row in between:
            row.fix(0.0)
    for name in [n for n in found.lv if n not in found.lv_c] if not options.int_lv_free else ():
        row = rows.get((name, "~1", ""))
        if row is not None and not row.user:
            row.fix(0.0)
    for name in [n for n in found.ov_nox if n not in found.ov_c] if not options.int_ov_free else ():
        row = rows.get((name, "~1", ""))
        if row is not None and not row.user:
            row.fix(0.0)


def _modify(
    spec: ModelSpec, row: Row, term: Term, block: int, n_groups: int, references: list[tuple[Row, str, Modifier]]
) -> None:
    for modifier in term.modifiers:
        values = modifier.values
        in_block = bool(term.block)
        if len(values) not in (1, n_groups) and not in_block:
            raise ModelError(
                place(spec, modifier.position, "model.modifier-length",
                      f"a modifier has {len(values)} values for {n_groups} group(s)", f"1 or {n_groups} values")
            )  # fmt: skip
        value = values[0] if len(values) == 1 else values[min(block, len(values)) - 1]
        if modifier.kind == "fixed":
            if value is None:
                row.free, row.value, row.exo = True, float("nan"), False
            else:
                row.fix(float(value))
                row.exo = False
        elif modifier.kind == "label":
            row.label = str(value)
        elif modifier.kind == "equal":
            references.append((row, str(value), modifier))
        elif value is not None:
            setattr(row, modifier.kind, float(value))


def _require_labels(rows: list[Row], expressions: Mapping[int, Expression]) -> None:
    """A parameter has one label, the last it was given: formulas must not use one that it had before."""
    known = {row.label for row in rows}
    lost = sorted({name for e in expressions.values() for name in (*e.names, *e.std_names)} - known)
    if lost:
        raise ModelError(*(
            Problem("model.label-replaced", f'label "{name}"', "a formula uses it, but its parameter has another label",
                    "one label a parameter", "Leave one of the labels out, or use the last one in the formula.")
            for name in lost
        ))


# --- the table ---------------------------------------------------------------------------------------


def _pack(
    spec: ModelSpec, rows: list[Row], groups: tuple[str, ...], variables: Variables, meanstructure: bool,
    constraints: Sequence[Expression] = (),
) -> ParameterTable:
    done = expand_definitions(spec)
    expressions: dict[int, Expression] = {}
    for formula in spec.formulas:
        if formula.op == ":=":
            name = formula.lhs.names[0]
            expressions[len(rows)] = done[name]
            rows.append(Row(name, ":=", str(formula.rhs), 0, user=1, label=name))
        else:
            pair = formula.rhs - formula.lhs if formula.op == "<" else formula.lhs - formula.rhs
            expressions[len(rows)] = substitute(spec, pair, done, formula.position)
            rows.append(Row(str(formula.lhs), formula.op, str(formula.rhs), 0, user=1))
    _require_labels(rows, expressions)
    for expression in constraints:
        expressions[len(rows)] = expression
        rows.append(Row(str(expression), "==", "0", 0))
    free = np.array([row.free and row.block > 0 for row in rows], dtype=bool)
    numbers = np.array([(row.start, row.value, row.lower, row.upper) for row in rows], dtype=np.float64).T.copy()
    return ParameterTable(
        lhs=tuple(row.lhs for row in rows), op=tuple(row.op for row in rows), rhs=tuple(row.rhs for row in rows),
        block=np.array([row.block for row in rows], dtype=np.int64),
        free=np.where(free, np.cumsum(free), 0).astype(np.int64),
        label=tuple(row.label for row in rows),
        start=numbers[0], value=numbers[1], lower=numbers[2], upper=numbers[3],
        exo=np.array([row.exo for row in rows], dtype=bool), user=np.array([row.user for row in rows], dtype=np.int64),
        groups=groups, variables=variables, meanstructure=meanstructure, _expressions=expressions,
    )  # fmt: skip
