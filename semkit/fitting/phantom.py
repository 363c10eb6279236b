r"""Constrained residual covariances of product indicators in the words of an engine without constraints.

Products :math:`x_i w` of one single indicator w have residual covariances
:math:`\lambda_i \lambda_j \varphi_\xi \theta_w`, :math:`\varphi_\xi` the total variance of the construct.  That is the
covariance structure of a phantom factor :math:`P = \sqrt{\theta_w}\, \xi'` with loadings :math:`\lambda_i`, where
:math:`\xi'` is an independent copy of the construct: the same residual variance and the same slopes on copies of its
covariates, whose covariances are numbers.  Equal parameters and fixed numbers say it all (phantom variables: Rindskopf
1984, Psychometrika 49, 37-47).  The products' residual variances are then without the part
:math:`\lambda_i^2 \varphi_\xi \theta_w`, which is added again before numbers are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.model.monomials import monomials_of
from semkit.model.table import ParameterTable

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Phantom:
    """The copy of one construct behind the products of one single indicator.

    Parameters
    ----------
    construct : str
    error : float
        Error variance of the single indicator.
    loading : mapping of str to int
        Table row of each product's loading, by the product.
    variance : int
        Row of the construct's (residual) variance.
    slopes : tuple of int
        Rows of its slopes on observed covariates.
    cov : ndarray (r, r)
        Covariances of those covariates.
    constrained : frozenset of int
        Rows of the residual covariances that the phantom stands for.
    """

    construct: str
    error: float
    loading: Mapping[str, int]
    variance: int
    slopes: tuple[int, ...]
    cov: FloatArray
    constrained: frozenset[int]

    def extra(self, value: Callable[[int], float]) -> dict[str, float]:
        """What the phantom adds to the residual variance of each product."""
        slope = np.array([value(row) for row in self.slopes])
        total = value(self.variance) + float(slope @ self.cov @ slope)
        return {product: value(row) ** 2 * total * self.error for product, row in self.loading.items()}


def find_phantoms(table: ParameterTable, values: FloatArray) -> tuple[Phantom, ...] | None:
    """Phantoms for all equality constraints of a table, or None when one of them is of another kind.

    Parameters
    ----------
    table : ParameterTable
        One group.
    values : ndarray (k,)
        Values of the rows.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for expression in table.equalities:
        terms = monomials_of(expression.root)
        if terms is None or len(terms) != 2:
            return None
        alone = [powers for coefficient, powers in terms if coefficient == 1.0 and len(powers) == 1]
        product = [powers for coefficient, powers in terms if coefficient == -1.0]
        if len(alone) != 1 or len(product) != 1:
            return None
        ((label, power),) = alone[0].items()
        deviations = [atom.name for atom, p in product[0].items() if atom.kind == "sd" and p == 2.0]
        errors = [atom.name for atom in product[0] if atom.kind == "label" and _is_error(table, atom.name)]
        if power != 1.0 or not label.name.startswith(".rescov") or len(deviations) != 1 or len(errors) != 1:
            return None
        groups.setdefault((deviations[0], errors[0]), []).append(table.labelled_rows[label.name])
    found = [_phantom(table, values, construct, error, rows) for (construct, error), rows in groups.items()]
    return None if any(one is None for one in found) else tuple(one for one in found if one is not None)


def _is_error(table: ParameterTable, label: str) -> bool:
    row = table.labelled_rows.get(label)
    return row is not None and table.op[row] == "~~" and table.lhs[row] == table.rhs[row] and table.free[row] == 0


def _phantom(
    table: ParameterTable, values: FloatArray, construct: str, error: str, rows: list[int]
) -> Phantom | None:
    loading: dict[str, int] = {}
    for product in dict.fromkeys(name for row in rows for name in (table.lhs[row], table.rhs[row])):
        places = [table.find(construct, "=~", column) for column in product.split(":")]
        own = [place for place in places if place is not None]
        if len(own) != 1:
            return None
        loading[product] = own[0]
    variance = table.find(construct, "~~", construct)
    measured = any(table.op[i] == "=~" and table.rhs[i] == construct for i in range(len(table)))
    slopes = tuple(i for i in range(len(table)) if table.op[i] == "~" and table.lhs[i] == construct)
    covariates = [table.rhs[i] for i in slopes]
    if variance is None or measured or any(name not in table.variables.ov_x for name in covariates):
        return None
    if len(rows) != len(loading) * (len(loading) - 1) // 2 or values[table.labelled_rows[error]] <= 0.0:
        return None
    cov = np.zeros((len(slopes), len(slopes)))
    for a, one in enumerate(covariates):
        for b, two in enumerate(covariates):
            place = table.find(one, "~~", two)
            if place is None:
                return None
            cov[a, b] = values[place]
    theta = float(values[table.labelled_rows[error]])
    return Phantom(construct, theta, loading, variance, slopes, cov, frozenset(rows))


def print_phantoms(
    phantoms: tuple[Phantom, ...], weight: Callable[[int], str], number: Callable[[float], str],
    variables: Mapping[str, str],
) -> tuple[list[str], list[list[str]]]:
    """Statements of the phantoms, and the names of each one's exogenous factors (which covary with nothing else).

    Parameters
    ----------
    phantoms : tuple of Phantom
    weight : callable
        Text of a row's parameter.
    number : callable
        Text of a number.
    variables : mapping of str to str
        Neutral names; the phantoms' own continue their count.
    """
    lines: list[str] = []
    exogenous: list[list[str]] = []
    count = len(variables)
    for phantom in phantoms:
        names = [f"v{count + k + 1}" for k in range(len(phantom.slopes) + 2)]
        count += len(names)
        factor, copy, *covariates = names
        lines += [f"{factor} =~ {weight(row)}*{variables[product]}" for product, row in phantom.loading.items()]
        lines.append(f"{copy} =~ {number(float(np.sqrt(phantom.error)))}*{factor}")
        lines += [f"{factor} ~~ 0*{factor}", f"{copy} ~~ {weight(phantom.variance)}*{copy}"]
        for a, (name, row) in enumerate(zip(covariates, phantom.slopes, strict=True)):
            lines.append(f"{name} =~ {weight(row)}*{copy}")
            for b in range(a, len(covariates)):
                lines.append(f"{name} ~~ {number(float(phantom.cov[a, b]))}*{covariates[b]}")
        exogenous.append(covariates or [copy])
    return lines, exogenous
