"""Which drawing belongs to which record: dispatch by class name, so that no upper room is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from semkit.report import listing, quality, reading, rounding, wording
from semkit.report.conditional import draw_probe, draw_region, draw_slopes
from semkit.report.content import Flow
from semkit.report.diagram import draw_diagram
from semkit.report.drawing import Drawing, Text, fitted
from semkit.report.flowchart import flowchart
from semkit.report.pages import render
from semkit.report.probing import draw_panels, draw_paths, draw_surface
from semkit.report.table import Table
from semkit.writing import escape

View = Callable[[Any], str]


def html(record: Any) -> str:
    """Return the compact HTML view of ``record`` (its escaped ``repr`` if no view is registered).

    The record's own class is asked first, then its bases, so a subclass is shown as its parent.
    """
    for kind in type(record).__mro__:
        if kind.__name__ in VIEWS:
            return VIEWS[kind.__name__](record)
    return _card("", [f"<pre>{escape(repr(record))}</pre>"])


def plot(probe: Any, **options: Any) -> Drawing:
    """Draw a probe (options of :func:`semkit.report.conditional.draw_probe`, or ``*_label`` for single names)."""
    labels = dict(options.pop("labels", None) or {})
    for role in ("focal", "moderator", "outcome", "predictor", "x", "z"):
        text = options.pop(f"{role}_label", None) if hasattr(probe, role) else None
        if text is not None:
            labels[getattr(probe, role)] = str(text)
    draw: Callable[..., Drawing] = DRAWINGS.get(type(probe).__name__, draw_probe)
    with rounding.printed_in(str(options.get("language", "en"))):
        return draw(probe, labels=labels, **options)


def diagram(fit: Any, **options: Any) -> Drawing:
    """Draw a fit (options of :func:`semkit.report.diagram.draw_diagram`)."""
    r2 = dict(reading.pairs(getattr(fit, "r2", {})))
    drawn = draw_diagram(reading.standardised_estimates(fit), r2=r2, **options)
    if drawn is None:
        words = "The model has no structure to draw."
        return fitted("Path diagram", words, (Text(0, 0, words, 12, "start"),))
    return drawn


def _card(title: str, parts: list[str], *, banner: str = "") -> str:
    """A record's view: its own scoped style, a title, parts that are markup already."""
    return render("card.html.j2", title=title, parts=parts, banner=banner)


def _table(table: Table) -> str:
    return table.html() if table.rows else ""


def _notes(notes: Any) -> str:
    return render("notes.html.j2", notes=list(notes), wording=wording) if notes else ""


def _figure(drawing: Drawing | None) -> str:
    return f'<div class="figure-box">{drawing.svg}</div>' if drawing is not None else ""


