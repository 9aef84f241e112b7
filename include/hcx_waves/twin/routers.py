"""The simulated routers of a twin, which replace a wave's own commands: a rehearsal never runs those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.nsx import NsxPolicyClient
from hcx_waves.cutover.commands import CommandResult
from hcx_waves.cutover.source import GatewayState, SourceGateway, nsx_source
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.twin.control import TwinControl
from hcx_waves.wavefile.segments import Segment

_DISCONNECTED, _CONNECTED = 0, 1
_SITE = "source"


@dataclass(frozen=True)
class TwinRouter:
    """Does to the gateway of one segment in one world what the wave's commands, or a person, would do to the real one.

    Without a process: which of the commands is meant tells what happens. A segment that NSX routes at the source has no
    router of its own in the twin; there the connectivity is what a command brings about.

    :param network: the port group's name at the source.
    :param segment_gateway: the gateway in the twin's NSX, if it is there.
    """

    control: TwinControl
    world_id: str
    network: str
    act: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    segment_gateway: SourceGateway | None = None

    @classmethod
    def of(
        cls,
        control: TwinControl,
        world_id: str,
        segment: Segment,
        planned: PlannedSegment,
        source_nsx: NsxPolicyClient | None,
    ) -> TwinRouter:
        """Return the router of a segment."""
        hook = segment.hook
        return cls(
            control,
            world_id,
            planned.source.name,
            act=() if hook is None else hook.act,
            undo=() if hook is None else hook.undo,
            segment_gateway=_in_nsx(planned, source_nsx),
        )

    def run(self, argv: Sequence[str], timeout_seconds: float) -> CommandResult:  # noqa: ARG002  (the protocol's)
        """Do what a command would do; one that is neither the act nor the undo is the check.

        :raises ClientError: if the world has no such router, or cannot be asked.
        """
        command = tuple(argv)
        if command in (self.act, self.undo):
            self.switch(connected=command == self.undo)
            return CommandResult(argv=command, exit_code=0, output="done at the twin")
        connected = self.is_connected()
        state = "connected" if connected else "disconnected"
        return CommandResult(
            argv=command, exit_code=_CONNECTED if connected else _DISCONNECTED, output=f"the twin's router is {state}"
        )

    def for_segment(self, segment: str) -> TwinRouter:  # noqa: ARG002  (the protocol's)
        """It is one segment's already."""
        return self

    def switch(self, *, connected: bool) -> None:
        """Switch the gateway on or off."""
        if self.segment_gateway is None:
            self.control.set_gateway(self.world_id, self.network, _SITE, connected=connected)
        elif connected:
            self.segment_gateway.reconnect(None)
        else:
            self.segment_gateway.disconnect()

    def is_connected(self) -> bool:
        """Whether the gateway is on.

        :raises NotFound: if the world has no router on that network.
        """
        if self.segment_gateway is not None:
            return self.segment_gateway.look().state is not GatewayState.DISCONNECTED
        for one in self.control.gateways(self.world_id):
            if (one.get("network"), one.get("site")) == (self.network, _SITE):
                return bool(one.get("connected"))
        raise NotFound(
            f"world {self.world_id} has no router on network {self.network!r} at the source",
            system="twin",
            endpoint=self.control.base_url,
            hint="A snapshot knows routers outside NSX only where it says so; see the documentation of snapshots.",
        )


def _in_nsx(planned: PlannedSegment, source_nsx: NsxPolicyClient | None) -> SourceGateway | None:
    """Return the gateway that the twin's NSX has for a segment, None if it has none."""
    path = planned.source_segment_path
    if source_nsx is None or path is None or not source_nsx.segment(path).has_gateway:
        return None
    return nsx_source(source_nsx, planned)
