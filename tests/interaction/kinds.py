"""Which products each method takes, from calls actually made: ``python -m tests.interaction.kinds`` prints the page."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

import semkit as sk
from semkit.errors import SemkitError

METHODS: Mapping[str, Any] = {
    "product": "product", "lms": sk.LMS(check=False), "qml": "qml", "sam": "sam", "factor_score": "factor_score",
    "2sls": "2sls",
}
N = 1000
LOADINGS = (1.0, 0.9, 0.8)


@dataclass(frozen=True)
class Kind:
    """A kind of product: the model, who has what effect in the data, and the products' true coefficients."""

    title: str
    model: str
    outcome: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
    truth: Mapping[str, float]
    options: Mapping[str, Any] = field(default_factory=dict)


def measure(*names: str) -> str:
    """Three indicators for each construct."""
    return "".join(f"{v} =~ {v.lower()}1 + {v.lower()}2 + {v.lower()}3\n" for v in names)


def sources(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Exogenous variables: constructs X, Z, V that correlate, and observed c and d (a dummy)."""
    x, z, v = rng.multivariate_normal(np.zeros(3), np.full((3, 3), 0.3) + 0.7 * np.eye(3), N).T
    c, d = rng.multivariate_normal(np.zeros(2), [[1.0, 0.3], [0.3, 1.0]], N).T
    return {"X": x, "Z": z, "V": v, "c": c, "d": (d > 0.0) * 1.0}


def frame_of(kind: Kind, seed: int) -> pd.DataFrame:
    """Data of a kind: every capital is measured by three indicators, of reliability .6 to .7."""
    rng = np.random.default_rng(seed)
    known = sources(rng)
    known |= {f"e{k}": rng.standard_normal(N) for k in range(4)}
    known |= kind.outcome(known)
    out = {}
    for name, values in known.items():
        if name.isupper() and len(name) == 1:
            out |= {f"{name.lower()}{i + 1}": 2.0 + load * values + 0.6 * rng.standard_normal(N)
                    for i, load in enumerate(LOADINGS)}
        elif not name.startswith("e"):
            out[name] = values
    out["s"] = known["V"] + np.sqrt(0.3) * rng.standard_normal(N)
    for k in range(1, 5):
        out[f"q{k}"] = known["V"] + 0.8 * rng.standard_normal(N)
    for k, name in enumerate("ABD"):
        first = (1.0, 0.9, 0.8)[k] * known["V"] + 0.5 * rng.standard_normal(N)
        out |= {f"{name.lower()}{i + 1}": load * first + 0.5 * rng.standard_normal(N)
                for i, load in enumerate(LOADINGS)}
    return pd.DataFrame(out)


def centred(v: np.ndarray) -> np.ndarray:
    return np.asarray(v - v.mean())


def main(one: str, two: str, b: float = 0.25) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """Y moved by two exogenous variables and their product."""
    def outcome(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        left, right = centred(v[one]), centred(v[two])
        return {"Y": 0.4 * left + 0.3 * right + b * left * right + 0.7 * v["e0"]}
    return outcome


def square(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"Y": 0.4 * v["X"] + 0.25 * v["X"] ** 2 + 0.7 * v["e0"]}


def mediator(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    m = 0.5 * v["X"] + 0.8 * v["e1"]
    return {"M": m, "Y": 0.4 * m + 0.3 * v["Z"] + 0.25 * m * v["Z"] + 0.7 * v["e0"]}


def chained(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    m = 0.5 * v["X"] + 0.8 * v["e1"]
    return {"M": m, "Y": 0.4 * m + 0.3 * v["X"] + 0.25 * m * v["X"] + 0.7 * v["e0"]}


def mediators(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    m, w = 0.5 * v["X"] + 0.8 * v["e1"], 0.4 * v["X"] + 0.8 * v["e2"]
    return {"M": m, "W": w, "Y": 0.4 * m + 0.3 * w + 0.25 * m * w + 0.7 * v["e0"]}


def moved(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    m = 0.4 * v["X"] + 0.2 * v["Z"] + 0.25 * v["X"] * v["Z"] + 0.8 * v["e1"]
    return {"M": m, "Y": 0.4 * m + 0.3 * v["Z"] + 0.2 * m * v["Z"] + 0.7 * v["e0"]}


def three(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    x, z, w = v["X"], v["Z"], v["V"]
    return {"Y": 0.3 * (x + z + w) + 0.2 * (x * z + x * w + z * w) + 0.2 * x * z * w + 0.7 * v["e0"]}


def several(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    x, z, w = v["X"], v["Z"], v["V"]
    return {"Y": 0.3 * (x + z + w) + 0.2 * x * z + 0.2 * x * w + 0.15 * z * w + 0.7 * v["e0"]}


def two_outcomes(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    x, z = v["X"], v["Z"]
    return {"Y": 0.4 * x + 0.3 * z + 0.25 * x * z + 0.7 * v["e0"],
            "U": 0.3 * x + 0.3 * z - 0.2 * x * z + 0.7 * v["e1"]}


PAIR = {"Y ~ X:Z": 0.25}
MEAN = sk.Composite(parts=("q1", "q2", "q3", "q4"), items={}, reliability=0.862)
KINDS: tuple[Kind, ...] = (
    Kind("two constructs, `X:Z`", measure("X", "Z", "Y") + "Y ~ X + Z + X:Z", main("X", "Z"), PAIR),
    Kind("square, `X:X`", measure("X", "Y") + "Y ~ X + X:X", square, {"Y ~ X:X": 0.25}),
    Kind("construct and observed number, `X:c`", measure("X", "Y") + "Y ~ X + c + X:c", main("X", "c"),
         {"Y ~ X:c": 0.25}),
    Kind("construct and dummy, `X:d`", measure("X", "Y") + "Y ~ X + d + X:d", main("X", "d"),
         {"Y ~ X:d": 0.25}),
    Kind("two observed variables, `c:d`", measure("Y") + "Y ~ c + d + c:d", main("c", "d"), {"Y ~ c:d": 0.25}),
    Kind("second-order construct, `F:Z`", measure("A", "B", "D", "Z", "Y") + "F =~ A + B + D\nY ~ F + Z + F:Z",
         main("V", "Z"), {"Y ~ F:Z": 0.25}),
    Kind("composite with free weights (`<~`), `K:Z`", measure("Z", "Y") + "K <~ 1*q1 + q2 + q3\nY ~ K + Z + K:Z",
         main("V", "Z"), {}),
    Kind("equal-weight composite (`composites=`), `G:X`", measure("X", "Y") + "Y ~ X + G + X:G", main("X", "V"),
         {"Y ~ X:G": 0.25}, {"composites": {"G": MEAN}}),
    Kind("single indicator with known error, `S:X`",
         measure("X", "Y") + "S =~ 1*s\ns ~~ 0.3*s\nY ~ X + S + X:S", main("X", "V"), {"Y ~ X:S": 0.25}),
    Kind("mediator and exogenous construct, `M:Z`", measure("X", "Z", "M", "Y") + "M ~ X\nY ~ M + Z + M:Z", mediator,
         {"Y ~ M:Z": 0.25}),
    Kind("mediator and what moves it, `M:X`", measure("X", "M", "Y") + "M ~ X\nY ~ M + X + M:X", chained,
         {"Y ~ M:X": 0.25}),
    Kind("two mediators, `M:W`", measure("X", "M", "W", "Y") + "M ~ X\nW ~ X\nY ~ M + W + M:W", mediators,
         {"Y ~ M:W": 0.25}),
    Kind("mediator that a product moves, `M:Z` with `M ~ X:Z`",
         measure("X", "Z", "M", "Y") + "M ~ X + Z + X:Z\nY ~ M + Z + M:Z", moved, {"Y ~ M:Z": 0.2, "M ~ X:Z": 0.25}),
    Kind("three constructs, `X:Z:V`",
         measure("X", "Z", "V", "Y") + "Y ~ X + Z + V + X:Z + X:V + Z:V + X:Z:V", three,
         {"Y ~ X:Z:V": 0.2, "Y ~ X:Z": 0.2}),
    Kind("several products, `X:Z + X:V + Z:V`", measure("X", "Z", "V", "Y") + "Y ~ X + Z + V + X:Z + X:V + Z:V",
         several, {"Y ~ X:Z": 0.2, "Y ~ X:V": 0.2, "Y ~ Z:V": 0.15}),
    Kind("one product, two outcomes", measure("X", "Z", "Y", "U") + "Y + U ~ X + Z + X:Z", two_outcomes,
         {"Y ~ X:Z": 0.25, "U ~ X:Z": -0.2}),
)


def outcome(kind: Kind, method: str, seed: int = 1) -> tuple[str, str]:
    """What a method makes of a kind: ``yes``, or the code of its refusal, and the reason.

    ``yes`` means that the fit converged and is admissible and that every product is within four standard errors of
    what was planted.
    """
    frame = frame_of(kind, seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = sk.sem(kind.model, frame, interaction=METHODS[method], estimator="mlr", **kind.options)
    except SemkitError as error:
        problem = error.problems[0]
        return f"`{problem.code}`", f"{problem.what}. {problem.remedy}"
    if not fit.converged or not fit.admissible:
        return "no", "did not converge"
    rows = {f"{r.lhs} ~ {r.rhs}": r for r in fit.estimates.itertuples() if r.op == "~"}
    far = [name for name, value in kind.truth.items()
           if not abs(rows[name].est - value) < 4.0 * rows[name].se or not rows[name].se < 0.15]
    return ("no", f"far from what was planted: {', '.join(far)}") if far else ("yes", "")


HEAD = f"""# Products of which variables each method takes

Written by `python docs/make.py` from calls made on the spot (`tests/interaction/kinds.py`): every model is
fitted to {N} respondents drawn from it. **yes** means that the fit converged, is admissible, and that every product
lies within four of its standard errors of what was planted (and is estimated to better than .15). Anything else is a
refusal with its code; what it says stands below the table. Constructs have three indicators with reliabilities of .6 to
.75, all latent variables are normal. See [the methods](interaction-methods.md).
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD, "| product | " + " | ".join(f"`{method}`" for method in METHODS) + " |",
             "|---|" + "---|" * len(METHODS)]
    said: dict[str, dict[str, list[str]]] = {}
    for kind in KINDS:
        cells = []
        for method in METHODS:
            cell, why = outcome(kind, method)
            cells.append(cell)
            if why:
                said.setdefault(kind.title, {}).setdefault(f"{cell}: {why}", []).append(f"`{method}`")
        lines.append(f"| {kind.title} | " + " | ".join(cells) + " |")
    lines += ["", "## What the refusals say", ""]
    for title, reasons in said.items():
        lines += [f"- {title}"] + [f"  - {', '.join(methods)} {why}" for why, methods in reasons.items()]
    lines += ["", "## The models", ""]
    for kind in KINDS:
        structure = [line for line in kind.model.split("\n") if "=~" not in line or line.split(" =~ ")[0] in "FS"]
        lines.append(f"- {kind.title}: `{'; '.join(structure)}`")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
