"""Variants of a scenario: some settings otherwise, some fault rules more, the inventory shared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from hcx_sim.faults.rules import FaultRule
from hcx_sim.scenario.loader import ScenarioError
from hcx_sim.scenario.schema import Scenario
from hcx_sim.settings import WorldSettings


def variant(scenario: Scenario, settings: Mapping[str, Any], faults: Iterable[FaultRule] = ()) -> Scenario:
    """Return a scenario with these settings laid over its own, and these fault rules after its own.

    ``settings`` is part of a :class:`WorldSettings` document; a duration (an object with ``kind``) and a list are
    replaced as a whole. The scenario itself is not changed; the inventory is not copied. Raises
    :class:`ScenarioError` for settings that do not exist and for a rule id that is there already.
    """
    rules = [*scenario.faults, *faults]
    ids = [rule.rule_id for rule in rules]
    if twice := sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1}):
        raise ScenarioError(f"two fault rules are called {twice[0]!r}")
    try:
        merged = WorldSettings.model_validate(_laid_over(scenario.settings.model_dump(), settings))
    except ValidationError as error:
        lines = [f"settings: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise ScenarioError("\n".join(lines)) from error
    return scenario.model_copy(update={"settings": merged, "faults": rules})


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        deeper = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping) and "kind" not in value
        merged[name] = _laid_over(merged[name], value) if deeper else value
    return merged
