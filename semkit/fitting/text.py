"""A fit as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semkit.fitting.corrections import CORRECTIONS
from semkit.fitting.estimators import RESIDUAL, SCALED

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit

_CENTRED = {"double": "double-mean-centred", "mean": "mean-centred", "residual": "residual-centred"}


def summary(fit: Fit) -> str:
    """Header, fit, estimates and notes, for terminals."""
    used = f"{fit.nobs} respondents used"
    if fit.nobs_received != fit.nobs:
        used += f" of {fit.nobs_received}"
    lines = [f"semkit {fit.solution.options.call} fit: {fit.method}, {used}, {len(fit.table.reported)} parameters"]
    if fit.recipe.products:
        products = fit.recipe.products
        lines.append(f"interaction: product indicators ({len(products)} {_CENTRED[products[0].centering]} products)")
    if not fit.converged:
        lines.append("THE ESTIMATES DID NOT CONVERGE.")
    values = fit.fit_measures
    robust = "chisq.scaled" in values.index
    tail, index = (".scaled", ".robust") if robust else ("", "")
    if robust and "cfi.robust" not in values.index:  # a test that changes the degrees of freedom has no such indices
        index = ".scaled"
    lines.append(
        f"chisq({values.get('df' + tail, fit.solution.df):.5g}) = {values['chisq' + tail]:.3f}, "
        f"p = {values['pvalue' + tail]:.4f}   "
        f"CFI = {values['cfi' + index]:.3f}  TLI = {values['tli' + index]:.3f}  "
        f"RMSEA = {values['rmsea' + index]:.3f} [{values['rmsea.ci.lower' + index]:.3f}, "
        f"{values['rmsea.ci.upper' + index]:.3f}]  SRMR = {values['srmr']:.3f}"
    )
    lines += [
        f"{test.label}: chisq({test.df:.5g}) = {test.stat:.3f}, p = {test.pvalue:.4f}"
        for name, test in fit.tests.items()
        if name in (*SCALED, *RESIDUAL) and name in fit.solution.options.test and test.stat != values["chisq" + tail]
    ]
    lines += [
        f"{test.label}: {test.stat:.3f}, p = {test.pvalue:.4f}"
        for name, test in fit.tests.items() if name in (*CORRECTIONS, "bollen.stine")
    ]
    shown = fit.estimates.drop(columns=["std_lv", "std_nox"])
    if fit.table.n_groups == 1:
        shown = shown.drop(columns="group")
    lines.append(shown.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep=""))
    if fit.bootstrap_draws is not None:
        d = fit.bootstrap_draws
        lines.append(f"bootstrap: {d.requested} draws, {d.failed} failed, {d.inadmissible} inadmissible, seed {d.seed}")
    lines += [f"{note.severity}: {note}" for note in fit.notes]
    return "\n".join(lines)
