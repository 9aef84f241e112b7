"""Worlds by the control API: who may call, making, describing, resetting, snapshots."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from hcx_sim.scenario import load_scenario
from hcx_sim.world.model import Power
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS


def test_health_needs_no_token_and_everything_else_does(probe_pair: SitePair, control: Any) -> None:
    bare = probe_pair.http()

    assert bare.get(f"{control.base}/health").json()["status"] == "up"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"}):
        answer = bare.get(f"{control.base}/worlds", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["X-Hcx-Sim"] == "control"
        assert answer.json()["error"] == "the control API needs its token"
        assert "control.token" in answer.json()["hint"]


@pytest.mark.world(scenario="three-tier", seed=9, role="twin")
def test_a_world_is_described(probe_pair: SitePair, control: Any) -> None:
    answer = control.get("").json()

    assert answer["world_id"] == probe_pair.world_id
    assert answer["identity"] == f"world={probe_pair.world_id}; role=twin"
    assert (answer["scenario"], answer["seed"], answer["role"]) == ("three-tier", 9, "twin")
    assert answer["clock"] == {"mode": "paused", "speed": 1.0, "now": "2026-01-05T08:00:00.000Z"}
    assert answer["vms"] >= 29
    assert answer in control.get("/worlds").json()["worlds"]


def test_a_twin_is_made_from_a_document_used_and_deleted(control: Any, probe_pair: SitePair) -> None:
    document = load_scenario("seed").model_dump(mode="json", exclude_defaults=True)
    made = control.post("/worlds", {"world_id": "twin-1", "scenario": document, "clock": {"mode": "stepped"}})

    assert made.status_code == 201
    endpoints = made.json()["endpoints"]
    assert made.json()["world"]["role"] == "twin"
    assert endpoints == control.get("/worlds/twin-1/endpoints").json()
    url = endpoints["source"]["hcx"]["url"]
    assert probe_pair.http().get(f"{url}/thing").headers["X-Hcx-Sim"] == "world=twin-1; role=twin"
    assert control.delete("/worlds/twin-1").status_code == 204
    assert probe_pair.http().get(f"{url}/thing").status_code == 404
    assert control.get("/worlds/twin-1").json() == {
        "error": "no world 'twin-1'",
        "hint": "GET /worlds lists the worlds",
    }


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"world_id": "default", "scenario": "seed"}, 409, "world 'default' exists already"),
        ({"world_id": "x", "scenario": "/etc/passwd"}, 422, "no shipped scenario '/etc/passwd'"),
        ({"world_id": "x", "scenario": {"name": "x", "colour": 1}}, 422, "document: colour: Extra inputs"),
        ({"world_id": "x", "scenario": "seed", "rol": "twin"}, 422, "body.rol: Extra inputs are not permitted"),
        ({"world_id": "x", "scenario": "seed", "clock": {"speed": 0}}, 422, "body.clock.speed: Input should be"),
        ({"world_id": "../x", "scenario": "seed"}, 409, "world id '../x' must be letters"),
    ],
)
def test_a_world_that_cannot_be_made_is_refused_with_a_reason(
    control: Any, body: dict[str, Any], status: int, error: str
) -> None:
    before = control.get("/health").json()["worlds"]

    answer = control.post("/worlds", body)

    assert answer.status_code == status
    assert answer.json()["error"].startswith(error)
    assert answer.json()["hint"]
    assert control.get("/health").json()["worlds"] == before


def test_the_default_world_stays(control: Any) -> None:
    answer = control.delete("/worlds/default")

    assert answer.status_code == 409
    assert answer.json()["error"] == "the default world cannot be deleted; reset it instead"


def test_reset_takes_everything_back(control: Any, probe_pair: SitePair) -> None:
    probe_pair.run(lambda: probe_pair.world.update(probe_pair.vm("web01"), power=Power.OFF))
    control.post("/clock", {"advance_seconds": 60})

    answer = control.post("/reset")

    assert answer.status_code == 200
    assert answer.json()["clock"]["now"] == "2026-01-05T08:00:00.000Z"
    assert probe_pair.vm("web01").power is Power.ON


def test_a_snapshot_makes_an_equal_world_and_says_what_it_leaves_out(control: Any, probe_pair: SitePair) -> None:
    def plan() -> None:
        world = probe_pair.world
        world.update(probe_pair.vm("web02"), name="web02-renamed")
        world.engine.on("test.later", lambda: None)
        world.engine.schedule(60, "test.later", "a")

    probe_pair.run(plan)
    snapshot = control.get("/snapshot").json()

    assert snapshot["in_flight"] == [{"at": "2026-01-05T08:01:00.000Z", "kind": "test.later", "name": "a"}]
    assert snapshot["not_carried"] == ["1 events in flight"]
    made = control.post("/worlds", {"world_id": "copy", "scenario": snapshot["scenario"], "clock": {"mode": "paused"}})
    assert made.status_code == 201
    names = {vm["name"] for vm in control.get("/worlds/copy/vms").json()["vms"]}
    assert names == {vm["name"] for vm in control.get("/vms").json()["vms"]}
    assert "web02-renamed" in names
    control.delete("/worlds/copy")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/worlds", 405)])
def test_unknown_calls_have_the_control_apis_error_shape(control: Any, method: str, path: str, status: int) -> None:
    answer: requests.Response = control.session.request(method, control.base + path, timeout=HANG_SECONDS)

    assert answer.status_code == status
    assert set(answer.json()) == {"error", "hint"}
