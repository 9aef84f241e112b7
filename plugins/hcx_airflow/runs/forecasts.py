"""The forecast of a run: made before anybody is asked, shown at the gate, compared with what happens.

It is for people. A wave never fails for want of it: what keeps it from being made is logged.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from hcx_airflow.runs.task import TaskRun
from hcx_airflow.triggers.following import EXPECTED_VMS, ORDER
from hcx_waves.model.expectation import Expectation

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.forecast import ForecastInput, ModelParameters
    from hcx_waves.snapshot import Snapshot

logger = logging.getLogger(__name__)

FORECAST_KEY = "forecast"
SHOWN_KEY = "forecast_shown"
"""The same without its VMs, which may be many; kept for later tries, also after the task has been cleared."""
PARAMETERS_VARIABLE = "HCX_WAVES_PARAMETERS"
NIGHTS, NIGHTS_IN_REHEARSALS = 500, 200
SEED = 0
_RUN_PREFLIGHT, _TAKE_SNAPSHOT = "run_preflight", "take_snapshot"


def leave_forecast(run: TaskRun, clients: SiteClients) -> Expectation | None:
    """Forecast the run and keep the forecast for its other tasks; the same again for the same plan.

    :param clients: of the sites, to read sizes and bandwidths; nothing is changed.
    :returns: None if it cannot be made, which is logged.
    """
    if run.rehearsal and not run.rehearsed.params.forecast:
        return None
    about = {"digest": run.plan.digest(), "scope": run.scope.meaning()}
    kept = _kept(run.recall(SHOWN_KEY), about)
    try:
        made = make_forecast(run, clients)
    except Exception as error:
        logger.warning("No forecast could be made: %s", error, exc_info=True)
        made = None
    if kept is not None:
        # The gate must not ask about something else only because sizes have grown by some bytes.
        made = kept if made is None else kept.model_copy(update={"vms": made.vms})
    if made is None:
        return None
    run.remember(SHOWN_KEY, {"about": about, "expectation": made.model_dump(mode="json", exclude={"vms"})})
    run.ti.xcom_push(key=FORECAST_KEY, value=made.model_dump(mode="json"))
    logger.info("%s", spoken(made))
    return made


def forecast_of(run: TaskRun) -> Expectation | None:
    """Return the forecast that ``run_preflight`` has left, or None."""
    return _read(run.wave_xcom(_RUN_PREFLIGHT, FORECAST_KEY))


def expected_of(run: TaskRun) -> dict[str, Any]:
    """Return what the sensors need to estimate when the wave will be through; nothing without a forecast."""
    forecast = forecast_of(run)
    if forecast is None:
        return {}
    expected = [vm.model_dump(mode="json", exclude_defaults=True) for vm in forecast.vms]
    return {EXPECTED_VMS: expected, ORDER: list(run.plan.switchover_order)}


def make_forecast(run: TaskRun, clients: SiteClients) -> Expectation | None:
    """Play many nights of what the run will do; the same for the same facts.

    :returns: None if the run moves nothing.
    :raises ClientError: if the sites cannot be read.
    :raises ParametersError: if the parameters file cannot be used.
    """
    from hcx_waves.forecast import forecast, subject_of

    parameters = _parameters(run)
    subject = subject_of(run.wave, _inventory(run, clients), parameters, starts_at=run.started_at, plan=run.plan)
    subject = _of_this_run(run, subject)
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


def _of_this_run(run: TaskRun, subject: ForecastInput) -> ForecastInput:
    """Leave out what this run does not do."""
    moving = set(run.scope.moves(run.plan))
    changes: dict[str, Any] = {
        "vms": tuple(vm for vm in subject.vms if vm.name in moving),
        "switchover_order": tuple(name for name in subject.switchover_order if name in moving),
        "poll_seconds": run.scope.poll_seconds(run.wave),
    }
    if run.scope.stop_before_cutover:
        changes["segments"] = ()
    return subject.model_copy(update=changes)


def _parameters(run: TaskRun) -> ModelParameters:
    from hcx_airflow.runs.twins import parameters_of
    from hcx_waves.forecast import load_parameters

    if run.rehearsal:
        return _of_rehearsal(run, parameters_of(run.rehearsed))
    named = os.environ.get(PARAMETERS_VARIABLE)
    return load_parameters(Path(named) if named else None)


def _of_rehearsal(run: TaskRun, parameters: ModelParameters) -> ModelParameters:
    """Return the parameters of a night whose time holds no latency of ours, and whose approver may be told how long."""
    from hcx_waves.forecast.model.durations import Fixed

    silent = parameters.for_rehearsal()
    looks = silent.orchestrator.model_copy(
        update={"outage_poll_seconds": run.scope.seconds_between_looks(rehearsal=True)}
    )
    silent = silent.model_copy(update={"orchestrator": looks})
    minutes = run.rehearsed.params.reaction_minutes
    if minutes is None:
        return silent
    told = Fixed(seconds=minutes * 60)
    gates = silent.gates.model_copy(update=dict.fromkeys(type(silent.gates).model_fields, told))
    return silent.model_copy(update={"gates": gates})


def _inventory(run: TaskRun, clients: SiteClients) -> Snapshot:
    """Return what the wave's VMs and meshes are: the rehearsed snapshot, or what the sites say now."""
    from hcx_waves.snapshot import load_snapshot, take_snapshot

    taken = run.xcom(_TAKE_SNAPSHOT) if run.rehearsal else None
    if taken:
        return load_snapshot(Path(taken["path"]))
    return take_snapshot(clients, [run.wave], now=run.now())


def _kept(document: Any, about: dict[str, Any]) -> Expectation | None:
    """Return what an earlier try has left, if it is about the same."""
    if not isinstance(document, dict) or document.get("about") != about:
        return None
    return _read(document.get("expectation"))


def _read(document: Any) -> Expectation | None:
    """Return what was kept; None for what cannot be read, as another version may have left it."""
    if document is None:
        return None
    try:
        return Expectation.model_validate(document)
    except ValidationError as error:
        logger.warning("The forecast that was kept cannot be read: %s", error)
        return None
