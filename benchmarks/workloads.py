"""What is timed: models, data and the calls of both packages."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import semkit as sk
from semkit.estimate.discrepancy import observe
from semkit.estimate.expressions import make_constraints
from semkit.estimate.optimise import LikelihoodObjective, solve
from semkit.estimate.start import starting_values
from semkit.fitting.crosscheck import print_semopy

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "reference" / "data"

CHILDREN = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
POLITICS = """
ind60 =~ x1 + x2 + x3
dem60 =~ y1 + y2 + y3 + y4
dem65 =~ y5 + y6 + y7 + y8
dem60 ~ ind60
dem65 ~ ind60 + dem60
y1 ~~ y5
y2 ~~ y4 + y6
y3 ~~ y7
y4 ~~ y8
y6 ~~ y8
"""
MODERATED = """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
M ~ a1*X + a2*Z + a3*X:Z
Y ~ b*M + cp*X
imm := a3*b
ind_lo := (a1 - a3)*b
ind_hi := (a1 + a3)*b
"""


@dataclass(frozen=True, eq=False)
class Work:
    """One model on one data set, for both packages.

    Parameters
    ----------
    name : str
    model : str
    data : DataFrame
    options : dict
        Further arguments of ``sem``.
    text : str
        The model for semopy, with the columns of ``columns``.
    columns : DataFrame
    remark : str
    """

    name: str
    model: str
    data: pd.DataFrame
    options: dict[str, Any]
    text: str
    columns: pd.DataFrame
    remark: str = ""
    size: str = field(default="")


def make_work(name: str, model: str, data: pd.DataFrame, remark: str = "", **options: Any) -> Work:
    """Print the model for semopy from the table of a fit; give it the same columns, products included."""
    fit = sk.sem(model, data, **options)
    table = fit.table
    text, variables = print_semopy(table, fit._all["raw"].value[0])
    sample = fit.solution.sample
    columns = pd.DataFrame(sample.groups[0].data, columns=[variables[name] for name in table.variables.ov])
    size = f"{len(table.variables.ov)} variables, {table.n_unique} parameters, N = {fit.nobs}"
    return Work(name, model, data, options, text, columns, remark, size)


def border() -> Work:
    """The moderated model of the border study with its composite moderator and control variables."""
    from semkit.sample import Composite
    from semkit.study import read_study
    from semkit.study.analysis import prepare, run_model
    from semkit.study.running import clean_study

    study = read_study(ROOT / "examples" / "border_collaboration" / "study.toml")
    ready, sets, _ = prepare(study, clean_study(study).frame)
    fit = run_model(study, "S0-M2", ready, sets, 0).fit
    composites: dict[str, Composite] = dict(fit.recipe.composites)
    sample = fit.solution.sample
    data = ready[[name for name in (*sample.base_names, *sample.item_names) if name in ready.columns]]
    return make_work(
        "border study, moderated (S0-M2)", fit.recipe.model, data,
        "semopy is told the three constrained residual covariances by phantom variables and reaches the same estimates",
        composites=composites, interaction=fit.recipe.interaction,
    )  # fmt: skip


def works() -> list[Work]:
    return [
        make_work("Holzinger-Swineford CFA", CHILDREN, pd.read_csv(DATA / "HolzingerSwineford1939.csv")),
        make_work("PoliticalDemocracy", POLITICS, pd.read_csv(DATA / "PoliticalDemocracy.csv")),
        border(),
    ]


def whole_call(work: Work) -> Any:
    """Model text and data to the tables that semopy makes: errors, both standardised solutions, fit measures."""
    fit = sk.sem(work.model, work.data, **work.options)
    return fit.estimates, fit.fit_measures


def every_table(work: Work) -> Any:
    """The whole call, and what semopy has not: errors of the standardised solution, R2."""
    fit = sk.sem(work.model, work.data, **work.options)
    return fit.estimates, fit.fit_measures, fit.standardized(), fit.r2


def kernel(work: Work) -> Callable[[], Any]:
    """Moments to estimates for a model that has been read and laid out: starting values and minimisation."""
    done = sk.sem(work.model, work.data, **work.options).solution
    table, layout, given = done.table, done.layout, done.given
    moments = [(group.cov, group.mean) for group in done.observed]
    constraints = make_constraints(table, layout, given)

    def run() -> Any:
        observed = tuple(observe(cov, mean) for cov, mean in moments)
        start = starting_values(table, layout, tuple((cov[0], mean[0]) for cov, mean in moments))
        found = solve(LikelihoodObjective(layout, observed, given), [start[None]], constraints)
        assert found.converged.all()
        return found.x

    return run


def semopy_whole(work: Work) -> Any:
    """Description and data to estimates with errors, both standardised solutions and fit measures."""
    import semopy

    with quiet():
        model = semopy.Model(work.text)
        model.fit(work.columns)
        return model.inspect(std_est=True), model.inspect(std_est="lv"), semopy.calc_stats(model)


def semopy_kernel(work: Work) -> Callable[[], Any]:
    """A ready model object to estimates."""
    import semopy

    with quiet():
        model = semopy.Model(work.text)

    def run() -> Any:
        with quiet():
            return model.fit(work.columns, clean_slate=True)

    return run


class quiet(warnings.catch_warnings):
    """semopy logs and warns on every call; neither should be timed as output."""

    def __enter__(self) -> Any:
        found = super().__enter__()
        warnings.simplefilter("ignore")
        self.level = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        self.state = np.seterr(all="ignore")
        return found

    def __exit__(self, *exc: Any) -> None:
        np.seterr(**self.state)
        logging.disable(self.level)
        super().__exit__(*exc)


def bootstrap(draws: int = 1000) -> Callable[[], Any]:
    """Ordinary bootstrap of the moderated model with 12 indicators, products rebuilt in each draw."""
    fit = sk.sem(MODERATED, pd.read_csv(DATA / "modsem12_n400.csv"))

    def run() -> Any:
        return fit.bootstrap(draws, seed=1).draws

    return run
