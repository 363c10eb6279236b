"""Report: the only room that rounds numbers or draws.

``write_report(content, path)`` makes one self-contained HTML file of a :class:`ReportContent`; ``compose(content)``
gives the same page with its tables and figures for files of their own.  ``read_fit``, ``read_flow``,
``read_validation`` and ``read_verdicts`` make the content's parts from the records of other rooms.
"""

from semkit.report.content import (
    Agreement,
    Check,
    Claim,
    Evidence,
    Flow,
    FlowStep,
    Gate,
    ModelPart,
    QualityPart,
    Reading,
    ReportContent,
)
from semkit.report.document import Report, compose, write_report
from semkit.report.reading import read_fit, read_flow, read_validation, read_verdicts

__all__ = [
    "Agreement",
    "Check",
    "Claim",
    "Evidence",
    "Flow",
    "FlowStep",
    "Gate",
    "ModelPart",
    "QualityPart",
    "Reading",
    "Report",
    "ReportContent",
    "compose",
    "read_fit",
    "read_flow",
    "read_validation",
    "read_verdicts",
    "write_report",
]
