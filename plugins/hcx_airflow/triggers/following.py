"""What goes on beside the looks at a wave: an estimate of when it will be through, and a memory of each VM's course."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hcx_waves.migration.course import CourseKeeper
    from hcx_waves.migration.eta import EtaKeeper
    from hcx_waves.migration.status import WaveStatus

logger = logging.getLogger(__name__)

EXPECTED_VMS, ORDER = "expected_vms", "switchover_order"


@dataclass
class Following:
    """Follows the looks at a wave. What fails here is logged and left out; the waiting goes on."""

    courses: CourseKeeper
    eta: EtaKeeper | None = None

    @classmethod
    def of(cls, started: Mapping[str, Any], *, until_seeded: bool, estimates: bool) -> Following:
        """Make one for a started wave.

        :param started: what ``start_migrations`` left; with what the forecast expects of each VM, if there is one.
        :param estimates: whether the sites' instants are those of the run, so that anything can be estimated.
        """
        from hcx_waves.migration.course import CourseKeeper
        from hcx_waves.migration.eta import EtaKeeper, expected_by_name

        made = cls(CourseKeeper())
        try:
            if estimates and started.get(EXPECTED_VMS):
                expected = expected_by_name(started[EXPECTED_VMS])
                made.eta = EtaKeeper(expected, tuple(started.get(ORDER) or ()), only_replication=until_seeded)
        except Exception:
            logger.warning("No estimate can be made of when the wave will be through", exc_info=True)
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
