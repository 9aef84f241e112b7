"""Follow a wave from poll to poll: estimate when it will be complete, and record each VM's phases."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hcx_waves.migration.course import CourseKeeper
    from hcx_waves.migration.eta import EtaKeeper
    from hcx_waves.migration.overdue import SwitchoverKeeper
    from hcx_waves.migration.status import WaveStatus
    from hcx_waves.run.results import StartedMigrations

logger = logging.getLogger(__name__)


@dataclass
class Following:
    """Follows a wave from poll to poll. What fails here is logged; the waiting continues."""

    courses: CourseKeeper
    switchovers: SwitchoverKeeper
    eta: EtaKeeper | None = None

    @classmethod
    def of(cls, started: StartedMigrations, *, until_seeded: bool, estimates: bool) -> Following:
        """Make one for a started wave.

        :param started: what ``start_migrations`` left; with what the forecast expects of each VM, if there is one.
        :param estimates: whether the sites' instants are those of the run, so that anything can be estimated.
        """
        from hcx_waves.migration.course import CourseKeeper
        from hcx_waves.migration.eta import EtaKeeper
        from hcx_waves.migration.overdue import SwitchoverKeeper

        expected = {vm.name: vm for vm in started.expected_vms}
        # A simulated site's time may be faster than ours: then this warns late, and never without cause.
        made = cls(CourseKeeper(), SwitchoverKeeper(expected))
        if estimates and expected:
            made.eta = EtaKeeper(expected, started.switchover_order, only_replication=until_seeded)
        return made

    def see(self, status: WaveStatus) -> tuple[str, ...]:
        """Take one poll into account; logs the estimate if it has changed.

        :returns: warnings to be said, of switchovers that last too long.
        """
        self._estimate(status)
        try:
            return tuple(self.switchovers.warnings(status))
        except Exception:
            logger.warning("Cannot judge how long the switchovers last", exc_info=True)
            return ()

    def _estimate(self, status: WaveStatus) -> None:
        try:
            self.courses.see(status)
        except Exception:
            logger.warning("Cannot record the phases of the VMs for this poll", exc_info=True)
        if self.eta is None:
            return
        try:
            news = self.eta.news(status)
        except Exception:
            logger.warning("Cannot estimate when the wave will be complete", exc_info=True)
            self.eta = None
            return
        if news is not None:
            logger.info("Estimate: %s", news)
