"""Model text in lavaan's syntax, the parameter table and the safe grammar of expressions."""

from __future__ import annotations

from semkit.model.expression import Expression, parse_expression
from semkit.model.table import ParameterTable, Variables

__all__ = ["Expression", "ParameterTable", "Variables", "parse_expression"]
