"""Compares a fit with a peer's numbers, walking over the peer's keys."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import semkit as sk

HERE = Path(__file__).parent
NUMBERS = HERE / "numbers"
DATA = HERE / "data"
VARIABLE = "SEMKIT_REFERENCE"

Key = tuple[str, ...]

# (case, key) on which semkit differs on purpose, with the reason; docs/accuracy.md repeats it.  At most five.
WITHOUT: dict[tuple[str, Key], str] = {
    ("lavaan/hs_baseline_null", ("fit", "rfi")): (
        "the model is the baseline model, so the index is 0 / 1 = 0; the peer's rounding error of -1e-16 is "
        "turned into 1 by its rule for negative values"
    ),
    **{("lavaan/hs_ord_wlsmv_mg_configural", ("fit", name)): (
        "the peer divides the covariance matrices of the baseline model's correlations by the shares of the groups "
        "without giving their weights the same shares, so that the mean of its statistic is as many times too large as "
        "there are groups; two copies of one group then have another index than the group"
    ) for name in ("cfi.robust", "tli.robust", "nnfi.robust", "rni.robust")},
}

# Blocks of a case that describe it or belong to functions compared elsewhere.
NOT_COMPARED = {
    "case", "package", "version", "call", "model", "data", "args", "groups", "polish", "converged", "iterations",
    "warnings", "modindices_top20", "modindices_all", "scores", "lavtestscore", "fs_reliability", "mc_note", "boot_ci",
    "h1", "patterns", "coverage", "residuals", "N", "thresholds", "polychor", "wls_v_diag", "gamma",
}


def load_case(name: str) -> dict[str, Any]:
    """Read one case, ``"lavaan/hs_cfa_ml"``."""
    case: dict[str, Any] = json.loads((NUMBERS / f"{name}.json").read_text(encoding="utf-8"))
    return case


def find_data(name: str) -> Path | None:
    """Return the case's data file, from here or from the folder that SEMKIT_REFERENCE names."""
    base = Path(name).name
    if (DATA / base).exists():
        return DATA / base
    if root := os.environ.get(VARIABLE):
        for folder in ("peer_data", "own/data", "real", "process"):
            if (Path(root) / folder / base).exists():
                return Path(root) / folder / base
    return None


@dataclass(frozen=True)
class Entry:
    """A peer's number with the difference that is allowed."""

    key: Key
    value: float
    tolerance: float


@dataclass(frozen=True)
class Difference:
    """What was found for one key: ``ratio`` is the difference in units of the tolerance."""

    key: Key
    reference: float
    found: float
    ratio: float

    def __str__(self) -> str:
        return f"{' '.join(self.key)}: {self.found:.10g} instead of {self.reference:.10g} ({self.ratio:.3g} tolerances)"


def is_robust(case: dict[str, Any]) -> bool:
    return isinstance(case["args"], dict) and case["args"].get("estimator", "ML") not in ("ML", "MLF", "GLS", "ULS")


def unpolished(case: dict[str, Any]) -> float:
    """Precision of a reference that stopped on the peer's own rule.

    The inequality-constrained case was not polished: its active bound reads 0.8000000329 instead of 0.8.  That
    semkit's solution is the minimum is shown apart, by the identity with the model in which the bound is a value.
    """
    return 1e-4 if "ineq" in case["case"] else 0.0


