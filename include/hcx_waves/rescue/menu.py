"""The menu of actions: what people read of each before they choose. Imports nothing dear: forms are built from it.

What an action does is in its module below ``actions``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hcx_waves.wavefile.gates import GatedStep

MOST_LETTERS = 250
"""Of a text in a form."""


class RescueAction(StrEnum):
    """What can be asked for, by the command and by the form. Stored in audits: add, never rename."""

    LOOK = "look"
    RECONNECT_SOURCE = "reconnect-source"
    CONNECT_DESTINATION = "connect-destination"
    RESTORE_SOURCE_SEGMENT = "restore-source-segment"
    CANCEL = "cancel"


class Subjects(StrEnum):
    """What an action is done to."""

    SEGMENTS = "segments"
    VMS = "VMs"


class RescueChoice(StrEnum):
    """What a person can choose beside the action; an action names those that it takes."""

    DECIDED_BY = "decided_by"
    WHILE_EXTENDED = "while_extended"
    FORCE = "force"
    DEADLINE = "deadline"


@dataclass(frozen=True)
class MenuItem:
    """What people read of an action.

    :param action: its name, which command, form and audit share.
    :param title: what people call it.
    :param does: what it does, as one or two sentences.
    :param subjects: what it is done to.
    :param undoes: the step of the wave that it undoes or replaces: who may approve that one answers for this.
    :param takes: the choices that mean something for it.
    """

    action: RescueAction
    title: str
    does: str
    subjects: Subjects
    undoes: GatedStep
    takes: frozenset[RescueChoice] = field(default=frozenset())

    @property
    def phrase(self) -> str:
        """The title within a sentence."""
        return f"{self.title[0].lower()}{self.title[1:]}"


MENU: dict[RescueAction, MenuItem] = {
    item.action: item
    for item in (
        MenuItem(
            action=RescueAction.RECONNECT_SOURCE,
            title="Reconnect source",
            does="Switches the source gateway of segments on again. Possible until HCX has accepted the unextend, and "
            "after an unextend that failed; where HCX may have been asked, a named person must decide it.",
            subjects=Subjects.SEGMENTS,
            undoes=GatedStep.CUTOVER,
            takes=frozenset({RescueChoice.DECIDED_BY}),
        ),
        MenuItem(
            action=RescueAction.CONNECT_DESTINATION,
            title="Connect destination",
            does="Switches the destination gateway of segments on, after an unextend that left it off. The source "
            "gateway must read off.",
            subjects=Subjects.SEGMENTS,
            undoes=GatedStep.CUTOVER,
            takes=frozenset({RescueChoice.WHILE_EXTENDED}),
        ),
        MenuItem(
            action=RescueAction.RESTORE_SOURCE_SEGMENT,
            title="Restore source segment",
            does="Makes source segments again that a cleanup has deleted, by the definition that it kept. Their "
            "gateways stay off where the destination routes them.",
            subjects=Subjects.SEGMENTS,
            undoes=GatedStep.CLEANUP,
        ),
        MenuItem(
            action=RescueAction.CANCEL,
            title="Cancel VMs",
            does="Cancels migrations that this wave has started, and no others: of the VMs that are named, or of all "
            "that are in flight. The VMs stay where they are.",
            subjects=Subjects.VMS,
            undoes=GatedStep.START,
            takes=frozenset({RescueChoice.FORCE}),
        ),
    )
}
"""In the order of the form."""
