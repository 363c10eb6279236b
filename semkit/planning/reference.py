"""Prints ``docs/synthetic-data.md``: what is planted in the invented data and how it is checked.

``python -m semkit.planning.reference``; every number on the page is computed when it is printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from semkit.planning.detection import Detection, Share, detect
from semkit.planning.population import CORRELATIONS, DIMENSIONS
from semkit.planning.recovery import LABELS, recover
from semkit.planning.simulation import Simulated, border_file
from semkit.planning.studies import STUDIES

ROOT = Path(__file__).resolve().parents[2]
SEED, RECEIVED = 20260100, 660
CHECK_SEED, CHECK_SIZE = 20260199, 10_000

OPENING = """# The invented data of the studies

The two files `examples/border_collaboration/border_synthetic.csv` and
`examples/border_nointeraction/border_nointeraction_synthetic.csv` are **invented; no respondent exists**. They
let everybody run semkit from a field export to a verdict, and they let us check the verdict, because what is
true is known. A verdict on them is a statement about the generator, never about Kalimantan.

- Files of the other studies (and the thirty fuzzy-coded cases) are in `examples/synthetic`; see the end of this page.
- `python examples/make_demo.py` makes all files and their side-cars; `--check` compares instead. Same seed,
  same bytes.
- In every file the first column is `synthetic` = 1, names end in `_synthetic`, and the side-car says so and gives
  seed, size, generator version, planted values, the file's SHA-256 and the damaged rows by `_id`. The reader keeps
  the mark; a report on them carries a banner.
- Seed, size, population and rules were fixed before the first verdict and are never changed because of one.
- `sk.simulate_responses("border", n=..., seed=...)` or `semkit simulate border --n ... --seed ...` draws other files
  from the same population. `blocks=` with all four instruments adds the challenges and strategies.

This page is written by `python -m semkit.planning.reference` (through `python docs/make.py`).

## How a file comes about

1. **Groups**: regency (.40 .35 .25), partner in Malaysia .70, exporting for 3 years or less .433, sector, size,
   years. A firm without a partner in Malaysia has no partner at all with probability logistic(-2.2 - network),
   about .04 of all.
2. **Exogenous latent variables**: normal, variance 1, correlations below; infrastructure is shifted by +.2,
   +.3, -.4 between the regencies.
3. **Mechanisms and marketing performance**: sums of terms (products centred at their mean) and a normal
   residual that makes the variance 1.

   ```
   government = standardised (policy + capacity + infrastructure);  P = partner in Malaysia, N = new exporter (0/1)
   access     = .42 network + .12 government + .16 network x government
   knowledge  = .40 network + .15 capacity
   efficiency = .35 network + .15 infrastructure
   performance = .22 access + .16 knowledge + .18 efficiency + .08 network + .05 government
               - .12 challenges + .14 adaptive + .10 P + .05 N + .06 local ties + .06 cross-border ties
               + .30 P (network x policy) + .30 N (network x capacity) + .05 network x infrastructure
               - .05 network x challenges + .18 challenges x adaptive + .15 local ties x cross-border ties
   ```
   In `border_nointeraction` every product of the network with policy, capacity, infrastructure or government is
   left out, the residual variances are solved again, and nothing else changes: same seed, same draws.
4. **Dimensions** of a second-order variable: loading x whole + residual.
5. **Items**: loading .82 down to .70 (reverse items .08 less, with a shared method factor of .20), cut at
   -1.65, -.75, .15, 1.15, so that the mean is about 3.3; reverse items are turned round. `gr_inf_1` has an
   intercept .5 lower in Kapuas Hulu.
6. **Other questions** by the formulas below.
7. **Damage**: careless rows 6 % (2.5 straight-line, 2.5 random, 1 alternating; always self-filled; 25 to 60 %
   of the usual time), attention check missed by .85 of them and .03 of the others; 1.5 % of the answers empty,
   1 % "don't know" (98), amounts refused 6 % (12 % in micro firms), 97 where a firm without partners is not
   asked; interviews ended by screening 2 %, the same interview sent twice 1 %.
