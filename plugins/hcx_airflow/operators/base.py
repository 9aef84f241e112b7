"""Base classes of the operators: the wave, retries by kind of failure, JSON results."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator, Context
from typing_extensions import override

from hcx_airflow.documents import Arguments
from hcx_airflow.errors import LostTooOftenError
from hcx_airflow.hooks.sites import open_sites, pages_of
from hcx_airflow.results import Slot, to_json
from hcx_airflow.retries import LOST_PROCESSES, retry_arguments
from hcx_airflow.task import TaskRun
from hcx_airflow.tries import on_its_clock, saying_why
from hcx_airflow.ui.lending import lend_links
from hcx_airflow.ui.links import LINKS
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients


class WaveOperator(BaseOperator):
    """A step of a wave.

    Retries are set here: what may pass by itself is tried again after seconds, everything else fails at once.

    :param wave_id: the wave; its file is ``waves/<wave_id>.yaml`` in the DAG's bundle.
    :param rehearsal: whether the run works on twins, and on nothing else.
    """

    template_fields: Sequence[str] = ("wave_id",)
    operator_extra_links = LINKS
    result: ClassVar[Slot[Any]]
    """What it leaves; returned by :meth:`act`."""
    ui_color = "#e7f0f7"
    retries_and_delay: ClassVar[Arguments] = {}
    takes_part: ClassVar[bool] = True
    """Whether it is part of the wave, and so of the time of its run; what makes and ends a world is not."""
    lends_links_to: ClassVar[tuple[str, ...]] = ()
    """Tasks of the same group, later in the run, that end in the triggerer and have this one's links."""

    def __init__(self, *, wave_id: str, rehearsal: bool = False, **kwargs: Any) -> None:
        super().__init__(**{**retry_arguments(**self.retries_and_delay, rehearsal=rehearsal), **kwargs})
        self.wave_id = wave_id
        self.rehearsal = rehearsal
        self.pages: dict[str, str] = {}

    @override
    def execute(self, context: Context) -> Any:
        return self.take_part(context, self.act)

    def take_part(self, context: Context, step: Callable[[TaskRun], Any]) -> Any:
        """Do a step by its run's clock, and return what it leaves: JSON with the task's seal."""
        run = TaskRun(self.wave_id, self.rehearsal, context)
        with saying_why(run):
            run.begin()
            self._refuse_endless(run)
            with on_its_clock(run, self.retry_policy) if self.takes_part else nullcontext():
                result = step(run)
        if not self.rehearsal:
            lend_links(run.ti, self.pages, map(run.sibling, self.lends_links_to))
        return None if result is None else run.results.sealed(to_json(self.result, result))

    def _refuse_endless(self, run: TaskRun) -> None:
        """Give up a step whose process is lost each time: while it is tried, the way back is not gone.

        :raises LostTooOftenError: if so.
        """
        tries = getattr(self.retry_policy, "tries", None)
        if not self.rehearsal and tries is not None and run.tries_begun > tries + LOST_PROCESSES:
            raise LostTooOftenError(
                f"{run.task_id} has begun {run.tries_begun - 1} times without coming to an end. Look at the log of its "
                "tries and at the workers (memory above all), then clear this task"
            )

    @abstractmethod
    def act(self, run: TaskRun) -> Any:
        """Do the step; return what :attr:`result` is for, or None."""

    @contextmanager
    def sites(self, run: TaskRun, wave: Wave, *, check: bool = True) -> Iterator[SiteClients]:
        """Open the clients of both sites; see :func:`hcx_airflow.hooks.sites.open_sites`."""
        twin = run.clock.twin
        with open_sites(wave, rehearsal=run.rehearsal, check=check, twin=twin) as clients:
            self.pages = pages_of(wave, clients, rehearsal=run.rehearsal, twin=twin)
            yield clients


class SegmentOperator(WaveOperator):
    """A step about one segment of a wave.

    :param segment: the segment's name at the source, as in the wave file.
    """

    template_fields: Sequence[str] = ("wave_id", "segment")

    def __init__(self, *, segment: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.segment = segment
