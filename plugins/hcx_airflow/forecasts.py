"""The forecast of a run: made before anybody is asked, shown at the gate, compared with what happens.

It is for people. A missing forecast never fails a wave; the log says why there is none.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hcx_airflow.documents import Arguments
from hcx_airflow.rehearsal.twin import PARAMETERS_VARIABLE, parameters_of
from hcx_airflow.results import FORECAST, FORECAST_SHOWN, TAKEN_SNAPSHOT, UnreadableResultError
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work, read_rehearsal, started_at
from hcx_waves.model.expectation import Expectation, ExpectedVm

if TYPE_CHECKING:
    from hcx_snapshot import Snapshot
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.forecast import ForecastInput, ModelParameters

logger = logging.getLogger(__name__)

NIGHTS, NIGHTS_IN_REHEARSALS = 500, 200
SEED = 0


def leave_forecast(run: TaskRun, work: Work, clients: SiteClients) -> Expectation | None:
    """Forecast the run and keep the forecast for its other tasks; the same again for the same plan.

    :param clients: of the sites, to read sizes and bandwidths; nothing is changed.
    :returns: None if it cannot be made, which is logged.
    """
    from hcx_waves.run.results import ShownForecast

    if run.rehearsal and not read_rehearsal(run).params.forecast:
        return None
    about = work.shown()
    kept = _kept(run, about)
    try:
        made = make_forecast(run, work, clients)
    except Exception as error:
        logger.warning("No forecast could be made: %s", error, exc_info=True)
        made = None
    if kept is not None:
        # The gate must not ask about something else only because sizes have grown by some bytes.
        made = kept if made is None else kept.model_copy(update={"vms": made.vms})
    if made is None:
        return None
    shown = ShownForecast(about=about, expectation=made.model_copy(update={"vms": ()}))
    run.results.keep(FORECAST_SHOWN, shown)
    run.results.leave(FORECAST, made)
    logger.info("%s", spoken(made))
    return made


def expected_vms(run: TaskRun) -> tuple[ExpectedVm, ...]:
    """Return what the sensors need to estimate when the wave will be through; nothing without a forecast."""
    forecast = run.results.read_if_possible(FORECAST)
    return () if forecast is None else forecast.vms


def make_forecast(run: TaskRun, work: Work, clients: SiteClients) -> Expectation | None:
    """Play many nights of what the run will do; the same for the same facts.

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
    if run.rehearsal:
        return forecast(subject, parameters, NIGHTS_IN_REHEARSALS, SEED).expectation()
    return forecast(subject, parameters, NIGHTS, SEED, safe_start=True).expectation()


def spoken(expectation: Expectation) -> str:
    """Return a forecast as a sentence for the log."""
    ends = [expectation.instant(one) for one in (expectation.end.p50_seconds, expectation.end.p90_seconds)]
    text = f"Forecast: over by {ends[0]:%Y-%m-%d %H:%M} UTC (P50), {ends[1]:%Y-%m-%d %H:%M} UTC (P90)"
    if expectation.window_chance is not None:
        text += f"; stays within its windows in {expectation.window_chance:.0%} of {expectation.nights} nights"
    return text


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
    """Return the parameters of a night whose time holds no latency of ours, and whose approver may be told how long."""
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
    """Return what the wave's VMs and meshes are: the rehearsed snapshot, or what the sites say now."""
    from hcx_snapshot import load_snapshot
    from hcx_waves.snapshot import take_snapshot

    taken = run.results.read(TAKEN_SNAPSHOT) if run.rehearsal else None
    if taken is not None:
        return load_snapshot(Path(taken.path))
    return take_snapshot(clients, [work.wave], now=run.now())


def _kept(run: TaskRun, about: Arguments) -> Expectation | None:
    """Return what an earlier try has left, if it is about the same; None for what another release has left."""
    try:
        shown = run.results.recall(FORECAST_SHOWN)
    except UnreadableResultError as error:
        logger.warning("%s", error)
        return None
    return None if shown is None or shown.about != about else shown.expectation
