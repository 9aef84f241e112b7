"""Source gateways outside NSX: switched by commands of the wave file (``hook``), or by a person (``manual``).

Blocking the port group is no substitute: it takes neither the gateway's address nor its route away [I nsx-vsphere 4.6].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcx_waves.clients.errors import Lookup, OutcomeUnknownError
from hcx_waves.clients.nsx import NsxPolicyClient
from hcx_waves.cutover.commands import CommandResult, CommandRunner, Commands
from hcx_waves.cutover.errors import CommandFailedError, ManualStepOutstandingError
from hcx_waves.cutover.source import GatewayDefinition, GatewayReading, GatewayState, SourceGateway, nsx_source
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.wavefile.segments import Hook, Manual, Segment

MANUAL_CHECK_SECONDS = 60.0
_STATES = {0: GatewayState.DISCONNECTED, 1: GatewayState.CONNECTED}


class HookSource:
    """A gateway that three commands switch off, look at, and switch on.

    :param segment: the segment's name, for messages; the commands get it as ``HCX_WAVES_SEGMENT``.
    """

    means = Disconnect.HOOK

    def __init__(self, segment: str, hook: Hook, runner: Commands | None = None) -> None:
        self._segment = segment
        self._hook = hook
        self._runner = (runner or CommandRunner()).for_segment(segment)

    def look(self) -> GatewayReading:
        """Run the check: exit code 0 is disconnected, 1 connected, anything else unknown."""
        return _check(self._runner, self._hook.check, self._hook.timeout.total_seconds())

    def definition(self) -> GatewayDefinition:
        """Return nothing: the undo command knows what to do."""
        return {}

    def disconnect(self) -> None:
        """Run the act command.

        :raises CommandFailedError: if it fails; what it did until then is for the check to tell.
        :raises OutcomeUnknownError: if its time was up.
        """
        self._act("act", self._hook.act)

    def reconnect(self, definition: Mapping[str, Any] | None) -> None:  # noqa: ARG002  (the protocol's)
        """Run the undo command; raises as ``disconnect`` does."""
        self._act("undo", self._hook.undo)

    def _act(self, which: str, argv: Sequence[str]) -> None:
        limit_seconds = self._hook.timeout.total_seconds()
        try:
            result = self._runner.run(argv, limit_seconds)
        except OSError as error:
            raise CommandFailedError(
                f"the {which} command of segment {self._segment!r} cannot be run: {error.strerror or error}",
                argv=list(argv),
            ) from error
        if result.timed_out:
            raise OutcomeUnknownError(
                f"the {which} command of segment {self._segment!r} was stopped after {limit_seconds:.0f} s",
                lookup=Lookup("hook", "check", {}, "exit code 0: disconnected; 1: connected"),
            )
        if result.exit_code != 0:
            raise CommandFailedError(
                f"the {which} command of segment {self._segment!r} ended with exit code {result.exit_code}: "
                f"{_last_line(result)}",
                argv=list(result.argv),
                exit_code=result.exit_code,
                output=result.output,
            )


class ManualSource:
    """A gateway that a person switches; a command checks what it is."""

    means = Disconnect.MANUAL

    def __init__(self, segment: str, manual: Manual, runner: Commands | None = None) -> None:
        self._segment = segment
        self._manual = manual
        self._runner = (runner or CommandRunner()).for_segment(segment)

    @property
    def instructions(self) -> str:
        """What the person has to do."""
        return self._manual.instructions

    def look(self) -> GatewayReading:
        """Run the check: exit code 0 is disconnected, 1 connected, anything else unknown."""
        return _check(self._runner, self._manual.check, MANUAL_CHECK_SECONDS)

    def definition(self) -> GatewayDefinition:
        """Return the instructions for going back."""
        return {"undo_instructions": self._manual.undo_instructions}

    def disconnect(self) -> None:
        """Say that it has not been done.

        :raises ManualStepOutstandingError: always; it carries the instructions.
        """
        raise self._outstanding("still connected", self._manual.instructions)

    def reconnect(self, definition: Mapping[str, Any] | None) -> None:  # noqa: ARG002  (the protocol's)
        """Say what has to be done; raises as ``disconnect`` does."""
        raise self._outstanding("still disconnected", self._manual.undo_instructions)

    def _outstanding(self, state: str, instructions: str) -> ManualStepOutstandingError:
        return ManualStepOutstandingError(
            f"the source gateway of segment {self._segment!r} is {state}, according to its check command",
            hint=f"Do this, then clear the task: {instructions}",
            instructions=instructions,
        )


def source_gateway(
    wave_segment: Segment,
    planned: PlannedSegment,
    source_nsx: NsxPolicyClient | None,
    runner: Commands | None = None,
) -> SourceGateway:
    """Return the gateway of a segment by the means that its wave file chooses.

    :param runner: what commands of the user may see; the default passes the basic variables.
    :raises NotFound: if it is NSX's and there is no NSX at the source.
    """
    if wave_segment.hook is not None:
        return HookSource(planned.name, wave_segment.hook, runner)
    if wave_segment.manual is not None:
        return ManualSource(planned.name, wave_segment.manual, runner)
    return nsx_source(source_nsx, planned)


def _check(runner: Commands, argv: Sequence[str], timeout_seconds: float) -> GatewayReading:
    try:
        result = runner.run(argv, timeout_seconds)
    except OSError as error:
        return GatewayReading(
            state=GatewayState.UNKNOWN, evidence=f"the check command cannot be run: {error.strerror or error}"
        )
    if result.exit_code is None:
        return GatewayReading(
            state=GatewayState.UNKNOWN, evidence=f"the check command took more than {timeout_seconds:.0f} s"
        )
    state = _STATES.get(result.exit_code, GatewayState.UNKNOWN)
    said = f": {_last_line(result)}" if result.output else ""
    return GatewayReading(state=state, evidence=f"the check command ended with exit code {result.exit_code}{said}")


def _last_line(result: CommandResult) -> str:
    return result.output.splitlines()[-1] if result.output else "no output"
