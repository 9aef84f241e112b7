"""What the operators have in common: the wave, retries by kind of failure, and JSON results."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

from airflow.sdk import BaseOperator, Context
from typing_extensions import override

from hcx_airflow.common.retries import retry_arguments
from hcx_airflow.links.lending import lend_links
from hcx_airflow.links.managers import LINKS
from hcx_airflow.runs.pace import at_its_pace
from hcx_airflow.runs.task import TaskRun


class WaveOperator(BaseOperator):
    """A step of a wave.

    Retries are set here: what may pass by itself is tried again after seconds, everything else fails at once.

    :param wave_id: the wave; its file is ``waves/<wave_id>.yaml`` in the DAG's bundle.
    :param rehearsal: whether the run works on twins, and on nothing else.
    """

    template_fields: Sequence[str] = ("wave_id",)
    operator_extra_links = LINKS
    ui_color = "#e7f0f7"
    retries_and_delay: ClassVar[dict[str, Any]] = {}
    takes_part: ClassVar[bool] = True
    """Whether it is part of the wave, and so of the time of its run; what makes and ends a world is not."""
    lends_links_to: ClassVar[tuple[str, ...]] = ()
    """Tasks of the same group, later in the run, that end in the triggerer and have this one's links."""

    def __init__(self, *, wave_id: str, rehearsal: bool = False, **kwargs: Any) -> None:
        super().__init__(**{**retry_arguments(**self.retries_and_delay, rehearsal=rehearsal), **kwargs})
        self.wave_id = wave_id
        self.rehearsal = rehearsal
        self.pages: dict[str, str] = {}

    def run_of(self, context: Context) -> TaskRun:
        """Return what the task knows of its run."""
        return TaskRun(self.wave_id, self.rehearsal, context)

    @override
    def execute(self, context: Context) -> Any:
        return self.take_part(context, self.act)

    def take_part(self, context: Context, step: Callable[[TaskRun], Any]) -> Any:
        """Do a step by the time of its run."""
        run = self.run_of(context)
        try:
            with at_its_pace(run, self.retry_policy) if self.takes_part else nullcontext():
                result = step(run)
        finally:
            self.pages = run.pages
        if not self.rehearsal:
            lend_links(run.ti, run.pages, map(run.sibling, self.lends_links_to))
        return result

    @abstractmethod
    def act(self, run: TaskRun) -> Any:
        """Do the step; return JSON."""


class SegmentOperator(WaveOperator):
    """A step about one segment of a wave.

    :param segment: the segment's name at the source, as in the wave file.
    """

    template_fields: Sequence[str] = ("wave_id", "segment")

    def __init__(self, *, segment: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.segment = segment
