"""A fault rule that names no call and no fault point is refused: it would wait for ever and prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_sim.faults.rules import FaultRule
from hcx_sim.faults.targets import miss
from hcx_sim.products import products
from hcx_sim.scenario import ScenarioError
from support.site_pair import SitePair, SiteServer


@pytest.mark.parametrize(
    ("product", "call", "behaviour"),
    [
        ("hcx", "mobility.groups.start", "status"),
        ("hcx", "l2_extensions.*", "reset_after"),
        ("vcenter", "RetrievePropertiesEx", "timeout"),
        ("nsx", "*", "refuse"),
        ("vmc", "fixed_segments.patch", "reset_after"),  # through the reverse proxy
        ("engine", "migration.*", "fail"),
        ("engine", "vcenter.task.rename", "stall"),
    ],
)
def test_calls_globs_and_points_that_exist_are_accepted(product: Any, call: str, behaviour: Any) -> None:
    assert miss(FaultRule(rule_id="r", product=product, call=call, behaviour=behaviour), products()) is None


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        (
            {"product": "hcx", "call": "mobility.group.start", "behaviour": "status"},
            "fault rule 'r': no call of hcx is named 'mobility.group.start'; did you mean 'mobility.groups.start'?",
        ),
        (
            {"product": "engine", "call": "migration.switchovers", "behaviour": "fail"},
            "fault rule 'r': no fault point of the engine is named 'migration.switchovers'; "
            "did you mean 'migration.switchover'?",
        ),
        (
            {"product": "csp", "call": "fixed_segments.patch", "behaviour": "status"},
            "fault rule 'r': no call of csp is named 'fixed_segments.patch'",
        ),
    ],
)
def test_the_control_api_refuses_a_rule_that_cannot_strike(
    site_pair: SitePair, rule: dict[str, Any], error: str
) -> None:
    control = site_pair.endpoints["control"]
    headers = {"Authorization": f"Bearer {control['token']}"}
    url = f"{control['url']}/worlds/{site_pair.world_id}/faults"
    answer = site_pair.http().post(url, json={"rule_id": "r", **rule}, headers=headers)
    assert answer.status_code == 422
    assert answer.json() == {"error": error, "hint": "COVERAGE.md lists the operation keys and the fault points"}
    assert len(site_pair.world.faults) == 0
    assert site_pair.audit("control") == []


def test_every_point_at_which_the_engine_asks_is_known() -> None:
    points = {
        "extension.extend", "extension.unextend", "extension.connect", "interconnect.task", "pairing.create",
        "segment.realise", "migration.base_sync", "migration.delta_sync", "migration.switchover",
        "migration.cleanup", "migration.cancel", "vcenter.task.powerOff",
    }  # fmt: skip
    rules = [FaultRule(rule_id="r", product="engine", call=point, behaviour="fail") for point in points]
    assert [miss(rule, products()) for rule in rules] == [None] * len(points)


def test_a_scenario_with_a_rule_that_cannot_strike_is_refused(site_server: SiteServer) -> None:
    rule = {"rule_id": "r", "product": "nsx", "call": "fixed_segment.patch", "behaviour": "status"}
    with pytest.raises(ScenarioError, match=r"did you mean 'fixed_segments\.patch'"):
        site_server.make_world(scenario={"name": "s", "faults": [rule]})
