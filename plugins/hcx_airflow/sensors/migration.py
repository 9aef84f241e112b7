"""Wait for the migrations of a wave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from hcx_airflow.documents import Document
from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.roles import connection_id_for
from hcx_airflow.names import START_MIGRATIONS
from hcx_airflow.results import STARTED, to_json
from hcx_airflow.sensors.base import OutcomeSensor
from hcx_airflow.task import TaskRun
from hcx_airflow.triggers.migration import MigrationStatusTrigger, migration_poller, migrations_without_look
from hcx_airflow.triggers.polling import Poller
from hcx_airflow.waits import note_of

if TYPE_CHECKING:
    from hcx_waves.run.results import WaitResult


class AwaitMigrationsSensor(OutcomeSensor):
    """Wait until every migration that ``start_migrations`` has started has ended.

    :param until_seeded: wait only until every VM waits for its switchover, for the gate before the release.
    """

    trigger_path: ClassVar[str] = "hcx_airflow.triggers.migration.MigrationStatusTrigger"
    started_by: ClassVar[str] = START_MIGRATIONS

    def __init__(self, *, until_seeded: bool = False, **kwargs: Any) -> None:
        self.until_seeded = until_seeded
        super().__init__(**kwargs)

    @override
    def trigger_arguments(self) -> Document:
        return {"until_seeded": self.until_seeded}

    @override
    def make_trigger(self, run: TaskRun) -> MigrationStatusTrigger:
        started = run.results.beside(STARTED)
        return MigrationStatusTrigger(
            started=None if started is None else to_json(STARTED, started),
            rehearsal=self.rehearsal,
            until_seeded=self.until_seeded,
            ends_task=False,
        )

    @override
    def make_poller(self, run: TaskRun) -> Poller | WaitResult:
        from hcx_waves.run.results import Ended

        started = run.results.beside(STARTED)
        if started is None or not started.vms:
            return migrations_without_look(run.clock, Ended.NOTHING)
        conn_id = connection_id_for(started.hcx_conn_id, rehearsal=self.rehearsal)
        hook = HcxHook(conn_id, rehearsal=self.rehearsal, twin=run.clock.twin)
        place = note_of(run, started.poll_seconds)
        made = migration_poller(hook, started, run.clock, until_seeded=self.until_seeded, place=place)
        return self._closing.enter_context(made)
