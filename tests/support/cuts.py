"""One segment's cutover, step by step, for tests of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.extension import Removal, unextend_network
from hcx_waves.cutover.gateway import (
    DisconnectResult,
    Situation,
    connect_destination,
    disconnect_source_segment,
    read_situation,
    reconnect_source_segment,
)
from hcx_waves.cutover.routing import verify_destination_routed
from hcx_waves.cutover.source import NsxSource, nsx_source
from hcx_waves.model.plan import WavePlan
from support.procedures import patience_of
from support.site_pair import SitePair

FOUR = ("web01", "web02", "app01", "db01")
SEED = "seed-net"
DELETE = "l2_extensions.delete"


@dataclass
class Cut:
    """One segment's cutover, step by step."""

    pair: SitePair
    clients: SiteClients
    plan: WavePlan
    name: str

    @property
    def gateway(self) -> NsxSource:
        return nsx_source(self.clients.source_nsx, self.plan.segment(self.name))

    @property
    def _own(self) -> tuple[WavePlan, str, SiteClients]:
        return self.plan, self.name, self.clients

    def disconnect(self, **more: Any) -> DisconnectResult:
        return disconnect_source_segment(*self._own, self.gateway, patience_of(self.pair), **more)

    def unextend(self, *, connect: bool = True, **more: Any) -> Removal:
        return unextend_network(*self._own, self.gateway, self.pair.now, connect=connect, **more)

    def verify(self) -> Any:
        return verify_destination_routed(*self._own, self.gateway, self.pair.now)

    def reconnect(self, **more: Any) -> Any:
        return reconnect_source_segment(*self._own, self.gateway, patience_of(self.pair), **more)

    def situation(self, removal: Removal | None = None) -> Situation:
        return read_situation(*self._own, self.gateway, removal)

    def connect(self, **more: Any) -> Any:
        return connect_destination(*self._own, self.gateway, patience_of(self.pair), **more)

    def facts(self) -> dict[str, Any]:
        """What the oracle says of the segment."""
        report: dict[str, Any] = self.pair.oracle()["segments"][self.name]
        return report

    def patches(self, site: str = "source") -> list[dict[str, Any]]:
        """The PATCHes of segments at a site."""
        return [
            call
            for call in self.pair.calls()
            if call["data"]["operation"].endswith("segments.patch") and call["data"].get("site") == site
        ]

    def revisions(self, site: str = "source") -> int:
        """How often the segment was changed."""
        network = self.plan.segment(self.name)
        path = network.source_segment_path if site == "source" else network.destination_segment_path
        return int(self.pair.world.segments[f"{site}/{str(path).rpartition('/')[2]}"].revision)