8. **Export** as KoboToolbox writes it with "XML values and headers", groups in headers and select-many answers
   both joined and split.

Groups, latent variables and damage of rows have their own streams of random numbers, drawn for the whole study;
items, other questions and damage of cells have one stream a block. So a block can be left out now, or added
later, without changing one byte of the other columns; a test compares them. Seconds taken are those of the full
questionnaire of four instruments, of which three are written so far.
"""

FORMULAS = """## Formulas of the study design

| question | how it is drawn |
|---|---|
| `joint_ship` | logistic(-.4 + .9 network) |
| `transport_cost_kg` | ln 6000 + ln(.75) joint_ship + N(0, .30), exponentiated, to Rp 50 |
| `shipments_month` | Poisson, mean exp(ln 2.5 + ln(1.40) joint_ship + .10 performance) |
| `learning_community` | logistic(-.2 + .6 knowledge) |
| `n_innov_12m` | many with .63 for members of a learning community, else .45; many: 3 + Poisson(1); else 0, 1 or 2 |
| `partner_key` | .80 among firms with a partner in Malaysia |
| `ex_train`, `ex_match` | logistic(-.3 + .8 capacity) |
| `deal_6m` | logistic(.405 + .4 network) if trained, else logistic(-.85 + .4 network) |
| `export_growth_2y_pct` | 18.3 + 19.4 performance + N(0, 20) |
| `turnover_12m` | log-normal by size class, times exp(.25 performance) |
"""

ASSUMPTIONS = """## What the study design leaves open

The design names the formulas of joint shipping, transport cost, shipments, learning community, innovations,
training, matching, deals, export growth, `partner_key` and turnover. Everything else here is an assumption
without evidence behind it, made so that a file is complete:

