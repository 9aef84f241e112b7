"""The plan document: waves with their VMs and networks, why, and how good the plan is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from hcx_snapshot.schema import DIALECT, schema_text, tidy_schema
from hcx_waves.model.base import DomainModel, problems_in
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json_file
from hcx_waves.planner.figures import PlanFigures
from hcx_waves.planner.rules import PlanRules

FORMAT: Literal["hcx-waves-plan"] = "hcx-waves-plan"
VERSION: Literal[1] = 1
_MOST_BYTES = 128 * 1024 * 1024


class PlannedMember(DomainModel):
    """A VM of a planned wave."""

    key: str
    name: str
    instance_uuid: str | None = None
    why: str
    """Why it is in this wave."""
    together: int
    """Which of the wave's groups it is in; a group moves as a whole."""
    networks: tuple[str, ...] = ()


class PlannedNetwork(DomainModel):
    """A network over the whole plan."""

    name: str
    first_wave: str
    """The wave that extends it first; empty if it is extended already."""
    last_wave: str
    """The wave that cuts it over; empty if no wave can."""
    first_day: str
    last_day: str
    days: int
    weight: int = 1
    held_by: tuple[str, ...] = ()
    """Why it can never be cut over: VMs that stay on it, or a rule."""


class PlanWave(DomainModel):
    """A planned wave."""

    name: str
    night: str
    """The day on whose evening the switchover window opens."""
    members: tuple[PlannedMember, ...]
    gib: int
    queue_seconds: int
    """The 95th percentile of its serial switchovers, by the parameters of the forecast."""
    window_seconds: int
    slots: int
    """Networks that are extended during it."""
    opens: tuple[str, ...] = ()
    """Networks that it is the first to need."""
    cuts: tuple[str, ...] = ()
    """Networks that it cuts over."""
    keeps: tuple[str, ...] = ()
    """Networks that it uses and a later wave cuts over."""
    after: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    not_kept: tuple[str, ...] = ()
    """Wishes that it does not keep: dependencies cut, applications split, and the like."""
    confidence: float = Field(default=1.0, ge=0, le=1)
    """The least share of its VMs of which networks, disks and applications are known."""


class NotPlanned(DomainModel):
    """A VM that is in no wave."""

    key: str
    name: str
    reason: str


class PlanDocument(DomainModel):
    """A plan."""

    format: Literal["hcx-waves-plan"] = FORMAT
    version: Literal[1] = VERSION
    inventory_digest: str
    rules_digest: str
    rules: PlanRules
    seed: int
    effort_seconds: float
    figures: PlanFigures
    compared: dict[str, PlanFigures] = Field(default={})
    """The same figures of plans made in simpler ways."""
    coverage: dict[str, float] = Field(default={})
    """Of the inventory: the share of the VMs of which each kind of data is known."""
    waves: tuple[PlanWave, ...] = ()
    networks: tuple[PlannedNetwork, ...] = ()
    not_planned: tuple[NotPlanned, ...] = ()
    notes: tuple[str, ...] = ()


class PlanDocumentError(ValueError):
    """A file that is not a plan that can be used."""


def plan_text(plan: PlanDocument) -> str:
    """Return a plan as the text of a file: the same plan gives the same bytes."""
    body = plan.model_dump(mode="json", exclude_defaults=True)
    body = {"format": FORMAT, "version": VERSION, **body}
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def plan_schema_text() -> str:
    """Return the JSON Schema of plan documents as the text of a file."""
    schema: dict[str, Any] = PlanDocument.model_json_schema(mode="serialization")
    tidy_schema(schema)
    return schema_text({"$schema": DIALECT, "title": "HCX wave plan", **schema})


def load_plan(path: Path) -> PlanDocument:
    """Read a plan document.

    :raises PlanDocumentError: if it cannot be read, is none, or is of a newer version.
    """
    try:
        body = read_json_file(path, _MOST_BYTES)
    except OSError as error:
        raise PlanDocumentError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from error
    except UnreadableJsonError as error:
        raise PlanDocumentError(f"{path}: is not valid JSON: {error}") from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise PlanDocumentError(
            f"{path}: is not a plan; make one with: hcx-waves plan INVENTORY --rules RULES --out FOLDER"
        )
    if isinstance(body.get("version"), int) and body["version"] > VERSION:
        raise PlanDocumentError(f"{path}: has version {body['version']}; this release reads versions up to {VERSION}")
    try:
        return PlanDocument.model_validate(body)
    except ValidationError as error:
        raise PlanDocumentError(f"{path}: {problems_in(error, 20)}") from None
