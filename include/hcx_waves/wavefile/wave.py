"""A wave: which virtual machines and which segments move when."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import model_validator

from hcx_waves.model.base import refuse
from hcx_waves.model.digest import digest_of
from hcx_waves.model.schedule import WaveClock
from hcx_waves.wavefile.clock import exact_clock, night_of, settled_clock
from hcx_waves.wavefile.document import WaveDocument
from hcx_waves.wavefile.rules import broken_rules
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.settings import VmRequest, request_for


class Wave(WaveDocument):
    """A wave file's content with all rules between its fields kept, and what follows from it."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(broken_rules(self))
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The wave's time zone."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def requests(self) -> tuple[VmRequest, ...]:
        """What is asked for each VM, defaults applied, in the file's order."""
        return tuple(request_for(vm, self.defaults) for vm in self.vms)

    @property
    def segments_to_cut(self) -> tuple[Segment, ...]:
        """The segments that this wave cuts over, in the file's order."""
        return tuple(segment for segment in self.segments if segment.is_cut)

    def segment(self, name: str) -> Segment:
        """Return a segment by name.

        :raises KeyError: if the wave has none of that name.
        """
        for segment in self.segments:
            if segment.name == name:
                return segment
        raise KeyError(f'wave {self.name} has no segment "{name}"')

    @property
    def segments_to_clean(self) -> tuple[Segment, ...]:
        """The segments whose source side is deleted, or whose destination is renamed, after the hold."""
        return tuple(
            segment
            for segment in self.segments_to_cut
            if self.deletes_source(segment) or segment.rename_destination is not None
        )

    def deletes_source(self, segment: Segment) -> bool:
        """Whether the cleanup deletes that segment's source side."""
        return self.cleanup.delete_source if segment.delete_source is None else segment.delete_source

    @property
    def night(self) -> date | None:
        """The date that the file plans for: that of its first dated window, else of its start; None without any."""
        return night_of(self)

    @property
    def starts_at(self) -> datetime | None:
        """When it starts by itself (UTC), or None."""
        return None if self.start is None else self.clock().starts_at

    def clock(self, started_at: datetime | None = None) -> WaveClock:
        """Return the instants of the wave as written.

        :param started_at: when the run began, for a wave without ``start``; ignored otherwise.
        :raises ClockError: for a wave without start: if ``started_at`` is missing though times count from it, or
            if its windows do not fit that start.
        """
        return exact_clock(self, started_at)

    def for_night(self, night: date, begins_at: datetime | None = None) -> WaveClock:
        """Return the instants of the wave moved to another night.

        Clock times stay what they are in the wave's zone, whatever the clocks do in between; a time that does not
        exist that night, or exists twice, is settled and noted. Of a wave without ``start`` it is put at the
        beginning of that day, unless ``begins_at`` says otherwise.

        :param night: takes the place of :attr:`night`.
        :param begins_at: when a wave without ``start`` begins, instead of at the beginning of that day.
        """
        return settled_clock(self, night, begins_at)

    @cached_property
    def wave_hash(self) -> str:
        """SHA-256 (hex) of what the wave means: comments, order of keys, VMs, segments and approvers, and whether a
        default is written down make no difference.
        """
        meaning = self.model_dump(mode="json", exclude={"vms", "defaults"}, exclude_defaults=True)
        meaning["requests"] = [request.model_dump(mode="json", exclude_defaults=True) for request in self.requests]
        return digest_of(meaning, ordered=("switchover_order", "act", "check", "undo"))
