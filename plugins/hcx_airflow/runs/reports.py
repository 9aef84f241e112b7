"""From what a run's tasks have left to its report."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeVar

from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import BaseModel

from hcx_airflow.common.errors import ConnectionSettingsError, PlanMissingError
from hcx_airflow.common.folders import reports_folder
from hcx_airflow.hooks.sites import secrets_of
from hcx_airflow.runs.answers import approvals_of
from hcx_airflow.runs.clocks import has_virtual_sites
from hcx_airflow.runs.cutover import REMOVAL_KEY
from hcx_airflow.runs.ending import ending_of, segment_group
from hcx_airflow.runs.files import WaveFileError, WaveFileMissingError
from hcx_airflow.runs.forecasts import forecast_of
from hcx_airflow.runs.task import TaskRun
from hcx_waves.cutover.cleanup import Deletion, Renaming
from hcx_waves.cutover.emptiness import EmptyProof
from hcx_waves.cutover.extension import Removal
from hcx_waves.cutover.gateway import DisconnectResult, GatewayChange
from hcx_waves.cutover.outage import OutageBounds
from hcx_waves.cutover.routing import RoutedProof
from hcx_waves.migration.course import joined
from hcx_waves.migration.start import StartedWave
from hcx_waves.migration.status import WaveStatus
from hcx_waves.migration.verify import VmProof
from hcx_waves.model.findings import Assessments
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.model.states import SegmentOutcome, WaveOutcome
from hcx_waves.report.build import build_report
from hcx_waves.report.files import write_report as write_files
from hcx_waves.report.model import SegmentSteps, WaveSteps

logger = logging.getLogger(__name__)

Model = TypeVar("Model", bound=BaseModel)


def write_report(run: TaskRun) -> dict[str, str]:
    """Write the report of a run, however far it came; return the files by kind."""
    report = build_report(steps_of(run), run.wave_id)
    paths = write_files(report, reports_folder(), _secrets(run))
    return {**{kind: str(path) for kind, path in paths.items()}, "outcome": report.outcome.value}


def steps_of(run: TaskRun) -> WaveSteps:
    """Return everything that a run's tasks left behind."""
    now = run.now()
    common: dict[str, Any] = {
        "run_id": str(run.ti.run_id),
        "rehearsal": run.rehearsal,
        "begun_at": run.started_at,
        "ended_at": now,
        "virtual_sites": has_virtual_sites(run),
        "assessments": _read(Assessments, run.wave_xcom("run_preflight")),
    }
    try:
        ending = ending_of(run)
    except PlanMissingError as missing:
        return WaveSteps(**common, reasons=(str(missing),))
    evaluated, awaited = run.wave_xcom("evaluate_migrations") or {}, run.wave_xcom("await_migrations") or {}
    verified = run.wave_xcom("verify_virtual_machines") or {}
    error = awaited.get("error")
    return WaveSteps(
        **common,
        plan=run.plan,
        approvals=tuple(approvals_of(run)),
        started=_read(StartedWave, run.wave_xcom("start_migrations")),
        status=_read(WaveStatus, awaited.get("status")),
        courses=joined([(run.wave_xcom("await_seeded") or {}).get("courses", ()), awaited.get("courses", ())]),
        forecast=forecast_of(run),
        proofs=tuple(VmProof.model_validate(_known(VmProof, one)) for one in verified.get("proofs", ())),
        segments=tuple(_segment(run, one, ending) for one in run.plan.segments),
        reasons=tuple(ending["causes"]),
        left_out=tuple(evaluated.get("left_out", ())),
        ended_as=WaveOutcome(ending["outcome"]),
        errors=() if not error else (error,),
        notes=tuple(ending["notes"]),
    )


def _segment(run: TaskRun, segment: PlannedSegment, ending: Mapping[str, Any]) -> SegmentSteps:
    group = segment_group(segment)

    def left(name: str, key: str = "return_value") -> Any:
        return run.wave_xcom(f"{group}.{name}", key) or run.xcom(f"cleanup_{segment.key}.{name}", key)

    routed = left("verify_destination_routed")
    reconnected = left("reconnect_source_segment")
    reasons = [ending[kind].get(segment.name) for kind in ("blocked_segments", "open_steps")]
    return SegmentSteps(
        segment=segment.name,
        outcome=SegmentOutcome(ending["segments"].get(segment.name, SegmentOutcome.PLANNED)),
        proof=_read(EmptyProof, left("prove_segment_empty")),
        disconnect=_read(DisconnectResult, left("disconnect_source_segment")),
        removal=_read(Removal, left("unextend_network", REMOVAL_KEY)),
        routed=_read(RoutedProof, routed),
        reconnect=_read(GatewayChange, reconnected) if (reconnected or {}).get("acted") else None,
        outage=_read(OutageBounds, (routed or reconnected or {}).get("outage")),
        deletion=_read(Deletion, left("delete_source_segment")),
        renaming=_read(Renaming, left("rename_destination_segment")),
        reasons=tuple(reason for reason in reasons if reason),
    )


def _read(model: type[Model], document: Any) -> Model | None:
    return None if document is None else model.model_validate(_known(model, document))


def _known(model: type[BaseModel], document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in model.model_fields if name in document}


def _secrets(run: TaskRun) -> list[str]:
    """Return the passwords of the wave's connections, so that none of them gets into a file."""
    try:
        return secrets_of(run.wave, rehearsal=run.rehearsal, twin=run.pace.twin)
    except (WaveFileError, WaveFileMissingError, ConnectionSettingsError, AirflowNotFoundException) as error:
        # The report is written all the same; what it is made of holds no secrets anyway.
        logger.warning("the report cannot be compared with the connections: %s", error)
        return []
