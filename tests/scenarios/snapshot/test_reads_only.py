"""Taking a snapshot changes nothing, and its clients could not: what changes anything is refused before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import EndpointMismatch
from hcx_waves.clients.hcx import ExtensionRequest, GroupDraft, GroupSchedule, MigrationIntent
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.migration.intents import intent_of
from hcx_waves.resolve.resolver import resolve_plan
from hcx_waves.snapshot import take_snapshot
from support.site_pair import SitePair
from support.snapshots import reading
from support.waves import nothing_changed, seed_wave, shipped

LOG_INS = {"Login", "session.create", "sessions.create"}
# POSTs of HCX and vCenter that ask; views and collectors are the session's own.
QUERIES = {
    "appliances.query", "inventory.networks.list", "inventory.resource_containers.list",
    "inventory.storage_profiles.list", "migrations.query", "mobility.groups.query",
}  # fmt: skip
VCENTER_READS = {
    "CreateContainerView", "CreateListView", "CreatePropertyCollector", "DestroyView", "RetrievePropertiesEx",
    "RetrieveServiceContent",
}  # fmt: skip
READS = {
    "CancelWaitForUpdates", "CreateContainerView", "CreateListView", "CreatePropertyCollector", "DestroyView",
    "DestroyPropertyCollector", "RetrievePropertiesEx", "ContinueRetrievePropertiesEx", "RetrieveServiceContent",
}  # fmt: skip
READS = {"RetrievePropertiesEx", "RetrieveProperties", "ContinueRetrievePropertiesEx"}
SEGMENT = "/infra/tier-1s/cgw/segments/seed-net"


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    with reading(site_pair) as opened:
        yield opened


@pytest.mark.parametrize("whole", [False, True], ids=["wave", "whole"])
@pytest.mark.world(scenario="three-tier")
def test_a_snapshot_is_taken_by_reads_alone(site_pair: SitePair, clients: SiteClients, whole: bool) -> None:
    mark = site_pair.mark()
    taken = take_snapshot(clients, [shipped("three-tier-1")], now=site_pair.now, whole_inventory=whole)
    assert taken.source.vms
    assert nothing_changed(site_pair, mark)
    calls = [call["data"] for call in site_pair.calls(after=mark)]
    assert {call["status"] for call in calls} <= {200, 404}
    assert {call["method"] for call in calls} <= {"GET", "POST"}
    posted = {call["operation"] for call in calls if call["method"] == "POST"}
    assert posted - LOG_INS - QUERIES - VCENTER_READS == set()


Change = Callable[[SiteClients, MigrationIntent], Any]


def extend(clients: SiteClients, _intent: MigrationIntent) -> str:
    request = ExtensionRequest(
        source_network_id="dvportgroup-1", source_network_name="n", source_network_type="t", gateway="10.0.0.1",
        netmask="255.255.255.0", gateway_id="cgw", source_appliance_id="a", destination_endpoint_id="e",
    )  # fmt: skip
    return clients.hcx.create_extension(request)


def on_segment(change: Callable[[Any, Any], Any]) -> Change:
    return lambda clients, _intent: change(clients.source_nsx, clients.source_nsx.segment(SEGMENT))  # type: ignore[union-attr]


HCX_CHANGES: dict[str, Change] = {
    "create group": lambda c, i: c.hcx.create_group(GroupDraft("g", [i])),
    "start group": lambda c, _: c.hcx.start_groups(["g-1"]),
    "schedule group": lambda c, _: c.hcx.schedule_group("g-1", GroupSchedule()),
    "start migration": lambda c, i: c.hcx.start_migrations([i]),
    "cancel migration": lambda c, _: c.hcx.cancel_migrations({"m-1": "g-1"}),
    "force cancel migration": lambda c, _: c.hcx.force_cancel_migrations({"m-1": "g-1"}),
    "extend": extend,
    "unextend": lambda c, _: c.hcx.delete_extension("x-1", connect_to_local_router=True),
}  # fmt: skip
NSX_CHANGES: dict[str, Change] = {
    "disconnect segment": on_segment(lambda nsx, segment: nsx.set_connectivity(segment, Connectivity.OFF)),
    "rename segment": on_segment(lambda nsx, segment: nsx.rename_segment(segment, "other")),
    "put segment": on_segment(lambda nsx, segment: nsx.put_segment(segment, {"display_name": "other"})),
    "delete segment": on_segment(lambda nsx, segment: nsx.delete_segment(segment)),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in HCX_CHANGES.items()])
def test_hcx_refuses_to_send_a_change(site_pair: SitePair, clients: SiteClients, change: Change) -> None:
    intent = some_intent(site_pair, clients)
    mark = site_pair.mark()
    with pytest.raises(EndpointMismatch, match="this client only reads; nothing is changed through it"):
        change(clients, intent)
    assert {call["data"]["method"] for call in site_pair.calls(after=mark)} <= {"GET"}
    assert site_pair.audit(after=mark) == [] or nothing_changed(site_pair, mark)


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in NSX_CHANGES.items()])
def test_nsx_refuses_to_send_a_change(site_pair: SitePair, clients: SiteClients, change: Change) -> None:
    intent = some_intent(site_pair, clients)
    mark = site_pair.mark()
    with pytest.raises(EndpointMismatch, match="this client only reads; nothing is changed through it"):
        change(clients, intent)
    assert nothing_changed(site_pair, mark) or site_pair.audit(after=mark) == []
    assert all(is_read(call["data"]) for call in site_pair.calls(after=mark))


def is_read(call: dict[str, Any]) -> bool:
    return call["method"] == "GET" or call["operation"].rpartition(".")[2] in READS


def some_intent(pair: SitePair, clients: SiteClients) -> MigrationIntent:
    plan = resolve_plan(seed_wave(), clients, now=pair.now)
    return intent_of(plan.vm("web01"), plan, None)
