"""Which night a run rehearses, what goes wrong in it, and how fast people answer: all by wave, date and params."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Param
from airflow.sdk.exceptions import ParamValidationError

from hcx_airflow.dag_factory.rehearsal_form import rehearsal_params
from hcx_airflow.errors import RunRefusedError
from hcx_airflow.gates.rehearsed import draw_reactions
from hcx_airflow.gates.table import gates_of_night
from hcx_airflow.rehearsal.night import FAULTS, Rehearsal
from hcx_airflow.task import TaskRun
from hcx_waves.forecast import ModelParameters
from hcx_waves.run.scope import Scope
from hcx_waves.twin.names import world_id_of
from hcx_waves.wavefile.loader import load_wave, read_wave
from hcx_waves.wavefile.night import seed_of
from hcx_waves.wavefile.wave import Wave
from support.airflow_home import DAGS
from support.wave_files import full_wave, minimal

NIGHTS = [date(2026, 10, day) for day in range(1, 31)]


def rehearsal(wave: Wave | None = None, kind: str = "manual", logical: str | None = None, **params: Any) -> Rehearsal:
    run = SimpleNamespace(
        run_type=kind,
        logical_date=None if logical is None else datetime.fromisoformat(logical),
        run_after=datetime(2026, 11, 23, 22, 30, tzinfo=UTC),
        start_date=None,
    )
    context = {"params": params, "dag_run": run, "ti": SimpleNamespace(run_id="manual__1")}
    task = TaskRun("small", True, context)
    return Rehearsal.of(wave or read_wave(minimal().replace("UTC", "Europe/Berlin")), task)


@pytest.mark.parametrize("kind", ["scheduled", "backfill"])
@pytest.mark.parametrize(
    ("zone", "logical", "night"),
    [
        ("Europe/Berlin", "2026-10-25T11:00:00+00:00", date(2026, 10, 25)),
        ("America/New_York", "2026-11-01T17:00:00+00:00", date(2026, 11, 1)),
        ("Asia/Tokyo", "2026-10-25T03:00:00+00:00", date(2026, 10, 25)),
        ("Pacific/Auckland", "2026-10-24T23:00:00+00:00", date(2026, 10, 25)),
    ],
)
def test_the_night_is_the_logical_date_in_the_waves_zone(zone: str, logical: str, night: date, kind: str) -> None:
    wave = read_wave(minimal().replace("UTC", zone))
    found = rehearsal(wave, kind, logical)
    assert found.night == night
    assert found.seed == seed_of("small", night)
    assert found.wave.night == night


def test_by_hand_it_is_the_night_that_is_asked_for_else_the_waves_own_else_tonight() -> None:
    assert rehearsal(full_wave(), night="2026-12-24").night == date(2026, 12, 24)
    assert rehearsal(full_wave()).night == date(2026, 10, 24)
    assert rehearsal().night == date(2026, 11, 23), "23:30 in Berlin"
    tokyo = read_wave(minimal().replace("UTC", "Asia/Tokyo"))
    assert rehearsal(tokyo, logical="2026-01-01T00:00:00+00:00").night == date(2026, 11, 24), "and not the logical date"


def test_backfilled_nights_are_not_all_made_the_same_one() -> None:
    with pytest.raises(
        RunRefusedError, match="this backfill run rehearses the night of 2026-10-25, but its params ask"
    ):
        rehearsal(kind="backfill", logical="2026-10-25T11:00:00+00:00", night="2026-10-24")
    assert rehearsal(kind="backfill", logical="2026-10-25T11:00:00+00:00", night="2026-10-25").night.day == 25


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("asset_triggered", {}, "a run of type asset_triggered cannot rehearse a night"),
        ("backfill", {}, "this backfill run has no logical date"),
        ("manual", {"faults": ["earthquake"]}, "unknown fault earthquake; known faults: stuck-switchover"),
        ("manual", {"night": "tomorrow"}, "params are not valid: night"),
        ("manual", {"lead_hours": 23}, "params are not valid: lead_hours"),
        ("manual", {"reaction_minutes": -1}, "params are not valid: reaction_minutes"),
    ],
)
def test_what_makes_no_sense_is_refused(kind: str, params: dict[str, Any], said: str) -> None:
    with pytest.raises(RunRefusedError, match=said):
        rehearsal(kind=kind, **params)


def test_files_are_looked_for_where_this_installation_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with a file is told in the log, so no run may name just any."""
    state, reports = tmp_path / "state", tmp_path / "reports"
    monkeypatch.setenv("HCX_WAVES_STATE_FOLDER", str(state))
    monkeypatch.setenv("HCX_WAVES_REPORTS_FOLDER", str(reports))
    state.mkdir()
    (state / "aside").symlink_to("/etc")
    assert rehearsal(snapshot="snapshots/a.json.gz").params.snapshot == state / "snapshots" / "a.json.gz"
    assert rehearsal(parameters_file=str(reports / "p.yaml")).params.parameters_file == reports / "p.yaml"
    for name in ("snapshot", "parameters_file"):
        for path in ("/etc/passwd", "../passwd", "snapshots/../../passwd", "aside/passwd"):
            with pytest.raises(RunRefusedError, match=f"^{name}: .* is not below any of these folders: "):
                rehearsal(**{name: path})


