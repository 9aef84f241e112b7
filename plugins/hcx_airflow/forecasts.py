"""The forecast of a run: made by preflight, shown at the gates, compared with the outcome in the report.

It is for people only. A missing forecast never fails a wave; the log says why there is none.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from hcx_airflow.documents import Arguments
from hcx_airflow.errors import UnreadableResultError
from hcx_airflow.rehearsal.twin import PARAMETERS_VARIABLE, parameters_of
from hcx_airflow.results import FORECAST, FORECAST_SHOWN, NO_FORECAST, TAKEN_SNAPSHOT, WAY_BACK_PRICE
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work, read_rehearsal, started_at
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.expectation import Expectation, ExpectedVm
from hcx_waves.model.formatting import instant, share
from hcx_waves.model.price import WayBackPrice

if TYPE_CHECKING:
    from hcx_snapshot import Snapshot
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.forecast import ForecastInput, ModelParameters

logger = logging.getLogger(__name__)

NIGHTS, NIGHTS_IN_REHEARSALS = 500, 200
SEED = 0
_LONGEST_REASON = 300


def leave_forecast(run: TaskRun, work: Work, clients: SiteClients) -> Expectation | None:
    """Forecast the run and store the forecast for its other tasks; the same plan gives the same forecast.

    :param clients: of the sites, to read sizes and bandwidths; nothing is changed.
    :returns: None if there is no forecast; the log says why.
    """
    from hcx_waves.run.results import ShownForecast

    if run.rehearsal and not read_rehearsal(run).params.forecast:
        logger.info("No forecast: the run's params switch it off")
        return None
    about = work.shown()
    kept = _kept(run, about)
    why_none = "this run moves no VMs"
    try:
        made = make_forecast(run, work, clients)
        if made is None:
            logger.info("No forecast: %s", why_none)
    except Exception as error:
        logger.warning("No forecast could be made: %s", error, exc_info=True)
        made, why_none = None, f"it could not be made ({_in_one_line(error)})"
    if kept is not None:
        # The gate must show the same text again although disks have grown by some bytes.
        made = kept if made is None else kept.model_copy(update={"vms": made.vms})
    if made is None:
        run.results.leave(NO_FORECAST, why_none)
        return None
    shown = ShownForecast(about=about, expectation=made.model_copy(update={"vms": ()}))
    run.results.keep(FORECAST_SHOWN, shown)
    run.results.leave(FORECAST, made)
    logger.info("%s", spoken(made))
    return made


def expected_vms(run: TaskRun) -> tuple[ExpectedVm, ...]:
    """Return what the sensors need to estimate when the wave will be complete; empty without a forecast."""
    forecast = run.results.read_if_possible(FORECAST)
    return () if forecast is None else forecast.vms


def make_forecast(run: TaskRun, work: Work, clients: SiteClients) -> Expectation | None:
    """Simulate many nights of what the run will do; the same facts give the same forecast.

    :returns: None if the run moves nothing.
    :raises ClientError: if the sites cannot be read.
    :raises ParametersError: if the parameters file cannot be used.
    """
    from hcx_waves.forecast import forecast, subject_of

    parameters = _parameters(run, work)
    inventory = _inventory(run, work, clients)
    subject = subject_of(work.wave, inventory, parameters, starts_at=started_at(run, work.wave), plan=work.plan)
    subject = _of_this_run(work, subject)
    if not subject.vms:
        return None
    line = min((one.link_bits_per_second for one in subject.meshes if one.link_bits_per_second), default=None)
    if run.rehearsal:
        made = forecast(subject, parameters, NIGHTS_IN_REHEARSALS, SEED).expectation()
    else:
        made = forecast(subject, parameters, NIGHTS, SEED, safe_start=True).expectation()
    return made.model_copy(update={"link_bits_per_second": line})


def leave_price_of_way_back(run: TaskRun, work: Work, forecast: Expectation | None) -> None:
    """Compute what going back would cost once the run has done all it is for, and leave it for the gates.

    It is for people only, so whatever goes wrong is logged.

    :param forecast: of the run, which knows the line between the sites; None if there is none.
    """
    from hcx_waves.forecast.way_back import way_back

    cut = [one.name for one in work.plan.segments if one.cutover is CutoverPolicy.NOW]
    line = None if forecast is None else forecast.link_bits_per_second
    try:
        price = way_back(
            work.plan,
            work.scope.moves(work.plan),
            () if work.scope.stop_before_cutover else cut,
            _parameters(run, work),
            as_of=run.now(),
            link_bits_per_second=line,
        )
    except Exception as error:
        logger.warning("The price of going back is not known: %s", error, exc_info=True)
    else:
        run.results.leave(WAY_BACK_PRICE, price)


def price_of_rollback(run: TaskRun, work: Work, vms: Collection[str], segments: Collection[str]) -> WayBackPrice | None:
    """Return what a rollback of certain VMs and segments costs, decided now; None if it cannot be computed."""
    from hcx_waves.forecast.way_back import way_back

    try:
        return way_back(work.plan, vms, segments, _parameters(run, work), as_of=run.now())
    except Exception as error:
        logger.warning("The price of the rollback is not known: %s", error, exc_info=True)
        return None


def spoken(expectation: Expectation) -> str:
    """Return a forecast as a sentence for the log."""
    half, most = (
        instant(expectation.instant(one)) for one in (expectation.end.p50_seconds, expectation.end.p90_seconds)
    )
    text = f"Forecast: wave complete by {half} (P50), {most} (P90)"
    if expectation.window_chance is not None:
        text += f"; within the windows in {share(expectation.window_chance)} of {expectation.nights} nights"
    return text


def _in_one_line(error: Exception) -> str:
    """Return what went wrong, short enough for the text of a gate."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]} ..."


