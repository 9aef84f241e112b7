"""Segments: read, connect and disconnect, rename, replace, delete, and their realisation (section 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcx_waves.clients.errors import (
    Lookup,
    MalformedResponse,
    NotFound,
    OutcomeUnknownError,
    ValidationFailed,
)
from hcx_waves.clients.nsx.models import Connectivity, NsxSegment, SegmentState
from hcx_waves.clients.nsx.wire import NsxCalls
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import path_segment

_READ_ONLY = frozenset(
    {
        "type", "path", "parent_path", "relative_path", "unique_id", "realization_id", "owner_id", "origin_site_id",
        "remote_path", "marked_for_delete", "overridden", "ls_id", "address_bindings",
    }
)  # fmt: skip
"""What NSX keeps about a segment by itself, and what is deprecated [D nsx-vsphere 2.2]."""


class SegmentCalls(NsxCalls):
    """Calls on segments. Fixed and flexible ones are separate lists on VMware Cloud; both are read."""

    _tier1_id: str | None

    def fixed_segments(self) -> tuple[NsxSegment, ...]:
        """List the segments below the tier-1; none if there is no such tier-1."""
        if self._tier1_id is None:
            return ()
        try:
            found = self._list(f"/infra/tier-1s/{path_segment(self._tier1_id)}/segments")
        except NotFound:
            return ()
        return self._segments(found)

    def flexible_segments(self, *, page_size: int | None = None) -> tuple[NsxSegment, ...]:
        """List the segments directly below infra.

        :param page_size: how many to ask for at once; NSX decides unless given.
        """
        return self._segments(self._list("/infra/segments", {"page_size": page_size}))

    def segments(self) -> tuple[NsxSegment, ...]:
        """List fixed and flexible segments, each path once, without those marked for deletion."""
        by_path = {one.path: one for one in (*self.fixed_segments(), *self.flexible_segments())}
        return tuple(one for one in by_path.values() if not one.raw.get("marked_for_delete"))

    def search(self, query: str) -> tuple[dict[str, Any], ...]:
        """Search objects, e.g. ``resource_type:Segment AND display_name:app-net``.

        The index may lag behind: an object that is missing here may exist.

        :raises ServiceUnavailable: if the index is rebuilding.
        """
        return self._list("/search/query", {"query": query})

    def segment(self, path: str) -> NsxSegment:
        """Read a segment by its policy path.

        :raises NotFound: if there is none (also while it is being purged).
        """
        body = self._get(path)
        return self._segments([body])[0]

    def segment_exists(self, path: str) -> bool:
        """Whether a segment of this path exists: resolves a deletion whose answer was lost."""
        try:
            self.segment(path)
        except NotFound:
            return False
        return True

    def set_connectivity(
        self,
        segment: NsxSegment,
        connectivity: Connectivity,
        *,
        gateway_address: str | Sequence[str] | None = None,
        force: bool = False,
    ) -> None:
        """Connect a segment to its gateway (ON) or disconnect it (OFF); nothing else changes.

        The body is what is known to work [C nsx-vsphere 2.3]: identity, the read
        ``advanced_config`` with connectivity replaced, the read ``subnets`` verbatim (a PATCHed array
        replaces the array), and ``connectivity_path`` for flexible segments. Never ``type``, which is
        derived and read-only. A 200 proves nothing: read the segment back.

        :param segment: as read just before.
        :param gateway_address: CIDR form, or one of each family; used to connect a segment that reads without
            ``subnets``.
        :param force: flexible segments only, where NSX asks for it.
        :raises ValidationFailed: before anything is sent, if the segment has no gateway to connect to.
        :raises ValueError: if ``force`` is asked for a fixed segment, which has no such variant [D nsx-vsphere 2.1].
        """
        if force and segment.is_fixed:
            raise ValueError(f"there is no forced PATCH of a fixed segment: {segment.path}")
        body = _identity_of(segment)
        advanced = segment.raw.get("advanced_config")
        body["advanced_config"] = {
            **(advanced if isinstance(advanced, Mapping) else {}),
            "connectivity": connectivity.value,
        }
        subnets = segment.raw.get("subnets")
        if not subnets and gateway_address:
            given = [gateway_address] if isinstance(gateway_address, str) else gateway_address
            subnets = [{"gateway_address": one} for one in given]
        if connectivity is Connectivity.ON and not subnets:
            raise ValidationFailed(
                f"segment {segment.display_name!r} has no gateway address to connect",
                system="nsx",
                endpoint=self._transport.base_url,
                method="PATCH",
                path=segment.path,
                hint="Give the gateway address that the segment had.",
            )
        if subnets:
            body["subnets"] = subnets
        if not segment.is_fixed and segment.connectivity_path:
            body["connectivity_path"] = segment.connectivity_path
        self._patch(segment.path, body, force=force)

    def rename_segment(self, segment: NsxSegment, display_name: str) -> None:
        """Change the display name; id and path stay.

        Only after the network is unextended: the effect on a living extension is unknown [? nsx-vsphere 2.8].
        """
        self._patch(segment.path, {**_identity_of(segment), "display_name": display_name})

    def put_segment(self, segment: NsxSegment, changes: Mapping[str, Any]) -> NsxSegment:
        """Replace a segment by its read body with ``changes``, if nobody changed it meanwhile.

        :returns: the segment as stored.
        :raises StaleRevisionError: if it changed since it was read.
        :raises OutcomeUnknownError: if the answer was lost; read the segment.
        """
        lookup = Lookup("nsx", "segment", {"path": segment.path}, "a higher revision: it may have acted")
        body = self._change("PUT", segment.path, CallKind.MUTATING, body={**segment.raw, **changes}, lookup=lookup)
        try:
            return self._segments([body if isinstance(body, dict) else {}])[0]
        except MalformedResponse as error:
            raise OutcomeUnknownError(
                f"the change was accepted, and what is stored is unknown: {error.message}",
                lookup=lookup,
                cause=error,
                **error.context,
            ) from error

    def create_segment(self, definition: Mapping[str, Any], connectivity: Connectivity) -> None:
        """Make a segment again, by the body that it read before it was deleted; a 200 proves nothing: read it back.

        What NSX keeps about an object is left out: it is read-only [D nsx-vsphere 2.2]. It is a PATCH, which makes what
        is not there, so that a lost answer may be repeated.

        :param definition: the whole body, with the path.
        :param connectivity: instead of the one in the body.
        :raises ConflictError: if the path is still being purged (500045), or the subnet overlaps (500105).
        """
        body = {name: value for name, value in definition.items() if name not in _READ_ONLY and name[0] != "_"}
        advanced = body.get("advanced_config")
        kept = dict(advanced) if isinstance(advanced, Mapping) else {}
        body["advanced_config"] = {**kept, "connectivity": connectivity.value}
        subnets = body.get("subnets")
        if isinstance(subnets, list):
            body["subnets"] = [
                {name: value for name, value in one.items() if name != "network"} for one in subnets if one
            ]
        self._patch(str(definition["path"]), body)

    def delete_segment(self, segment: NsxSegment, *, force: bool = False) -> None:
        """Delete a segment; NSX refuses while it has ports.

        :param force: skips NSX's validation and can leave connectivity inconsistent [D nsx-vsphere 2.1].
        :raises ConflictError: if ports remain (503040) or another object uses it (500030).
        :raises OutcomeUnknownError: if the answer was lost; see whether it exists.
        """
        self._change(
            "DELETE",
            segment.path,
            CallKind.MUTATING,
            query={"force": True} if force else None,
            lookup=Lookup("nsx", "segment_exists", {"path": segment.path}, "false: it acted"),
        )

    def segment_state(self, path: str) -> SegmentState:
        """Read how far a segment is realised on the hosts."""
        return SegmentState.of_wire(self._get(f"{path}/state"))

    def _patch(self, path: str, body: Mapping[str, Any], *, force: bool = False) -> None:
        self._change("PATCH", path, CallKind.IDEMPOTENT, body=body, query={"force": True} if force else None)

    def _segments(self, bodies: Any) -> tuple[NsxSegment, ...]:
        return self._parse_all(NsxSegment.of_wire, bodies)


def _identity_of(segment: NsxSegment) -> dict[str, Any]:
    return {
        "resource_type": str(segment.raw.get("resource_type") or "Segment"),
        "id": segment.segment_id,
        "display_name": segment.display_name,
    }
