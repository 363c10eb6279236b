"""Latent products in Mplus's language: ``XWITH``, and columns for what is observed.

Factors that are observed are centred in the data that are written, since their products are centred here; the
intercepts of the variables that they predict then count from their means.  A product of observed columns is a column.

References
----------
Muthen & Muthen (2017), Mplus User's Guide, 8th ed., example 5.13 and chapter 17 (XWITH).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.fitting.moderated import ModeratedSolution
from semkit.interaction.crossing import error_free
from semkit.interaction.method import LMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]


def products(fit: Fit) -> tuple[str, ...]:
    """Products in the equations, shorter ones that longer ones are made of among them, in the order of their length."""
    if not isinstance(fit.solution, ModeratedSolution):
        return ()
    table, found = fit.table, dict[str, None]()
    for i in range(len(table)):
        if table.op[i] == "~" and ":" in table.rhs[i]:
            factors = _ordered(fit, table.rhs[i])
            made = [":".join(factors[:k]) for k in range(2, len(factors))]
            found |= dict.fromkeys([*made, table.rhs[i]])
    return tuple(sorted(found, key=lambda name: name.count(":")))


def _ordered(fit: Fit, product: str) -> list[str]:
    """Factors, latent ones first, so that every step has one."""
    latent = fit.table.variables.lv
    return sorted(product.split(":"), key=lambda name: name not in latent)


def observed_products(fit: Fit) -> tuple[str, ...]:
    """Products of observed columns only."""
    return tuple(name for name in products(fit) if not set(name.split(":")) & set(fit.table.variables.lv))


def centred(fit: Fit) -> tuple[str, ...]:
    """Observed factors of products."""
    factors = {factor for product in products(fit) for factor in product.split(":")}
    return tuple(name for name in fit.table.variables.ov if name in factors)


def columns(fit: Fit, group: int) -> FloatArray:
    """What is written of a group, ``(n, p + k)``: observed factors of products centred, observed products last."""
    assert fit.solution.sample is not None
    part, names = fit.solution.sample.groups[group], fit.table.variables.ov
    data = part.data.copy()
    for name in centred(fit):
        k = names.index(name)
        data[:, k] -= np.average(data[:, k], weights=part.weights)
    made = [data[:, [names.index(f) for f in name.split(":")]].prod(axis=1) for name in observed_products(fit)]
    return np.column_stack([data, *made])


def statements(fit: Fit, names: Mapping[str, str]) -> list[str]:
    """``XZ | X XWITH Z;`` for every product with a latent factor, under the short ``names``."""
    out = []
    for product in products(fit):
        if product not in observed_products(fit):
            *first, last = _ordered(fit, product)
            out.append(f"  {names[product]} | {names[':'.join(first)]} XWITH {names[last]};")
    return out


def analysis(fit: Fit, complex_: bool) -> list[str]:
    """Lines of the ANALYSIS command that integration needs."""
    method = fit.solution.method if isinstance(fit.solution, ModeratedSolution) else None
    if not isinstance(method, LMS) or len(observed_products(fit)) == len(products(fit)):
        return [f"  TYPE = {'COMPLEX' if complex_ else 'GENERAL'};"]
    return [f"  TYPE = {'COMPLEX RANDOM' if complex_ else 'RANDOM'};", "  ALGORITHM = INTEGRATION;",
            f"  INTEGRATION = {method.nodes};"]


def refusals(fit: Fit) -> list[tuple[str, str, str]]:
    """What of a model with latent products Mplus has not: what, why, what to do instead."""
    solution = fit.solution
    if not isinstance(solution, ModeratedSolution):
        return []
    out, names = [], {factor for product in products(fit) for factor in product.split(":")}
    if not isinstance(solution.method, LMS):
        out.append((solution.method.name, "Mplus has no quasi-likelihood", "Fit with interaction='lms'."))
    if fit.table.n_groups > 1:
        out.append(("groups with latent products", "Mplus integrates over one group only", "Export the groups apart."))
    block = solution.layout.blocks[0]
    exact = {block.eta[j] for j in error_free(block)} & names & set(fit.table.variables.lv)
    out += [(f"the product of {name}", "it is measured without error, so that there is nothing to integrate over",
             "Use the observed column in its place.") for name in sorted(exact)]
    outcomes = {fit.table.lhs[i] for i in range(len(fit.table)) if fit.table.op[i] == "~"}
    out += [(f"the product of {name}", "an observed outcome as a factor", "Give it an error variance of its own.")
            for name in sorted(names & set(fit.table.variables.ov) & outcomes)]
    return out
