"""What a rehearsal must not touch, and what must not touch a twin: each refusal, and what the live site says of it.

Two live sites stand by: ``site_pair`` on the server where the twins live too, of which snapshots are taken, and
``live_site`` on a server of its own. Whatever is tried, neither is asked to change anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hcx_airflow.errors import NotApprovedError, RunRefusedError, UnusableConnectionsError
from hcx_airflow.hooks.sites import open_sites_for_snapshot
from hcx_waves.clients.errors import ClientError, EndpointMismatch
from hcx_waves.wavefile.loader import load_wave
from hcx_waves.wavefile.problems import WaveFileError
from support.airflow_tasks import AirflowRun, connection_documents, set_connections
from support.night_player import NightRun
from support.untouched import assert_only_read
from support.wave_tasks import WaveTasks

Rehearse = Callable[..., NightRun]
TWIN_HCX, TWIN_VMC = "AIRFLOW_CONN_TWIN_HCX_SOURCE", "AIRFLOW_CONN_TWIN_VMC_DESTINATION"
CHANGING = {"start_migrations", "cutover_seed-net.disconnect_source_segment", "cutover_seed-net.unextend_network"}


def lead_to(monkeypatch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    """Edit a connection, as somebody does in Airflow's user interface."""
    document = json.loads(os.environ[name])
    monkeypatch.setenv(name, json.dumps({**document, **fields}))


def real_login(live_site: Any) -> dict[str, Any]:
    """Address and log-in of a live site's HCX, as its own connection has them."""
    found = connection_documents(live_site.endpoints)["hcx_source"]
    return {name: found[name] for name in ("host", "login", "password", "extra")}


def assert_untouched(*sites: Any) -> None:
    for site in sites:
        assert_only_read(site)


