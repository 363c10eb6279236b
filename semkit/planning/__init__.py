"""Planning: data from stated effects, before there are any respondents."""

from __future__ import annotations

from semkit.planning.planted import Planted, planted_values
from semkit.planning.population import Population, draw_population
from semkit.planning.simulation import Simulated, simulate_responses

__all__ = ["Planted", "Population", "Simulated", "draw_population", "planted_values", "simulate_responses"]
