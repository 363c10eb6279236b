"""Probes of a study: what its file asks to be looked at, made from the fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from semkit.errors import Note, SemkitError

if TYPE_CHECKING:
    import pandas as pd

    from semkit.study.analysis import Analysis, Progress
    from semkit.study.checking import Study
    from semkit.study.schema import ProbeModel

NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "slopes": (("moderator",), ("second", "values", "adjust")),
    "effects": (("outcome",), ("second", "values")),
    "surface": (("moderator",), ("origin",)),
}
"""Kind of probe -> keys it cannot do without, and those of the others it can have."""

TABLES: Mapping[str, tuple[str, ...]] = {
    "Probe": ("slopes", "johnson_neyman"),
    "TwoModerators": ("slopes", "differences", "interactions"),
    "ConditionalEffects": ("effects", "index", "contrasts"),
    "ResponseSurface": ("coefficients", "shape", "features"),
}
"""Class of what a probe found -> its frames that are written as files."""


def run_probes(study: Study, analysis: Analysis, progress: Progress, notes: list[tuple[str, Note]]) -> dict[str, Any]:
    """Make the probes by name; one that fails is noted and takes nothing else away."""
    found: dict[str, Any] = {}
    for spec in study.file.probes:
        fit = analysis.fits.get(spec.model)
        if fit is None:
            continue
        progress(f"probe {spec.model}")
        try:
            found[probe_name(spec)] = _probe(spec, fit)
        except SemkitError as error:
            place = probe_name(spec).replace(" ", ", ", 1)
            notes.append((spec.model, Note("study.probe-failed", "warning", str(error.problems[0]), place)))
    return found


def probe_name(spec: ProbeModel) -> str:
    """``S0-M2 collab:govt``; effects are ``collab->mperf``, a surface ends in ``surface``."""
    if spec.kind == "effects":
        by = ":".join(name for name in (spec.moderator, spec.second) if name)
        return f"{spec.model} {spec.focal}->{spec.outcome}" + (f" by {by}" if by else "")
    names = ":".join(name for name in (spec.focal, spec.moderator, spec.second) if name)
    return f"{spec.model} {names}" + (" surface" if spec.kind == "surface" else "") + (
        f" {spec.outcome}" if spec.outcome else "")  # fmt: skip


def file_stem(name: str) -> str:
    """The name of a probe as that of a file."""
    return name.replace("->", "_to_").replace(" ", "_").replace(":", "_x_")


def _probe(spec: ProbeModel, fit: Any) -> Any:
    from semkit.probe import conditional_effects, probe, response_surface

    moderators = tuple(name for name in (spec.moderator, spec.second) if name)
    if spec.kind == "surface":
        return response_surface(fit, spec.focal, moderators[0], spec.outcome, spec.origin)
    # numbers belong to the first moderator; the second is probed at its mean and mean -/+ 1 SD
    values: Any = spec.values
    if isinstance(values, list) and moderators:
        values = {moderators[0]: values} if len(moderators) > 1 or spec.kind == "effects" else values
    if spec.kind == "effects":
        return conditional_effects(fit, spec.focal, str(spec.outcome), moderators or None, values)
    by: Any = moderators if len(moderators) > 1 else moderators[0]
    return probe(fit, spec.focal, by, spec.outcome, values, adjust=spec.adjust)


def tables_of(found: Any) -> dict[str, pd.DataFrame]:
    """Frames of what a probe found, by the name of their file."""
    frames = {key: getattr(found, key) for key in TABLES[type(found).__name__]}
    return {key: frame for key, frame in frames.items() if len(frame)}
