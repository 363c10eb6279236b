"""Probing an interaction: simple slopes, Johnson-Neyman regions, predicted lines, for any result."""

from __future__ import annotations

from semkit.probe.probing import probe
from semkit.probe.view import Probe

__all__ = ["Probe", "probe"]
