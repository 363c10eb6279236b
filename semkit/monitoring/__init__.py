"""A survey while it is in the field: who has answered so far, how long it took, what is missing, what looks wrong."""

from semkit.monitoring.fieldwork import Monitoring, monitor
from semkit.monitoring.quotas import read_quotas

__all__ = ["Monitoring", "monitor", "read_quotas"]