def test_without_params_nothing_goes_wrong() -> None:
    assert rehearsal().faults == ()
    assert rehearsal(faults=["tunnel-down", "approver-asleep"]).faults == ("tunnel-down", "approver-asleep")
    assert rehearsal(faults=["tunnel-down", "approver-asleep"]).twin_faults == ("tunnel-down",), "the rest is ours"


def turns(faults: list[str], wave: Wave | None = None) -> list[tuple[str, ...]]:
    return [rehearsal(wave, night=night.isoformat(), faults=faults, rotate_faults=True).faults for night in NIGHTS]


def test_faults_take_turns_by_wave_and_date_alone() -> None:
    found = turns([])
    assert {one for turn in found for one in turn} == set(FAULTS)
    assert found[9:] == found[:-9], "eight faults and the night without"
    chosen = turns(["tunnel-down"])
    assert set(chosen) == {(), ("tunnel-down",)}
    assert all(before != after for before, after in itertools.pairwise(chosen))


def test_every_gate_of_the_dag_has_a_reaction_time_that_follows_from_the_night() -> None:
    wave = full_wave()
    first = draw_reactions(rehearsal(wave, night="2026-10-24"), ModelParameters())
    assert set(first) == {
        "approve_wave", "approve_switchover", "cutover_erp.approve_cutover", "cutover_voice.approve_cutover",
        "cutover_voice.confirm_disconnected",
    }  # fmt: skip
    assert first == draw_reactions(rehearsal(wave, night="2026-10-24"), ModelParameters())
    assert (
        len({*first.values(), *draw_reactions(rehearsal(wave, night="2026-10-25"), ModelParameters()).values()}) == 10
    )
    assert all(0 < seconds <= 7200 for seconds in first.values() if seconds is not None)


def test_the_reaction_times_are_drawn_from_the_model_or_are_the_one_that_is_given() -> None:
    drawn = [draw_reactions(rehearsal(night=night.isoformat()), ModelParameters())["approve_wave"] for night in NIGHTS]
    assert 120 < sorted(filter(None, drawn))[15] < 800, "the model's median is 300 s"
    assert draw_reactions(rehearsal(reaction_minutes=2), ModelParameters()) == {"approve_wave": 120.0}


@pytest.mark.parametrize(
    ("wave", "asleep"),
    [
        (
            load_wave(DAGS / "waves" / "three-tier-1.yaml"),
            {"cutover_web.approve_cutover", "cutover_app.approve_cutover"},
        ),
        (read_wave(minimal()), {"approve_wave"}),
        (read_wave(minimal(more="gates: {approve_switchover: {}}\n")), {"approve_switchover"}),
    ],
    ids=["cutovers", "none but the start", "switchovers"],
)
def test_an_approver_who_sleeps_answers_none_of_the_nights_gates(wave: Wave, asleep: set[str]) -> None:
    reactions = draw_reactions(rehearsal(wave, faults=["approver-asleep"]), ModelParameters())
    assert {task_id for task_id, seconds in reactions.items() if seconds is None} == asleep
    assert set(reactions) == {one.task_id for one in gates_of_night(wave)}


def test_each_run_has_a_world_of_its_own() -> None:
    assert rehearsal().world_id == world_id_of("small", "manual__1")
    assert len(rehearsal(read_wave(minimal("a-very-long-name-" + "x" * 40))).world_id) <= 64


def resolved(params: dict[str, Param], **given: Any) -> dict[str, Any]:
    return {name: param.resolve(given[name]) if name in given else param.resolve() for name, param in params.items()}


def test_the_forms_defaults_are_the_tasks_own() -> None:
    wave = full_wave()
    values = resolved(rehearsal_params(wave))
    assert rehearsal(wave, **values).params == rehearsal(wave).params
    assert Scope.of_params(values, wave).poll_seconds(wave) == 60, "the wave's own is for real time"
    assert {"vms", "stop_before_cutover", "cutover_only"} <= set(values), "a rehearsal does what the run would do"


def test_no_conf_makes_a_live_run_look_away_in_an_outage() -> None:
    scope = Scope.of_params({"outage_poll_seconds": 600}, full_wave())
    assert (scope.seconds_between_looks(rehearsal=True), scope.seconds_between_looks(rehearsal=False)) == (600, 1)


@pytest.mark.parametrize(
    "given",
    [
        {"faults": ["earthquake"]}, {"faults": ["tunnel-down", "tunnel-down"]}, {"lead_hours": 23}, {"lead_hours": -1},
        {"reaction_minutes": 1441}, {"outage_poll_seconds": 0}, {"snapshot_max_age_hours": -1}, {"forecast": "yes"},
        {"rotate_faults": None}, {"poll_interval_seconds": 0},
    ],
    ids=str,
)  # fmt: skip
def test_the_form_refuses_what_makes_no_sense(given: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        resolved(rehearsal_params(full_wave()), **given)
