"""The same analysis for Mplus: an input file and the data it reads.

Every parameter is written out group by group and Mplus's own default covariances are switched off, so that nothing
depends on defaults; names are cut to eight characters; only names, numbers and operators made here reach the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semkit.errors import NotSupportedError, Problem
from semkit.fitting import mplusproducts
from semkit.fitting.arguments import require_place
from semkit.fitting.exports import require_exportable, unexportable_definitions
from semkit.model import Expression
from semkit.model.nodes import Node

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit

_WIDTH = 80
_ESTIMATORS = ("ml", "mlr", "mlm", "mlmv", "mlf", "gls", "uls", "wls")
_DESIGN = {"WEIGHT": "smkw", "STRATIFICATION": "smks", "CLUSTER": "smkc"}  # columns of the sampling design
_FUNCTIONS = {"exp", "log", "sqrt", "abs"}
# words that Mplus would read as a command or option in the place of a name
_RESERVED = frozenset(
    "all and at be by class cluster data define device devices do else end eq false file for from ge group gt if in "
    "ind is le lt missing model names ne new no not of on off or output pon pwith repse savedata small stratify strata "
    "t test then title to true type variable via weight with xwith".split()
)


@dataclass(frozen=True)
class MplusNames:
    """How names were shortened: own name to at most eight letters, digits and underscores; all different."""

    variables: Mapping[str, str]
    labels: Mapping[str, str]
    definitions: Mapping[str, str]


def short_names(names: Iterable[str], taken: set[str] | None = None) -> dict[str, str]:
    """Names of at most eight characters that differ without regard to case.

    Letters, digits and underscores are kept; a name that would clash ends in a number instead.

    Parameters
    ----------
    names : iterable of str
    taken : set of str, optional
        Lower-case names already in use; added to.

    Examples
    --------
    >>> short_names(["satisfaction_1", "satisfaction_2", "on", "1st"])
    {'satisfaction_1': 'satisfac', 'satisfaction_2': 'satisfa2', 'on': 'on2', '1st': 'v1st'}
    """
    used = set() if taken is None else taken
    out: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name).strip("_") or "v"
        plain = plain if plain[0].isalpha() else f"v{plain}"
        short, number = plain[:8], 1
        while short.lower() in used or short.lower() in _RESERVED:
            number += 1
            short = plain[: 8 - len(str(number))] + str(number)
        used.add(short.lower())
        out[name] = short
    return out


def to_mplus(fit: Fit, path: Any) -> tuple[Path, Path]:
    """Write an Mplus input file and a data file that make the same analysis.

    Parameters
    ----------
    fit : Fit
        Fitted to raw data by ``ml``, ``mlr``, ``mlm``, ``mlmv``, ``mlf``, ``gls``, ``uls`` or ``wls``; latent products
        by LMS become ``XWITH`` (:mod:`semkit.fitting.mplusproducts`).
    path : str or Path
        Of the input, ``analysis.inp``; the data stand beside it as ``analysis.dat``.

    Returns
    -------
    tuple of Path
        Input and data.

    Raises
    ------
    OptionError
        ``fitting.no-raw-data``.
    NotSupportedError
        ``fitting.not-exportable``: what Mplus does not have.

    References
    ----------
    Muthen & Muthen (2017), Mplus User's Guide, 8th ed., chapters 15 to 18.
    """
    _require(fit)
    script = require_place(path, "to_mplus()").with_suffix(".inp")
    data = script.with_suffix(".dat")
    flag = _flag(fit)
    script.write_text(input_text(fit, data.name, flag), encoding="ascii")
    assert fit.solution.sample is not None
    with data.open("w", encoding="ascii", newline="\n") as stream:
        for g in range(1, fit.table.n_groups + 1):
            extra = _design_values(fit, g - 1)
            for i, row in enumerate(mplusproducts.columns(fit, g - 1)):
                numbers = [flag if np.isnan(value) else repr(float(value)) for value in row]
                own = [values[i] for values in extra.values()]
                stream.write(" ".join([*numbers, *([str(g)] if fit.table.n_groups > 1 else []), *own]) + "\n")
    return script, data


def _require(fit: Fit) -> None:
    """Refuse what cannot be written, all at once."""
    require_exportable(fit, "to_mplus()")
    options, table = fit.solution.options, fit.table
    refused = mplusproducts.refusals(fit)
    if options.estimator not in _ESTIMATORS:
        refused.append((f"estimator={options.estimator!r}", "is not written", "Use to_lavaan()."))
    if options.two_stage:
        refused.append((f"missing={options.missing!r}", "Mplus has no two stages", "Use missing='fiml'."))
    if options.likelihood != "normal":
        refused.append((f"likelihood={options.likelihood!r}", "Mplus divides by N", "Use likelihood='normal'."))
    if any(op in ("|", "~*~") for op in table.op):
        refused.append(("ordinal variables", "are not written", "Use to_lavaan()."))
    sampling = fit.solution.sampling
    if sampling is not None:
        given = sampling.design
        more = [name for name in ("fpc", "replicates", "calibration") if getattr(given, name)]
        refused += [(f"design: {name}", "is not written", "Export weights, strata and clusters only.") for name in more]
        if options.estimator not in ("ml", "mlr"):
            refused.append((f"estimator={options.estimator!r} with a design", "Mplus has mlr there", "Use 'mlr'."))
    for expression in (*table.equalities, *table.inequalities, *(e for _, e in table.definitions)):
        wrong = sorted({kind for kind in _kinds(expression.root) if kind in ("min", "max")})
        refused += [(f"{name}() in {expression}", "Mplus has no such function", "Write it without.") for name in wrong]
    if refused:
        raise NotSupportedError(*(Problem("fitting.not-exportable", "to_mplus()", f"{what}: {why}", "models without",
                                          remedy) for what, why, remedy in dict.fromkeys(refused)))


def _design_values(fit: Fit, g: int) -> dict[str, list[str]]:
    """Values of the design's columns in one group, by the option of Mplus that names them."""
    sampling, sample = fit.solution.sampling, fit.solution.sample
    if sampling is None or sample is None:
        return {}
    part, given = sample.groups[g], sampling.design
    out = {"WEIGHT": [repr(float(value)) for value in part.weights]} if given.weights else {}
    if given.strata:
        out["STRATIFICATION"] = [str(value) for value in sampling.stratum[part.cluster].tolist()]
    if given.cluster:
        out["CLUSTER"] = [str(value) for value in part.cluster.tolist()]
    return out


