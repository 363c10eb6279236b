"""Validation: do the items measure what they say, and do different constructs differ?"""

from __future__ import annotations

from semkit.validation.thresholds import Thresholds
from semkit.validation.validating import reliability, validate, validity
from semkit.validation.view import Validation

__all__ = ["Thresholds", "Validation", "reliability", "validate", "validity"]
