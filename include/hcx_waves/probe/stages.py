"""Which calls each stage of a wave relies on: what a probe asks for, and what a difference puts at risk."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Stage(StrEnum):
    """A part of a wave."""

    PLAN = "plan"
    PREFLIGHT = "preflight"
    MIGRATION = "migration"
    CUTOVER = "cutover"
    CLEANUP = "cleanup"


_ALL = tuple(Stage)
_BEFORE = (Stage.PLAN, Stage.PREFLIGHT)
_MOVING = (Stage.PREFLIGHT, Stage.MIGRATION)
_SWITCHING = (Stage.PREFLIGHT, Stage.CUTOVER)
_LATE = (Stage.CUTOVER, Stage.CLEANUP)

_OF_SEGMENTS: dict[str, tuple[Stage, ...]] = {
    "list": (*_BEFORE, Stage.CLEANUP),
    "get": _LATE,
    "state": _SWITCHING,
    "ports.list": (*_SWITCHING, Stage.CLEANUP),
    "ports.state": _SWITCHING,
    "gateway_interface_arp_table": (Stage.CUTOVER,),
    "patch": _LATE,
    "delete": (Stage.CLEANUP,),
}

STAGES: dict[str, tuple[Stage, ...]] = {
    "hcx.sessions.create": _ALL,
    "hcx.metainfo.interconnect": _BEFORE,
    "hcx.cloud_configs.list": (Stage.PREFLIGHT,),
    "hcx.inventory.resource_containers.list": (Stage.PLAN,),
    "hcx.inventory.virtual_machines.list": (Stage.CUTOVER,),
    "hcx.inventory.networks.list": _BEFORE,
    "hcx.inventory.storage_profiles.list": _BEFORE,
    "hcx.service_meshes.list": _BEFORE,
    "hcx.appliances.query": (*_SWITCHING, Stage.CLEANUP),
    "hcx.underlay.service_mesh_health": (Stage.PREFLIGHT,),
    "hcx.l2_extensions.list": (*_BEFORE, Stage.CUTOVER),
    "hcx.l2_extensions.virtual_machines.list": (Stage.PREFLIGHT,),
    "hcx.mobility.groups.query": _MOVING,
    "hcx.mobility.groups.intents": (Stage.CUTOVER,),
    "hcx.migrations.query": (*_BEFORE, Stage.MIGRATION, Stage.CUTOVER),
    "hcx.mobility.migrations.validate": _MOVING,
    "hcx.jobs.get": (Stage.CUTOVER,),
    "hcx.mobility.groups.create": (Stage.MIGRATION,),
    "hcx.mobility.groups.start": (Stage.MIGRATION,),
    "hcx.mobility.groups.schedule": (Stage.MIGRATION,),
    "hcx.mobility.migrations.cancel": (Stage.MIGRATION,),
    "hcx.l2_extensions.delete": (Stage.CUTOVER,),
    "hcx.network_extensions.delete": (Stage.CUTOVER,),
    "nsx.session.create": _ALL,
    **{f"nsx.{kind}_segments.{call}": own for kind in ("fixed", "flexible") for call, own in _OF_SEGMENTS.items()},
    "nsx.realized_state.vifs": _SWITCHING,
    "nsx.realized_state.virtual_machines": (Stage.CUTOVER,),
    "nsx.gateway_policies.list": (Stage.PREFLIGHT,),
    "nsx.gateway_policies.get": (Stage.PREFLIGHT,),
    "csp.api_tokens.authorize": _ALL,
    "vmc.sddcs.get": _ALL,
    "vmc.orgs.list": _ALL,
    "vcenter.service_instance.current_time": (Stage.PREFLIGHT,),
    "vcenter.virtual_machine.properties": _ALL,
    "vcenter.port_group.properties": _ALL,
    "vcenter.opaque_network.properties": _ALL,
    "vcenter.network.properties": _ALL,
    "vcenter.folder.properties": _BEFORE,
    "vcenter.datacenter.properties": _BEFORE,
    "vcenter.resource_pool.properties": _BEFORE,
    "vcenter.host_system.properties": (Stage.PREFLIGHT,),
    "vcenter.cluster_compute_resource.properties": _BEFORE,
    "vcenter.datastore.properties": _BEFORE,
}

NEEDS_MORE = {
    "hcx.mobility.migrations.validate": "needs the VMs of a wave; the preflight of a wave makes it",
    "hcx.jobs.get": "needs a change: only an unextend leaves a job",
}
"""Reads that a probe cannot make by itself."""


def needed_by(key: str, *, cuts: bool) -> tuple[Stage, ...]:
    """Return the stages of a run that rely on a call.

    :param key: system and call.
    :param cuts: whether the run cuts segments over; if not, what only a cutover needs is not needed.
    """
    return tuple(stage for stage in STAGES.get(key, ()) if cuts or stage not in _LATE)


def keys_of(system: str, unused: Iterable[str] = ()) -> list[str]:
    """Return the calls that the product makes at an endpoint of a system.

    :param unused: calls that it does not make at this one.
    """
    left_out = frozenset(unused)
    return [key for key in STAGES if key.startswith(f"{system}.") and key not in left_out]


def unused_at(has_network_extensions: bool) -> tuple[str, ...]:
    """Return the call by which an HCX Manager of the other release unextends."""
    return ("hcx.l2_extensions.delete",) if has_network_extensions else ("hcx.network_extensions.delete",)
