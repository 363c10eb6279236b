"""semkit: from a survey to a verdict.

Public names are loaded when they are first used, so that ``import semkit`` costs little.  Their wrong arguments are
errors of :class:`semkit.errors.SemkitError` (:func:`semkit.errors.checked`).
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

__version__ = "0.1.0"

_HOME: dict[str, str] = {
    # survey branch
    "Instrument": "semkit.instrument",
    "load_instrument": "semkit.instrument",
    "Responses": "semkit.responses",
    "read_responses": "semkit.responses",
    "reconcile": "semkit.responses",
    "stack_responses": "semkit.responses",
    "write_responses": "semkit.responses",
    "k_anonymity": "semkit.responses",
    "pseudonyms": "semkit.responses",
    "write_restricted": "semkit.responses",
    "Cleaned": "semkit.cleaning",
    "CleaningPlan": "semkit.cleaning",
    "clean": "semkit.cleaning",
    "monitor": "semkit.monitoring",
    # engine branch
    "Composite": "semkit.sample",
    "Design": "semkit.sample",
    "Moments": "semkit.sample",
    "LMS": "semkit.interaction",
    "ProductIndicators": "semkit.interaction",
    "QML": "semkit.interaction",
    "SAM": "semkit.interaction",
    "Replicates": "semkit.sample",
    "cfa": "semkit.fitting",
    "compare": "semkit.fitting",
    "compare_methods": "semkit.fitting",
    "growth": "semkit.fitting",
    "invariance": "semkit.fitting",
    "nested": "semkit.fitting",
    "sem": "semkit.fitting",
    "simulate_model": "semkit.fitting",
    "Fit": "semkit.fitting",
    "polychoric": "semkit.fitting",
    "moderated_regression": "semkit.regression",
    "conditional_effects": "semkit.probe",
    "probe": "semkit.probe",
    "response_surface": "semkit.probe",
    # join
    "reliability": "semkit.validation",
    "validate": "semkit.validation",
    "validity": "semkit.validation",
    "run": "semkit.study",
    "simulate_responses": "semkit.planning",
    # ground
    "Note": "semkit.errors",
    "Problem": "semkit.errors",
    "SemkitError": "semkit.errors",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'semkit' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    if isinstance(value, FunctionType):
        from semkit.errors import checked

        value = checked(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)


class _Package(ModuleType):
    """Keeps a public function in sight when the room of the same name (``semkit.probe``) is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
