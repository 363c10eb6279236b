"""What other programs cannot be asked to do with a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.model.composites import HIDDEN

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit


def require_exportable(fit: Fit, where: str) -> None:
    """Refuse fits whose data or model cannot be written for another program, all at once.

    Raises
    ------
    OptionError
        ``fitting.no-raw-data``.
    NotSupportedError
        ``fitting.not-exportable``: composites, ``sd()`` and ``std()`` in constraints, auxiliary variables of two
        stages.
    """
    solution, table = fit.solution, fit.table
    if solution.sample is None:
        raise OptionError(Problem("fitting.no-raw-data", where, "the model was fitted to moments", "a fit to raw data",
                                  "Fit with data instead of moments."))
    refused = []
    if any(op in HIDDEN for op in table.op):
        refused.append(("composites (<~)", "lavaan 0.6 and Mplus have none of this kind",
                        "Give the model text itself to lavaan 0.7."))
    if any(e.sd_names or e.std_names for e in (*table.equalities, *table.inequalities)):
        refused.append(("constraints with sd() or std()", "there is no such function there",
                        "Write the constraint in variances."))
    if solution.options.two_stage and solution.options.auxiliary:
        refused.append(("auxiliary variables of two stages", "the first stage is not part of the model",
                        "Use missing='fiml'."))
    if refused:
        raise NotSupportedError(*(Problem("fitting.not-exportable", where, f"{what}: {why}", "models without", remedy)
                                  for what, why, remedy in refused))


def unexportable_definitions(fit: Fit) -> tuple[str, ...]:
    """Defined parameters with ``sd()`` or ``std()``: they are left out of what is written."""
    return tuple(name for name, e in fit.table.definitions if e.sd_names or e.std_names)