| what | assumption |
|---|---|
| centring inside `P (network x policy)` | the product of two latents is centred, then multiplied by P; likewise N |
| `in_network` | logistic(.8 + .8 network), never for a firm without partners |
| `scr_export` | directly with logistic(-.3 + .5 network), else through others; all firms have exported |
| `partner_types` | each kind with logistic(level + .5 network); at least one (a supplier) where there are partners |
| partners and contacts | 1 + Poisson, rising with local or cross-border ties; 0 in Malaysia without a partner there |
| `joint_buy`, `joint_cert` | logistic(-.7 + .7 network), logistic(-1.2 + .7 network) |
| `partner_key` without a partner in Malaysia | no |
| `deal_6m` | "trained" means `ex_train`; 97 without any of training, matching, mentoring, fair |
| other exposures, `doc_days` | logistic or log-normal in the kind of support they belong to |
| turnover | log-normal around Rp 350 million, 4.5, 22 billion; the year before without performance |
| export share, buyers, places, orders, margin | counts and shares that rise a little with performance |
| sex, age, schooling, workers, cooperative | no effect on anything: women .45, age 42 (SD 10), cooperative .35 |
| style of the marker items | shared by the three marker items only |
| which screening question ends an interview | consent .4, owner .6, active .6, region .4 per cent |
| interview | median 16 minutes, a quarter more with an interviewer; .96 in Indonesian; 12 interviewers |
"""


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _number(value: float) -> str:
    """Three decimals without a leading zero; a zero has no sign."""
    text = f"{value:.3f}".replace("-0.000", "0.000")
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def _structure() -> list[str]:
    lines = ["## Correlations and loadings", "", _row("pair", "correlation"), _row("---", "---:")]
    lines += [_row(f"`{a}` - `{b}`", f"{value:.2f}") for (a, b), value in CORRELATIONS.items()]
    lines += ["", "All other pairs of exogenous latent variables: 0.", ""]
    lines += [_row("whole", "loadings of its dimensions"), _row("---", "---")]
    lines += [
        _row(f"`{whole}`", ", ".join(f"`{k}` {v:.2f}" for k, v in parts.items())) for whole, parts in DIMENSIONS.items()
    ]
    return [*lines, ""]


def _planted(full: dict[str, Any], without: dict[str, Any]) -> list[str]:
    lines = [
        "## Planted values",
        "",
        "The study's models fitted by least squares to the latent variables themselves of 1,000,000 firms (region as",
        "control), which is what perfect measurement of an endless sample would give. Models with the network are true",
        "of firms with partners (the others have no relational and cognitive dimension); M5 is true of all. `std` is",
        "the standardised value that verdicts compare with the smallest effect; the last digit has a Monte Carlo error",
        "of about .001.",
        "",
        _row("claim", "model", "quantity", "border raw", "border std", "no interaction raw", "no interaction std"),
        _row("---", "---", "---", "---:", "---:", "---:", "---:"),
    ]
    for claim, a in full["planted"]["claims"].items():
        b = without["planted"]["claims"][claim]
        numbers = (_number(a["raw"]), _number(a["std"]), _number(b["raw"]), _number(b["std"]))
        lines.append(_row(claim, a["model"], f"`{a['label']}`", *numbers))
    lines += [
        "",
        "The design gives its figures for **all** firms, and the generator has them:",
        "",
        _row("quantity", "design", "border, all firms", "design, no interaction", "no interaction, all firms"),
        _row("---", "---:", "---:", "---:", "---:"),
    ]
    tiny = "0 (within .005)"
    design = {
        "b3": ("M2", ".327", "-.005"),
        "g1": ("M2d", ".227", tiny),
        "g2": ("M2d", ".144", tiny),
        "g3": ("M2d", ".062", tiny),
        "q1": ("M4", ".160", "0"),
    }
    for label, (model, stated, none) in design.items():
        a, b = (side["planted"]["all_firms"][model][label]["raw"] for side in (full, without))
        lines.append(_row(f"`{label}`", stated, _number(a), none, _number(b)))
    return [
        *lines,
        "",
        "Among firms with partners more have one in Malaysia (.73 instead of .70), so `b3` and `g1` are a little",
        "larger there.",
        "",
    ]


def _found(one: Share) -> str:
    return f"{one.found} of {one.rows}" + (f" ({100 * one.rate:.1f} %)" if one.rows > 100 else "")


def _detected(file: Detection, large: Detection) -> list[str]:
    lines = [
        "## What cleaning finds",
        "",
        f"The committed `border` file ({file.received} submissions) and a file of {large.received:,} from the same",
        f"population (seed {CHECK_SEED}) went through `read_responses` and `clean` with the default rules; the truth",
        "is in the side-car.",
        "",
        _row("planted", "fate", "committed file", f"file of {large.received:,}"),
        _row("---", "---", "---:", "---:"),
        _row("duplicates", "recognised", _found(file.duplicates), _found(large.duplicates)),
        _row("no consent or screened out", "recognised", _found(file.screened), _found(large.screened)),
    ]
    for name in file.careless:
        lines.append(
            _row(name.replace("_", "-"), "excluded", _found(file.careless[name]), _found(large.careless[name]))
        )
    lines += [
        _row("all", "analysed", file.analysed, large.analysed),
        _row("careless rows", "left among the analysed", file.careless_left, large.careless_left),
        "",
        f"Share of rows with each flag, file of {large.received:,}:",
        "",
    ]
    flags = [name.removeprefix("flag_") for name in large.flags["careful"]]
    lines += [_row("planted", *flags), _row("---", *("---:" for _ in flags))]
    lines += [_row(k.replace("_", "-"), *(f"{v:.3f}" for v in row.values())) for k, row in large.flags.items()]
    return [
        *lines,
        "",
        "A row is excluded for a missed attention check together with another flag, for any two flags, or for too many",
        "missing answers; the Mahalanobis distance flags only. So straight-lining is always found, answering at random",
        "often, and a regular up and down seldom: it has no long runs and takes more than two seconds an item. That is",
        "what these rules can do, and the report therefore prints the analysis of all respondents beside the main one.",
        "",
    ]


def _recovered(files: dict[str, Simulated], sides: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "## The whole way back",
        "",
        f"Files of {CHECK_SIZE:,} submissions (seed {CHECK_SEED}) through reader, cleaning, composite and latent",
        "interaction as in a study (careless rows that were not found are among them), firms with partners, listwise,",
        "robust errors: standardised estimate (standard error) beside the planted value.",
        "",
        _row("model", "quantity", *(f"{study}: planted | estimate" for study in files)),
        _row("---", "---", *("---: | ---:" for _ in files)),
    ]
    found = {study: recover(invented) for study, invented in files.items()}
    for model, labels in LABELS.items():
        for label in labels:
            cells = []
            for study in files:
                planted, got = sides[study]["planted"]["models"][model][label]["std"], found[study][model][label]
                cells.append(f"{_number(planted)} | {_number(got.std)} ({_number(got.error)})")
            lines.append(_row(model, f"`{label}`", *cells))
    return [*lines, ""]


def _studies() -> list[str]:
    """The other studies: what each is, and its planted values."""
    lines = [
        "## The other studies",
        "",
        "One instrument each, drawn by the equations in `semkit/planning/studies`; where a design names a mean or a",
        "share, the cut points are moved to give it. Damage and export are those of the border study. Products are",
        "centred at their mean, residual variances make every endogenous variable's variance 1. The digital study has",
        "no figure of a paper behind any margin: all are assumptions. What the designs leave open (export mode and",
        "promotion, programmes and clearance, incomes and prices, weavers and brands, non-members of WhatsApp groups,",
        "for whom every term with the group is 0) is an assumption in the same files. Repeated exporting (H-X11.2,",
        "`t1`) is planted at .12 standardised by itself; the study's model also controls literacy, which leaves .06.",
        "",
        _row("study", "instrument", "submissions", "seed"),
        _row("---", "---", "---:", "---:"),
    ]
    lines += [_row(f"`{one.name}`", f"`{one.instrument}`", one.n, one.seed) for one in STUDIES.values()]
    lines += ["", "Planted values (1,000,000 draws, rows as in the side-car):", ""]
    lines += [_row("study", "claim", "model", "quantity", "raw", "std")]
    lines += [_row("---", "---", "---", "---", "---:", "---:")]
    for name, study in STUDIES.items():
        side = json.loads((ROOT / "examples" / "synthetic" / f"{name}_synthetic.json").read_text(encoding="utf-8"))
        for claim in study.claims:
            one = side["planted"]["claims"][claim]
            numbers = (_number(one["raw"]), _number(one["std"]))
            lines.append(_row(f"`{name}`", claim, one["model"], f"`{one['label']}`", *numbers))
    return [
        *lines,
        "",
        "`border_cases30`: thirty cases, fuzzy scores {0, .33, .67, 1} for six conditions and the outcome, two coders",
        "who agree on 85 per cent and are one step apart on the rest; outcome = max(min(network, policy, partner),",
        "min(network, capacity, newexp), min(network, adaptive)), 15 per cent of its scores moved one step. Scores of",
        "conditions are independent with shares .2 .3 .3 .2 (assumed).",
        "",
    ]


def page() -> str:
    """The whole page."""
    files: dict[str, Simulated] = {
        study: border_file(study, n=RECEIVED, seed=SEED) for study in ("border", "border_nointeraction")
    }
    sides = {study: json.loads(invented.sidecar()) for study, invented in files.items()}
    large = {study: border_file(study, n=CHECK_SIZE, seed=CHECK_SEED) for study in files}
    lines = [
        OPENING,
        *_structure(),
        *_planted(sides["border"], sides["border_nointeraction"]),
        *_detected(detect(files["border"]), detect(large["border"])),
        *_recovered(large, sides),
        FORMULAS,
        ASSUMPTIONS,
        *_studies(),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
