"""One case for every diagnosis.  ``docs/diagnoses.md`` is printed from these functions, sources and messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import semkit as sk
from semkit.errors import Note, Problem, SemkitError

THREE = "f =~ x1 + x2 + x3"
NAMES = ("x1", "x2", "x3")
FOUR = ("x1", "x2", "y1", "y2")


@dataclass(frozen=True)
class Case:
    """A diagnosis and the input that has it."""

    code: str
    title: str
    make: Callable[[], Any]

    def found(self) -> Note | Problem:
        """The note or problem with the code, from running the case."""
        for one in run(self.make):
            if one.code == self.code:
                return one
        raise AssertionError(f"{self.code} is not found on its case: {[one.code for one in run(self.make)]}")


def run(make: Callable[[], Any]) -> Sequence[Note | Problem]:
    """Notes of the fit a function returns, or problems of the error it raises."""
    try:
        made = make()
    except SemkitError as error:
        return error.problems
    return tuple(made.notes) if hasattr(made, "notes") else tuple(made)


CASES: list[Case] = []


def case(code: str, title: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Enter a function into the gallery."""

    def enter(make: Callable[[], Any]) -> Callable[[], Any]:
        CASES.append(Case(code, title, make))
        return make

    return enter


def items(n: int = 200, columns: Sequence[str] = NAMES, seed: int = 1) -> pd.DataFrame:
    """Indicators of one factor with loadings of .8."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(n, 1))
    return pd.DataFrame(0.8 * f + 0.6 * rng.normal(size=(n, len(columns))), columns=list(columns))


PAIR = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + X:Z"
CURVE = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ X + X:X"


def crossed(n: int = 300, seed: int = 1, noise: float = 0.6) -> pd.DataFrame:
    """X and Z, which correlate .4, and Y with .4 X + .3 Z + .3 X Z; three indicators with that much noise each."""
    rng = np.random.default_rng(seed)
    x, z = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n).T
    y = 0.4 * x + 0.3 * z + 0.3 * x * z + 0.7 * rng.normal(size=n)
    return pd.DataFrame({f"{name}{i}": v + noise * rng.normal(size=n)
                         for name, v in (("x", x), ("z", z), ("y", y)) for i in (1, 2, 3)})


# --- estimation -----------------------------------------------------------------------------------


@case("fitting.not-converged", "Non-convergence")
def no_maximum() -> Any:
    cov = [[1.0, 0.0, 0.3], [0.0, 1.0, 0.3], [0.3, 0.3, 1.0]]  # both covary with x3, not with each other
    return sk.cfa(THREE, moments=sk.Moments(cov, nobs=100, names=NAMES))


@case("fitting.negative-variance", "Heywood case: negative variance")
def heywood() -> Any:
    cov = [[1.0, 0.5, 0.5], [0.5, 1.0, 0.2], [0.5, 0.2, 1.0]]  # 0.5 * 0.5 / 0.2 is more than x1 varies
    return sk.cfa(THREE, moments=sk.Moments(cov, nobs=300, names=NAMES))


@case("fitting.latent-correlation", "Latent correlation beyond 1")
def one_factor_in_two() -> Any:
    cov = np.full((4, 4), 0.6) + 0.4 * np.eye(4)
    cov[0, 1] = cov[1, 0] = cov[2, 3] = cov[3, 2] = 0.5  # less within the scales than between them
    return sk.cfa("f =~ x1 + x2\ng =~ y1 + y2", moments=sk.Moments(cov, nobs=500, names=FOUR))


@case("fitting.latent-covariance-not-positive-definite", "Latent covariance matrix that cannot be")
def impossible_triple() -> Any:
    loadings = np.kron(np.eye(3), np.full((3, 1), 0.6))
    phi = np.array([[1.0, 0.8, 0.8], [0.8, 1.0, -0.1], [0.8, -0.1, 1.0]])
    cov = loadings @ phi @ loadings.T + 0.64 * np.eye(9)
    names = tuple(f"x{k}" for k in range(1, 10))
    model = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nh =~ x7 + x8 + x9"
    return sk.cfa(model, moments=sk.Moments(cov, nobs=300, names=names))


@case("fitting.residual-correlation", "Residual correlation beyond 1")
def too_much_shared() -> Any:
    loading = np.array([0.9, 0.1, 0.7, 0.7, 0.7])
    cov = np.outer(loading, loading) + np.diag([0.3, 0.3, 0.5, 0.5, 0.5])
    cov[0, 1] += 0.35
    cov[1, 0] += 0.35
    names = ("x1", "x2", "x3", "x4", "x5")
    return sk.cfa("f =~ x3 + x1 + x2 + x4 + x5\nx1 ~~ x2", moments=sk.Moments(cov, nobs=400, names=names))


@case("fitting.not-identified", "Parameters that are not identified")
def no_scale() -> Any:
    return sk.cfa("f =~ NA*x1 + x2 + x3", items())


@case("fitting.empirically-not-identified", "Not identified in these data")
def lonely_pairs() -> Any:
    cov = np.eye(4)
    cov[0, 1] = cov[1, 0] = cov[2, 3] = cov[3, 2] = 0.5  # the two pairs do not correlate
    return sk.cfa("f =~ x1 + x2\ng =~ y1 + y2", moments=sk.Moments(cov, nobs=300, names=FOUR))


@case("fitting.negative-df", "More parameters than moments")
def too_many() -> Any:
    return sk.cfa("f =~ x1 + x2", items())


# --- data -----------------------------------------------------------------------------------------


@case("sample.not-positive-definite", "Sample matrix that is not positive definite")
def pairwise() -> Any:
    cov = [[1.0, 0.9, 0.9], [0.9, 1.0, 0.1], [0.9, 0.1, 1.0]]
    return sk.cfa(THREE, moments=sk.Moments(cov, nobs=300, names=NAMES))


@case("sample.duplicate-columns", "Duplicated column")
def copied() -> Any:
    return sk.cfa("f =~ x1 + x2 + x3 + x4", items().assign(x4=lambda d: d["x2"]))


@case("sample.perfect-correlation", "Perfectly correlated columns")
def other_units() -> Any:
    return sk.cfa("f =~ x1 + x2 + x3 + x4", items().assign(x4=lambda d: 10.0 - 2.0 * d["x2"]))


@case("sample.collinear", "Column that is the sum of others")
def total_and_parts() -> Any:
    return sk.cfa("f =~ x1 + x2 + x3 + total", items().assign(total=lambda d: d["x1"] + d["x2"]))


@case("sample.constant", "Constant column")
def constant() -> Any:
    return sk.cfa(THREE, items().assign(x2=4.0))


@case("sample.all-missing", "Column without any value")
def nothing_there() -> Any:
    return sk.cfa(THREE, items().assign(x2=np.nan))


@case("sample.infinite", "Infinite values")
def infinite() -> Any:
    return sk.cfa(THREE, items().assign(x2=lambda d: 1.0 / d["x2"].round().abs()))


@case("fitting.scale-ratio", "Variances that differ by a factor of more than 1,000")
def rupiah() -> Any:
    return sk.sem("turnover ~ x1 + x2", items().assign(turnover=lambda d: 2_000.0 * (d["x1"] + d["x3"])))


@case("fitting.missing-code", "Undeclared code for a missing answer")
def minus_99() -> Any:
    return sk.cfa(THREE, items().assign(x2=lambda d: d["x2"].mask(d.index < 5, -99.0)))


@case("sample.too-few", "Fewer respondents than variables")
def three_people() -> Any:
    return sk.cfa(THREE, items(n=3))


@case("fitting.few-respondents", "Fewer respondents than parameters")
def ten_people() -> Any:
    columns = [f"x{k}" for k in range(1, 9)]
    return sk.cfa("f =~ " + " + ".join(columns), items(12, columns))


@case("fitting.small-group", "Group that is too small")
def small_village() -> Any:
    data = items(240).assign(place=lambda d: np.where(d.index < 25, "Aruk", "Entikong"))
    return sk.cfa(THREE, data, group="place")


@case("sample.all-missing-rows", "Respondents without any answer")
def empty_lines() -> Any:
    return sk.cfa(THREE, pd.concat([items(), pd.DataFrame(np.nan, index=range(4), columns=list(NAMES))]))


@case("sample.never-together", "Columns that nobody answered together")
def two_forms() -> Any:
    data = items()
    data.loc[:99, "x2"], data.loc[100:, "x3"] = np.nan, np.nan
    return sk.cfa(THREE, data, missing="fiml")


@case("sample.ignored-nesting", "Ignored nesting")
def same_village() -> Any:
    village = np.repeat(np.arange(20), 15)
    climate = np.random.default_rng(2).normal(size=20)[village]
    data = items(300).add(0.5 * climate, axis=0).assign(village=village)
    return sk.cfa(THREE, data, nesting="village")


@case("sample.unused-category", "Category that nobody chose")
def nobody_disagreed() -> Any:
    words = pd.CategoricalDtype(["never", "rarely", "sometimes", "often"], ordered=True)
    chosen = items(400).rank(pct=True).mul(2.99).astype(int)  # 0, 1, 2
    chosen["x2"] = pd.Categorical.from_codes(chosen["x2"] + 1, dtype=words)
    return sk.cfa(THREE, chosen, ordered=True)


@case("sample.empty-category", "Category that is empty in one group")
def nobody_there_disagreed() -> Any:
    data = items(400).rank(pct=True).mul(2.99).astype(int).assign(place=["Aruk", "Entikong"] * 200)
    data.loc[(data["place"] == "Aruk") & (data["x2"] == 0), "x2"] = 1
    return sk.cfa(THREE, data, ordered=list(NAMES), group="place")


@case("fitting.empty-cells", "Empty cells of pairs of items")
def few_in_many() -> Any:
    codes = items(150).rank(pct=True).mul(4.99).astype(int)
    return sk.cfa(THREE, codes, ordered=True)


@case("fitting.correlation-at-limit", "Pair of items without a polychoric correlation")
def one_follows() -> Any:
    codes = items(300, ("x1", "x2", "x3", "x4")).rank(pct=True).mul(2.99).astype(int)
    codes["x4"] = codes["x1"].clip(upper=1)  # x1 in two categories
    return sk.cfa("f =~ x1 + x2 + x3 + x4", codes, ordered=True)


@case("sample.code-as-category", "Undeclared code among the categories")
def code_as_category() -> Any:
    codes = items(300).rank(pct=True).mul(2.99).astype(int)
    codes.loc[:7, "x2"] = -99
    return sk.cfa(THREE, codes, ordered=True)


# --- latent products ------------------------------------------------------------------------------


@case("fitting.factor-without-variance", "Factor of a product that hardly varies")
def unmeasured_moderator() -> Any:
    data, noise = crossed(), np.random.default_rng(3)
    for name in ("z1", "z2", "z3"):  # hardly anything of Z is left in its indicators
        data[name] = 0.25 * data[name] + noise.normal(size=300)
    return sk.sem(PAIR, data, interaction="lms")


@case("fitting.latent-not-normal", "Factor of a product that is not normal")
def skewed_moderator() -> Any:
    data = crossed()
    data[["z1", "z2", "z3"]] = np.exp(data[["z1", "z2", "z3"]] / 1.5)
    return sk.sem(PAIR, data, interaction="qml")


@case("fitting.local-optima", "Several maxima of the likelihood")
def several_maxima() -> Any:
    return sk.sem(CURVE, crossed(80, 4, noise=1.6), interaction=sk.LMS(starts=6))


@case("fitting.few-cases-per-node", "Few respondents for the points of the integral")
def few_for_the_integral() -> Any:
    return sk.sem(PAIR, crossed(90), interaction="lms")


@case("fitting.too-few-nodes", "Too few points of the integral")
def few_nodes() -> Any:
    return sk.sem(PAIR, crossed(noise=0.3), interaction=sk.LMS(nodes=8))
