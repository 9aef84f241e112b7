"""The control API's answers, as far as rehearsals read them; unknown members are ignored."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ClockReading(_Answer):
    """A world's time.

    :param mode: ``stepped``, ``scaled`` or ``paused``.
    """

    mode: str
    now: AwareDatetime


class WorldFacts(_Answer):
    """A world at a glance.

    :param role: ``twin`` or ``site``.
    :param guarded: whether its time stands until somebody says that nobody is on its way.
    """

    world_id: str
    role: str
    seed: int | str | None = None
    guarded: bool = False
    clock: ClockReading
    vms: int = 0


class Woken(_Answer):
    """How a wait ended: the instant is reached, or ``epoch`` asks whether anybody is on its way, or neither."""

    reached: bool
    now: AwareDatetime
    epoch: int | None = None


class Waiters(_Answer):
    """Who takes part in a world's time, and who of them waits until when."""

    registered: tuple[str, ...] = ()
    waiting: dict[str, AwareDatetime] = {}
    settled: bool | None = None
    epoch: int | None = None


class NewWorld(BaseModel):
    """A world to make from a stored snapshot, or from a scenario.

    :param clock: ``{"mode": "stepped", "start": ISO instant}``.
    :param idle_seconds: of wall time, after which a world that nobody calls is removed.
    :param settings: a part of the simulator's settings, by group and name.
    :param faults: names of fault scenarios, or rules.
    :param assumptions: what the snapshot does not know of bandwidth and change rates, and how often things fail.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    world_id: str
    snapshot_id: str | None = None
    scenario: str | dict[str, Any] | None = None
    role: str = "twin"
    seed: int | None = None
    clock: dict[str, Any] = {}
    guarded: bool = True
    idle_seconds: float | None = None
    settings: dict[str, Any] | None = None
    faults: tuple[str | dict[str, Any], ...] | None = None
    assumptions: dict[str, Any] | None = None