def _line(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _used(record: Any) -> str:
    return f"N received {rounding.count(record.nobs_received)}, used {rounding.count(record.nobs)}"


def _fit(fit: Any) -> str:
    part = reading.read_fit(fit)
    state = "" if part.converged else "Did not converge: its numbers are not results. "
    if part.converged and not part.admissible:
        state = "Inadmissible estimates, see the notes. "
    draws = f"; {rounding.count(part.draws_requested)} bootstrap draws" if part.draws_requested else ""
    head = f"{state}{part.method[:1].upper()}{part.method[1:]}{draws}. {_used(part)}."
    sections = [s for s in listing.SECTIONS if s not in ("Variances", "Intercepts", "Covariances")]
    rest = [s for s in listing.SECTIONS if s not in sections]
    main = listing.estimate_table(part, {}, sections=sections, caption="Estimates")
    others = listing.estimate_table(part, {}, sections=rest, caption="Variances, covariances, intercepts")
    parts = [_line(head), _line(_fit_line(part.fit_measures)), _table(main)]
    if others.rows:
        parts.append(f"<details><summary>Variances, covariances, intercepts</summary>{_table(others)}</details>")
    return _card(f"Fit: {fit.method}", [*parts, _notes(part.notes)])


def _fit_line(fit: Mapping[str, float]) -> str:
    """Fit in one line, robust versions where there are any."""
    if "chisq" not in fit:
        return ""
    robust = "chisq.scaled" in fit
    scaled, tail = (".scaled", ".robust") if robust else ("", "")
    if robust and "cfi.robust" not in fit:  # a test that changes the degrees of freedom has no such indices
        tail = scaled
    df = fit.get("df" + scaled, fit.get("df"))
    span = rounding.interval(
        fit.get("rmsea.ci.lower" + tail), fit.get("rmsea.ci.upper" + tail), 3, leading=False
    )  # fmt: skip
    index = {name: rounding.number(fit.get(name + tail), 3, leading=False) for name in ("cfi", "tli", "rmsea")}
    pieces = [
        f"χ²({rounding.count(df)}) = {rounding.number(fit.get('chisq' + scaled))}",
        rounding.p_phrase(fit.get("pvalue" + scaled)),
        f"CFI {index['cfi']}",
        f"TLI {index['tli']}",
        f"RMSEA {index['rmsea']} {span}",
        f"SRMR {rounding.number(fit.get('srmr'), 3, leading=False)}",
    ]
    return ", ".join(piece for piece in pieces if piece) + (" (scaled and robust versions)" if robust else "")


def _regression(result: Any) -> str:
    part = reading.read_fit(result)
    test = result.interaction
    lines = [
        f"{result.method}. {_used(result)}. R² {rounding.number(result.r2, 3, leading=False)}, adjusted "
        f"{rounding.number(result.adj_r2, 3, leading=False)}.",
        f"Product: ΔR² {rounding.number(test.delta_r2, 3, leading=False)}, f² {rounding.number(test.f2, 3)}, "
        f"F({rounding.count(test.df1)}, {rounding.count(test.df2)}) = {rounding.number(test.f)}, "
        f"{rounding.p_phrase(test.pvalue)}; robust F = {rounding.number(test.f_robust)}, "
        f"{rounding.p_phrase(test.pvalue_robust)}.",
    ]
    table = listing.estimate_table(part, {}, caption=f"Coefficients for {result.recipe.outcome}")
    return _card("Moderated regression", [*map(_line, lines), _table(table), _notes(result.notes)])


def _probe(probe: Any) -> str:
    parts = [_figure(draw_slopes(probe)), _figure(draw_region(probe)), _table(listing.slope_table(probe, {}))]
    parts += [_line(probe.statement), _notes(probe.notes)]
    return _card(f"{probe.focal} × {probe.moderator} on {probe.outcome}", parts)


def _verdicts(verdicts: Any) -> str:
    claims = reading.read_verdicts(verdicts)
    said = [render("answer.html.j2", claim=claim, answer=wording.answer(claim), wording=wording) for claim in claims]
    return _card("Verdicts", [*said, _table(listing.verdict_table(claims))])


def _cleaned(cleaned: Any) -> str:
    flow: Flow = reading.read_flow(cleaned)
    banner = "Invented data; no respondent exists." if getattr(cleaned, "synthetic", False) else ""
    flags = Table.of(
        [("flag", "Flag", "text"), ("n", "Respondents", "count")], caption="Flags among those analysed or careless"
    )
    kept = cleaned.states.isin(["careless", "analysed"])
    for name in cleaned.flags.columns:
        words = str(name).removeprefix("flag_").replace("_", " ")
        flags = flags.add(flag=words, n=int(cleaned.flags.loc[kept, name].sum()))
    parts = [_figure(flowchart(flow)), _table(flags), _line(f"Ledger: {rounding.count(len(cleaned.ledger))} rows.")]
    return _card("Cleaned responses", [*parts, _notes(cleaned.notes)], banner=banner)


def _validation(validation: Any) -> str:
    part = reading.read_validation(validation)
    parts = []
    if not part.constructs.empty:
        parts.append(_table(quality.quality_table(part, {})))
    if len(part.htmt) > 1:
        parts.append(_table(quality.htmt_table(part, {})))
    if not part.fit.empty:
        parts.append(_table(quality.measurement_fit_table(part)))
    if not part.items.empty:
        parts.append(f"<details><summary>Items</summary>{_table(quality.item_table(part, {}))}</details>")
    return _card("Validation", [*parts, _notes(part.notes)])


def _instrument(instrument: Any) -> str:
    lang = "en" if "en" in instrument.languages else instrument.languages[0]
    table = Table.of([("name", "Item", "code"), ("text", "Wording", "words"), ("scale", "Scale", "text"),
                      ("kind", "", "text")])  # fmt: skip
    for construct in instrument.constructs:
        items = instrument.items_of(construct.code, checks=True)
        if construct.dimensions or not items:
            continue  # items stand under their dimensions
        table = table.heading(f"{construct.label.get(lang)} ({construct.code})")
        for item in items:
            kind = "attention check" if item.attention is not None else "reversed" if item.reverse else ""
            table = table.add(name=item.name, text=item.text.get(lang), scale=construct.scale, kind=kind)
    table = replace(table, caption=f"{rounding.count(len(instrument.scored_items))} items")
    lines = [instrument.description.get(lang), f"{instrument.status}. {instrument.notice.get(lang)}"]
    return _card(instrument.title.get(lang), [*map(_line, lines), _table(table)])


def _joint(found: Any) -> str:
    parts = [_figure(draw_panels(found)), _frame(found.slopes, "Simple slopes"),
             _frame(found.differences, "Slope differences"),
             _frame(found.interactions, "Conditional interactions"), _notes(found.notes)]  # fmt: skip
    return _card(f"{found.focal} × {' × '.join(found.moderators)} on {found.outcome}", parts)


def _conditional(found: Any) -> str:
    parts = [_figure(draw_paths(found)) if len(found.curves) else "", _frame(found.effects, "Conditional effects"),
             _frame(found.index, "Indices"), _notes(found.notes)]  # fmt: skip
    return _card(f"{found.predictor} on {found.outcome}", parts)


def _surface(found: Any) -> str:
    parts = [_figure(draw_surface(found)), _frame(found.shape, "Shape"), _frame(found.features, "Features"),
             _notes(found.notes)]  # fmt: skip
    return _card(f"{found.outcome} over {found.x} and {found.z}", parts)


def _frame(frame: Any, caption: str) -> str:
    """A probe's tidy frame as a table; standardised intervals are left to the frame itself."""
    shown = [name for name in frame.columns if name not in ("std_se", "std_ci_lower", "std_ci_upper")]
    kinds = {name: "text" if frame[name].dtype == object else "p" if name == "pvalue" else "number" for name in shown}
    table = Table.of([(name, name.replace("_", " "), kinds[name]) for name in shown], caption=caption)
    for row in frame[shown].to_dict("records"):
        table = table.add(**row)
    return _table(table)


DRAWINGS: Mapping[str, Callable[..., Drawing]] = {
    "TwoModerators": draw_panels,
    "ConditionalEffects": draw_paths,
    "ResponseSurface": draw_surface,
}

VIEWS: Mapping[str, View] = {
    "Fit": _fit,
    "RegressionResult": _regression,
    "Probe": _probe,
    "TwoModerators": _joint,
    "ConditionalEffects": _conditional,
    "ResponseSurface": _surface,
    "Verdicts": _verdicts,
    "Cleaned": _cleaned,
    "Validation": _validation,
    "Instrument": _instrument,
}
"""Class name of a record -> its view."""
