"""What NSX says of how far a segment is realised, and of what is attached to it."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.errors import (
    MalformedResponse,
)
from hcx_waves.clients.nsx import NsxPolicyClient
from support.nsx_answers import FIXED, FIXED_PATH, on
from support.scripted_server import ScriptedServer

# --- realisation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "success", "failure"),
    [
        ({"state": "success"}, True, False),
        ({"state": "pending"}, False, False),
        ({"state": "in_progress"}, False, False),
        ({"state": "failed", "failure_message": "x"}, False, True),
        ({"state": "novel"}, False, False),
        ({}, False, False),
    ],
)
def test_segment_state(
    client: NsxPolicyClient, server: ScriptedServer, body: dict[str, Any], success: bool, failure: bool
) -> None:
    on(server, f"{FIXED_PATH}/state", body)
    state = client.segment_state(FIXED_PATH)
    assert (state.is_success, state.is_failure) == (success, failure)


def test_ports_lead_to_vifs_and_virtual_machines(client: NsxPolicyClient, server: ScriptedServer) -> None:
    port = {"id": "p1", "path": f"{FIXED_PATH}/ports/p1", "attachment": {"id": "att-1", "type": "INDEPENDENT"}}
    free = {"id": "p2", "path": f"{FIXED_PATH}/ports/p2"}
    child = {"id": "p3", "path": f"{FIXED_PATH}/ports/p3", "attachment": {"id": "att-3", "type": "CHILD"}}
    vif = {
        "lport_attachment_id": "att-1",
        "owner_vm_id": "ext-1",
        "owner_vm_type": "REGULAR",
        "mac_address": "00:50:56:00:00:01",
        "device_key": "4000",
        "ip_address_info": [{"source": "VM_TOOLS", "ip_addresses": ["10.1.1.10"]}],
    }
    vm = {
        "external_id": "ext-1",
        "display_name": "app01",
        "power_state": "VM_RUNNING",
        "type": "REGULAR",
        "compute_ids": ["moIdOnHost:12", "instanceUuid:5012-aa", "uuid:4212-bb"],
    }
    on(server, f"{FIXED_PATH}/ports", {"results": [port, free, child]})
    on(server, "/infra/realized-state/enforcement-points/vmc-enforcementpoint/vifs", {"results": [vif]})
    on(server, "/infra/realized-state/virtual-machines", {"results": [vm]})
    ports = client.ports(FIXED_PATH)
    assert [(one.port_id, one.attachment_id, one.may_be_vm) for one in ports] == [
        ("p1", "att-1", True),
        ("p2", None, False),
        ("p3", "att-3", False),
    ]
    (found,) = client.vifs("att-1")
    assert server.received[-1].query == {"lport_attachment_id": "att-1"}
    assert (found.attachment_id, found.owner_vm_id, found.ip_addresses) == ("att-1", "ext-1", ("10.1.1.10",))
    (machine,) = client.virtual_machines()
    assert (machine.external_id, machine.compute_ids["instanceUuid"]) == ("ext-1", "5012-aa")


def test_port_state_tells_attachment_and_duplicates(client: NsxPolicyClient, server: ScriptedServer) -> None:
    binding = {"binding": {"ip_address": "10.1.1.10", "mac_address": "00:50:56:00:00:01"}, "source": "ARP_SNOOPING"}
    body = {
        "attachment": {"state": "ATTACHED_IN_MOTION"},
        "discovered_bindings": [binding],
        "duplicate_bindings": [binding],
    }
    on(server, f"{FIXED_PATH}/ports/p1/state", body)
    state = client.port_state(f"{FIXED_PATH}/ports/p1")
    assert (state.attachment_state, state.realized) == ("ATTACHED_IN_MOTION", ())
    assert (state.discovered[0].ip_address, state.duplicates[0].source) == ("10.1.1.10", "ARP_SNOOPING")


def test_members_of_another_type_count_as_absent(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, f"{FIXED_PATH}/ports/p1/state", {"attachment": "yes", "discovered_bindings": 7})
    on(server, f"{FIXED_PATH}/state", {"state": "success", "details": "many"})
    on(server, FIXED_PATH, {**FIXED, "subnets": "10.1.1.1/24", "advanced_config": [], "_revision": "three"})
    assert client.port_state(f"{FIXED_PATH}/ports/p1").discovered == ()
    assert client.segment_state(FIXED_PATH).is_success
    assert (client.segment(FIXED_PATH).gateway_addresses, client.segment(FIXED_PATH).revision) == ((), None)


def test_gateway_table_and_firewall_are_read(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, f"{FIXED_PATH}/gateway-interface-arp-table", {"results": [{"ip": "10.1.1.10"}]})
    on(server, "/infra/domains/cgw/gateway-policies", {"results": [{"id": "default"}]})
    on(server, "/infra/domains/cgw/gateway-policies/default", {"id": "default", "rules": [{"id": "r1"}]})
    assert client.gateway_arp_table(FIXED_PATH) == ({"ip": "10.1.1.10"},)
    assert client.gateway_policies()[0]["id"] == "default"
    assert client.gateway_policy()["rules"] == [{"id": "r1"}]


def test_object_of_another_shape_is_malformed(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, f"{FIXED_PATH}/ports", {"results": [{"path": "x"}]})
    with pytest.raises(MalformedResponse, match="a port without id"):
        client.ports(FIXED_PATH)
