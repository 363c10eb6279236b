"""The populations of the studies beside the border: equations, groups, questions and what is planted."""

from semkit.planning.studies.cases import simulate_cases
from semkit.planning.studies.equations import Equation, Regression, Study, Term, draw_study
from semkit.planning.studies.export_compliance import STUDY as EXPORT_COMPLIANCE
from semkit.planning.studies.governance import STUDY as GOVERNANCE
from semkit.planning.studies.marketing_network import STUDY as MARKETING_NETWORK
from semkit.planning.studies.whatsapp import STUDY as DIGITAL

STUDIES: dict[str, Study] = {one.name: one for one in (MARKETING_NETWORK, EXPORT_COMPLIANCE, DIGITAL, GOVERNANCE)}
"""Studies by name."""

__all__ = ["STUDIES", "Equation", "Regression", "Study", "Term", "draw_study", "simulate_cases"]
