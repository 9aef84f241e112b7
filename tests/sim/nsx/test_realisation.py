"""Checklist: state pending, in_progress, success; status UNREALIZED, REALIZED; the data plane follows."""

from __future__ import annotations

from typing import Any

import pytest

from support.nsx_wire import FIXED, FLEXIBLE, Manager, connectivity_patch, refused, related, world_of
from support.site_pair import SitePair

pytestmark = world_of(realisation_seconds=10)
APP = f"{FIXED}/app-net"
STATUS = "/infra/realized-state/status"
ENTITIES = "/infra/realized-state/realized-entities"


def _status(nsx: Manager, **more: Any) -> tuple[str, str]:
    body = nsx.read(STATUS, intent_path=APP, **more)
    return body["publish_status"], body["consolidated_status"]["consolidated_status"]


def test_state_and_status_follow_a_change(source_nsx: Manager, site_pair: SitePair) -> None:
    assert source_nsx.read(f"{APP}/state")["state"] == "success"
    assert _status(source_nsx) == ("REALIZED", "SUCCESS")
    source_nsx.patch(APP, connectivity_patch(source_nsx.read(APP), "OFF"))
    segment = site_pair.world.segments["source/app-net"]
    assert source_nsx.read(f"{APP}/state")["state"] == "pending"
    assert _status(source_nsx) == ("UNREALIZED", "IN_PROGRESS")
    assert source_nsx.read(APP)["type"] == "DISCONNECTED", "the intent reads at once"
    site_pair.advance(5)
    assert source_nsx.read(f"{APP}/state")["state"] == "in_progress"
    assert segment.gateway_up is True, "the gateway still forwards"
    assert site_pair.oracle()["vms"]["app01"]["gateways"]["app-net"] == "source"
    site_pair.advance(5)
    assert source_nsx.read(f"{APP}/state")["state"] == "success"
    assert _status(source_nsx) == ("REALIZED", "SUCCESS")
    assert segment.gateway_up is False
    assert site_pair.oracle()["vms"]["app01"]["gateways"]["app-net"] is None


def test_a_second_change_starts_realisation_anew(source_nsx: Manager, site_pair: SitePair) -> None:
    source_nsx.patch(APP, {"description": "one"})
    site_pair.advance(9)
    source_nsx.patch(APP, {"description": "two"})
    site_pair.advance(2)
    assert source_nsx.read(f"{APP}/state")["state"] == "pending"
    site_pair.advance(8)
    assert source_nsx.read(f"{APP}/state")["state"] == "success"


def test_a_failed_realisation_says_so(source_nsx: Manager, site_pair: SitePair) -> None:
    site_pair.fault(product="engine", call="segment.realise", object="app-net", behaviour="fail", count=1)
    source_nsx.patch(APP, connectivity_patch(source_nsx.read(APP), "OFF"))
    site_pair.run_until_idle()
    state = source_nsx.read(f"{APP}/state")
    assert state["state"] == "failed"
    assert state["failure_message"]
    assert state["failure_code"]
    assert _status(source_nsx) == ("ERROR", "ERROR")
    assert site_pair.world.segments["source/app-net"].gateway_up is True
    source_nsx.patch(APP, {"description": "again"})
    site_pair.run_until_idle()
    assert source_nsx.read(f"{APP}/state")["state"] == "success"


def test_states_can_be_listed_by_configuration_state(source_nsx: Manager) -> None:
    source_nsx.patch(APP, {"description": "changed"})
    pending = source_nsx.read(f"{FIXED}/state", configuration_state="pending")["results"]
    assert [(each["segment_path"], each["state"]) for each in pending] == [(APP, "pending")]
    assert len(source_nsx.read(f"{FIXED}/state")["results"]) == 3
    assert len(source_nsx.read(f"{FIXED}/state", configuration_state="pending,success")["results"]) == 3
    assert [each["segment_path"] for each in source_nsx.read(f"{FLEXIBLE}/state")["results"]] == [
        "/infra/segments/flex-net"
    ]
    assert "configuration_state" in related(refused(source_nsx.get(f"{FIXED}/state", configuration_state="x"), 400))


def test_enforced_status_is_told_when_asked(source_nsx: Manager) -> None:
    assert _status(source_nsx, include_enforced_status="true") == ("REALIZED", "SUCCESS")
    body = source_nsx.read(STATUS, intent_path=APP, include_enforced_status="true")
    points = body["consolidated_status_per_enforcement_point"]
    assert points[0]["enforcement_point_path"].endswith("/vmc-enforcementpoint")


@pytest.mark.parametrize("path", ["/infra/segments/none", "/infra/segments/app-net", "nonsense"])
def test_status_of_an_unknown_intent_path_is_404(source_nsx: Manager, path: str) -> None:
    refused(source_nsx.get(STATUS, intent_path=path), 404, 202)


def test_status_needs_an_intent_path(source_nsx: Manager) -> None:
    assert "intent_path" in related(refused(source_nsx.get(STATUS), 400, 255))


def test_realised_entities_are_not_offered_in_the_cloud(source_nsx: Manager) -> None:
    refused(source_nsx.get(ENTITIES, intent_path=APP), 404)


@world_of(source="onprem", realisation_seconds=10)
def test_realised_entities_on_premises(source_nsx: Manager, site_pair: SitePair) -> None:
    path = f"{FLEXIBLE}/app-net"
    assert [each["state"] for each in source_nsx.read(ENTITIES, intent_path=path)["results"]] == ["REALIZED"]
    source_nsx.patch(path, {"description": "changed"})
    assert [each["state"] for each in source_nsx.read(ENTITIES, intent_path=path)["results"]] == ["UNREALIZED"]
