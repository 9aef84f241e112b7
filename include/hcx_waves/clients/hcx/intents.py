"""The request for a migration: typed input, written as HCX documents it [D+C hcx 4.3].

Members left None are not sent, so that HCX's own default (or the group's) holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hcx_waves.clients.hcx.values import milliseconds_of


class HcxMigrationType(StrEnum):
    """``migrationType`` and ``switchoverType`` [D hcx 4.2]."""

    RAV = "RAV"
    VMOTION = "vMotion"
    BULK = "vSphereReplication"
    COLD = "ColdMigration"
    ASSISTED_VMOTION = "xVMotion"
    OS_ASSISTED = "OsAssistedMigration"

    @property
    def transfer_type(self) -> str:
        """The ``transferType`` that belongs to it: RAV and bulk replicate by vSphere Replication [I hcx 4.2]."""
        if self in (HcxMigrationType.RAV, HcxMigrationType.BULK):
            return "vSphereReplication"
        return "OsAssistedReplication" if self is HcxMigrationType.OS_ASSISTED else "NO_OP"


@dataclass(frozen=True)
class Schedule:
    """A window; None on either side is "as soon as possible" and "no end"."""

    start: datetime | None = None
    expiry: datetime | None = None

    def to_wire(self) -> dict[str, int]:
        """Return epoch milliseconds, 0 for None."""
        return {"startTime": milliseconds_of(self.start), "expiryTime": milliseconds_of(self.expiry)}


@dataclass(frozen=True)
class Entity:
    """The VM: MoRef at the source, name, and (for the UI) its ``summary`` from the inventory."""

    entity_id: str
    entity_name: str
    summary: Mapping[str, Any] | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the ``entity`` object."""
        return _present(
            {
                "entityId": self.entity_id,
                "entityName": self.entity_name,
                "entityType": "VirtualMachine",
                "summary": None if self.summary is None else dict(self.summary),
            }
        )


@dataclass(frozen=True)
class SiteRef:
    """One side: endpoint id and vCenter instance uuid suffice [C hcx 4.3]; the names are for people."""

    endpoint_id: str
    compute_resource_id: str
    endpoint_name: str | None = None
    resource_name: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the ``source`` or ``destination`` object."""
        return _present(
            {
                "endpointId": self.endpoint_id,
                "endpointName": self.endpoint_name,
                "endpointType": "VC",
                "resourceId": self.compute_resource_id,
                "resourceName": self.resource_name,
                "resourceType": "VC",
                "computeResourceId": self.compute_resource_id,
            }
        )


@dataclass(frozen=True)
class Placement:
    """A destination container; ``kind`` is ``cluster``, ``resourcePool``, ``folder``, ``dataCenter`` or ``host``.

    The id is a bare MoRef: ``domain-c9``, not ``ClusterComputeResource-domain-c9`` [C hcx 1].
    """

    container_id: str
    name: str
    kind: str

    def to_wire(self) -> dict[str, str]:
        """Return one member of ``placement``."""
        return {"id": self.container_id, "name": self.name, "type": self.kind}


@dataclass(frozen=True)
class Storage:
    """The destination datastore, how disks are provisioned there, and a storage policy by id."""

    datastore_id: str
    datastore_name: str
    disk_provision_type: str = "sameAsSource"
    policy_id: str | None = None
    policy_name: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the ``storage`` object."""
        default: dict[str, Any] = {
            "id": self.datastore_id,
            "name": self.datastore_name,
            "type": "datastore",
            "diskProvisionType": self.disk_provision_type,
        }
        if self.policy_id is not None:
            policy = {"option": "StorageProfile", "value": self.policy_id, "type": "defined"}
            default["storageParams"] = [_present({**policy, "name": self.policy_name})]
        return {"defaultStorage": default}


