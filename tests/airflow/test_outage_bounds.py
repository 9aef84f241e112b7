"""The outage has bounds even if the worker dies between switching the gateway off and saying so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hcx_waves.cutover import gateway
from hcx_waves.report.files import read_report
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=600.0)


class WorkerKilledError(Exception):
    """Stands for the end of a process: nothing after it happens, and no policy sees it."""


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    airflow_run.params = {"poll_interval_seconds": 1}
    made = WaveTasks(airflow_run)
    made.do("resolve_plan", "approve_wave", "start_migrations", "await_migrations", "evaluate_migrations")
    made.do("verify_virtual_machines", "prove_segment_empty", "approve_cutover")
    return made


def die_after_the_patch(tasks: WaveTasks, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Switch the gateway off and end before that is told; return the instant that was kept before."""

    def killed(*_: Any) -> Any:
        raise WorkerKilledError

    with monkeypatch.context() as patch:
        patch.setattr(gateway, "settled", killed)
        with pytest.raises(WorkerKilledError):
            tasks.do("disconnect_source_segment")
    return datetime.fromisoformat(tasks.left("disconnect_source_segment", "acting_since"))


def test_a_second_try_knows_when_the_first_has_begun(
    tasks: WaveTasks, site_pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = die_after_the_patch(tasks, monkeypatch)
    again = tasks.do("disconnect_source_segment")
    assert again["already"] is True
    assert datetime.fromisoformat(again["last_not_at"]) == kept
    assert kept < datetime.fromisoformat(again["seen_at"])
    outage = tasks.do("unextend_network", "await_unextended", "verify_destination_routed")["outage"]
    assert datetime.fromisoformat(outage["began_after"]) == kept
    assert 0 <= outage["lower_seconds"] < outage["upper_seconds"]
    assert len(site_pair.oracle()["segments"]["seed-net"]["outage"]) == 1


def test_a_way_back_has_bounds_too(tasks: WaveTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = die_after_the_patch(tasks, monkeypatch)
    back = tasks.do("reconnect_source_segment")
    assert back["acted"] is True
    assert datetime.fromisoformat(back["outage"]["began_after"]) == kept
    assert datetime.fromisoformat(back["outage"]["ended_before"]) == datetime.fromisoformat(back["seen_at"])
    assert 0 <= back["outage"]["lower_seconds"] < back["outage"]["upper_seconds"]
    report = read_report(Path(tasks.do("write_report")["json"]))
    assert report.longest_outage is not None
    assert report.longest_outage.began_after == kept


def test_an_undisturbed_disconnect_keeps_its_own_narrow_bounds(tasks: WaveTasks) -> None:
    left = tasks.do("disconnect_source_segment")
    kept = datetime.fromisoformat(tasks.left("disconnect_source_segment", "acting_since"))
    assert left["already"] is False
    assert kept <= datetime.fromisoformat(left["sent_at"]) <= datetime.fromisoformat(left["last_not_at"])
    back = tasks.do("reconnect_source_segment")
    assert back["outage"]["began_before"] == left["seen_at"]
