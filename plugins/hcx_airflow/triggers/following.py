"""What goes on beside the looks at a wave: an estimate of when it will be through, and a memory of each VM's course."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hcx_waves.migration.course import CourseKeeper
    from hcx_waves.migration.eta import EtaKeeper
    from hcx_waves.migration.status import WaveStatus
    from hcx_waves.run.results import StartedMigrations

logger = logging.getLogger(__name__)


@dataclass
class Following:
    """Follows the looks at a wave. What fails here is logged and left out; the waiting goes on."""

    courses: CourseKeeper
    eta: EtaKeeper | None = None

    @classmethod
    def of(cls, started: StartedMigrations, *, until_seeded: bool, estimates: bool) -> Following:
        """Make one for a started wave.

        :param started: what ``start_migrations`` left; with what the forecast expects of each VM, if there is one.
        :param estimates: whether the sites' instants are those of the run, so that anything can be estimated.
        """
        from hcx_waves.migration.course import CourseKeeper
        from hcx_waves.migration.eta import EtaKeeper

        made = cls(CourseKeeper())
        if estimates and started.expected_vms:
            expected = {vm.name: vm for vm in started.expected_vms}
            made.eta = EtaKeeper(expected, started.switchover_order, only_replication=until_seeded)
        return made

    def see(self, status: WaveStatus) -> None:
        """Take one look into account; says when the wave will be through, if that is news."""
        try:
            self.courses.see(status)
        except Exception:
            logger.warning("What the VMs go through is not kept for this look", exc_info=True)
        if self.eta is None:
            return
        try:
            news = self.eta.news(status)
        except Exception:
            logger.warning("No estimate can be made of when the wave will be through", exc_info=True)
            self.eta = None
            return
        if news is not None:
            logger.info("Estimate: %s", news)
