"""The same analysis for lavaan: an R script and the data it reads."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semkit.errors import NotSupportedError, Problem
from semkit.fitting.arguments import require_place
from semkit.fitting.exports import require_exportable, unexportable_definitions
from semkit.model import neutral_names, print_model

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit


def to_lavaan(fit: Fit, path: Any) -> tuple[Path, Path]:
    """Write an R script and a CSV file that make the same analysis in lavaan.

    Every parameter is written out, so nothing depends on the defaults of a version; product and composite columns are
    in the data; variables have neutral names (``v1`` ...), which a comment in the script explains.

    Parameters
    ----------
    fit : Fit
        Fitted to raw data.
    path : str or Path
        Of the script, ``analysis.R``; the data stand beside it as ``analysis.csv``.

    Returns
    -------
    tuple of Path
        Script and data.

    Raises
    ------
    OptionError
        ``fitting.no-raw-data``.
    NotSupportedError
        ``fitting.design-not-in-lavaan``: strata, finite populations, replicate weights or known margins;
        ``fitting.not-exportable``: composites, ``sd()`` in constraints.

    References
    ----------
    Rosseel (2012), Journal of Statistical Software 48(2), 1-36.
    """
    require_exportable(fit, "to_lavaan()")
    sample = fit.solution.sample
    assert sample is not None
    script = require_place(path, "to_lavaan()").with_suffix(".R")
    data = script.with_suffix(".csv")
    script.write_text(script_text(fit, data.name), encoding="utf-8")
    names = [f"v{k}" for k in range(1, len(sample.names) + 1)]
    grouped = fit.table.n_groups > 1
    extra = _design_columns(fit)
    with data.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*names, *(["group"] if grouped else []), *extra])
        for g, part in enumerate(sample.groups, start=1):
            given = {"weight": [repr(float(value)) for value in part.weights], "cluster": part.cluster.tolist()}
            for i, row in enumerate(part.data):
                numbers = ("" if np.isnan(value) else repr(float(value)) for value in row)
                writer.writerow([*numbers, *([g] if grouped else []), *(given[name][i] for name in extra)])
    return script, data


def script_text(fit: Fit, data: str) -> str:
    """The script as text."""
    table, options = fit.table, fit.solution.options
    value = table.value.copy()
    for row, number in zip(fit.solution.layout.given_rows, fit.solution.given[0], strict=True):
        if not table.exo[row]:
            value[row] = number
    if options.ordered:  # lavaan computes what follows from other parameters
        value[np.isnan(value) & (table.free == 0) & ~table.exo & (table.block > 0)] = 1.0
    left_out = unexportable_definitions(fit)
    neutral = neutral_names(table.replace(value=value))
    written = [line for line in print_model(neutral.table).splitlines()
               if not any(line.startswith(f"{neutral.labels[name]} :=") for name in left_out)]
    arguments = {
        "estimator": _text(options.estimator.upper()), "information": _text(options.information),
        "likelihood": _text(options.likelihood), "meanstructure": _flag(table.meanstructure),
        "fixed.x": _flag(bool(np.any(table.exo))), "conditional.x": _flag(options.conditional_x),
    }
    if options.two_stage:
        del arguments["information"]  # that of the saturated moments, whatever is asked for
    if options.least_squares:
        del arguments["likelihood"]  # lavaan refuses it there
    if options.se != "bootstrap":
        arguments["se"] = _text(options.se)
    tests = [name for name in options.test if name != "none"]
    arguments["test"] = "c(" + ", ".join(_text(name) for name in tests) + ")"
    if table.n_groups > 1:
        arguments["group"] = _text("group")
        arguments["group.label"] = "c(" + ", ".join(_text(str(g + 1)) for g in range(table.n_groups)) + ")"
    if options.ordered:
        for name in ("information", "meanstructure", "conditional.x", "fixed.x"):
            arguments.pop(name, None)
        short = [_text(neutral.variables[name]) for name in options.ordered]
        arguments |= {"ordered": f"c({', '.join(short)})", "parameterization": _text(options.parameterization),
                      "missing": _text(options.missing)}
    if options.fiml or options.two_stage:
        arguments["missing"] = _text({"fiml": "ml", "fiml.x": "ml.x"}.get(options.missing, options.missing))
    extra = _design_columns(fit)
    arguments |= {option: _text(column) for option, column in (("sampling.weights", "weight"), ("cluster", "cluster"))
                  if column in extra}
    names = [f"# {short}: {_comment(name)}" for name, short in neutral.variables.items()]
    if table.n_groups > 1:
        names += [f"# group {g}: {_comment(label)}" for g, label in enumerate(table.groups, start=1)]
    names += [f"# not written: {_comment(name)} (sd or std)" for name in left_out]
    call = ",\n".join(f"  {name} = {value}" for name, value in arguments.items())
    return "\n".join([
        f"# {fit.nobs} respondents used; written by semkit", "library(lavaan)", *names,
        f"data <- read.csv({_text(data)})", "model <- '", *written, "'",
        f"fit <- lavaan(model, data = data,\n{call})",
        "summary(fit, fit.measures = TRUE, standardized = TRUE)", "",
    ])


def _design_columns(fit: Fit) -> list[str]:
    """Columns of the sampling design that lavaan can be given.

    Raises
    ------
    NotSupportedError
        ``fitting.design-not-in-lavaan``.
    """
    sampling = fit.solution.sampling
    if sampling is None:
        return []
    given = sampling.design
    more = [name for name, value in (("strata", given.strata), ("fpc", given.fpc), ("replicates", given.replicates))
            if value] + (["known margins"] if given.calibration else [])
    if fit.solution.options.ordered and given.cluster:
        more.append("clusters of ordinal indicators (it leaves them out without a word)")
    if more:
        raise NotSupportedError(Problem("fitting.design-not-in-lavaan", "to_lavaan()", f"lavaan knows no "
                                        f"{', '.join(more)}", "weights and clusters",
                                        "Export a fit with design=Design(weights=, cluster=) and compare estimates."))
    return [name for name, value in (("weight", given.weights), ("cluster", given.cluster)) if value]


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _comment(text: str) -> str:
    """A name on one line: a line break would end the comment and start a command."""
    return "".join(c if c.isprintable() else " " for c in text)
