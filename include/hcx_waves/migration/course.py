"""When each VM of a wave entered which phase, recorded while it migrates, as HCX does not report it afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import AwareDatetime

from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.model.base import DomainModel

_AFTER_BASE_SYNC = frozenset(
    {VmPhase.DELTA_SYNC, VmPhase.WAITING_FOR_WINDOW, VmPhase.WAITING_FOR_TURN, VmPhase.SWITCHOVER, VmPhase.DONE}
)


class PhaseSeen(DomainModel):
    """A phase that a look found a VM in, and the look before did not."""

    phase: VmPhase
    seen_at: AwareDatetime
    not_before: AwareDatetime | None = None
    """The look before, in which it was in another phase; None for the first look, so that it may have been long in
    this phase."""

    @property
    def entered_at(self) -> datetime | None:
        """Between the two looks; None if it is not known how long it had lasted."""
        return None if self.not_before is None else self.not_before + (self.seen_at - self.not_before) / 2


class VmCourse(DomainModel):
    """How one VM went through its migration, as far as somebody looked."""

    name: str
    phases: tuple[PhaseSeen, ...] = ()
    base_bytes: int | None = None
    """What its base sync had to send, as HCX said during it."""
    last_bytes: int | None = None
    """What HCX said last that there was to send in all, deltas included."""

    def entered(self, *phases: VmPhase) -> datetime | None:
        """Return when it first was in one of some phases; None if it never was, or nobody knows since when."""
        found = next((one for one in self.phases if one.phase in phases), None)
        return None if found is None else found.entered_at

    @property
    def transfer_ended_at(self) -> datetime | None:
        """When its base sync was through."""
        began = next((number for number, one in enumerate(self.phases) if one.phase is VmPhase.BASE_SYNC), None)
        if began is None:
            return None
        after = (one for one in self.phases[began:] if one.phase in _AFTER_BASE_SYNC)
        return next((one.entered_at for one in after), None)


@dataclass
class CourseKeeper:
    """Follows the looks at a wave."""

    courses: dict[str, VmCourse] = field(default_factory=dict)
    looked_at: datetime | None = None

    def see(self, status: WaveStatus) -> None:
        """Take one look into account; looks come in order."""
        for vm in status.vms:
            before = self.courses.get(vm.name, VmCourse(name=vm.name))
            after = _with(before, vm, status.at, self.looked_at)
            if after is not before or vm.name not in self.courses:
                self.courses[vm.name] = after
        self.looked_at = status.at


def joined(parts: Iterable[Iterable[VmCourse]]) -> tuple[VmCourse, ...]:
    """Return the courses that several tasks have left one after the other, as one course a VM."""
    found: dict[str, VmCourse] = {}
    for part in parts:
        for later in part:
            found[later.name] = _joined(found.get(later.name), later)
    return tuple(found.values())


def _joined(before: VmCourse | None, later: VmCourse) -> VmCourse:
    if before is None:
        return later
    phases = list(before.phases)
    for one in later.phases:
        if phases and phases[-1].phase is one.phase:
            continue
        if one.not_before is None and phases:
            # The first look of the later task; the last thing that the earlier one saw bounds it.
            one = one.model_copy(update={"not_before": phases[-1].seen_at})
        phases.append(one)
    base = before.base_bytes if before.base_bytes is not None else later.base_bytes
    last = later.last_bytes if later.last_bytes is not None else before.last_bytes
    return VmCourse(name=later.name, phases=tuple(phases), base_bytes=base, last_bytes=last)


def _with(course: VmCourse, vm: VmStatus, at: datetime, looked_at: datetime | None) -> VmCourse:
    changes: dict[str, object] = {}
    if not course.phases or course.phases[-1].phase is not vm.phase:
        changes["phases"] = (*course.phases, PhaseSeen(phase=vm.phase, seen_at=at, not_before=looked_at))
    if vm.phase is VmPhase.BASE_SYNC and vm.bytes_total and vm.bytes_total != course.base_bytes:
        changes["base_bytes"] = vm.bytes_total
    if vm.bytes_total and vm.bytes_total != course.last_bytes:
        changes["last_bytes"] = vm.bytes_total
    return course.model_copy(update=changes) if changes else course
