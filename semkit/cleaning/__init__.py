"""Cleaning with a written trail: copies, consent, screening, careless answering, scores, derived variables."""

from semkit.cleaning.money import log_money, winsorise
from semkit.cleaning.plan import CleaningPlan
from semkit.cleaning.procedure import clean
from semkit.cleaning.records import Cleaned

__all__ = ["Cleaned", "CleaningPlan", "clean", "log_money", "winsorise"]
