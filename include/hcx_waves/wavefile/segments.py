"""Segments of a wave: whether and when their gateway moves, and how the source gateway is disconnected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Self

from pydantic import Field, StrictBool, model_validator

from hcx_waves.model.base import BrokenRule, DomainModel, refuse
from hcx_waves.model.choices import CutoverPolicy, Disconnect
from hcx_waves.model.names import Argument, ObjectName, Text, VmName, WaveName, slug_of
from hcx_waves.model.times import Duration
from hcx_waves.wavefile.settings import duplicates
from hcx_waves.wavefile.windows import Window

_ZERO, _MINUTE, _LONGEST_COMMAND = timedelta(), timedelta(minutes=1), timedelta(minutes=10)


class Hook(DomainModel):
    """Commands that disconnect and reconnect the source gateway. Each is a list of arguments; no shell is involved."""

    act: tuple[Argument, ...] = Field(min_length=1)
    """Disconnects. Exit code 0: accepted."""
    check: tuple[Argument, ...] = Field(min_length=1)
    """Reads the state, changing nothing. Exit code 0: disconnected; 1: connected; any other: unknown."""
    undo: tuple[Argument, ...] = Field(min_length=1)
    """Reconnects. Exit code 0: accepted."""
    timeout: Duration = _MINUTE
    """How long each command may take; at most 10m."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        broken = [
            BrokenRule((name, 0), "must name a program")
            for name in ("act", "check", "undo")
            if not getattr(self, name)[0].strip()
        ]
        if not _ZERO < self.timeout <= _LONGEST_COMMAND:
            broken.append(BrokenRule(("timeout",), "must be more than 0s and at most 10m"))
        refuse(broken)
        return self


class Manual(DomainModel):
    """What a person does, and how it is seen that it has been done."""

    instructions: Text
    """How to disconnect the source gateway."""
    undo_instructions: Text
    """How to connect it again."""
    check: tuple[Argument, ...] = Field(min_length=1)
    """Reads the state, changing nothing. Exit code 0: disconnected; 1: connected; any other: unknown."""


class StayingVm(DomainModel):
    """A VM that remains at the source though the segment's gateway moves, such as a router between its networks."""

    vm: VmName
    """Its name in the source vCenter."""
    reason: Text
    """Why it may stay without its gateway."""


class Segment(DomainModel):
    """A segment whose VMs the wave moves, all of them or some."""

    name: ObjectName
    """Its name at the source, as VMs' networks show it."""
    segment_id: ObjectName | None = None
    """Its NSX id at the source, where the name alone is not unique."""
    cutover: CutoverPolicy
    """``now``: by this wave, in ``cutover_window``; ``later``: by ``cut_by``; ``never``: it stays stretched."""
    cut_by: WaveName | None = None
    """With ``later``: the wave that cuts the segment over, the last one that moves VMs of it."""
    cutover_window: Window | None = None
    """With ``now``: when the gateway may move."""
    destination: ObjectName | None = None
    """The network at the destination that HCX has extended it to, if that is to be checked."""
    disconnect: Disconnect | None = None
    """With ``now``: how the source gateway lets go. ``nsx`` unless set."""
    hook: Hook | None = None
    """With ``disconnect: hook``."""
    manual: Manual | None = None
    """With ``disconnect: manual``."""
    stays: tuple[StayingVm, ...] = ()
    """With ``now``: VMs that may remain at the source. All others must have left before the gateway moves; the cleanup
    waits for these as well."""
    delete_source: StrictBool | None = None
    """With ``now``: whether the cleanup deletes the source segment; as under ``cleanup`` unless set."""
    rename_destination: ObjectName | None = None
    """With ``now``: the destination segment's new name, given by the cleanup."""

    @property
    def key(self) -> str:
        """What the segment contributes to task ids."""
        return slug_of(self.name)

    @property
    def is_cut(self) -> bool:
        """Whether this wave cuts it over."""
        return self.cutover is CutoverPolicy.NOW

    @property
    def means_of_disconnect(self) -> Disconnect:
        """How the source gateway lets go, default applied."""
        return self.disconnect or Disconnect.NSX

    @model_validator(mode="after")
    def _check(self) -> Self:
        twice = duplicates([staying.vm for staying in self.stays], "stays", "vm")
        refuse([*self._broken_cutover(), *self._broken_disconnect(), *twice])
        return self

    def _broken_cutover(self) -> Iterator[BrokenRule]:
        if self.is_cut and self.cutover_window is None:
            yield BrokenRule(("cutover",), "now needs a cutover_window")
        if self.cutover is CutoverPolicy.LATER and self.cut_by is None:
            yield BrokenRule(("cutover",), "later needs cut_by: the wave that cuts this segment over")
        if self.cutover is not CutoverPolicy.LATER and self.cut_by is not None:
            yield BrokenRule(("cut_by",), f"is for cutover: later, not for {self.cutover}")
        if self.is_cut:
            return
        for name in ("cutover_window", "disconnect", "hook", "manual", "stays", "delete_source", "rename_destination"):
            if getattr(self, name) not in (None, ()):
                yield BrokenRule((name,), f"is for cutover: now, not for {self.cutover}")

    def _broken_disconnect(self) -> Iterator[BrokenRule]:
        if not self.is_cut:
            return
        for means, given in ((Disconnect.HOOK, self.hook), (Disconnect.MANUAL, self.manual)):
            if self.means_of_disconnect is means and given is None:
                fields = (
                    "act, check and undo" if means is Disconnect.HOOK else "instructions, undo_instructions and check"
                )
                yield BrokenRule(("disconnect",), f"{means} needs {means}: with {fields}")
            if self.means_of_disconnect is not means and given is not None:
                yield BrokenRule((means.value,), f"is for disconnect: {means}, not for {self.means_of_disconnect}")
