"""The checks that protect a cutover are made again for its gate, and right before the gateway is switched off."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_airflow.errors import BlockedError
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

CHANGES = ("PATCH", "PUT", "DELETE")
pytestmark = pytest.mark.world(mode="scaled", speed=600.0)


@pytest.fixture
def proven(airflow_run: AirflowRun, site_pair: Any) -> WaveTasks:
    """A run whose VMs have moved and whose segment is proven empty."""
    made = WaveTasks(airflow_run)
    made.do("resolve_plan", "run_preflight", "approve_wave", "start_migrations", "await_migrations")
    made.do("evaluate_migrations", "verify_virtual_machines")
    site_pair.advance(60)
    made.do("prove_segment_empty")
    return made


def changes_since(site_pair: Any, mark: int) -> list[str]:
    """Return what was asked to change; that a session has ended is no change."""
    calls = [one["data"] for one in site_pair.calls(after=mark)]
    return [one["operation"] for one in calls if one["method"] in CHANGES and "session" not in one["operation"]]


def break_the_extension(site_pair: Any) -> None:
    bridge = next(iter(site_pair.world.bridges.values()))
    site_pair.run(lambda: site_pair.world.update(bridge, up=False))


def give_another_gateway(site_pair: Any) -> None:
    segment = site_pair.world.segments["source/seed-net"]
    site_pair.run(lambda: site_pair.world.update(segment, gateway_cidr="192.168.1.254/24"))


def test_the_gate_shows_what_has_changed(proven: WaveTasks, site_pair: Any) -> None:
    break_the_extension(site_pair)
    give_another_gateway(site_pair)
    proven.do("approve_cutover")
    body = proven.run.asked[-1]["body"]
    changes = body.partition("### Changes since the approval of the wave")[2].partition("###")[0]
    assert "Blocking" in changes
    assert "DISCONNECTED" in changes
    assert "The gateway is not moved until this is resolved" in changes
    assert "The gateway at the source was: connectivity on, gateway 192.168.1.1/24" in changes


def test_the_gate_says_that_nothing_has_changed(proven: WaveTasks) -> None:
    proven.do("approve_cutover")
    assert "Nothing. The checks that protect this step were made again." in proven.run.asked[-1]["body"]


def test_what_came_after_the_approval_stops_the_disconnect(proven: WaveTasks, site_pair: Any) -> None:
    proven.do("approve_cutover")
    break_the_extension(site_pair)
    mark = site_pair.mark()
    with pytest.raises(BlockedError, match=r"keeps its gateway at the source.*DISCONNECTED.*clear approve_cutover"):
        proven.do("disconnect_source_segment")
    assert changes_since(site_pair, mark) == []
    assert site_pair.world.segments["source/seed-net"].gateway_up


def test_nothing_more_is_read_between_the_disconnect_and_the_unextend(proven: WaveTasks, site_pair: Any) -> None:
    proven.do("approve_cutover")
    mark = site_pair.mark()
    proven.do("disconnect_source_segment", "unextend_network")
    calls = [(one["data"]["method"], one["data"]["operation"]) for one in site_pair.calls(after=mark)]
    off = next(at for at, (method, _) in enumerate(calls) if method == "PATCH")
    assert "l2_extensions.list" in [call for _, call in calls[:off]]
    lists = [call for _, call in calls[off:] if call.endswith("segments.list")]
    assert lists == []
