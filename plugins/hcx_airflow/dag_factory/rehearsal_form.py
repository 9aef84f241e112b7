"""The trigger form of a rehearsal: night, faults, reaction time and twin."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param

from hcx_airflow.dag_factory.form import live_params
from hcx_airflow.documents import Arguments
from hcx_airflow.rehearsal.night import FAULTS, RehearsalParams
from hcx_waves.wavefile.night import LONGEST_LEAD
from hcx_waves.wavefile.wave import Wave

POLL_SECONDS = 60.0
"""How often HCX is asked in a rehearsal; virtual seconds."""
_NIGHT, _FAULTS, _PEOPLE, _TWIN, _HOW = "Night", "Faults", "Approver", "Twin", "Execution"
_FIELDS = RehearsalParams.model_fields


def rehearsal_params(wave: Wave) -> dict[str, Param]:
    """Return the params of a wave's rehearsal DAG: what the live DAG has, and what only rehearsals have."""
    live = live_params(wave)
    poll = live.pop("poll_interval_seconds")
    poll.value = POLL_SECONDS
    return {
        **_night_params(),
        **_fault_params(),
        **live,
        **_people_params(),
        **_twin_params(),
        "poll_interval_seconds": poll,
        "outage_poll_seconds": _number(
            "outage_poll_seconds", 1, 600, "Poll interval in an outage (seconds)",
            "How often the status of an unextend is read. The measured outage is rounded up to it.", _HOW,
        ),
        "forecast": Param(
            True,
            type="boolean",
            title="Forecast",
            description="Makes a forecast of the night and keeps it in the record.",
            section=_HOW,
        ),
    }  # fmt: skip


def _night_params() -> dict[str, Param]:
    return {
        "night": Param(
            None,
            type=["string", "null"],
            format="date",
            title="Night",
            description="Date of the night to rehearse, in the wave's time zone. If empty: the wave's own night, or "
            "tonight if it has none. Only for runs that are started by hand; other runs rehearse their own date.",
            section=_NIGHT,
        ),
        "lead_hours": _number(
            "lead_hours", 0, LONGEST_LEAD / timedelta(hours=1), "Lead (hours)",
            "How long before its first window a wave without a start begins.", _NIGHT,
        ),
    }  # fmt: skip


def _fault_params() -> dict[str, Param]:
    said = "; ".join(f"{name}: {words}" for name, words in FAULTS.items())
    return {
        "faults": Param(
            [],
            type=["array", "null"],
            items={"type": "string", "enum": list(FAULTS)},
            examples=list(FAULTS),
            uniqueItems=True,
            title="Faults",
            description=f"{said}.",
            section=_FAULTS,
        ),
        "rotate_faults": Param(
            False,
            type="boolean",
            title="Rotate faults",
            description="Each night gets one of the faults above (of all faults, if none is selected) or none, in "
            "turn. Wave and date decide which one.",
            section=_FAULTS,
        ),
    }


def _people_params() -> dict[str, Param]:
    return {
        "reaction_minutes": Param(
            None,
            type=["number", "null"],
            minimum=0,
            maximum=1440,
            title="Reaction time (minutes)",
            description="How long the rehearsal approver takes to answer each gate. If empty, drawn from the "
            "distributions in the model parameters.",
            section=_PEOPLE,
        ),
    }


def _twin_params() -> dict[str, Param]:
    return {
        "snapshot": _path(
            "Snapshot",
            "Path of a snapshot file to rehearse on instead of the live inventory. It must be below the state "
            "folder, the reports folder or the DAG bundle.",
        ),
        "snapshot_max_age_hours": _number(
            "snapshot_max_age_hours", 0, None, "Oldest snapshot (hours)",
            "Backfills and runs that are started by hand use a stored snapshot that is not older. Scheduled runs "
            "always "
            "read the live inventory.", _TWIN,
        ),
        "parameters_file": _path(
            "Model parameters", "Path of a file with model parameters in one of these folders, as calibration writes "
            "it."
        ),
    }  # fmt: skip


def _number(name: str, least: float, most: float | None, title: str, description: str, section: str) -> Param:
    bounds: Arguments = {"minimum": least} if most is None else {"minimum": least, "maximum": most}
    return Param(_FIELDS[name].default, type="number", title=title, description=description, section=section, **bounds)


def _path(title: str, description: str) -> Param:
    return Param(None, type=["string", "null"], maxLength=500, title=title, description=description, section=_TWIN)
