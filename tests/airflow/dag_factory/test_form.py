"""The trigger form: what it offers, what Airflow refuses, and that a scheduled run is content with the defaults."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk import Param
from airflow.sdk.exceptions import ParamValidationError

from hcx_airflow.dag_factory.form import cleanup_params, live_params
from hcx_airflow.dag_factory.recovery_form import recovery_params
from hcx_airflow.dag_factory.texts import recovery_face
from hcx_waves.rescue.menu import MENU
from hcx_waves.rescue.request import RequestError, read_request
from hcx_waves.run.scope import Scope
from hcx_waves.wavefile.loader import read_wave
from support.wave_files import changed, full_wave, minimal


def resolved(params: dict[str, Param], **given: Any) -> dict[str, Any]:
    return {name: param.resolve(given[name]) if name in given else param.resolve() for name, param in params.items()}


def test_the_defaults_are_valid_and_mean_what_the_file_says() -> None:
    wave = full_wave()
    assert resolved(live_params(wave)) == {
        "vms": [],
        "stop_before_cutover": True,
        "cutover_only": False,
        "change_reference": None,
        "notes": None,
        "poll_interval_seconds": 20.0,
    }
    assert Scope.of_params(resolved(live_params(wave)), wave).stop_before_cutover is True
    assert resolved(cleanup_params(wave)) == {"wave_run_id": None, "change_reference": None, "notes": None}


def test_vms_are_a_multiple_choice_of_the_waves_own() -> None:
    param = live_params(full_wave())["vms"]
    assert param.schema["examples"] == ["erp01", "erp02", "erp03"]
    assert param.schema["type"] == ["array", "null"], "the form takes the first type and needs not be filled in"


@pytest.mark.parametrize(
    "given",
    [
        {"vms": ["erp02", "erp01"], "change_reference": "CHG1234567", "notes": "a\nb", "poll_interval_seconds": 1},
        {"vms": None, "stop_before_cutover": False, "cutover_only": True, "change_reference": None},
    ],
)
def test_what_makes_sense_is_taken_by_form_and_tasks_alike(given: dict[str, Any]) -> None:
    wave = full_wave()
    values = resolved(live_params(wave), **given)
    scope = Scope.of_params(values, wave)
    assert list(scope.vms) == (given["vms"] or [])
    assert scope.change_reference == given["change_reference"]


@pytest.mark.parametrize(
    "given",
    [
        {"vms": ["erp09"]},
        {"vms": ["erp01", "erp01"]},
        {"vms": "erp01"},
        {"change_reference": "CHG12"},
        {"change_reference": "xCHG1234567"},
        {"poll_interval_seconds": 0.5},
        {"poll_interval_seconds": 601},
        {"poll_interval_seconds": "20"},
        {"stop_before_cutover": "yes"},
        {"cutover_only": None},
        {"notes": "x" * 4001},
    ],
    ids=str,
)
def test_airflow_itself_refuses_what_makes_none(given: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        resolved(live_params(full_wave()), **given)


def test_a_pattern_that_cannot_stand_in_brackets_is_left_to_the_gate() -> None:
    text = changed('change_reference_pattern: "CHG[0-9]{7}"', 'change_reference_pattern: "(?i)chg[0-9]+"')
    param = live_params(read_wave(text))["change_reference"]
    assert "pattern" not in param.schema
    assert "(?i)chg[0-9]+" in (param.description or "")


def test_without_a_pattern_any_reference_will_do() -> None:
    params = live_params(read_wave(minimal()))
    assert resolved(params, change_reference="whatever")["change_reference"] == "whatever"


def test_what_matters_is_open_when_the_form_opens() -> None:
    """Airflow's form opens with the params that have no section; the sections are closed."""
    params = live_params(full_wave())
    closed = {name for name, param in params.items() if param.schema.get("section")}
    assert closed == {"poll_interval_seconds"}
    assert not [name for name, param in cleanup_params(full_wave()).items() if param.schema.get("section")]


def test_the_form_of_a_recovery_offers_each_action_with_what_it_does() -> None:
    params = recovery_params(recovery_face(full_wave(), "text"))
    assert all(param.description or param.schema["description_md"] for param in params.values())
    action = params["action"].schema
    assert action["enum"] == [None, *(one.value for one in MENU)]
    for item in MENU.values():
        assert f"**{item.title}**: {item.does}" in action["description_md"]
        assert item.title in action["values_display"][item.action.value]
    assert params["objects"].schema["examples"] == [
        "erp", "voice", "shared", "backup", "erp01", "erp02", "erp03",
    ]  # fmt: skip
    assert "For cancel VMs." in str(params["force"].description)


def test_what_a_form_of_a_recovery_gives_is_understood() -> None:
    wave, now = full_wave(), datetime(2026, 3, 14, tzinfo=UTC)
    params = recovery_params(recovery_face(wave, "text"))
    given = resolved(params, action="cancel", objects=["erp01"], force=True, run="manual__1")
    wanted, run_id = read_request(given, wave, now)
    assert (wanted.action.value, wanted.names, wanted.choices.force, run_id) == (
        "cancel",
        ("erp01",),
        True,
        "manual__1",
    )
    with pytest.raises(ParamValidationError):
        resolved(params, objects=["erp09"])
    with pytest.raises(RequestError) as refused:
        read_request(
            {**given, "objects": "erp01", "force": 1, "run": "a\nb", "deadline": "2026-03-13T00:00"}, wave, now
        )
    assert len(refused.value.problems) == 4
    for strange in ({"objects": ["erp"]}, {"decided_by": "bob"}, {"deadline": "2026-03-15T00:00:00+00:00"}):
        with pytest.raises(RequestError):
            read_request({**given, **strange}, wave, now)
