"""Deleting segments: refused while there are ports, and remembered until the purge. nsx-vsphere 2.8."""

from __future__ import annotations

from hcx_sim.engine.clock import seconds
from hcx_sim.nsx.errors import HAS_PORTS, NsxError
from hcx_sim.nsx.ports import ports_on
from hcx_sim.nsx.records import NsxRecords, Tombstone, records_of
from hcx_sim.nsx.segment_body import segment_body
from hcx_sim.world import operations
from hcx_sim.world.model import Port, Segment
from hcx_sim.world.world import World

PURGE = "nsx.purge"


def remove_segment(world: World, segment: Segment, *, force: bool, cascade: bool) -> None:
    """Delete a segment; raises 400/503040 while it has ports.

    ``force`` passes by that check, ``cascade`` takes the ports along; VMs that are still there lose their network.
    The segment stays marked for deletion until it is purged.
    """
    plan_removal(world, segment, force=force)
    records = records_of(world)
    path = operations.segment_path(world, segment)
    body = {**segment_body(world, segment), "marked_for_delete": True}
    ports = ports_on(world, records.ports, segment)
    if cascade:
        for port in ports:
            records.port_bodies.pop(port.key, None)
            world.remove(port)
    operations.delete_segment(world, segment)
    delay_seconds = world.settings.nsx.purge_seconds
    key = f"{segment.site}{path}"
    purge_at_us = world.now_us + seconds(delay_seconds)
    records.tombstones[key] = Tombstone(segment.site.value, path, body, purge_at_us)
    world.engine.schedule(delay_seconds, PURGE, key, key=key)


def plan_removal(world: World, segment: Segment, *, force: bool) -> None:
    """Check a deletion; raises 400/503040 with one related error per port."""
    ports = ports_on(world, records_of(world).ports, segment)
    if ports and not force:
        raise NsxError(
            400,
            HAS_PORTS,
            f"{operations.segment_path(world, segment)} cannot be deleted while it has ports.",
            related=[_port_text(port) for port in ports],
        )


def _port_text(port: Port) -> str:
    return f"Port {port.port_id} ({port.display_name}) is attached to {port.attachment_id or 'nothing'}."


def install(world: World, records: NsxRecords) -> None:
    """Register the purge of deleted segments."""

    def purge(key: str) -> None:
        if records.tombstones.pop(key, None) is not None:
            world.audit.add("note", f"nsx:{key}", purged=True)

    world.engine.on(PURGE, purge)
