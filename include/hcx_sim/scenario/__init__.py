"""Scenarios: documents from which worlds are built."""

from hcx_sim.scenario.builder import build_world
from hcx_sim.scenario.loader import ScenarioError, load_scenario, shipped_scenarios
from hcx_sim.scenario.schema import Scenario
from hcx_sim.scenario.snapshot import scenario_from_snapshot

__all__ = ["Scenario", "ScenarioError", "build_world", "load_scenario", "scenario_from_snapshot", "shipped_scenarios"]
