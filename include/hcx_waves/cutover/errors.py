"""Errors of cutovers and of their cleanup, beyond what the clients report.

::

    ProcedureError
    ├── SegmentNotEmptyError        something is still on the segment; carries ``leftovers``
    ├── TwoGatewaysError            both sites route the segment, or would
    ├── ReconnectRefusedError       the source must not be connected again without a decision
    ├── SourceNotDisconnectedError  the source gateway is not proven off
    ├── DestinationNotRoutedError   the destination does not route the segment (yet)             transient
    ├── RealisationFailedError      NSX reports that a change failed
    ├── UnextendFailedError         the unextend failed
    ├── ExtensionPresentError       the network is still extended
    ├── PortsRemainError            NSX has not released the ports (yet)                         transient
    ├── NotRestorableError          a deleted source segment cannot be made again
    ├── TurnTakenError              somebody else is at work on the segment                      transient
    └── CommandFailedError          a command of the wave file failed
        └── ManualStepOutstandingError  a person has not done it (yet)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcx_waves.procedure_errors import ProcedureError

CONNECT_IN_NSX = (
    "start recover__<wave> with action connect-destination; or edit the segment in the destination's NSX Manager "
    "(Networking > Segments) and switch its gateway connectivity on"
)
"""What a person does in place of an unextend that did not connect the destination."""
CONNECT_DESTINATION_OPTIONS = (
    "Start recover__<wave> with action connect-destination (it looks before it acts).",
    "Or by hand, once the source's NSX shows its connectivity off:",
    "  in the destination's NSX (Networking > Segments), switch its connectivity on.",
    "Then clear task verify_destination_routed, which measures and reports the end.",
)
"""The same, a line each, as a log shows it."""


class SegmentNotEmptyError(ProcedureError):
    """Something is still on the source segment.

    :param leftovers: one mapping each: ``{"kind", "name", "id", "detail"}``.
    """

    default_hint = (
        "Move what is named, disconnect it from the segment, or declare it under `stays` in the wave file. "
        "The source gateway was not changed."
    )

    def __init__(self, message: str, *, leftovers: Sequence[Mapping[str, Any]] = (), **details: Any) -> None:
        super().__init__(message, leftovers=[dict(one) for one in leftovers], **details)

    @property
    def leftovers(self) -> list[dict[str, Any]]:
        """What is still there."""
        return list(self.details.get("leftovers") or [])


class TwoGatewaysError(ProcedureError):
    """Both sites route the subnet, or the step would make them."""

    default_hint = (
        "Find out at which site the VMs are, then disconnect the other site's gateway in NSX by hand. "
        "Nothing more is changed automatically."
    )
    default_options = (
        "Find out at which site the VMs are.",
        "In the other site's NSX, switch the segment's gateway connectivity off.",
    )


class ReconnectRefusedError(ProcedureError):
    """Connecting the source again could do harm now."""

    default_hint = (
        "A person decides: keep waiting; start recover__<wave> with action connect-destination; or reverse, in this "
        "order: destination gateway off, source gateway on, extend the network again in HCX, migrate the VMs back."
    )
    default_options = (
        "Keep waiting while HCX is still at work: clear task await_unextended.",
        "Or go on: start recover__<wave> with action connect-destination.",
        "Or reverse, in this order: destination gateway off, source gateway on,",
        "  extend the network again in HCX, migrate the VMs back.",
    )


class SourceNotDisconnectedError(ProcedureError):
    """The source gateway is not proven to be off."""

    default_hint = "Clear task disconnect_source_segment; going on now would leave two gateways."


class DestinationNotRoutedError(ProcedureError):
    """The destination does not route the segment, or not yet."""

    transient = True
    default_hint = f"Clear the task to look again. If it stays so, and the source gateway is off, {CONNECT_IN_NSX}."
    default_options = CONNECT_DESTINATION_OPTIONS


class RealisationFailedError(ProcedureError):
    """NSX reports that it could not realise a segment."""

    default_hint = "Look at the segment's alarms in NSX; the change is stored but not in effect."


class UnextendFailedError(ProcedureError):
    """The unextend failed.

    ``details["extension_listed"]`` tells whether the extension still exists: then the source may be reconnected.
    """

    default_hint = (
        "If the extension still exists in HCX, clear task reconnect_source_segment to connect the source gateway "
        f"again. If it is gone, {CONNECT_IN_NSX}."
    )
    default_options = (
        "If the extension still exists in HCX: clear task reconnect_source_segment,",
        "  or start recover__<wave> with action reconnect-source.",
        "If it is gone: start recover__<wave> with action connect-destination.",
    )


class ExtensionPresentError(ProcedureError):
    """The network is still extended."""

    default_hint = "Unextend the network first: clear task unextend_network, or do it in HCX (Network Extension)."


class PortsRemainError(ProcedureError):
    """The segment still has ports."""

    transient = True
    default_hint = (
        "NSX releases the ports of VMs that left with a delay; nothing else is attached to the segment. Clear the task "
        "later; do not force it."
    )


class NotRestorableError(ProcedureError):
    """A source segment that was deleted cannot be made again by what was kept of it."""

    default_hint = "Nothing was sent. Look at the segments of the source in its NSX Manager."


class TurnTakenError(ProcedureError):
    """A step of the run or a way back is at work on the segment at this moment."""

    transient = True
    default_hint = "Wait until it has ended, then look again. Nothing was sent."


class CommandFailedError(ProcedureError):
    """A command of the wave file failed, timed out, or its check gave no answer."""

    former_names = ("HookError",)
    default_hint = "Run the command by hand with the same arguments and look at its output."


class ManualStepOutstandingError(CommandFailedError):
    """A person has been asked to do something, and the check says that it is not done."""

    default_hint = "Do what the instructions say, then clear the task."