def number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def follows(case: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a row without a standard error is no fixed number but follows from estimates (see docs/ordinal.md).

    Residual variances (delta) and scales (theta) of ordinal variables: the peer's value is as good as its polychoric
    correlations, which it stops improving at 1e-8.
    """
    arguments = case["args"] if isinstance(case["args"], dict) else {}
    own = row["op"] in ("~~", "~*~") and row["lhs"] == row["rhs"] and row["lhs"] in arguments.get("ordered", ())
    return own and float(row["est"]) not in (0.0, 1.0)


def row_key(row: dict[str, Any]) -> Key:
    return (row["lhs"], row["op"], row["rhs"], str(row.get("group", 1) or 1))


def estimate_entries(case: dict[str, Any]) -> Iterator[Entry]:
    """Entries of the parameter table, with tolerances from each row's own standard error."""
    rel = 1e-3 if is_robust(case) else 1e-4
    floor = unpolished(case)
    for row in case["estimates"]:
        key, est, se = row_key(row), number(row["est"]), number(row["se"])
        free = se > 0
        exact = 1e-6 if follows(case, row) else 1e-9
        tol = max(rel * se if free else exact * max(1.0, abs(est)), floor)
        yield Entry(("est", *key), est, tol)
        yield Entry(("se", *key), 0.0 if math.isnan(se) else se, max(rel * se, floor) if free else 1e-12)
        if free:
            z = number(row["z"])
            z_tol = rel * (1.0 + abs(z)) + floor / se
            yield Entry(("z", *key), z, z_tol)
            density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
            yield Entry(("pvalue", *key), number(row["pvalue"]), 2 * density * z_tol + 1e-9)
        for bound in ("ci.lower", "ci.upper"):
            yield Entry((bound, *key), number(row[bound]), 3 * tol if free else tol)
        for column in ("std.lv", "std.all", "std.nox"):
            if column in row and row[column] is not None:
                value = number(row[column])
                unit = abs(value / est) * se if free and est else 0.0
                yield Entry((column, *key), value, max(rel * unit, 1e-6, floor))


def standardized_entries(case: dict[str, Any]) -> Iterator[Entry]:
    rel = 1e-3 if is_robust(case) else 1e-4
    floor = unpolished(case)
    for row in case["std"]:
        key, se = row_key(row), number(row["se"])
        se = 0.0 if math.isnan(se) or se < 1e-8 else se
        # the peer differentiates numerically: its zero is 1e-9
        yield Entry(("std est", *key), number(row["est.std"]), max(rel * se, 1e-6, floor))
        yield Entry(("std se", *key), se, max(rel * se, 2e-7, floor))


def statistic_entries(case: dict[str, Any]) -> Iterator[Entry]:
    rel = 1e-3 if is_robust(case) else 1e-4
    yield Entry(("fmin",), number(case["fmin"]), rel * abs(number(case["fmin"])) + 1e-9)
    yield Entry(("npar",), number(case["fit_measures"].get("npar", case["npar"])), 0.0)
    for name, value in case["fit_measures"].items():
        yield Entry(("fit", name), number(value), rel * abs(number(value)) + 1e-8)
    for test, row in case["tests"].items():
        for name in ("stat", "df", "pvalue", "scaling.factor", "trace.UGamma", "trace.UGamma2", "shift.parameter"):
            if row.get(name) is not None:
                yield Entry(("test", test, name), number(row[name]), rel * abs(number(row[name])) + 1e-8)


def matrix_entries(case: dict[str, Any]) -> Iterator[Entry]:
    """Moments (1e-5 of the scale), R2, latent covariances and the covariance matrix of the estimates."""
    rel = 1e-3 if is_robust(case) else 1e-4
    groups = case["groups"] or [""]
    for block in ("implied", "sampstat"):
        for number_of, group in enumerate(groups, 1):
            content = case[block][group] if len(groups) > 1 else case[block]
            for part, matrix in content.items():
                if part in ("cov", "mean"):
                    yield from moment_entries((block, part, str(number_of)), matrix)
                elif part in ("cov.x", "mean.x"):  # conditional x: the same moments, of the predictors alone
                    yield from moment_entries((block, part[:-2], str(number_of)), matrix)
    for number_of, group in enumerate(groups, 1):
        square, latent = ((case[part][group] if len(groups) > 1 else case[part]) for part in ("rsquare", "cov_lv"))
        names = [square["names"]] if isinstance(square["names"], str) else square["names"] or []
        suffix = f".g{number_of}" if number_of > 1 else ""
        for name, value in zip(names, np.atleast_1d(square["values"]), strict=True):
            yield Entry(("r2", name + suffix), float(value), 1e-5)
        if latent.get("rows"):
            yield from moment_entries(("cov_lv", "cov", str(number_of)), latent, unpolished(case))
    values = np.array(case["vcov"]["values"], dtype=float)
    se = np.sqrt(np.maximum(np.diag(values), 0))
    for i in range(len(se)):
        for j in range(i + 1):
            yield Entry(("vcov", str(i), str(j)), values[i, j], 2 * rel * se[i] * se[j] + 1e-10)


def moment_entries(head: Key, matrix: dict[str, Any], floor: float = 0.0) -> Iterator[Entry]:
    if "names" in matrix:
        for name, value in zip(matrix["names"], matrix["values"], strict=True):
            yield Entry((*head, name), float(value), 1e-5 * max(1.0, abs(value)))
        return
    values = np.array(matrix["values"], dtype=float)
    scale = np.sqrt(np.abs(np.diag(values)))
    for i, row in enumerate(matrix["rows"]):
        for j in range(i + 1):
            yield Entry((*head, row, matrix["cols"][j]), values[i, j], max(1e-5 * scale[i] * scale[j], floor) + 1e-10)


def entries(case: dict[str, Any]) -> list[Entry]:
    """All numbers of a case; blocks neither read here nor named in NOT_COMPARED are an error."""
    read = {"estimates", "std", "fit_measures", "tests", "implied", "sampstat", "vcov", "rsquare", "cov_lv",
            "fmin", "npar", "nobs"}
    unknown = set(case) - read - NOT_COMPARED
    assert not unknown, f"blocks that nothing compares: {sorted(unknown)}"
    return [*estimate_entries(case), *standardized_entries(case), *statistic_entries(case), *matrix_entries(case)]


ARGUMENTS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "estimator": lambda v: ("estimator", v.lower()),
    "information": lambda v: ("information", v),
    "likelihood": lambda v: ("likelihood", v),
    "meanstructure": lambda v: ("meanstructure", v),
    "std.lv": lambda v: ("std_lv", v),
    "fixed.x": lambda v: ("fixed_x", v),
    "conditional.x": lambda v: ("conditional_x", v),
    "missing": lambda v: ("missing", v),
    "group": lambda v: ("group", v),
    "group.equal": lambda v: ("group_equal", [v] if isinstance(v, str) else v),
    "test": lambda v: ("test", v),
    "ordered": lambda v: ("ordered", v),
    "parameterization": lambda v: ("parameterization", v),
}


