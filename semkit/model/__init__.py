"""Model text in lavaan's syntax, the parameter table and the safe grammar of expressions.

``parse(text)`` -> :class:`ModelSpec`; ``check(spec, columns)`` raises all problems at once;
``build_table(spec, ...)`` -> :class:`ParameterTable` with lavaan's defaults.
"""

from __future__ import annotations

from semkit.model.check import check, check_columns
from semkit.model.coding import coded_classes
from semkit.model.defaults import build_table, classify
from semkit.model.expression import Expression, parse_expression
from semkit.model.nodes import Atom
from semkit.model.parser import parse
from semkit.model.printing import NeutralNames, neutral_names, print_model
from semkit.model.statements import Formula, ModelSpec, Modifier, Term
from semkit.model.table import ParameterTable, Variables

__all__ = [
    "Atom",
    "Expression",
    "Formula",
    "ModelSpec",
    "Modifier",
    "NeutralNames",
    "ParameterTable",
    "Term",
    "Variables",
    "build_table",
    "check",
    "check_columns",
    "classify",
    "coded_classes",
    "neutral_names",
    "parse",
    "parse_expression",
    "print_model",
]
