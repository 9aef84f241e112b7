"""The seed migration, done with the clients alone: what an administrator clicks through, call by call.

Run it against any endpoints document (``hcx-sim serve`` writes one)::

    python tests/scenarios/seed_migration.py --endpoints endpoints.json

Waiting is polling in real time; durations of the sites are whatever their clock makes of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hcx_waves.clients.hcx import (
    Entity,
    GroupDraft,
    HcxClient,
    HcxMigrationOptions,
    HcxMigrationType,
    HcxNetworkMapping,
    Migration,
    MigrationIntent,
    NetworkExtension,
    Placement,
    ResourceContainer,
    SiteRef,
    Storage,
)
from hcx_waves.clients.nsx import Connectivity, NsxPolicyClient, NsxSegment
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.vmc import VmcClient
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.models import Nic, VirtualMachineDetail
from support.lookups import segment_named

VIRTUAL_MACHINES = ("web01", "web02", "app01", "db01")
SEGMENT = "seed-net"
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 300.0


class StepError(RuntimeError):
    """A step of the procedure did not bring what it had to."""


@dataclass
class Sites:
    """Clients of every product of a pair of VMware Cloud sites."""

    hcx: HcxClient
    source_vcenter: VsphereClient
    destination_vcenter: VsphereClient
    source_nsx: NsxPolicyClient
    destination_nsx: NsxPolicyClient

    @classmethod
    def open(cls, endpoints: dict[str, Any], stack: ExitStack) -> Sites:
        """Make the clients of an endpoints document; they are closed with ``stack``."""
        tls = TlsSettings(ca_file=Path(endpoints["ca_file"])) if endpoints["ca_file"] else TlsSettings()
        vmc_facts = endpoints["vmc"]
        vmc = stack.enter_context(
            VmcClient(
                vmc_facts["refresh_token"],
                vmc_url=vmc_facts["url"],
                csp_url=vmc_facts["csp_url"],
                org_id=vmc_facts["org_id"],
                tls=tls,
            )
        )
        hcx = endpoints["source"]["hcx"]

        def vcenter(site: str) -> VsphereClient:
            facts = endpoints[site]["vcenter"]
            return stack.enter_context(VsphereClient(facts["url"], facts["username"], facts["password"], tls=tls))

        return cls(
            hcx=stack.enter_context(HcxClient(hcx["url"], hcx["username"], hcx["password"], tls=tls)),
            source_vcenter=vcenter("source"),
            destination_vcenter=vcenter("destination"),
            source_nsx=stack.enter_context(vmc.nsx_client(vmc_facts["source_sddc_id"])),
            destination_nsx=stack.enter_context(vmc.nsx_client(vmc_facts["destination_sddc_id"])),
        )


@dataclass
class SeedMigration:
    """The procedure; each public method is one step and leaves what it learned in the fields."""

    sites: Sites
    virtual_machines: tuple[str, ...] = VIRTUAL_MACHINES
    group_name: str = "seed-wave"
    before: dict[str, VirtualMachineDetail] = field(default_factory=dict)
    after: dict[str, VirtualMachineDetail] = field(default_factory=dict)
    extension: NetworkExtension | None = None
    polls: int = 0

    def wait(self, what: str, ready: Callable[[], Any]) -> Any:
        """Poll until ``ready`` gives something true; raise :class:`StepError` when patience ends."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        clock = threading.Event()
        while not (result := ready()):
            if time.monotonic() > deadline:
                raise StepError(f"{what}: nothing after {PATIENCE_SECONDS:.0f} s")
            clock.wait(POLL_SECONDS)
        return result

    def look(self) -> None:
        """Record the VMs at the source and the extension of their segment."""
        listed = {vm.name: vm.moref for vm in self.sites.source_vcenter.list_virtual_machines()}
        morefs = [listed[name] for name in self.virtual_machines]
        self.before = {vm.name: vm for vm in self.sites.source_vcenter.read_virtual_machines(morefs)}
        self.extension = self.sites.hcx.find_extension_by_source_network(SEGMENT)
        if self.extension is None:
            raise StepError(f"no network extension of {SEGMENT!r}")

    def intents(self) -> list[MigrationIntent]:
        """Build one RAV migration per VM, every NIC mapped to the extension's destination segment."""
        local, remote = self._sites()
        target = self.sites.destination_vcenter
        pool = next(p for p in target.list_resource_pools() if p.name == "Compute-ResourcePool")
        folder = next(f for f in target.list_folders() if f.name == "Workloads")
        datastore = next(d for d in target.list_datastores() if d.name == "WorkloadDatastore")
        return [
            MigrationIntent(
                migration_type=HcxMigrationType.RAV,
                source=local,
                destination=remote,
                entity=Entity(vm.moref, vm.name),
                placement=(
                    Placement(pool.moref, pool.name, "resourcePool"),
                    Placement(folder.moref, folder.name, "folder"),
                ),
                storage=Storage(datastore.moref, datastore.name),
                networks=[self._mapping(nic) for nic in vm.nics],
                options=HcxMigrationOptions(retain_mac=True, remove_snapshots=True, remove_isos=True),
            )
            for vm in self.before.values()
        ]

    def _sites(self) -> tuple[SiteRef, SiteRef]:
        def reference(container: ResourceContainer) -> SiteRef:
            if container.resource_id is None:
                raise StepError(f"HCX names no vCenter at {container.endpoint_id}")
            return SiteRef(container.endpoint_id, container.resource_id)

        containers = self.sites.hcx.resource_containers()
        local = next(container for container in containers if container.is_local)
        remote = next(container for container in containers if not container.is_local)
        return reference(local), reference(remote)

    def _mapping(self, nic: Nic) -> HcxNetworkMapping:
        extension = self._extension()
        source, destination = extension.source_network, extension.destination_network
        return HcxNetworkMapping(
            mac_address=nic.mac,
            source_network_id=source.network_id or "",
            source_network_name=source.network_name or "",
            source_network_type=source.network_type or "",
            destination_network_id=destination.network_id or "",
            destination_network_name=destination.network_name or "",
            destination_network_type=destination.network_type or "",
        )

    def _extension(self) -> NetworkExtension:
        if self.extension is None:
            raise StepError("look() comes first")
        return self.extension

    def migrate(self) -> tuple[Migration, ...]:
        """Validate, start as one mobility group, and poll (one request per poll) until all are complete."""
        intents = self.intents()
        self.sites.hcx.validate_migrations(intents)
        group = self.sites.hcx.create_group(GroupDraft(self.group_name, intents))
        self.sites.hcx.start_groups([group.group_id])

        def finished() -> tuple[Migration, ...] | None:
            self.polls += 1
            found = self.sites.hcx.query_migrations(group_ids=[group.group_id])
            return found if found and all(one.state.is_terminal for one in found) else None

        migrations: tuple[Migration, ...] = self.wait("migrations", finished)
        failed = [one for one in migrations if not one.state.is_success]
        if failed:
            raise StepError(f"not migrated: {[(one.entity_name, one.state.message) for one in failed]}")
        return migrations

    def verify(self) -> None:
        """Prove in both vCenters that each VM is at the destination, running, with its MACs and addresses."""
        here = {vm.instance_uuid for vm in self.sites.source_vcenter.list_virtual_machines()}
        there = {vm.instance_uuid: vm.moref for vm in self.sites.destination_vcenter.list_virtual_machines()}
        morefs = [there[vm.instance_uuid] for vm in self.before.values()]
        self.after = {vm.name: vm for vm in self.sites.destination_vcenter.read_virtual_machines(morefs)}
        for name, old in self.before.items():
            new = self.after[name]
            addresses = [{a.address for nic in vm.guest_nics for a in nic.addresses} for vm in (old, new)]
            same = old.macs == new.macs and addresses[0] == addresses[1]
            if not same or new.power_state != "poweredOn" or old.instance_uuid in here:
                raise StepError(f"{name} did not arrive as it was")

    def disconnect_source(self) -> NsxSegment:
        """Routed to Disconnected at the source, read back."""
        nsx = self.sites.source_nsx
        segment = segment_named(nsx, SEGMENT)
        nsx.set_connectivity(segment, Connectivity.OFF)
        self.wait("source disconnected", lambda: _settled(nsx, segment.path, disconnected=True))
        return nsx.segment(segment.path)

    def unextend(self, *, connect: bool) -> None:
        """Remove the extension, with or without connecting the destination gateway, and wait until it is gone."""
        extension_id = self._extension().extension_id
        removal = self.sites.hcx.delete_extension(extension_id, connect_to_local_router=connect)
        if removal.job_id is not None:
            job_id = removal.job_id
            job = self.wait("unextend", lambda: _ended(self.sites.hcx, job_id))
            if not job.is_success:
                raise StepError(f"unextend failed: {job}")
        self.wait("extension gone", lambda: self.sites.hcx.find_extension(extension_id) is None)

    def destination_segment(self) -> NsxSegment:
        """Read the destination segment, found by the extension's record, never by its name."""
        return self.sites.destination_nsx.segment(self._extension().destination_network.network_id or "")

    def verify_routed(self) -> NsxSegment:
        """Wait until the destination segment reads routed and is realised."""
        nsx = self.sites.destination_nsx
        path = self.destination_segment().path
        self.wait("destination routed", lambda: _settled(nsx, path, disconnected=False))
        return nsx.segment(path)

    def connect_destination(self) -> NsxSegment:
        """Repair a forgotten connect: PATCH connectivity ON at the destination."""
        self.sites.destination_nsx.set_connectivity(self.destination_segment(), Connectivity.ON)
        return self.verify_routed()

    def delete_source(self) -> None:
        """Delete the source segment once its ports are released."""
        nsx = self.sites.source_nsx
        segment = segment_named(nsx, SEGMENT)
        self.wait("ports released", lambda: not nsx.ports(segment.path))
        nsx.delete_segment(segment)
        self.wait("source segment gone", lambda: not nsx.segment_exists(segment.path))

    def rename_destination(self, name: str) -> None:
        """Rename the destination segment and see the name arrive in vCenter."""
        nsx = self.sites.destination_nsx
        nsx.rename_segment(self.destination_segment(), name)
        vcenter = self.sites.destination_vcenter
        self.wait("new name in vCenter", lambda: name in {network.name for network in vcenter.list_networks()})


def _settled(nsx: NsxPolicyClient, path: str, *, disconnected: bool) -> bool:
    return nsx.segment(path).is_disconnected is disconnected and nsx.segment_state(path).is_success


def _ended(hcx: HcxClient, job_id: str) -> Any:
    job = hcx.job(job_id)
    return job if job.is_terminal else None


def main(arguments: list[str]) -> int:
    """Run the whole procedure and print each step with its real duration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=Path, required=True)
    endpoints = json.loads(parser.parse_args(arguments).endpoints.read_text())
    with ExitStack() as stack:
        run = SeedMigration(Sites.open(endpoints, stack))
        steps: list[tuple[str, Callable[[], Any]]] = [
            ("look", run.look),
            ("migrate", run.migrate),
            ("verify", run.verify),
            ("disconnect source", run.disconnect_source),
            ("unextend with connect", lambda: run.unextend(connect=True)),
            ("verify routed", run.verify_routed),
            ("delete source", run.delete_source),
            ("rename destination", lambda: run.rename_destination("seed-net-cloud")),
        ]
        for name, step in steps:
            began = time.monotonic()
            step()
            sys.stdout.write(f"{name:24} {time.monotonic() - began:6.2f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
