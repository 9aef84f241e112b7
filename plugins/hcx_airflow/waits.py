"""What waiting tasks of live runs note at each look: when it was, and what stands.

One small file for each wait below ``waits/`` of the state folder. The watchdog reads them, as no task can ask a
triggerer; a wait that goes on in another triggerer finds here when anybody looked last. They are for people: nothing
that a run does is decided by them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, ConfigDict, JsonValue, ValidationError

from hcx_airflow.folders import state_folder
from hcx_waves.model.base import DomainModel
from hcx_waves.model.files import file_name, write_whole

if TYPE_CHECKING:
    from hcx_airflow.task import TaskRun
    from hcx_waves.run.stalls import Stall

logger = logging.getLogger(__name__)
FOLDER = "waits"
AWAY_AT_LEAST = timedelta(minutes=10)
_LOOKS = 5
_PRIVATE = 0o700


class WaitNote(DomainModel):
    """One wait at its last look. Fields are added, never renamed."""

    model_config = ConfigDict(extra="ignore")

    dag_id: str
    run_id: str
    task_id: str
    looked_at: AwareDatetime
    poll_seconds: float
    is_over: bool = False
    stalls: tuple[dict[str, JsonValue], ...] = ()
    """What stood at the last look."""

    @property
    def path(self) -> Path:
        """Its file."""
        name = f"{file_name(self.run_id)}.{file_name(self.task_id)}.json"
        return state_folder() / FOLDER / file_name(self.dag_id) / name

    def is_stale(self, now: datetime) -> bool:
        """Whether nobody has looked for much longer than is usual."""
        return not self.is_over and now - self.looked_at > max(
            AWAY_AT_LEAST, timedelta(seconds=_LOOKS * self.poll_seconds)
        )

    def read_stalls(self) -> tuple[Stall, ...]:
        """Return what stood; nothing that another release has written and this one cannot read."""
        from hcx_waves.run.stalls import Stall

        try:
            return tuple(Stall.model_validate(one) for one in self.stalls)
        except ValidationError:
            return ()

    def write(self) -> None:
        """Write it in the place of the last one; that it cannot be written holds up nothing."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
            write_whole(self.path, self.model_dump_json().encode())
        except OSError as error:
            logger.warning("Cannot note this look for the watchdog: %s", error)

    def last(self) -> WaitNote | None:
        """Return what is noted of the same wait; None if nothing."""
        return _read(self.path)


def expect_wait(run: TaskRun, task_id: str, poll_seconds: float) -> None:
    """Note that a task of a live run waits from now on, so that a triggerer which never begins is noticed.

    :param task_id: of the task that waits, with its group.
    """
    if not run.rehearsal:
        WaitNote(
            dag_id=run.dag_id, run_id=run.run_id, task_id=task_id, looked_at=run.now(), poll_seconds=poll_seconds
        ).write()


def note_of(run: TaskRun, poll_seconds: float) -> WaitNote | None:
    """Return what is noted of each look of the running task; None in rehearsals, which nobody watches."""
    if run.rehearsal:
        return None
    return WaitNote(
        dag_id=run.dag_id, run_id=run.run_id, task_id=run.task_id, looked_at=run.now(), poll_seconds=poll_seconds
    )


def notes_of(dag_id: str) -> Iterator[WaitNote]:
    """Yield what waits of a DAG have noted and that is not over."""
    for path in sorted((state_folder() / FOLDER / file_name(dag_id)).glob("*.json")):
        found = _read(path)
        if found is not None and not found.is_over:
            yield found


def _read(path: Path) -> WaitNote | None:
    try:
        return WaitNote.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
