"""Switchover windows: waiting for them, missing them, and the tracker that loses them.

How a missed window ends is not published [? hcx 9.4]; ``settings.hcx.missed_window`` decides between waiting for a new
one and failing. A *lost* migration [D hcx 7] waits although its window is open, and is not even failed when it passes,
until it is rescheduled or the services restart.
"""

from __future__ import annotations

from dataclasses import replace

from hcx_sim.hcx.mobility.admission import Admission
from hcx_sim.hcx.mobility.flow import Flow
from hcx_sim.hcx.mobility.lanes import VMOTION_LANE
from hcx_sim.hcx.mobility.model import WAITING_TO_SWITCH, Migration, MigrationType, Phase, Window
from hcx_sim.hcx.mobility.replication import Replication

_PASSED = "The switchover window has passed before the switchover could begin."


class Windows:
    """The phases between the end of the base sync and the switchover."""

    def __init__(self, flow: Flow, admission: Admission, replication: Replication) -> None:
        """Register the phases with the flow."""
        self._flow = flow
        self._admission = admission
        self._replication = replication
        flow.on_enter(Phase.SWITCHOVER_WINDOW, self._await_window)
        flow.on_alarm("window_opens", self._evaluate)
        flow.on_enter(Phase.SWITCHOVER_TURN, self._queue)
        flow.on_alarm("window_closes", self._missed)

    def reschedule(self, migration: Migration, transfer: Window | None, switchover: Window | None) -> None:
        """Change the windows of a migration that has not begun to switch over; None leaves one as it is.

        Raises :class:`ValueError` when it is too late.
        """
        if not migration.reschedulable:
            raise ValueError(f"migration {migration.migration_id} is past the point of rescheduling")
        if migration.plan is None:
            return
        migration.plan = replace(
            migration.plan,
            transfer_window=migration.plan.transfer_window if transfer is None else transfer,
            switchover_window=migration.plan.switchover_window if switchover is None else switchover,
        )
        migration.missed_window = False
        if switchover is not None:
            migration.tracker_cured = migration.tracker_cured or migration.tracker_lost
            migration.tracker_lost = False
        self._flow.say(migration, "Schedule changed")
        self._admission.reschedule(migration)
        if migration.phase in WAITING_TO_SWITCH:
            self._flow.enter(migration, Phase.SWITCHOVER_WINDOW)

    def restart_services(self) -> int:
        """Restart the managers' services, which finds lost migrations again; return how many. [D hcx 7]"""
        lost = [migration for migration in self._flow.store.active() if migration.tracker_lost]
        for migration in sorted(lost, key=lambda each: each.entity_name):
            migration.tracker_lost = False
            migration.tracker_cured = True
            self._evaluate(migration)
        return len(lost)

    def _await_window(self, migration: Migration) -> None:
        self._replication.await_delta(migration)
        self._evaluate(migration)

    def _evaluate(self, migration: Migration) -> None:
        window = migration.known.switchover_window
        now_us = self._flow.world.now_us
        if migration.tracker_lost or migration.missed_window:
            return
        if window.start_us is not None and window.pending(now_us):
            self._flow.alarm_at(migration, "window_opens", window.start_us)
        elif self._loses(migration):
            migration.tracker_lost = True
            subject = f"migration:{migration.migration_id}"
            self._flow.world.audit.add("note", subject, vm=migration.entity_name, switchover_lost=True)
        elif window.expired(now_us):
            self._missed(migration)
        else:
            self._flow.advance(migration)

    def _loses(self, migration: Migration) -> bool:
        names = self._flow.world.settings.hcx.tracker_lost_entities
        scheduled = migration.known.switchover_window.scheduled
        return scheduled and not migration.tracker_cured and migration.entity_name in names

    def _missed(self, migration: Migration) -> None:
        if self._flow.world.settings.hcx.missed_window == "fail":
            self._flow.fail(migration, Phase.FAILED, _PASSED)
            return
        migration.missed_window = True
        if migration.phase is Phase.SWITCHOVER_WINDOW:
            self._flow.say(migration, f"{_PASSED} Reschedule the migration.")
        else:
            self._flow.enter(migration, Phase.SWITCHOVER_WINDOW, f"{_PASSED} Reschedule the migration.")

    def _queue(self, migration: Migration) -> None:
        plan = migration.known
        migration.ready_us = self._flow.world.now_us
        expiry_us = plan.switchover_window.expiry_us
        vmotion = plan.migration_type is MigrationType.VMOTION
        if expiry_us is not None and not vmotion:
            self._flow.alarm_at(migration, "window_closes", expiry_us)
        lane_key = VMOTION_LANE if vmotion else plan.mesh_key
        self._replication.await_delta(migration)
        self._flow.lanes.join(lane_key, migration.migration_id, migration.ready_us, plan.vm_name)
