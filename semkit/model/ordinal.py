"""Ordinal variables in the parameter table: thresholds, response scales, and what identifies them.

Behind an ordinal variable stands a normal latent response; its thresholds cut it into categories.  Under
``parameterization="delta"`` its scale (``~*~``, one over its standard deviation) is a parameter and the residual
variance follows; under ``"theta"`` it is the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping

from semkit.errors import ModelError, OptionError, Problem
from semkit.model.check import place
from semkit.model.rows import Options, Row
from semkit.model.statements import ModelSpec
from semkit.model.table import Variables

NAN = float("nan")


def ordinal_of(found: Variables, thresholds: Mapping[str, int]) -> tuple[str, ...]:
    """The ordinal variables of a model in the order of its observed variables."""
    return tuple(name for name in found.ov if name in thresholds)


def check_ordinal(spec: ModelSpec, found: Variables, thresholds: Mapping[str, int]) -> None:
    """Refuse ordinal variables and thresholds that make no sense, all at once.

    Raises
    ------
    ModelError
        ``model.unknown-threshold``, ``model.threshold-without-variable``, ``model.ordered-covariate``.
    """
    problems = []
    for term in spec.terms:
        if term.op not in ("|", "~*~"):
            continue
        if term.lhs not in thresholds or term.lhs not in found.ov:
            problems.append(place(spec, term.lhs_position, "model.threshold-without-variable",
                                  f'"{term.lhs}" is not an ordinal variable of the model',
                                  ", ".join(ordinal_of(found, thresholds)) or "variables named in ordered=",
                                  "Name it in ordered= and use it in a =~, ~ or ~~ statement."))
        elif term.op == "|" and int(term.rhs[1:]) > thresholds[term.lhs]:
            count = thresholds[term.lhs]
            problems.append(place(spec, term.position, "model.unknown-threshold",
                                  f'"{term.lhs}" has {count + 1} categories and no threshold {term.rhs}',
                                  ", ".join(f"t{k + 1}" for k in range(count)), "Look at the categories in the data."))
    problems += [
        Problem("model.ordered-covariate", f'ordered="{name}"', "is a covariate: nothing points at it",
                "outcomes and indicators", "Leave it out of ordered=, or recode it into 0/1 columns.")
        for name in found.ov_x if name in thresholds
    ]
    if problems:
        raise ModelError(*problems)


def ordinal_defaults(rows: Mapping[tuple[str, str, str], Row], found: Variables, options: Options) -> None:
    """Scales 1 and residual variances that follow (delta), or residual variances 1 and scales that follow (theta).

    What follows is fixed at NaN: its value comes from the other parameters.  Intercepts are 0.

    References
    ----------
    Muthen & Asparouhov (2002), Latent variable analysis with categorical outcomes: multiple-group and growth modeling
    in Mplus (Mplus Web Notes 4).
    """
    delta = options.parameterization == "delta"
    for name in ordinal_of(found, options.thresholds):
        rows[(name, "~~", name)].fix(NAN if delta else 1.0)
        rows[(name, "~*~", name)].fix(1.0 if delta else NAN)
        level = rows.get((name, "~1", ""))
        if level is not None and not level.user:
            level.fix(0.0)


def check_followers(rows: Mapping[tuple[str, str, str], Row], found: Variables, options: Options) -> None:
    """Refuse modifiers of what follows from other parameters.

    Raises
    ------
    OptionError
        ``model.parameterization``.
    """
    follower, other = ("~~", "theta") if options.parameterization == "delta" else ("~*~", "delta")
    problems = [
        Problem("model.parameterization", f"{name} {follower} {name}",
                f"follows from other parameters under parameterization={options.parameterization!r}",
                f"parameterization={other!r}", f"Use parameterization={other!r}, or leave it out of the model.")
        for name in ordinal_of(found, options.thresholds)
        if (row := rows[(name, follower, name)]).free or row.value == row.value or row.label
    ]
    if problems:
        raise OptionError(*problems)


def release_scales(rows: list[Row], found: Variables, wanted: tuple[str, ...], options: Options) -> None:
    """What equal thresholds identify in later groups: scales, and intercepts unless they are held equal too.

    Two equal thresholds of a variable identify both, one its intercept.  A scale is free too when loadings and
    intercepts are equal, and that of a variable with excepted thresholds as soon as its loading is equal.

    Raises
    ------
    OptionError
        ``model.parameterization``: equal residuals under delta.

    References
    ----------
    Wu & Estabrook (2016), Psychometrika 81, 1014-1045.
    """
    if not options.thresholds:
        return
    delta = options.parameterization == "delta"
    if "residuals" in wanted and delta and ordinal_of(found, options.thresholds):
        raise OptionError(Problem("model.parameterization", 'group_equal="residuals"',
                                  "residual variances of ordinal variables follow from their scales",
                                  "parameterization='theta'", "Use parameterization='theta'."))
    if "thresholds" not in wanted:
        return
    linked = "loadings" in wanted and "intercepts" in wanted
    for row in rows:
        if row.block == 1 or row.user or row.free or row.lhs not in options.thresholds:
            continue
        shared = _shared(rows, row)
        excepted = shared < 2 <= options.thresholds[row.lhs] and "loadings" in wanted
        scaled = shared > 1 or linked or excepted
        scale = row.op == "~*~" and delta and scaled
        residual = row.op == "~~" and row.lhs == row.rhs and not delta and scaled and "residuals" not in wanted
        level = row.op == "~1" and "intercepts" not in wanted and shared > 0
        if scale or residual or level:
            row.free, row.value = True, NAN


def _shared(rows: list[Row], row: Row) -> int:
    """How many thresholds of a row's variable are the same in its group and the first one (or fixed in both)."""
    own = {other.rhs: other for other in rows if other.op == "|" and other.lhs == row.lhs and other.block == row.block}
    first = {other.rhs: other for other in rows if other.op == "|" and other.lhs == row.lhs and other.block == 1}
    return sum(
        (not own[name].free and not first[name].free) or bool(own[name].label and own[name].label == first[name].label)
        for name in own
    )
