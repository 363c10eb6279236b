"""Rows, order, fixed values, labels and free parameters are those of lavaan, for every complete-data case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semkit.model import build_table, check, parse

NUMBERS = Path(__file__).parents[1] / "reference" / "numbers" / "lavaan"
FORMULAS = (":=", "==", "<", ">")


def _cases() -> list[str]:
    names = []
    for file in sorted(NUMBERS.glob("*.json")):
        case = json.loads(file.read_text(encoding="utf-8"))
        if case.get("model") and not file.stem.startswith(("sam", "hs_ord")):
            names.append(file.stem)
    return names


def _table(case: dict[str, Any]) -> Any:
    args = case["args"] or {}
    means = args.get("meanstructure", True if args.get("missing") == "fiml" or args.get("conditional.x") else None)
    spec = parse(case["model"])
    check(spec)
    return build_table(
        spec, groups=case["groups"] or ("",), meanstructure=means, fixed_x=args.get("fixed.x", True),
        std_lv=args.get("std.lv", False), group_equal=args.get("group.equal", ()),
    )  # fmt: skip


def test_there_are_cases() -> None:
    assert len(_cases()) >= 35


@pytest.mark.parametrize("name", _cases())
def test_rows_and_free_parameters(name: str) -> None:
    case = json.loads((NUMBERS / f"{name}.json").read_text(encoding="utf-8"))
    table = _table(case)
    # The peer's list of estimates leaves out inequalities
    ours = [
        (table.lhs[i], table.op[i], table.rhs[i] if table.op[i] not in FORMULAS else "", int(table.block[i]),
         table.label[i], bool(table.free[i] == 0 and table.op[i] not in FORMULAS))
        for i in range(len(table)) if table.op[i] not in ("<", ">")
    ]  # fmt: skip
    theirs = [
        (row["lhs"], row["op"], row["rhs"] if row["op"] not in FORMULAS else "",
         row.get("block") or (0 if row["op"] in FORMULAS else 1), row.get("label") or "",
         row["op"] not in FORMULAS and not row["se"] and row.get("label") != "q")  # q: an active bound
        for row in case["estimates"]
    ]  # fmt: skip
    assert ours == theirs
    fixed = {
        (row["lhs"], row["op"], row["rhs"], row.get("block") or 1): row["est"]
        for row in case["estimates"] if not row["se"]
    }
    for i in range(len(table)):
        if table.free[i] == 0 and table.op[i] not in FORMULAS and not table.exo[i]:
            assert table.value[i] == fixed[(table.lhs[i], table.op[i], table.rhs[i], int(table.block[i]))]

    def shown(i: int) -> str:
        suffix = f".g{table.block[i]}" if table.block[i] > 1 else ""
        return table.label[i] or f"{table.lhs[i]}{table.op[i]}{table.rhs[i]}{suffix}"

    assert [shown(i) for i in table.free_rows] == case["vcov"]["rows"]
    assert table.n_free == case["npar"]
    assert table.n_unique == case["fit_measures"].get("npar", case["npar"]) or name == "pd_sem_constraint_ineq"
    if "cov" in case["implied"]:
        assert list(table.variables.ov) == case["implied"]["cov"]["rows"]
