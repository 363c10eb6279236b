"""Times of latent interactions by LMS and QML.

Run ``python -m benchmarks.latent_interactions``; it prints the table of ``docs/interaction-methods.md``.  Times are
processor seconds of one thread, medians of whole calls (estimates, fit measures, standardised solution with errors,
R2), nothing kept between calls.  modsem's times (version 1.0.22, one thread) stand in the reference cases or were taken
with them;
they are of another machine on which lavaan 0.7 takes 44 ms for the Holzinger-Swineford CFA.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import semkit as sk

ROOT = Path(__file__).resolve().parents[1]
NUMBERS, DATA = (ROOT / "tests" / "reference" / name for name in ("numbers", "data"))
SIMPLE = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + X:Z"
ONEINT = {"lms, 24 nodes": 1.22, "lms, 32 nodes": 1.39, "lms, 64 nodes": 10.5, "qml": 0.62}


def whole(model: str, frame: pd.DataFrame, **options: Any) -> Any:
    """One call with everything that is read of it."""
    fit = sk.sem(model, frame, **options)
    found = (fit.estimates, fit.fit_measures, fit.standardized(), fit.r2)
    return fit if all(len(part) for part in found) else None


def seconds(call: Callable[[], Any], repeats: int) -> float:
    """Median processor seconds after a warm-up."""
    call()
    found = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return float(np.median(found))


def survey() -> tuple[str, pd.DataFrame]:
    """The border study's item-level model on its cleaned synthetic answers, with the controls of its models.

    Gaps are filled with medians, so that all respondents count: this is about time, not about the study.
    """
    from semkit.study import read_study
    from semkit.study.analysis import prepare, run_model
    from semkit.study.running import clean_study

    study = read_study(ROOT / "examples" / "border_collaboration" / "study.toml")
    ready, sets, _ = prepare(study, clean_study(study).frame)
    controls = run_model(study, "S0-M2", ready, sets, 0).fit.table.variables.ov_x
    network = [f"cn_{part}_{i}" for part, n in (("str", 5), ("rel", 4), ("cog", 4)) for i in range(1, n + 1)]
    lines = [f"collab =~ {' + '.join(network)}", "mperf =~ m_mp_sal + m_mp_rch + m_mp_cus + m_mp_prf"]
    for part, n in (("fac", 5), ("cap", 4), ("inf", 4)):
        lines.append(f"gr_{part} =~ " + " + ".join(f"gr_{part}_{i}" for i in range(1, n + 1)))
    lines.append("mperf ~ collab + gr_fac + gr_cap + gr_inf + collab:gr_fac + collab:gr_cap + collab:gr_inf + "
                 + " + ".join(controls))
    used = [*network, *(f"gr_{part}_{i}" for part in ("fac", "cap", "inf") for i in range(1, 6)), *controls]
    used = [name for name in [*used, "m_mp_sal", "m_mp_rch", "m_mp_cus", "m_mp_prf"] if name in ready]
    return "\n".join(lines), ready[used].fillna(ready[used].median())


def row(name: str, found: float, peer: float | None, wanted: str) -> str:
    ratio = f"{peer / found:.0f} times" if peer else ""
    return f"| {name} | {found:.3f} s | {'' if peer is None else f'{peer:.2f} s'} | {ratio} | {wanted} |"


def main() -> None:
    rows = []
    options: dict[str, Any] = {"lms, 24 nodes": "lms", "lms, 32 nodes": sk.LMS(nodes=32),
                               "lms, 64 nodes": sk.LMS(nodes=64), "qml": "qml"}
    with threadpool_limits(limits=1):
        root = os.environ.get("SEMKIT_REFERENCE")
        if root:
            frame = pd.read_csv(Path(root) / "peer_data" / "oneInt.csv")
            for name, method in options.items():
                found = seconds(lambda m=method: whole(SIMPLE, frame, interaction=m), 20)
                rows.append(row(f"oneInt (N = 2,000), {name}", found, ONEINT[name], "6 times"))
        for case in ("simple__lms", "modmed__lms", "second_order__lms", "simple__qml", "modmed__qml"):
            text = json.loads((NUMBERS / "own" / f"lms_{case}.json").read_text(encoding="utf-8"))
            frame = pd.read_csv(DATA / f"lms_{case.split('__')[0]}.csv")
            method = sk.LMS(nodes=64) if case.endswith("lms") else "qml"
            found = seconds(lambda t=text, f=frame, m=method: whole(t["model"], f, interaction=m), 20)
            shown = case.replace("__", ", ").replace("_", " ") + (", 64 nodes" if case.endswith("lms") else "")
            rows.append(row(f"{shown} (N = {len(frame)})", found, text["seconds"], ""))
        model, frame = survey()
        fit = whole(model, frame, interaction="lms")
        found = seconds(lambda: whole(model, frame, interaction="lms"), 3)
        rows.append(row(f"border study, 30 items, 3 interactions, {len(fit.names)} parameters (N = {fit.nobs}), lms",
                        found, None, "under 2 s"))
        frame = pd.read_csv(DATA / "lms_simple.csv").head(500)
        fit = sk.sem(SIMPLE, frame, interaction="lms")
        start = time.process_time()
        fit.bootstrap(1000, seed=1)
        found = time.process_time() - start
        rows.append(row(f"1,000 bootstrap refits, 9 indicators (N = {fit.nobs}), lms", found, None, "under 20 s"))
    print("| work | semkit | modsem 1.0.22 | faster | target |\n|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
