"""What goes wrong in the procedures, beyond what the clients report; one branch of the clients' error tree.

::

    ClientError
    └── ProcedureError
        ├── SubmissionLostError       a call's answer was lost and looking shows no trace of it      transient
        ├── GroupMismatchError        a mobility group of our name holds other VMs, or was touched by others
        ├── AlreadyMigratingError     VMs are in flight in somebody else's mobility group
        ├── MigrationsRefusedError    HCX refused VMs of a start
        ├── ScheduleRefusedError      HCX did not take a new switchover window
        ├── SegmentNotEmptyError      somebody is still on the segment; carries ``leftovers``
        ├── TwoGatewaysError          both sites route, or would
        ├── ReconnectRefusedError     the source must not be connected again without a decision
        ├── SourceNotDisconnectedError  the source gateway is not proven off
        ├── DestinationNotRoutedError   not routed (yet)                                             transient
        ├── NotSettledError           a change was accepted and is not realised (yet)                transient
        ├── RealisationFailedError    NSX reports that a change failed
        ├── UnextendFailedError       the unextend ended badly
        ├── ExtensionPresentError     the network is still extended
        ├── PortsRemainError          NSX has not released the ports (yet)                           transient
        └── HookError                 a command of the user failed
            └── ManualStepOutstandingError  a person has not done it (yet)

They serialise as the clients' errors do (``to_dict``, ``from_dict``, pickle) and say what to do next in ``hint``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcx_waves.clients.errors import ClientError


class ProcedureError(ClientError):
    """A step of a procedure cannot go on.

    :param message: what is the case.
    :param hint: what to do next; each class has its own default.
    :param details: JSON primitives, the evidence.
    """

    default_hint = "Read the evidence, then decide; nothing further was changed."

    def __init__(self, message: str, *, hint: str | None = None, **details: Any) -> None:
        super().__init__(message, details=details, hint=hint)


class SubmissionLostError(ProcedureError):
    """The answer to a call was lost, and what it would have made is not to be seen."""

    transient = True
    default_hint = "Run the step again after a while: it looks first and submits only if there is still no trace."


class GroupMismatchError(ProcedureError):
    """A mobility group of the expected name is not the one that was planned."""

    default_hint = "Look at the group in HCX; rename or delete it, or make a new plan."


class AlreadyMigratingError(ProcedureError):
    """VMs of the wave are being migrated by another mobility group."""

    default_hint = "Wait for those migrations or cancel them, then run the wave again."


class MigrationsRefusedError(ProcedureError):
    """HCX refused some of the VMs."""

    default_hint = "Correct what HCX names, then retry those VMs explicitly."

    @property
    def refused(self) -> dict[str, list[str]]:
        """HCX's messages by VM name."""
        return dict(self.details.get("refused") or {})


class ScheduleRefusedError(ProcedureError):
    """A new switchover window was not taken."""

    default_hint = "Look at the migrations in HCX; one that has begun to switch over cannot be rescheduled."


class SegmentNotEmptyError(ProcedureError):
    """Something is still on the source segment.

    :param leftovers: one mapping each: ``{"kind", "name", "id", "detail"}``.
    """

    default_hint = "Move, shut out or declare as staying what is named; the source gateway stays as it is."

    def __init__(self, message: str, *, leftovers: Sequence[Mapping[str, Any]] = (), **details: Any) -> None:
        super().__init__(message, leftovers=[dict(one) for one in leftovers], **details)

    @property
    def leftovers(self) -> list[dict[str, Any]]:
        """What is still there."""
        return list(self.details.get("leftovers") or [])


class TwoGatewaysError(ProcedureError):
    """Both sites route the subnet, or the step would make them."""

    default_hint = "Disconnect one of the two gateways by hand after looking where the VMs are; automation stops here."


class ReconnectRefusedError(ProcedureError):
    """Connecting the source again could do harm now."""

    default_hint = (
        "A person decides: keep waiting, connect the destination gateway directly, or reverse (destination gateway "
        "off, source on, extend again, migrate back, in that order)."
    )


class SourceNotDisconnectedError(ProcedureError):
    """The source gateway is not proven to be off."""

    default_hint = "Run disconnect_source_segment first; unextending now would leave two gateways."


class DestinationNotRoutedError(ProcedureError):
    """The destination does not route the segment, or not yet."""

    transient = True
    default_hint = "Look again shortly; if it stays so, connect the destination gateway directly."


class NotSettledError(ProcedureError):
    """A change was accepted, and the state that proves it has not been read."""

    transient = True
    default_hint = "Run the step again: it looks first and changes nothing that is as it should be."


class RealisationFailedError(ProcedureError):
    """NSX says that it could not realise a segment."""

    default_hint = "Look at the segment in NSX; the change is stored and not in effect."


class UnextendFailedError(ProcedureError):
    """The unextend ended badly.

    ``details["extension_listed"]`` tells whether the extension still exists: then the source may be reconnected.
    """

    default_hint = "If the extension still exists reconnect the source; if not, connect the destination gateway."


class ExtensionPresentError(ProcedureError):
    """The network is still extended."""

    default_hint = "Unextend the network first."


class PortsRemainError(ProcedureError):
    """The segment still has ports."""

    transient = True
    default_hint = "NSX releases the ports of VMs that left with a delay: look again later; do not force."


class HookError(ProcedureError):
    """A command of the user failed, timed out, or its check gave no answer."""

    default_hint = "Run the command by hand with the same arguments and look at its output."


class ManualStepOutstandingError(HookError):
    """A person has been asked to do something, and the check says that it is not done."""

    default_hint = "Do what the instructions say, then run the step again."
