"""The plan of a live run in a file, for the night in which Airflow's database cannot be asked for it."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ConfigDict, ValidationError

from hcx_waves.model.base import DomainModel, problems_in
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json_file
from hcx_waves.model.files import file_name, write_whole
from hcx_waves.model.plan import WavePlan
from hcx_waves.report.files import MOST_BYTES

FOLDER = "plans"
_PRIVATE_FOLDER = 0o700


class PlanFileError(ValueError):
    """A plan file cannot be used; the message says why."""


class PlanFile(DomainModel):
    """What a plan file holds. Fields are added, never renamed."""

    model_config = ConfigDict(extra="ignore")

    run_id: str
    plan: WavePlan


def plan_path(state: Path, wave: str, run_id: str) -> Path:
    """Return where the plan of a run is kept below the state folder."""
    return state / FOLDER / file_name(wave) / f"{file_name(run_id)}.json"


def write_plan(plan: WavePlan, run_id: str, state: Path) -> Path:
    """Write a run's plan, in the place of an earlier one of that run.

    :raises OSError: if it cannot be written.
    """
    path = plan_path(state, plan.wave, run_id)
    path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    body = PlanFile(run_id=run_id, plan=plan).model_dump(mode="json")
    write_whole(path, (json.dumps(body, ensure_ascii=False) + "\n").encode())
    return path


def read_plan_file(path: Path) -> PlanFile:
    """Read a plan file.

    :raises PlanFileError: if it cannot be read, or is none.
    """
    try:
        return PlanFile.model_validate(read_json_file(path, MOST_BYTES))
    except OSError as error:
        raise PlanFileError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from error
    except UnreadableJsonError as error:
        raise PlanFileError(f"{path}: is not valid JSON: {error}") from error
    except ValidationError as error:
        raise PlanFileError(f"{path}: is no plan file: {problems_in(error, most=3)}") from None
