"""Notice switchovers that last longer than a forecast allows: HCX goes on calling them moving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.model.expectation import ExpectedVm
from hcx_waves.model.formatting import counted, duration

WITHOUT_FORECAST = timedelta(minutes=30)
"""From when on a switchover is worth a look if nothing is forecast; HCX itself gives a VM minutes [C hcx 4.8]."""
_BEHIND = (VmPhase.WAITING_FOR_TURN, VmPhase.WAITING_FOR_WINDOW, VmPhase.DELTA_SYNC)


@dataclass
class SwitchoverKeeper:
    """Follows the looks at a wave, and warns once a VM has been in its switchover for too long, and each time that
    it has lasted twice as long.

    :param expected: by VM name, what the wave's forecast expects.
    """

    expected: Mapping[str, ExpectedVm] = field(default_factory=dict)
    _since: dict[str, datetime] = field(default_factory=dict)
    _warned: dict[str, timedelta] = field(default_factory=dict)

    def warnings(self, status: WaveStatus) -> Iterator[str]:
        """Yield what is new to be said of one look; looks come in order."""
        for vm in status.vms:
            if vm.phase is not VmPhase.SWITCHOVER:
                self._since.pop(vm.name, None)
                self._warned.pop(vm.name, None)
                continue
            lasted = status.at - self._since.setdefault(vm.name, status.at)
            limit, why = self._limit(vm)
            if lasted > max(limit, 2 * self._warned.get(vm.name, timedelta())):
                self._warned[vm.name] = lasted
                yield self._words(vm, status, lasted, why)

    def _limit(self, vm: VmStatus) -> tuple[timedelta, str]:
        expected = self.expected.get(vm.name)
        if expected is None or expected.switchover_p99_seconds is None:
            return WITHOUT_FORECAST, "there is no forecast of it"
        limit = timedelta(seconds=expected.switchover_p99_seconds)
        return limit, f"in 99 of 100 forecast nights it takes at most {duration(limit)}"

    def _words(self, vm: VmStatus, status: WaveStatus, lasted: timedelta, why: str) -> str:
        behind = [one for one in status.vms if one.phase in _BEHIND and one.service_mesh_id == vm.service_mesh_id]
        waits = f"; {counted(len(behind), 'VM')} behind it cannot move" if behind else ""
        return (
            f"{vm.name} has been in its switchover for at least {duration(lasted)}; {why}{waits}. Look at migration "
            f"{vm.migration_id} in HCX, and at the VM in both vCenters"
        )