@dataclass(frozen=True)
class HcxNetworkMapping:
    """Where one NIC goes. ``destination_network_id`` is a segment's policy path or a port group's MoRef."""

    mac_address: str
    source_network_id: str
    source_network_name: str
    source_network_type: str
    destination_network_id: str
    destination_network_name: str
    destination_network_type: str
    connected: bool = True
    is_primary_nic: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return one member of ``networkMappings``."""
        return {
            "macAddress": self.mac_address,
            "connected": self.connected,
            "isPrimaryNic": self.is_primary_nic,
            "srcNetworkId": self.source_network_id,
            "srcNetworkName": self.source_network_name,
            "srcNetworkType": self.source_network_type,
            "destNetworkId": self.destination_network_id,
            "destNetworkName": self.destination_network_name,
            "destNetworkType": self.destination_network_type,
        }


@dataclass(frozen=True)
class HcxMigrationOptions:
    """Switches of a migration. ``force_power_off_vm`` means something to bulk only [D hcx 4.8]."""

    remove_snapshots: bool | None = None
    remove_isos: bool | None = None
    retain_mac: bool | None = None
    force_power_off_vm: bool | None = None
    upgrade_hardware: bool | None = None
    upgrade_vm_tools: bool | None = None
    retain_tags: bool | None = None
    replicate_security_tags: bool | None = None
    update_custom_attributes: bool | None = None

    def transfer_profile(self) -> list[dict[str, Any]]:
        """Return ``transferProfile`` [C hcx 4.3]."""
        return _profile({"removeSnapshots": self.remove_snapshots, "removeISOs": self.remove_isos})

    def switchover_profile(self) -> list[dict[str, Any]]:
        """Return ``switchoverProfile`` [C hcx 4.3]."""
        return _profile(
            {
                "retainMac": self.retain_mac,
                "forcePowerOffVm": self.force_power_off_vm,
                "upgradeHardware": self.upgrade_hardware,
                "upgradeVMTools": self.upgrade_vm_tools,
                "retainTags": self.retain_tags,
                "replicateSecurityTags": self.replicate_security_tags,
                "updateCustomAttributes": self.update_custom_attributes,
            }
        )


@dataclass(frozen=True)
class MigrationIntent:
    """One migration (or, without ``entity``, the defaults of a group).

    :param service_mesh_id: since HCX 4.8; None lets HCX choose [D hcx 4.3].
    :param window: the switchover window.
    :param transfer_window: when replication may run; None is at once.
    :param seed_checkpoint: keep replicated data for a retry (``longRecovery``) [D hcx 4.3].
    :param sync_interval_minutes: of delta syncs; HCX's default is 120 [D hcx 4.3], unit [I hcx 4.3].
    """

    migration_type: HcxMigrationType
    source: SiteRef
    destination: SiteRef
    entity: Entity | None = None
    service_mesh_id: str | None = None
    placement: Sequence[Placement] = ()
    storage: Storage | None = None
    networks: Sequence[HcxNetworkMapping] = ()
    options: HcxMigrationOptions = field(default_factory=HcxMigrationOptions)
    window: Schedule | None = None
    transfer_window: Schedule | None = None
    seed_checkpoint: bool | None = None
    sync_interval_minutes: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the item as ``mobility/migrations/start`` takes it."""
        return _present(
            {
                "migrationType": self.migration_type.value,
                "servicemeshId": self.service_mesh_id,
                "entity": None if self.entity is None else self.entity.to_wire(),
                "source": self.source.to_wire(),
                "destination": self.destination.to_wire(),
                "transferParams": self._transfer(),
                "switchoverParams": self._switchover(),
                "placement": [place.to_wire() for place in self.placement] or None,
                "storage": None if self.storage is None else self.storage.to_wire(),
                "networkParams": self._networks(),
            }
        )

    def _transfer(self) -> dict[str, Any]:
        return _present(
            {
                "transferType": self.migration_type.transfer_type,
                "schedule": (self.transfer_window or Schedule()).to_wire(),
                "longRecovery": self.seed_checkpoint,
                "syncInterval": self.sync_interval_minutes,
                "transferProfile": self.options.transfer_profile() or None,
            }
        )

    def _switchover(self) -> dict[str, Any]:
        return _present(
            {
                "switchoverType": self.migration_type.value,
                "schedule": (self.window or Schedule()).to_wire(),
                "switchoverProfile": self.options.switchover_profile() or None,
            }
        )

    def _networks(self) -> dict[str, Any] | None:
        if not self.networks:
            return None
        return {"networkMappings": [mapping.to_wire() for mapping in self.networks], "defaultMappings": []}


@dataclass(frozen=True)
class GroupDraft:
    """A mobility group to create or update.

    :param name: unique per manager; HCX refuses a duplicate [C hcx 4.4].
    :param defaults: what every member inherits, or None.
    :param migrations: the members; their own entries override the defaults.
    """

    name: str
    migrations: Sequence[MigrationIntent | Mapping[str, Any]]
    defaults: MigrationIntent | Mapping[str, Any] | None = None
    tags: Sequence[str] = ()

    def to_wire(self, operation: str = "ADD") -> dict[str, Any]:
        """Return one item of ``mobility/groups``."""
        members = [{**wire_of(member)} for member in self.migrations]
        for member in members:
            member.setdefault("operationType", operation)
        return _present(
            {
                "name": self.name,
                "tags": list(self.tags),
                "groupDefaults": None if self.defaults is None else wire_of(self.defaults),
                "migrations": members,
            }
        )


def wire_of(intent: MigrationIntent | Mapping[str, Any]) -> dict[str, Any]:
    """Return an intent as HCX takes it; a mapping is taken to be in that form already."""
    return intent.to_wire() if isinstance(intent, MigrationIntent) else dict(intent)


def entity_ids_of(intents: Sequence[MigrationIntent | Mapping[str, Any]]) -> list[str]:
    """Return the entity ids that the intents name, in order."""
    entities = (wire_of(intent).get("entity") for intent in intents)
    return [str(entity["entityId"]) for entity in entities if isinstance(entity, Mapping) and "entityId" in entity]


def _profile(options: Mapping[str, bool | None]) -> list[dict[str, Any]]:
    return [{"option": name, "value": value} for name, value in options.items() if value is not None]


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
