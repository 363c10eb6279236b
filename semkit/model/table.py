"""The parameter table: one row a parameter, a definition or a constraint.

It is the one description of a model that estimators, printers and other engines read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.model.composites import HIDDEN
from semkit.model.expression import Expression

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PARAMETER_OPERATORS = ("=~", "<~", "~", "~~", "~1", "|", "~*~", *HIDDEN)


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a model, in lavaan's order.

    Parameters
    ----------
    ov : tuple of str
        Observed variables in the order of the data columns and of the implied moments:
        indicators, then observed outcomes, then exogenous observed, then the rest.
    ov_ind, ov_y, ov_x, ov_nox : tuple of str
        Indicators; observed left sides of ``~``; exogenous observed variables (right sides of
        ``~`` that are nothing else); everything observed that is not exogenous.
    lv, lv_x, lv_y : tuple of str
        Latent variables; those that nothing predicts; those on the left of ``~``.
    lv_c, ov_c : tuple of str
        Composites (left of ``<~``; they are among ``lv``) and their indicators (among ``ov``).
    """

    ov: tuple[str, ...] = ()
    ov_ind: tuple[str, ...] = ()
    ov_y: tuple[str, ...] = ()
    ov_x: tuple[str, ...] = ()
    ov_nox: tuple[str, ...] = ()
    lv: tuple[str, ...] = ()
    lv_x: tuple[str, ...] = ()
    lv_y: tuple[str, ...] = ()
    lv_c: tuple[str, ...] = ()
    ov_c: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ParameterTable:
    """A model, ready for estimation: ``k`` rows, ``q`` of them free parameters.

    Parameters
    ----------
    lhs, op, rhs : tuple of str (k,)
        Operators ``=~ ~ ~~ ~1 | ~*~ := == < >``.  ``~1`` rows have ``rhs == ""``.  For ``:=`` the left
        side is the name and the right side the expression; for ``== < >`` both are expressions.
    block : ndarray (k,) of int
        Group, 1-based; 0 for definitions and constraints.
    free : ndarray (k,) of int
        1-based index of the free parameter, 0 for fixed rows, definitions and constraints.  Rows
        that share a label have an index each; :attr:`unique` says which are the same parameter.
    label : tuple of str (k,)
        Empty when there is none.  A fixed row may have a label: expressions may use it.
    start : ndarray (k,)
        User's starting value, NaN where the engine chooses.
    value : ndarray (k,)
        Fixed value; NaN for free rows and for fixed rows whose value comes from the data
        (``exo`` rows, covariances of the indicators of composites, error variances of means).
    lower, upper : ndarray (k,)
        Bounds, infinite where there are none.
    exo : ndarray (k,) of bool
        Moments of exogenous observed variables, held at their sample values (``fixed_x``).
    user : ndarray (k,) of int
        1 = written by the user, 0 = added by default.
    groups : tuple of str
        Group labels; ``("",)`` for a one-group model.
    variables : Variables
    meanstructure : bool
        Whether intercepts and means are part of the model.
    """

    lhs: tuple[str, ...]
    op: tuple[str, ...]
    rhs: tuple[str, ...]
    block: IntArray
    free: IntArray
    label: tuple[str, ...]
    start: FloatArray
    value: FloatArray
    lower: FloatArray
    upper: FloatArray
    exo: NDArray[np.bool_]
    user: IntArray
    groups: tuple[str, ...]
    variables: Variables
    meanstructure: bool
    _expressions: Mapping[int, Expression] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.lhs)

    def replace(self, **changes: Any) -> ParameterTable:
        """Return a copy with some columns changed."""
        return replace(self, **changes)

    @property
    def n_groups(self) -> int:
        return len(self.groups)

    @property
    def n_free(self) -> int:
        """Number ``q`` of free rows, equal ones counted one by one (rows of lavaan's ``vcov``)."""
        return int(self.free.max(initial=0))

    @property
    def n_unique(self) -> int:
        """Number of different free parameters after equal labels were merged."""
        return int(self.unique.max(initial=-1)) + 1

    @cached_property
    def free_rows(self) -> IntArray:
        """Row number of each free parameter, shape ``(q,)``."""
        rows = np.flatnonzero(self.free > 0)
        return rows[np.argsort(self.free[rows], kind="stable")].astype(np.int64)

    @cached_property
    def unique(self) -> IntArray:
        """0-based index into the vector of different parameters, shape ``(q,)``.

        ``theta_free = theta_unique[table.unique]``: rows with the same label share an entry.
        """
        seen: dict[str, int] = {}
        out = np.empty(self.n_free, dtype=np.int64)
        count = 0
        for position, row in enumerate(self.free_rows.tolist()):
            label = self.label[row]
            if label and label in seen:
                out[position] = seen[label]
                continue
            out[position] = count
            if label:
                seen[label] = count
            count += 1
        return out

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One name a row: the label, else ``"lhs op rhs"`` with ``.g2`` ... for later groups.

        Labels that begin with a dot are internal (equal groups, product indicators) and not shown.
        """
        out = []
        for i in range(len(self)):
            plain = f"{self.lhs[i]} {self.op[i]} {self.rhs[i]}".rstrip()
            suffix = f".g{self.block[i]}" if self.block[i] > 1 else ""
            if self.op[i] == ":=":
                out.append(self.lhs[i])
            else:
                label = self.label[i]
                out.append(plain + suffix if not label or label.startswith(".") else label)
        return tuple(out)

    @cached_property
    def free_names(self) -> tuple[str, ...]:
        """Names of the free parameters, shape ``(q,)``."""
        return tuple(self.names[row] for row in self.free_rows)

    @cached_property
    def reported(self) -> IntArray:
        """Which free parameters are the model's own, shape ``(r,)``.

        Left out are the hidden rows of composites and their variances and means, which follow from the weights.
        """
        follows = set(self.variables.lv_c)
        kept = [k for k, row in enumerate(self.free_rows.tolist())
                if self.op[row] not in HIDDEN and not (
                    self.lhs[row] in follows and (self.op[row] == "~1" or (
                        self.op[row] == "~~" and self.lhs[row] == self.rhs[row])))]
        return np.array(kept, dtype=np.int64)

    @cached_property
    def labelled_rows(self) -> Mapping[str, int]:
        """First row of every label, free or fixed (what a name in an expression stands for)."""
        out: dict[str, int] = {}
        for i, label in enumerate(self.label):
            if label and self.op[i] in PARAMETER_OPERATORS:
                out.setdefault(label, i)
        return out

    @cached_property
    def definition_rows(self) -> IntArray:
        """Rows with ``:=`` in the order of the table (shape ``(d,)``)."""
        return np.array([i for i, op in enumerate(self.op) if op == ":="], dtype=np.int64)

    @cached_property
    def definitions(self) -> tuple[tuple[str, Expression], ...]:
        """Names and expressions of ``:=`` in the order of the table.

        Every expression is over labels only: earlier and later definitions were substituted.
        """
        return tuple((self.lhs[i], self._expressions[int(i)]) for i in self.definition_rows)

    @cached_property
    def equalities(self) -> tuple[Expression, ...]:
        """``lhs - (rhs)`` of every ``==`` row, zero at a solution; over labels only."""
        return tuple(self._expressions[i] for i, op in enumerate(self.op) if op == "==")

    @cached_property
    def inequalities(self) -> tuple[Expression, ...]:
        """Expressions that must be >= 0: ``lhs - rhs`` of ``>`` and ``rhs - lhs`` of ``<``."""
        return tuple(self._expressions[i] for i, op in enumerate(self.op) if op in ("<", ">"))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows as a DataFrame in lavaan's columns."""
        import pandas as pd

        return pd.DataFrame(
            {
                "id": np.arange(1, len(self) + 1), "lhs": self.lhs, "op": self.op, "rhs": self.rhs,
                "user": self.user, "block": self.block,
                "group": [self.groups[b - 1] if b > 0 else "" for b in self.block],
                "free": self.free, "label": self.label, "exo": self.exo, "start": self.start,
                "value": self.value, "lower": self.lower, "upper": self.upper,
            }
        )

    def find(self, lhs: str, op: str, rhs: str, block: int = 1) -> int | None:
        """Row of a parameter (``a ~~ b`` is found in either order), or None."""
        for i in range(len(self)):
            if self.op[i] != op or self.block[i] != block:
                continue
            if (self.lhs[i], self.rhs[i]) == (lhs, rhs):
                return i
            if op == "~~" and (self.rhs[i], self.lhs[i]) == (lhs, rhs):
                return i
        return None
