"""Render the board's pages as HTML. Everything that comes from a record is escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hcx_waves.model.expectation import TITLES_AFTER_START
from hcx_waves.model.formatting import instant, share
from hcx_waves.model.outside import shown
from hcx_waves.model.states import label_of
from hcx_waves.rehearsals.markdown import (
    counted,
    fitting,
    fitting_of_all,
    length,
    longest_outage,
    nights_by_origin,
    origin_of,
    results_by_fault,
)
from hcx_waves.rehearsals.picture import can_draw, draw_summary
from hcx_waves.rehearsals.summary import RehearsalSummary


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("hcx_airflow.ui.board"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["duration"] = length
    made.filters["words"] = label_of
    made.filters["share"] = share
    return made


def _seen(value: Any) -> Any:
    """Clean what a page shows; what is HTML already is left as it is."""
    return shown(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def list_page(waves: Sequence[tuple[str, int, str]], root: str) -> str:
    """Return the page that lists waves: name, number of rehearsed nights, the last night.

    :param root: the board's path.
    """
    return _render("list.html", title="Wave rehearsals", waves=waves, root=root)


def summary_page(summary: RehearsalSummary, root: str, dag_page: str) -> str:
    """Return the page of one wave.

    :param root: the board's path.
    :param dag_page: the path of Airflow's page of the rehearsal DAG.
    """

    def local(moment: datetime | None) -> str:
        return instant(moment, summary.time_zone)

    return _render(
        "summary.html",
        title=f"Rehearsals of {summary.wave}",
        summary=summary,
        counted=counted(summary),
        fitting=fitting(summary),
        fitting_of_all=fitting_of_all(summary),
        nights=nights_by_origin(summary),
        longest=longest_outage(summary),
        by_fault=results_by_fault(summary),
        origin=origin_of,
        names=TITLES_AFTER_START,
        local=local,
        picture=Markup(_picture(summary.model_dump_json())) if can_draw() else "",  # noqa: S704  (made here)
        root=root,
        dag_page=dag_page,
    )


def empty_page(wave: str, why: str, root: str) -> str:
    """Return the page of a wave that has no record, or none that can be read."""
    return _render("empty.html", title=f"Rehearsals of {wave}", wave=wave, why=why, root=root)


@lru_cache(maxsize=16)
def _picture(summary: str) -> str:
    """Return the picture as a data address; drawn once for the same records."""
    drawn = draw_summary(RehearsalSummary.model_validate_json(summary))
    return f"data:image/png;base64,{base64.b64encode(drawn).decode()}"


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)
