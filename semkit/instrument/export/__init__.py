"""Questionnaires out to the field tools."""

from semkit.instrument.export.layout import Form, Part
from semkit.instrument.export.preparation import prepare
from semkit.instrument.export.targets import TARGETS, export, export_files

__all__ = ["TARGETS", "Form", "Part", "export", "export_files", "prepare"]