class TestRehearsals:
    """None of them reaches a live endpoint."""

    def test_a_live_endpoint_behind_a_twin_connection_is_refused_before_any_login(
        self, rehearse: Rehearse, live_site: Any, site_pair: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = rehearse()
        lead_to(monkeypatch, TWIN_HCX, **real_login(live_site))
        run.play()
        assert isinstance(run.errors["resolve_plan"], EndpointMismatch)
        assert 'connection "twin_hcx_source": leads to a' in str(run.errors["resolve_plan"])
        assert {run.states[one] for one in CHANGING} == {"upstream_failed"}
        assert "confirm_outcome" in run.red
        assert live_site.calls("sessions.create") == [], "the password was not even sent"
        assert_untouched(live_site, site_pair)

    @pytest.mark.parametrize("task", ["run_preflight", *sorted(CHANGING)])
    def test_a_connection_that_is_edited_between_two_tasks_is_refused(
        self, rehearse: Rehearse, live_site: Any, site_pair: Any, monkeypatch: pytest.MonkeyPatch, task: str
    ) -> None:
        run = rehearse(before={task: lambda _run: lead_to(monkeypatch, TWIN_HCX, **real_login(live_site))})
        run.play()
        assert isinstance(run.errors[task], EndpointMismatch), run.errors
        assert run.states["close_twin"] == "success", "the night has its record all the same"
        assert live_site.calls("sessions.create") == []
        assert_untouched(live_site, site_pair)

    def test_so_is_a_cloud_connection(
        self, rehearse: Rehearse, live_site: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cloud = connection_documents(live_site.endpoints)["vmc_destination"]
        edited = {name: cloud[name] for name in ("host", "password", "extra")}
        run = rehearse(before={"cutover_seed-net.unextend_network": lambda _: lead_to(monkeypatch, TWIN_VMC, **edited)})
        run.play()
        assert isinstance(run.errors["cutover_seed-net.unextend_network"], EndpointMismatch)
        assert live_site.calls("api_tokens.authorize") == []
        assert_untouched(live_site)

    def test_the_world_of_another_run_is_refused(
        self, rehearse: Rehearse, site_server: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = site_server.make_world(role="twin", scenario="seed")
        try:
            run = rehearse()
            lead_to(monkeypatch, TWIN_HCX, **real_login(other))
            run.play()
            assert isinstance(run.errors["resolve_plan"], ClientError)
            assert other.calls() == [], "no address leads out of the run's own world"
        finally:
            site_server.drop(other)

    def test_connections_that_are_no_twins_are_never_looked_up(
        self, rehearse: Rehearse, site_pair: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Even if all of the live ones are there, and none of the twins'."""
        run = rehearse()
        set_connections(monkeypatch, connection_documents(site_pair.endpoints))
        for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_TWIN_") and "CONTROL" not in name]:
            monkeypatch.delenv(name)
        run.play()
        error = run.errors["resolve_plan"]
        assert isinstance(error, UnusableConnectionsError)
        assert len(error.conn_ids) == 5
        assert all(conn_id.startswith("twin_") for conn_id in error.conn_ids)
        assert_untouched(site_pair)

    def test_a_connection_that_is_written_into_an_xcom_leads_nowhere_else(
        self, rehearse: Rehearse, site_pair: Any, live_site: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def forge(run: NightRun) -> None:
            run.xcoms["start_migrations"]["return_value"]["hcx_conn_id"] = "hcx_source"

        run = rehearse(before={"await_migrations": forge})
        set_connections(monkeypatch, connection_documents(live_site.endpoints))
        run.play()
        assert "evaluate_migrations" in run.red, "what it was to wait for is not what was started"
        assert_untouched(site_pair, live_site)
        assert live_site.calls() == []

    def test_snapshot_connections_change_nothing_whoever_tries(
        self, rehearse: Rehearse, site_pair: Any, bundle: Path
    ) -> None:
        rehearse()
        wave = load_wave(bundle / "waves" / "seed-wave.yaml")
        with open_sites_for_snapshot(wave) as clients:
            assert len(clients.source_vcenter.list_virtual_machines()) > 0, "it may read"
            with pytest.raises(EndpointMismatch, match="this client only reads"):
                clients.hcx.start_groups(["anything"])
            (segment, *_) = clients.destination_nsx.segments()
            with pytest.raises(EndpointMismatch, match="this client only reads"):
                clients.destination_nsx.delete_segment(segment)
        assert_untouched(site_pair)


class TestLiveRuns:
    """They work on the live site, and on nothing else."""

    @pytest.fixture
    def live_run(self, bundle: Path, site_pair: Any, monkeypatch: pytest.MonkeyPatch) -> AirflowRun:
        set_connections(monkeypatch, connection_documents(site_pair.endpoints))
        return AirflowRun(bundle)

    @pytest.mark.world(role="twin")
    @pytest.mark.parametrize("simulated", [True, False])
    def test_a_twin_behind_a_live_connection_is_refused(
        self, live_run: AirflowRun, site_pair: Any, monkeypatch: pytest.MonkeyPatch, simulated: bool
    ) -> None:
        set_connections(monkeypatch, connection_documents(site_pair.endpoints, simulated=simulated))
        with pytest.raises(EndpointMismatch, match="leads to a simulated twin"):
            WaveTasks(live_run).do("resolve_plan")
        assert_untouched(site_pair)

    def test_a_simulated_site_that_the_connection_does_not_own_up_to_is_refused(
        self, live_run: AirflowRun, site_pair: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_connections(monkeypatch, connection_documents(site_pair.endpoints, simulated=False))
        with pytest.raises(EndpointMismatch, match="leads to a simulated site") as caught:
            WaveTasks(live_run).do("resolve_plan")
        assert '"simulated": true' in str(caught.value.hint)
        assert_untouched(site_pair)

    def test_a_connection_that_is_edited_between_two_tasks_to_lead_to_a_twin_is_refused(
        self, live_run: AirflowRun, site_pair: Any, site_server: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tasks = WaveTasks(live_run)
        monkeypatch.setattr("airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **detail: None)
        tasks.do("resolve_plan", "run_preflight", "approve_wave")
        twin = site_server.make_world(role="twin")
        try:
            lead_to(monkeypatch, "AIRFLOW_CONN_HCX_SOURCE", **real_login(twin))
            with pytest.raises(EndpointMismatch, match='connection "hcx_source": leads to a simulated twin'):
                tasks.do("start_migrations")
            assert_untouched(site_pair, twin)
        finally:
            site_server.drop(twin)

    @pytest.mark.parametrize("conn_id", ["twin_hcx_source", "twin_control"])
    def test_a_wave_file_that_names_a_twin_is_refused(
        self, live_run: AirflowRun, bundle: Path, site_pair: Any, conn_id: str
    ) -> None:
        path = bundle / "waves" / "seed-wave.yaml"
        path.write_text(path.read_text().replace("hcx: hcx_source", f"hcx: {conn_id}"))
        with pytest.raises(WaveFileError, match=f'"{conn_id}" is a twin: connections that begin with "twin_"'):
            WaveTasks(live_run).do("resolve_plan")
        assert_untouched(site_pair)

    def test_a_backfilled_run_is_told_to_rehearse_by_its_first_task(self, live_run: AirflowRun, site_pair: Any) -> None:
        """Airflow's own refusal (test_backfill) comes before; a run's type may be changed by whoever may write it."""
        live_run.run_type = "backfill"
        said = "a backfill run never moves real VMs. To rehearse the wave, run rehearsal__seed-wave"
        with pytest.raises(RunRefusedError, match=said):
            WaveTasks(live_run).do("resolve_plan")
        assert site_pair.calls() == [], "before anything is asked"

    def test_operators_for_rehearsals_refuse_to_run_in_a_live_dag(self, live_run: AirflowRun, site_pair: Any) -> None:
        """Somebody who builds a DAG of one's own cannot mix the two."""
        with pytest.raises(RunRefusedError, match="seed-wave is not a rehearsal DAG, so it has no twin"):
            WaveTasks(live_run).do("resolve_plan", rehearsal=True)
        assert site_pair.calls() == []

    def test_a_rehearsals_approval_is_worth_nothing_in_a_live_run(
        self, live_run: AirflowRun, rehearse: Rehearse, site_pair: Any
    ) -> None:
        rehearsed = rehearse()
        rehearsed.play()
        tasks = WaveTasks(live_run)
        tasks.do("resolve_plan", "run_preflight")
        live_run.xcoms["approve_wave", "decision"] = rehearsed.xcoms["approve_wave"]["decision"]
        with pytest.raises(NotApprovedError, match="it is from another DAG"):
            tasks.do("start_migrations")
        assert_untouched(site_pair)


def test_a_rehearsal_reads_nothing_that_the_live_dag_has_left(rehearse: Rehearse) -> None:
    """The player refuses to hand out another DAG's XComs, and Airflow would hand them out."""
    run = rehearse()
    assert run.play().red == set()
    with pytest.raises(AssertionError, match="reads nothing of other DAGs"):
        run._task_instance("resolve_plan").xcom_pull(task_ids="resolve_plan", map_indexes=-1, dag_id="seed-wave")


def test_what_plays_airflow_here_has_the_interface_of_airflows_task_instance() -> None:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    assert callable(RuntimeTaskInstance.get_task_states)
    assert SimpleNamespace is not None
