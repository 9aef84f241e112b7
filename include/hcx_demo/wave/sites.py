"""Reading migrations and segments from the sites while a wave runs, with the project's own clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.hcx import HcxClient, Phase
from hcx_waves.clients.nsx import NsxPolicyClient, NsxSegment
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.vmc import VmcClient

_TEXTS = {
    Phase.DRAFT: "draft",
    Phase.QUEUED: "queued",
    Phase.BASE_SYNC: "copying disks",
    Phase.DELTA_SYNC: "copying changes",
    Phase.WAITING_FOR_WINDOW: "waiting for its window",
    Phase.SWITCHOVER: "switching over",
    Phase.RUNNING: "in progress",
    Phase.DONE: "migrated",
    Phase.FAILED: "failed",
    Phase.CANCELLED: "cancelled",
}


@dataclass(frozen=True)
class VmProgress:
    """The progress of the migration of one VM.

    :param percent: 0 to 100, or None if HCX does not report it.
    """

    name: str
    state: str
    percent: float | None
    is_failed: bool = False

    @classmethod
    def not_begun(cls, name: str) -> Self:
        """Return the progress of a VM without a migration in HCX."""
        return cls(name, "at the source", None)


@dataclass(frozen=True)
class SegmentPair:
    """Both sides of a segment as NSX shows them.

    :param destination_name: of the network that HCX extended the segment to.
    """

    name: str
    source: str
    destination_name: str
    destination: str


class SiteReader:
    """Reads from the sites; ends its sessions at the end of the context.

    :param endpoints: the simulator's endpoints document.
    """

    def __init__(self, endpoints: Mapping[str, Any]) -> None:
        ca_file = endpoints.get("ca_file")
        tls = TlsSettings(ca_file=Path(ca_file)) if ca_file else TlsSettings()
        self._stack = ExitStack()
        hcx, vmc = endpoints["source"]["hcx"], endpoints["vmc"]
        self._hcx = self._stack.enter_context(HcxClient(hcx["url"], hcx["username"], hcx["password"], tls=tls))
        self._vmc = self._stack.enter_context(
            VmcClient(vmc["refresh_token"], vmc_url=vmc["url"], csp_url=vmc["csp_url"], org_id=vmc["org_id"], tls=tls)
        )
        self._sddc_ids = {site: str(vmc[f"{site}_sddc_id"]) for site in ("source", "destination")}
        self._nsx: dict[str, NsxPolicyClient] = {}
        self._destinations: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all sessions."""
        self._stack.close()

    def progress(self, vms: Sequence[str]) -> tuple[VmProgress, ...]:
        """Return the progress of each VM, from one query for all. While HCX does not answer, no progress is known."""
        try:
            found = self._hcx.query_migrations()
        except ClientError:
            return tuple(VmProgress.not_begun(name) for name in vms)
        newest = sorted(found, key=lambda one: one.created_at.timestamp() if one.created_at else 0.0)
        states = {one.entity_name: one.state for one in newest}
        return tuple(
            VmProgress(name, _TEXTS[states[name].phase], states[name].percent, states[name].is_failure)
            if name in states
            else VmProgress.not_begun(name)
            for name in vms
        )

    def note_destinations(self, segments: Sequence[str]) -> None:
        """Remember the network that each segment is extended to, as the cutover removes the extension."""
        for name in segments:
            extension = self._hcx.find_extension_by_source_network(name)
            if extension is not None and extension.destination_network.network_id:
                self._destinations[name] = extension.destination_network.network_id

    def segments(self, names: Sequence[str]) -> tuple[SegmentPair, ...]:
        """Return both sides of each segment.

        :raises ClientError: if NSX does not answer.
        """
        here = {one.display_name: one for one in self._client("source").segments()}
        there = {one.path: one for one in self._client("destination").segments()}
        return tuple(self._pair(name, here, there) for name in names)

    def _pair(self, name: str, here: Mapping[str, NsxSegment], there: Mapping[str, NsxSegment]) -> SegmentPair:
        wanted = self._destinations.get(name, "")
        other = there.get(wanted) or next((one for one in there.values() if one.segment_id == wanted), None)
        return SegmentPair(
            name=name,
            source=_state_of(here.get(name)),
            destination_name=other.display_name if other is not None else "",
            destination=_state_of(other),
        )

    def _client(self, site: str) -> NsxPolicyClient:
        if site not in self._nsx:
            self._nsx[site] = self._stack.enter_context(self._vmc.nsx_client(self._sddc_ids[site]))
        return self._nsx[site]


def _state_of(segment: NsxSegment | None) -> str:
    if segment is None:
        return "gone"
    return "DISCONNECTED" if segment.is_disconnected else segment.segment_type or "connected"