def _kinds(node: Node) -> Iterator[str]:
    yield node.kind
    for child in node.children:
        yield from _kinds(child)


def mplus_names(fit: Fit) -> MplusNames:
    """Short names of variables, labels and defined parameters, all different."""
    taken = {"group", *_DESIGN.values()}
    table = fit.table
    variables = short_names([*table.variables.ov, *table.variables.lv, *mplusproducts.products(fit)], taken)
    written = (_own_label(fit, i) for i in range(len(table)) if table.block[i] > 0)
    labels = {name: f"p{k}" for k, name in enumerate(dict.fromkeys(name for name in written if name), start=1)}
    clash = {short.lower() for short in variables.values()}
    labels = {name: short if short not in clash else f"{short}_" for name, short in labels.items()}
    taken |= set(labels.values())
    return MplusNames(variables, labels, short_names([name for name, _ in table.definitions], taken))


def _flag(fit: Fit) -> str:
    """A number that stands for a missing value and is no value of the data."""
    values = np.concatenate([data.ravel() for data in fit.solution.data])
    flag = -9999.0
    while np.any(values == flag):
        flag = flag * 10.0 - 9.0
    return str(int(flag))


def input_text(fit: Fit, data: str, flag: str) -> str:
    """The input file as text."""
    table, names, groups = fit.table, mplus_names(fit), fit.table.n_groups
    known = [names.variables[name] for name in (*table.variables.ov, *mplusproducts.observed_products(fit))]
    design = {option: _DESIGN[option] for option in _design_values(fit, 0)}
    lines = ["TITLE: an analysis written by semkit;", *_map(fit, names),
             *(f"! {names.variables[name]} is centred at its mean" for name in mplusproducts.centred(fit)),
             "DATA:", f"  FILE = {_quoted(data)};",
             "VARIABLE:", *_wrapped("NAMES =", [*known, *(["group"] if groups > 1 else []), *design.values()]),
             *(f"  {option} = {column};" for option, column in design.items()),
             *_wrapped("USEVARIABLES =", known), f"  MISSING = ALL ({flag});"]
    if groups > 1:
        lines += _wrapped("GROUPING = group", [f"({' '.join(f'{g}=g{g}' for g in range(1, groups + 1))})"])
    lines += ["ANALYSIS:", *_analysis(fit), "MODEL:", *_structure(fit, names, 1, labels=groups == 1),
              *mplusproducts.statements(fit, names.variables)]
    for g in range(1, groups + 1 if groups > 1 else 1):
        lines += [f"MODEL g{g}:", *_structure(fit, names, g, labels=True)]
    constraints = _constraints(fit, names)
    lines += (["MODEL CONSTRAINT:", *constraints] if constraints else []) + ["OUTPUT: STDYX;", ""]
    if mplusproducts.products(fit):  # standardised values need moments that integration does not have
        lines[-2] = "OUTPUT: TECH1;"
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A file name in quotes; anything but plain characters would need another name."""
    if re.fullmatch(r"[A-Za-z0-9_. -]{1,70}", text):
        return f'"{text}"'
    raise NotSupportedError(Problem("fitting.not-exportable", "to_mplus()", f"the file name {text!a} is not plain",
                                    "letters, digits, spaces, . _ - and at most 70 of them", "Choose another name."))


def _map(fit: Fit, names: MplusNames) -> list[str]:
    """Comments that say what was shortened to what."""
    left_out = unexportable_definitions(fit)
    every = (names.variables, names.labels, names.definitions)
    pairs = [(short, name) for part in every for name, short in part.items()
             if name not in left_out and not name.startswith(".")]
    pairs += [(f"group {g}", label) for g, label in enumerate(fit.table.groups, start=1) if fit.table.n_groups > 1]
    lines = [f"! {short}: {_plain(name)}" for short, name in pairs if short != name]
    return [line[:_WIDTH] for line in (*lines, *(f"! not written: {_plain(name)} (sd or std)" for name in left_out))]


def _plain(text: str) -> str:
    """A name for a comment: one line of printable ASCII."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def _wrapped(head: str, words: list[str]) -> list[str]:
    lines, line = [], f"  {head}"
    for word in words:
        if len(line) + len(word) + 2 > _WIDTH:
            lines.append(line)
            line = "   "
        line += f" {word}"
    return [*lines, line + ";"]