def _of_this_run(work: Work, subject: ForecastInput) -> ForecastInput:
    """Leave out what this run does not do."""
    moving = set(work.scope.moves(work.plan))
    changes: Arguments = {
        "vms": tuple(vm for vm in subject.vms if vm.name in moving),
        "switchover_order": tuple(name for name in subject.switchover_order if name in moving),
        "poll_seconds": work.scope.poll_seconds(work.wave),
    }
    if work.scope.stop_before_cutover:
        changes["segments"] = ()
    return subject.model_copy(update=changes)


def _parameters(run: TaskRun, work: Work) -> ModelParameters:
    from hcx_waves.forecast import load_parameters

    if run.rehearsal:
        return _of_rehearsal(run, work)
    named = os.environ.get(PARAMETERS_VARIABLE)
    return load_parameters(Path(named) if named else None)


def _of_rehearsal(run: TaskRun, work: Work) -> ModelParameters:
    """Return the parameters for a rehearsed night: no latency of Airflow, and the reaction time of the run's params."""
    from hcx_waves.forecast.model.durations import Fixed

    rehearsal = read_rehearsal(run)
    silent = parameters_of(rehearsal).for_rehearsal()
    looks = silent.orchestrator.model_copy(
        update={"outage_poll_seconds": work.scope.seconds_between_looks(rehearsal=True)}
    )
    silent = silent.model_copy(update={"orchestrator": looks})
    minutes = rehearsal.params.reaction_minutes
    if minutes is None:
        return silent
    told = Fixed(seconds=minutes * 60)
    gates = silent.gates.model_copy(update=dict.fromkeys(type(silent.gates).model_fields, told))
    return silent.model_copy(update={"gates": gates})


def _inventory(run: TaskRun, work: Work, clients: SiteClients) -> Snapshot:
    """Return the inventory of the wave: the rehearsed snapshot, or the present one of the sites."""
    from hcx_snapshot import load_snapshot
    from hcx_waves.snapshot import take_snapshot

    taken = run.results.read(TAKEN_SNAPSHOT) if run.rehearsal else None
    if taken is not None:
        return load_snapshot(Path(taken.path))
    return take_snapshot(clients, [work.wave], now=run.now())


def _kept(run: TaskRun, about: Arguments) -> Expectation | None:
    """Return the forecast of an earlier try if it is for the same plan; None if it cannot be read."""
    try:
        shown = run.results.recall(FORECAST_SHOWN)
    except UnreadableResultError as error:
        logger.warning("%s", error)
        return None
    return None if shown is None or shown.about != about else shown.expectation