def run_case(case: dict[str, Any], data: pd.DataFrame, **extra: Any) -> Any:
    """Fit the case's model with semkit, by the same call and arguments."""
    arguments = case["args"] if isinstance(case["args"], dict) else {}
    options = dict(ARGUMENTS[name](value) for name, value in arguments.items())
    function = {"cfa": sk.cfa, "sem": sk.sem, "lavaan": sk.sem}[case["call"]]
    return function(case["model"], data, **options, **extra)


def found_values(fit: Any) -> dict[Key, float]:
    """Everything a fit says, under the keys of the reference."""
    found: dict[Key, float] = {}
    table = fit.estimates
    columns = {"est": "est", "se": "se", "z": "z", "pvalue": "pvalue", "ci.lower": "ci_lower", "ci.upper": "ci_upper",
               "std.lv": "std_lv", "std.all": "std_all", "std.nox": "std_nox"}
    group_number = {name: str(i) for i, name in enumerate(dict.fromkeys(table["group"]), 1)}
    for row in table.to_dict("records"):
        key = expression_key(row, group_number)
        for peer, column in columns.items():
            found[(peer, *key)] = row[column]
    for row in fit.standardized().to_dict("records"):
        key = expression_key(row, group_number)
        found[("std est", *key)], found[("std se", *key)] = row["est_std"], row["se"]
    for name, value in fit.fit_measures.items():
        found[("fit", str(name))] = float(value)
    found[("fmin",)], found[("npar",)] = found[("fit", "fmin")], found[("fit", "npar")]
    for name, test in fit.tests.items():
        values = {"stat": test.stat, "df": test.df, "pvalue": test.pvalue, "scaling.factor": test.scaling_factor,
                  "trace.UGamma": test.trace, "trace.UGamma2": test.trace2, "shift.parameter": test.shift}
        found.update({("test", name, part): float(value) for part, value in values.items()})
    for block, moments in (("implied", fit.implied), ("sampstat", fit.sample_moments)):
        add_moments(found, block, moments)
    k = len(fit.table.free_names)
    for i, line in enumerate(fit.vcov[:k, :k]):
        found.update({("vcov", str(i), str(j)): float(value) for j, value in enumerate(line)})
    for name, value in fit.r2.items():
        found[("r2", str(name))] = float(value)
    latent = fit.cov_lv if isinstance(fit.cov_lv, list) else [fit.cov_lv]
    for number_of, frame in enumerate(latent, 1):
        add_matrix(found, ("cov_lv", "cov", str(number_of)), frame)
    return found


def expression_key(row: dict[str, Any], group_number: dict[Any, str]) -> Key:
    group = "1" if row["op"] in (":=", "==", "<", ">") else group_number[row["group"]]
    return (str(row["lhs"]), str(row["op"]), str(row["rhs"]).replace(" ", ""), group)


def add_moments(found: dict[Key, float], block: str, moments: Any) -> None:
    """Covariances and means of each group, and their split into outcomes given predictors (conditional x)."""
    covs = moments["cov"] if isinstance(moments["cov"], list) else [moments["cov"]]
    means = moments.get("mean")
    means = means if isinstance(means, list) else [means] * len(covs)
    for i, (cov, mean) in enumerate(zip(covs, means, strict=True), 1):
        add_matrix(found, (block, "cov", str(i)), cov)
        if mean is not None:
            found.update({(block, "mean", str(i), str(name)): float(value) for name, value in mean.items()})


def add_matrix(found: dict[Key, float], head: Key, frame: pd.DataFrame | None) -> None:
    if frame is None:
        return
    values = frame.to_numpy()
    for i, row in enumerate(frame.index):
        for j, column in enumerate(frame.columns):
            found[(*head, str(row), str(column))] = float(values[i, j])


def compared(name: str, wanted: list[Entry]) -> list[Entry]:
    """The entries of a case without those that are excused."""
    return [entry for entry in wanted if (name, entry.key) not in WITHOUT]


def compare(wanted: list[Entry], found: dict[Key, float]) -> list[Difference]:
    """Every entry that is lacking or differs by more than its tolerance."""
    wrong = []
    for entry in wanted:
        ours = found.get(entry.key, math.nan)
        if math.isnan(entry.value):
            ratio = 0.0 if math.isnan(ours) else math.inf
        elif math.isnan(ours):
            ratio = math.inf
        else:
            gap = abs(ours - entry.value)
            ratio = gap / entry.tolerance if entry.tolerance > 0 else (math.inf if gap > 0 else 0.0)
        if ratio > 1.0:
            wrong.append(Difference(entry.key, entry.value, ours, ratio))
    return wrong
