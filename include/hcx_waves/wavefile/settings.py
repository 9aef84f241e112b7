"""How a virtual machine is migrated: the wave's defaults, a VM's overrides, and the result of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import Field, StrictBool, StrictInt, field_validator, model_validator
from pydantic_core import PydanticCustomError

from hcx_waves.model.base import BrokenRule, DomainModel, Location, refuse
from hcx_waves.model.choices import DiskFormat, MigrationOptions, MigrationType
from hcx_waves.model.names import ObjectName, VmName
from hcx_waves.model.uuids import PATTERN, plain_uuid


class NetworkMapping(DomainModel):
    """Where NICs of one source network go, if not to the network that HCX has extended it to."""

    source: ObjectName
    """The network at the source."""
    destination: ObjectName
    """The network at the destination."""


class NicMapping(DomainModel):
    """Where one NIC goes."""

    adapter: StrictInt = Field(ge=1, le=10)
    """The n of vCenter's label "Network adapter n"."""
    destination: ObjectName
    """The network at the destination."""
    connected: StrictBool = True
    """Whether the NIC is connected there."""


class VmSettings(DomainModel):
    """How VMs are moved. Under ``defaults`` for all of the wave, in a VM's own entry for that one."""

    migration: MigrationType | None = None
    """How a running VM is moved (RAV unless set); one that is powered off is moved cold whatever stands here."""
    service_mesh: ObjectName | None = None
    """The service mesh; HCX chooses unless set (HCX 4.8 or later)."""  # [D hcx 4.3]
    cluster: ObjectName | None = None
    """The destination cluster."""
    resource_pool: ObjectName | None = None
    """The destination resource pool."""
    folder: ObjectName | None = None
    """The destination folder; the datacentre's VM folder unless set."""
    datastore: ObjectName | None = None
    """The destination datastore."""
    storage_policy: ObjectName | None = None
    """The storage policy at the destination."""
    disk_format: DiskFormat | None = None
    """How disks are provisioned; ``sameAsSource`` unless set."""
    networks: tuple[NetworkMapping, ...] = ()
    """Networks that do not go where HCX has extended them; a VM's own precede the defaults, one by one."""
    options: MigrationOptions = MigrationOptions()
    """HCX's switches; a VM's own precede the defaults, which hold where they mean something."""

    @model_validator(mode="after")
    def _check_networks(self) -> Self:
        refuse(duplicates([mapping.source for mapping in self.networks], "networks", "source"))
        return self


class VirtualMachine(VmSettings):
    """One VM of the wave; in a file just its name will do."""

    name: VmName
    """Its name in the source vCenter."""
    instance_uuid: str | None = Field(default=None, pattern=PATTERN)
    """vCenter's ``instanceUuid``, where the name alone is not unique; also in braces, or as VMX files write it."""
    nics: tuple[NicMapping, ...] = ()
    """Single NICs that do not go where their network goes."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, data: object) -> object:
        if isinstance(data, bool | int | float):
            raise PydanticCustomError("vm", 'must be the name of a VM; put it in quotes: "{name}"', {"name": str(data)})
        return {"name": data} if isinstance(data, str) else data

    @field_validator("instance_uuid", mode="before")
    @classmethod
    def _plain_uuid(cls, value: object) -> object:
        if isinstance(value, dict) and len(value) == 1 and next(iter(value.values())) is None:
            value = next(iter(value))  # Braces without quotes, which YAML reads as a mapping.
        return plain_uuid(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_nics(self) -> Self:
        refuse(duplicates([nic.adapter for nic in self.nics], "nics", "adapter"))
        return self


class VmRequest(DomainModel):
    """One VM with nothing left to inherit: what the wave asks for it."""

    name: VmName
    instance_uuid: str | None = None
    migration: MigrationType = MigrationType.RAV
    service_mesh: ObjectName | None = None
    cluster: ObjectName | None = None
    resource_pool: ObjectName | None = None
    folder: ObjectName | None = None
    datastore: ObjectName | None = None
    storage_policy: ObjectName | None = None
    disk_format: DiskFormat = DiskFormat.SAME_AS_SOURCE
    networks: tuple[NetworkMapping, ...] = ()
    nics: tuple[NicMapping, ...] = ()
    options: MigrationOptions = MigrationOptions()

    def destination_of(self, network: str, adapter: int) -> NicMapping | NetworkMapping | None:
        """Return the mapping that holds for a NIC: its own, else its network's, else None (where HCX extended it to).

        :param network: the source network's name.
        :param adapter: the n of "Network adapter n".
        """
        own = next((nic for nic in self.nics if nic.adapter == adapter), None)
        return own or next((mapping for mapping in self.networks if mapping.source == network), None)


_INHERITED = (
    "migration", "service_mesh", "cluster", "resource_pool", "folder", "datastore", "storage_policy", "disk_format",
)  # fmt: skip


def switch_suits(switch: str, migration: MigrationType) -> bool:
    """Whether an option means something to a migration type."""
    if switch == "force_power_off":
        return migration is MigrationType.BULK
    return switch != "seed_checkpoint" or migration.replicates


def request_for(vm: VirtualMachine, defaults: VmSettings) -> VmRequest:
    """Return what a VM's own entry and the wave's defaults come to.

    Options among the defaults that mean nothing to the VM's migration type are not inherited.
    """
    values = {name: getattr(vm, name) or getattr(defaults, name) for name in _INHERITED}
    chosen = {name: value for name, value in values.items() if value is not None}
    own = {mapping.source for mapping in vm.networks}
    inherited = tuple(mapping for mapping in defaults.networks if mapping.source not in own)
    migration = chosen.get("migration", MigrationType.RAV)
    inherited_options = {
        switch: value
        for switch, value in defaults.options.model_dump(exclude_none=True).items()
        if switch_suits(switch, migration)
    }
    options = {"retain_mac": True, **inherited_options, **vm.options.model_dump(exclude_none=True)}
    return VmRequest(
        name=vm.name,
        instance_uuid=vm.instance_uuid,
        networks=vm.networks + inherited,
        nics=vm.nics,
        options=MigrationOptions(**options),
        **chosen,
    )


def duplicates(values: Sequence[str | int], field: str, key: str | None = None) -> list[BrokenRule]:
    """Return one broken rule for each value that has been listed before; case makes no difference.

    :param field: the list's field name; the rule is placed at the entry, or at its ``key``.
    """
    seen: set[str | int] = set()
    broken = []
    for index, value in enumerate(values):
        same = value.casefold() if isinstance(value, str) else value
        if same in seen:
            location: Location = (field, index) if key is None else (field, index, key)
            broken.append(BrokenRule(location, f'"{value}" is listed twice'))
        seen.add(same)
    return broken
