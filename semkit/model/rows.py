"""Rows of a parameter table while it is being built, and the options that fill in defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Row:
    """A parameter row while the table is being built."""

    lhs: str
    op: str
    rhs: str
    block: int
    user: int = 0
    free: bool = True
    value: float = float("nan")
    label: str = ""
    start: float = float("nan")
    lower: float = float("-inf")
    upper: float = float("inf")
    exo: bool = False

    def fix(self, value: float) -> None:
        self.free, self.value = False, value


@dataclass(frozen=True)
class Options:
    """How defaults are filled in; the names and meanings of lavaan's arguments."""

    meanstructure: bool
    fixed_x: bool
    std_lv: bool
    orthogonal: bool
    int_ov_free: bool
    int_lv_free: bool
    auto_fix_first: bool
    auto_fix_single: bool
    auto_var: bool
    auto_cov_lv_x: bool
    auto_cov_y: bool
    thresholds: Mapping[str, int] = field(default_factory=dict)
    parameterization: str = "delta"
    composites_cov_free: bool = False