def _analysis(fit: Fit) -> list[str]:
    options, table = fit.solution.options, fit.table
    plain = not table.meanstructure and options.estimator == "ml" and options.information == "expected"
    design = fit.solution.sampling is not None
    complex_ = bool({"STRATIFICATION", "CLUSTER"} & set(_design_values(fit, 0)))
    lines = [*mplusproducts.analysis(fit, complex_),
             f"  ESTIMATOR = {'MLR' if design else options.estimator.upper()};",
             f"  MODEL = NOCOVARIANCES{' NOMEANSTRUCTURE' if plain else ''};"]
    if options.estimator in ("ml", "mlr") and options.information in ("expected", "observed"):
        lines.append(f"  INFORMATION = {options.information.upper()};")
    return lines


def _number(value: float) -> str:
    return str(np.format_float_positional(value, trim="-"))


def _structure(fit: Fit, names: MplusNames, group: int, *, labels: bool) -> list[str]:
    """Statements of one group; fixed covariates are left to Mplus, which conditions on them."""
    table, given = fit.table, dict(zip(fit.solution.layout.given_rows, fit.solution.given[0], strict=True))
    keep_x = fit.solution.options.missing == "fiml.x"
    out = []
    for i in range(len(table)):
        op = table.op[i]
        if table.block[i] != group or (table.exo[i] and not keep_x):
            continue
        lhs, rhs = names.variables[table.lhs[i]], names.variables.get(table.rhs[i], "")
        if op == "=~" and table.lhs[i] == table.rhs[i]:
            out.append(f"  {lhs} BY;")
            continue
        value = "*" if table.free[i] or table.exo[i] else f"@{_number(float(given.get(i, table.value[i])))}"
        start = float(table.start[i])
        value = f"*{_number(start)}" if table.free[i] and np.isfinite(start) else value
        own = _own_label(fit, i)
        label = f" ({names.labels[own]})" if labels and own and table.free[i] else ""
        statement = {"=~": f"{lhs} BY {rhs}{value}", "~": f"{lhs} ON {rhs}{value}", "~1": f"[{lhs}{value}]",
                     "~~": f"{lhs}{value}" if lhs == rhs else f"{lhs} WITH {rhs}{value}"}[op]
        out.append(f"  {statement}{label};")
    return out


