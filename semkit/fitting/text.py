"""A fit as plain text."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from semkit.fitting.corrections import CORRECTIONS
from semkit.fitting.estimators import RESIDUAL, SCALED

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit

_CENTRED = {"double": "double-mean-centred", "mean": "mean-centred", "residual": "residual-centred"}


def summary(fit: Fit) -> str:
    """Header, fit, estimates and notes, for terminals."""
    lines = [f"semkit {fit.solution.options.call} fit: {fit.method}, {_used(fit)}, {_parameters(fit)}"]
    if fit.recipe.products:
        products = fit.recipe.products
        lines.append(f"interaction: product indicators ({len(products)} {_CENTRED[products[0].centering]} products)")
    if not fit.converged:
        lines.append("THE ESTIMATES DID NOT CONVERGE.")
    lines += [*_chi_squares(fit), _indices(fit)]
    lines += [
        f"{test.label}: {_fixed(test.stat)}, {_p(test.pvalue)}"
        for name, test in fit.tests.items() if name in (*CORRECTIONS, "bollen.stine")
    ]
    shown = fit.estimates.drop(columns=["std_lv", "std_nox"])
    if fit.table.n_groups == 1:
        shown = shown.drop(columns="group")
    lines.append(shown.to_string(index=False, float_format=_fixed, na_rep=""))
    if fit.bootstrap_draws is not None:
        d = fit.bootstrap_draws
        lines.append(f"bootstrap: {d.requested} draws, {d.failed} failed, {d.inadmissible} inadmissible, seed {d.seed}")
    lines += [f"{note.severity}: {note}" for note in fit.notes]
    return "\n".join(lines)


def _used(fit: Fit) -> str:
    """Respondents used of those received, and the sizes of groups."""
    used = f"{fit.nobs} respondents used of {fit.nobs_received}"
    if fit.table.n_groups > 1:
        used += f" (groups of {' and '.join(f'{group.nobs:.0f}' for group in fit.solution.moments)})"
    return used


def _parameters(fit: Fit) -> str:
    """The number of free parameters, and the equality constraints that made them fewer than the free rows."""
    free = int(fit.fit_measures["npar"])
    equal = len(fit.table.reported) - free
    if equal <= 0:
        return f"{free} parameters"
    return f"{free} parameters ({equal} equality constraint{'s' if equal > 1 else ''})"


def _chi_squares(fit: Fit) -> list[str]:
    """The plain statistic first, then every corrected or residual-based one that was asked for, with its name."""
    values = fit.fit_measures
    asked = {name: test for name, test in fit.tests.items()
             if name in (*SCALED, *RESIDUAL) and name in fit.solution.options.test}
    same = [test.label for test in asked.values() if test.stat == values["chisq"]]
    plain = f"chisq({values['df']:.5g}) = {_fixed(values['chisq'])}, {_p(values['pvalue'])}"
    corrected = {name: test for name, test in asked.items() if test.stat != values["chisq"]}
    head = f"{same[0]}: {plain}" if same and values["df"] else plain
    return [head + (" (uncorrected)" if "chisq.scaled" in values.index else "")] + [
        f"{test.label}: chisq({test.df:.5g}) = {_fixed(test.stat)}, {_p(test.pvalue)}" for test in corrected.values()
    ]


def _indices(fit: Fit) -> str:
    """Indices of fit, the robust ones where there are any, else the scaled ones, and which they are."""
    values = fit.fit_measures
    index = next((end for end in (".robust", ".scaled") if f"cfi{end}" in values.index), "")
    name = f"{index[1:]} " if index else ""
    return (f"{name}CFI = {_fixed(values['cfi' + index])}  {name}TLI = {_fixed(values['tli' + index])}  "
            f"{name}RMSEA = {_fixed(values['rmsea' + index])} [{_fixed(values['rmsea.ci.lower' + index])}, "
            f"{_fixed(values['rmsea.ci.upper' + index])}]  SRMR = {_fixed(values['srmr'])}")


def _p(value: float) -> str:
    return "no p" if isnan(value) else f"p = {value:.4f}"


def _fixed(value: float) -> str:
    """Three decimals, no sign before a rounded zero, a dash for what has no value."""
    return "-" if isnan(value) else f"{round(value, 3) + 0.0:.3f}"
