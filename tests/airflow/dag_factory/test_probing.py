"""The watchdog probes the sites of waves: once a day, when they are idle; and preflight warns of what it saw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from hcx_airflow.dag_factory import watchdog
from hcx_airflow.dag_factory.watch import new_differences
from hcx_airflow.dag_factory.watchdog import ProbeSitesOperator, SitesDifferError, build_watchdog_dag
from hcx_waves.probe import KeptProbes
from support.airflow_tasks import AirflowRun, connection_documents, set_connections
from support.probed import behind_proxies
from support.site_pair import SitePair
from support.untouched import assert_only_read
from support.wave_tasks import WaveTasks
from support.waves import SHIPPED

NOON = datetime(2026, 1, 5, 12, 2, tzinfo=UTC)


class Idle:
    """Airflow with the seed wave in service and no run of it, unless a test says otherwise."""

    def __init__(self, paused: bool = False, running: int = 0) -> None:
        self.paused, self.running = paused, running

    def is_paused(self, dag_id: str) -> bool | None:
        return self.paused if dag_id == "seed-wave" else None

    def count(self, dag_id: str, states: Sequence[str] | None = None, logical_date: datetime | None = None) -> int:
        return self.running

    def is_waiting(self, dag_id: str, run_id: str, task_id: str) -> bool:
        return False


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the seed wave; reports are below the test's own folder."""
    waves = tmp_path / "waves"
    waves.mkdir(exist_ok=True)
    (waves / "seed-wave.yaml").write_bytes((SHIPPED / "seed-wave.yaml").read_bytes())
    monkeypatch.setenv("HCX_WAVES_REPORTS_FOLDER", str(tmp_path / "reports"))
    return waves


def probes_in(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "reports" / "probes").glob("*"))


def test_sites_are_probed_once_a_day(connections: Any, site_pair: SitePair, folder: Path, tmp_path: Path) -> None:
    mark = site_pair.mark()
    assert new_differences(folder, Idle(), NOON) == []
    assert len(probes_in(tmp_path)) >= 5
    assert_only_read(site_pair, mark)

    mark = site_pair.mark()
    assert new_differences(folder, Idle(), NOON + timedelta(hours=23)) == []
    assert not site_pair.calls("l2_extensions.list", after=mark)
    assert new_differences(folder, Idle(), NOON + timedelta(hours=24)) == []
    assert site_pair.calls("l2_extensions.list", after=mark)


@pytest.mark.parametrize(
    ("airflow", "now"),
    [(Idle(paused=True), NOON), (Idle(running=1), NOON), (Idle(), NOON.replace(minute=5))],
    ids=["paused", "at work", "late in the hour"],
)
def test_sites_are_left_alone(
    connections: Any, site_pair: SitePair, folder: Path, tmp_path: Path, airflow: Idle, now: datetime
) -> None:
    mark = site_pair.mark()

    assert new_differences(folder, airflow, now) == []

    assert site_pair.calls(after=mark) == []
    assert probes_in(tmp_path) == []


def test_sites_that_do_not_answer_are_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, site_pair: SitePair, caplog: pytest.LogCaptureFixture
) -> None:
    documents = connection_documents(site_pair.endpoints, attempts=1)
    documents["vmc_destination"]["host"] = "https://127.0.0.1:9"
    set_connections(monkeypatch, documents)

    assert new_differences(folder, Idle(), NOON) == []

    assert "Cannot probe the sites of seed-wave: " in caplog.text


def with_an_unknown_state(path: str, body: Any) -> Any:
    """A mesh in a state that nobody knows."""
    if path.partition("?")[0].endswith("/interconnect/serviceMesh"):
        for mesh in body["items"]:
            mesh["state"] = "REBALANCING"
    return body


def through(proxies: dict[str, Any], site_pair: SitePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the wave's connections lead to the proxies, where there are any."""
    documents = connection_documents(site_pair.endpoints)
    documents["hcx_source"]["host"] = proxies["source"]["hcx"]["url"]
    set_connections(monkeypatch, documents)


def test_what_differs_is_said_once_and_preflight_warns_of_it(
    airflow_run: AirflowRun, site_pair: SitePair, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind_proxies(site_pair, {("source", "hcx"): with_an_unknown_state}) as (document, _):
        through(document, site_pair, monkeypatch)
        first = new_differences(folder, Idle(), NOON)
        again = new_differences(folder, Idle(), NOON + timedelta(days=1))
        tasks = WaveTasks(airflow_run)
        tasks.do("resolve_plan")
        found = tasks.do("run_preflight")

    assert first == ['hcx.service_meshes.list: items[].state: unknown word "REBALANCING"']
    assert again == []
    [finding] = [item["finding"] for item in found["items"] if item["finding"]["finding_id"] == "contract-differs"]
    assert finding["severity"] == "warning"
    assert finding["subject"] == "source HCX Manager: hcx.service_meshes.list"
    assert "2026-01-06" in finding["message"]
    assert 'that plan, preflight rely on: items[].state: unknown word "REBALANCING"' in finding["message"]


def test_a_file_that_cannot_be_read_keeps_no_wave_from_starting(
    airflow_run: AirflowRun, site_pair: SitePair, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    new_differences(folder, Idle(), NOON)
    for path in (tmp_path / "reports" / "probes").iterdir():
        path.write_text("{")
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan")

    found = tasks.do("run_preflight")

    assert not [item for item in found["items"] if item["finding"]["finding_id"] == "contract-differs"]
    assert "Cannot read what the last probe has seen" in caplog.text


def test_the_task_is_red_for_new_differences(
    connections: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "new_differences", lambda *_given: ["a: b: missing", "c: d: missing"])
    ti = SimpleNamespace(bundle_instance=SimpleNamespace(path=tmp_path))

    with pytest.raises(AirflowFailException, match=r"^2 new differences between .*\n- a: b: missing\n- c: d: missing"):
        ProbeSitesOperator(task_id="probe_sites").execute({"ti": ti})  # type: ignore[typeddict-item]
    assert SitesDifferError(["x"]).differences == ("x",)


def test_a_probe_that_hangs_does_not_hold_up_the_watchdog() -> None:
    task = build_watchdog_dag().get_task("probe_sites")

    assert task.execution_timeout < timedelta(minutes=5)
    assert not task.upstream_list
    assert not task.downstream_list


def test_the_kept_probe_is_of_the_address_in_the_connection(
    connections: Any, site_pair: SitePair, folder: Path, tmp_path: Path
) -> None:
    new_differences(folder, Idle(), NOON)

    kept = KeptProbes(tmp_path / "reports").read(site_pair.url("hcx", "source"))

    assert kept is not None
    assert kept.confirmed > 5