def _constraints(fit: Fit, names: MplusNames) -> list[str]:
    """Equalities, inequalities, bounds and defined parameters over the labels."""
    table = fit.table
    left_out = unexportable_definitions(fit)
    known = {**names.labels, **names.definitions}
    fixed = {name: float(table.value[row]) for name, row in table.labelled_rows.items() if table.free[row] == 0}
    defined = [(name, e) for name, e in table.definitions if name not in left_out]
    lines = []
    if defined:
        lines += _wrapped(f"NEW({names.definitions[defined[0][0]]}",
                          [names.definitions[name] for name, _ in defined[1:]])
        lines[-1] = lines[-1][:-1] + ");"
    lines += [f"  0 = {_formula(e, known, fixed)};" for e in table.equalities]
    lines += [f"  {_formula(e, known, fixed)} > 0;" for e in table.inequalities]
    lines += [f"  {names.definitions[name]} = {_formula(e, known, fixed)};" for name, e in defined]
    return [part for line in lines for part in _folded(line)] + _bounds(fit, names)


def _bounds(fit: Fit, names: MplusNames) -> list[str]:
    """Bounds of parameters."""
    table, out = fit.table, []
    for i in table.free_rows:
        for limit, sign in ((float(table.lower[i]), ">"), (float(table.upper[i]), "<")):
            if np.isfinite(limit):
                out.append(f"  {names.labels[_own_label(fit, i)]} {sign} {_number(limit)};")
    return list(dict.fromkeys(out))


def _own_label(fit: Fit, row: int) -> str:
    """The label of a row; one of the engine's own for a bounded parameter without a label, else empty."""
    table = fit.table
    bounded = table.free[row] > 0 and bool(np.isfinite(table.lower[row]) or np.isfinite(table.upper[row]))
    return table.label[row] or (f".row{row}" if bounded else "")


def _formula(expression: Expression, names: Mapping[str, str], fixed: Mapping[str, float]) -> str:
    """An expression in Mplus's notation; fixed parameters are written as numbers."""
    return _shown(expression.root, names, fixed)


def _shown(node: Node, names: Mapping[str, str], fixed: Mapping[str, float]) -> str:
    if node.kind == "number":
        return _number(node.value)
    if node.atom is not None:
        name = node.atom.name
        return f"({_number(fixed[name])})" if name in fixed else names[name]
    inner = [_shown(child, names, fixed) for child in node.children]
    if node.kind == "neg":
        return f"(-{inner[0]})"
    if node.kind in _FUNCTIONS:
        return f"{node.kind.upper()}({inner[0]})"
    sign = "**" if node.kind == "^" else node.kind
    return f"({inner[0]}{sign}{inner[1]})"


def _folded(line: str) -> list[str]:
    """A long statement on several lines, broken after operators."""
    out = []
    while len(line) > _WIDTH:
        cut = max(line.rfind(sign, 20, _WIDTH - 1) for sign in ("+", "-", "*", "/", ")", " "))
        if cut < 20:
            break
        cut += line[cut : cut + 2] == "**"
        out.append(line[: cut + 1])
        line = "    " + line[cut + 1 :]
    return [*out, line]
