"""Report: the only room that rounds numbers or draws.

``write_report(content, path)`` makes one self-contained HTML file of a :class:`ReportContent`; figures and tables
are there for themselves as well.
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
    "ReportContent",
]
