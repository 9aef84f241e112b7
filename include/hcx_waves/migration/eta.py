"""Estimate when the last VM of a wave will have migrated, with the switchover queue that HCX's estimate leaves out.

RAV switchovers run one at a time per service mesh, vMotions one at a time per site pair [C hcx 4.8]; so what is
replicated may have to wait for hours. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.model.expectation import ExpectedVm

NOTABLE = timedelta(minutes=5)
NOTABLE_SHARE = 0.1
_REPLICATED = frozenset({VmPhase.DELTA_SYNC, VmPhase.WAITING_FOR_WINDOW, VmPhase.WAITING_FOR_TURN})
_SHORTEST_LOOK = timedelta(seconds=20)
_RECENT = timedelta(minutes=5)


@dataclass(frozen=True)
class Eta:
    """When a wave will be through, as far as can be said at one moment."""

    at: datetime
    replicated_at: datetime
    """When the last base sync will be through."""
    ends_at: datetime
    """When the last VM will have moved."""
    queued: int
    """How many switchovers are still to come."""
    late: tuple[str, ...] = ()
    """VMs whose turn comes after their window has closed."""
    is_held: bool = False
    """Whether the switchovers are held back, and it ends with the replication."""

    def __str__(self) -> str:
        """Say it in one sentence."""
        if self.is_held:
            return f"replicated by {self.ends_at:%Y-%m-%d %H:%M} UTC"
        text = f"replicated by {self.replicated_at:%H:%M} UTC, " if self.replicated_at > self.at else ""
        text += f"done by {self.ends_at:%Y-%m-%d %H:%M} UTC"
        if self.queued:
            text += f" with {self.queued} switchover{'s'[: self.queued != 1]} to come"
        if self.late:
            text += f"; the window closes too early for {len(self.late)}: {', '.join(self.late[:3])}"
        return text

    def differs_from(self, before: Eta | None) -> bool:
        """Whether it is worth saying, after what was said before."""
        if before is None or bool(self.late) != bool(before.late):
            return True
        left = max(self.ends_at - self.at, timedelta())
        return abs(self.ends_at - before.ends_at) > max(NOTABLE, left * NOTABLE_SHARE)


@dataclass
class EtaKeeper:
    """Follows the looks at a wave and says when it will be through.

    :param expected: by VM name, what the wave's forecast expects; VMs that are missing have the others' median.
    :param order: VMs that are released one by one, before all others.
    :param only_replication: whether the switchovers are held back, so that nothing but the transfer can be estimated.
    """

    expected: Mapping[str, ExpectedVm]
    order: Sequence[str] = ()
    only_replication: bool = False
    said: Eta | None = None
    _synced: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)
    """By VM: the looks at its base sync that its rate is measured from, and from later on."""
    _switching: dict[str, datetime] = field(default_factory=dict)

    def news(self, status: WaveStatus) -> Eta | None:
        """Return the estimate if it is worth saying; None if it is as before, or cannot be told yet."""
        eta = self.estimate(status)
        if eta is None or not eta.differs_from(self.said):
            return None
        self.said = eta
        return eta

    def estimate(self, status: WaveStatus) -> Eta | None:
        """Return when the wave will be through; None while that cannot be told, or when it is through."""
        self._see(status)
        waiting = [vm for vm in status.vms if not vm.is_terminal]
        if not waiting or not self.expected:
            return None
        ready = {vm.name: self._ready(vm, status.at) for vm in waiting if vm.phase is not VmPhase.SWITCHOVER}
        known = {name: instant for name, instant in ready.items() if instant is not None}
        if len(known) != len(ready):
            return None
        if self.only_replication:
            replicated = max([status.at, *known.values()])
            return Eta(status.at, replicated, replicated, 0, is_held=True)
        return self._through(status.at, waiting, known)

    def _through(self, at: datetime, waiting: list[VmStatus], ready: Mapping[str, datetime]) -> Eta:
        free: dict[str, datetime] = {}
        ends, late = [at], []
        for vm in waiting:
            if vm.phase is VmPhase.SWITCHOVER:
                begun = self._switching.get(vm.name, at)
                end = max(at, begun + timedelta(seconds=self._switchover_seconds(vm.name)))
                free[self._lane(vm)] = max(end, free.get(self._lane(vm), end))
                ends.append(end)
        rank = {name: place for place, name in enumerate(self.order)}
        queue = [vm for vm in waiting if vm.name in ready]
        for vm in sorted(queue, key=lambda one: (rank.get(one.name, len(rank)), ready[one.name], one.name)):
            begins = max(ready[vm.name], vm.window_opens or at, at)
            lane = self._lane(vm)
            if self._stands_in_line(vm):
                begins = max(begins, free.get(lane, begins))
            end = begins + timedelta(seconds=self._switchover_seconds(vm.name))
            if vm.window_closes is not None and begins >= vm.window_closes:
                late.append(vm.name)
                continue
            if self._stands_in_line(vm):
                free[lane] = end
            ends.append(end)
        syncing = [ready[vm.name] for vm in queue if vm.phase not in _REPLICATED]
        return Eta(at, max([at, *syncing]), max(ends), len(queue), tuple(late))

    def _see(self, status: WaveStatus) -> None:
        for vm in status.vms:
            if vm.phase is VmPhase.BASE_SYNC and vm.bytes_done is not None:
                marks = self._synced.setdefault(vm.name, [(status.at, vm.bytes_done)])
                # As others end, the rest gets more of the line: what was long ago tells little.
                if status.at - marks[-1][0] >= _RECENT:
                    self._synced[vm.name] = [marks[-1], (status.at, vm.bytes_done)]
            if vm.phase is VmPhase.SWITCHOVER:
                self._switching.setdefault(vm.name, status.at)

    def _ready(self, vm: VmStatus, at: datetime) -> datetime | None:
        """Return when a VM waits for nothing but its turn; None if nobody can tell yet."""
        if vm.phase in _REPLICATED:
            return at
        rate = self._rate(vm, at)
        expected = self.expected.get(vm.name)
        total = vm.bytes_total or (None if expected is None else expected.bytes_total)
        if total is None or not rate:
            # What is not replicated beforehand has nothing to wait for but its switchover.
            return at if expected is not None and expected.bytes_per_second is None else None
        return at + timedelta(seconds=max(0, total - (vm.bytes_done or 0)) / rate)

    def _rate(self, vm: VmStatus, at: datetime) -> float | None:
        """Return bytes per second: as seen, else as expected."""
        since, had = self._synced.get(vm.name, [(at, 0)])[0]
        if at - since >= _SHORTEST_LOOK and vm.bytes_done is not None and vm.bytes_done > had:
            return (vm.bytes_done - had) / (at - since).total_seconds()
        expected = self.expected.get(vm.name)
        return None if expected is None else expected.bytes_per_second

    def _switchover_seconds(self, name: str) -> float:
        expected = self.expected.get(name)
        if expected is not None:
            return expected.switchover_seconds
        known = sorted(one.switchover_seconds for one in self.expected.values())
        return known[len(known) // 2]

    def _lane(self, vm: VmStatus) -> str:
        expected = self.expected.get(vm.name)
        return expected.lane if expected is not None and expected.lane else vm.service_mesh_id or ""

    def _stands_in_line(self, vm: VmStatus) -> bool:
        expected = self.expected.get(vm.name)
        return expected is None or expected.stands_in_line


def expected_by_name(vms: Iterable[Mapping[str, object]]) -> dict[str, ExpectedVm]:
    """Return what was stored of a forecast's VMs, by name."""
    return {one.name: one for one in (ExpectedVm.model_validate(document) for document in vms)}
