"""Sizes and speeds: a wave of 500 VMs, and an inventory of 10,000. ``make bench`` prints the tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

from hcx_sim.scenario.generate import generate
from hcx_waves.clients.hcx import (
    Entity,
    GroupDraft,
    HcxClient,
    HcxMigrationType,
    HcxNetworkMapping,
    MigrationIntent,
    Placement,
    SiteRef,
    Storage,
)
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.vsphere import VsphereClient
from support.measuring import say, served, timed
from support.site_pair import SitePair, SiteServer

pytestmark = pytest.mark.bench
WAVE_VMS = 500
INVENTORY_VMS = 10_000
FULL = [
    "name", "config.instanceUuid", "config.uuid", "runtime.powerState", "network", "parent", "config.template",
    "resourcePool", "runtime.host", "config.hardware.device", "guest.net", "guest.toolsRunningStatus",
    "guest.toolsVersionStatus2", "config.version", "snapshot", "summary.storage.committed",
]  # fmt: skip


def test_status_of_500_migrations_is_one_request(site_server: SiteServer) -> None:
    document = generate(WAVE_VMS + 40, 8, 3, 1).model_dump(mode="json", exclude_defaults=True)
    pair = site_server.make_world(scenario=document, mode="paused")
    hcx = pair.login("hcx")
    tls = TlsSettings(ca_file=Path(pair.ca_file or ""))
    with HcxClient(pair.url("hcx", "source"), hcx.username, hcx.password, tls=tls) as client:
        intents = wave_intents(pair)[:WAVE_VMS]
        start_seconds, group_id = timed(lambda: start(client, intents))
        pair.advance(1800)
        rows, calls = [], 0
        for _ in range(5):
            before = len(pair.calls("migrations.query"))
            seconds, migrations = timed(lambda: client.query_migrations(group_ids=[group_id]))
            calls = len(pair.calls("migrations.query")) - before
            rows.append(seconds)
        size = response_bytes(pair, group_id)
    pair.assert_no_bugs()
    site_server.drop(pair)
    say(
        f"{len(intents)} migrations: draft and start {start_seconds:.2f} s, {calls} request per poll,",
        f"answer {size / 1e6:.2f} MB, {min(rows) * 1000:.0f} to {max(rows) * 1000:.0f} ms per poll (client included)",
    )
    assert len(migrations) == len(intents)
    assert calls == 1


def wave_intents(pair: SitePair) -> list[MigrationIntent]:
    """A RAV migration of every VM that runs."""
    world = pair.world
    ends = {site: SiteRef(s.hcx_endpoint_id, s.vcenter_instance_uuid) for site, s in world.sites.items()}
    twins = {b.source_network_key: world.networks[b.destination_network_key] for b in world.bridges.values()}

    def mapping(nic: Any) -> HcxNetworkMapping:
        here = world.networks[f"source/{nic.network_moref}"]
        there = twins[here.key]
        kind = "DistributedVirtualPortgroup"
        return HcxNetworkMapping(nic.mac, here.moref, here.name, kind, there.moref, there.name, kind)

    return [
        MigrationIntent(
            HcxMigrationType.RAV,
            ends["source"],
            ends["destination"],
            Entity(vm.moref, vm.name),
            placement=(Placement("resgroup-101", "pool", "resourcePool"), Placement("group-v201", "f", "folder")),
            storage=Storage("datastore-15", "WorkloadDatastore"),
            networks=[mapping(nic) for nic in vm.nics],
        )
        for vm in world.vms.values()
        if vm.site == "source" and vm.role == "workload" and vm.power == "poweredOn"
    ]


def start(client: HcxClient, intents: list[MigrationIntent]) -> str:
    """Draft and start one group of all intents."""
    group = client.create_group(GroupDraft("bench", intents))
    client.start_groups([group.group_id])
    return group.group_id


def response_bytes(pair: SitePair, group_id: str) -> int:
    """Size of one status answer on the wire."""
    login = pair.login("hcx")
    http, base = pair.http(), pair.url("hcx", "source") + "/hybridity/api"
    session = http.post(f"{base}/sessions", json={"username": login.username, "password": login.password})
    answer = http.post(
        f"{base}/migrations?action=query",
        json={"filter": {"migrationGroupId": [group_id]}, "options": {"compat": 2.1}},
        headers={"x-hm-authorization": session.headers["x-hm-authorization"]},
    )
    return len(answer.content)


@pytest.mark.timeout(900)
def test_inventory_of_10000(tmp_path: Path) -> None:
    scenario = tmp_path / "big.json"
    generated_seconds, document = timed(
        lambda: generate(INVENTORY_VMS, 80, 4, 1).model_dump_json(exclude_defaults=True)
    )
    scenario.write_text(document)
    with served(scenario, tmp_path) as (ready_seconds, process, endpoints):
        memory_mb = psutil.Process(process.pid).memory_info().rss / 1e6
        facts = endpoints["source"]["vcenter"]
        tls = TlsSettings(ca_file=Path(endpoints["ca_file"]))
        with VsphereClient(facts["url"], facts["username"], facts["password"], tls=tls) as client:
            light_seconds, summaries = timed(client.list_virtual_machines)
            wanted = [summary.moref for summary in summaries[:WAVE_VMS]]
            detail_seconds, details = timed(lambda: client.read_virtual_machines(wanted))
        connection = connect(endpoints)
        full_seconds, full = timed(lambda: full_pass(connection))
        naive_seconds, naive = timed(lambda: naive_pass(connection, 500))
        Disconnect(connection)
        after_mb = psutil.Process(process.pid).memory_info().rss / 1e6
    naive_all = naive_seconds / naive * INVENTORY_VMS
    say(
        f"{INVENTORY_VMS} VMs: generated in {generated_seconds:.1f} s ({scenario.stat().st_size / 1e6:.1f} MB), "
        f"served after {ready_seconds:.1f} s, {memory_mb:.0f} MB resident ({after_mb:.0f} MB after all reads)",
        "",
        "| read | VMs | seconds |",
        "|---|--:|--:|",
        f"| light pass, 9 properties, all VMs | {len(summaries)} | {light_seconds:.1f} |",
        f"| second pass, everything, the wave's VMs | {len(details)} | {detail_seconds:.1f} |",
        f"| **two passes together** | | **{light_seconds + detail_seconds:.1f}** |",
        f"| one full pass, {len(FULL)} properties with devices | {full} | {full_seconds:.1f} |",
        f"| attribute by attribute (4 each), from {naive} VMs | {INVENTORY_VMS} | {naive_all:.1f} (extrapolated) |",
    )
    assert ready_seconds < 10
    assert light_seconds + detail_seconds < full_seconds < naive_all


def connect(endpoints: dict[str, Any]) -> Any:
    """Plain pyvmomi, as a script would use it."""
    facts = endpoints["source"]["vcenter"]
    address = re.fullmatch(r"https://([^:/]+):(\d+)(?:/sdk)?", facts["url"])
    assert address is not None
    context = TlsSettings(ca_file=Path(endpoints["ca_file"])).ssl_context()
    host, port = address[1], int(address[2])
    return SmartConnect(host=host, port=port, user=facts["username"], pwd=facts["password"], sslContext=context)


def full_pass(connection: Any) -> int:
    """Every property of every VM in one paged read."""
    content = connection.content
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    query = vmodl.query.PropertyCollector
    spec = query.FilterSpec(
        objectSet=[
            query.ObjectSpec(
                obj=view,
                skip=True,
                selectSet=[query.TraversalSpec(name="view", type=vim.view.ContainerView, path="view", skip=False)],
            )
        ],
        propSet=[query.PropertySpec(type=vim.VirtualMachine, pathSet=FULL)],
    )
    result = content.propertyCollector.RetrievePropertiesEx([spec], query.RetrieveOptions())
    count = 0
    while result is not None:
        count += len(result.objects)
        if not result.token:
            break
        result = content.propertyCollector.ContinueRetrievePropertiesEx(result.token)
    view.Destroy()
    return count


def naive_pass(connection: Any, limit: int) -> int:
    """Attribute access per VM: each attribute is a round trip."""
    content = connection.content
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    count = 0
    for vm in view.view[:limit]:
        _ = (vm.name, vm.runtime, vm.config, vm.guest)
        count += 1
    view.Destroy()
    return count
