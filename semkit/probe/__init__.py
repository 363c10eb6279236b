"""Probing an interaction: simple slopes, Johnson-Neyman regions, conditional effects, surfaces, for any result."""

from __future__ import annotations

from semkit.probe.conditional import conditional_effects
from semkit.probe.effects import ConditionalEffects
from semkit.probe.joint import TwoModerators
from semkit.probe.probing import probe
from semkit.probe.surface import ResponseSurface, response_surface
from semkit.probe.view import Probe

__all__ = [
    "ConditionalEffects", "Probe", "ResponseSurface", "TwoModerators", "conditional_effects", "probe",
    "response_surface",
]  # fmt: skip
