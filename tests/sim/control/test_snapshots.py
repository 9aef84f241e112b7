"""Stored snapshots and the worlds made from them."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest

from hcx_sim.scenario import Scenario, load_scenario
from hcx_sim.scenario.generate import generate
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS

DOCUMENT = {"format": "probe", "scenario": load_scenario("seed").model_dump(mode="json", exclude_defaults=True)}


@pytest.fixture
def read() -> list[str]:
    """The names of the scenarios that were read from snapshots."""
    return []


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch, read: list[str], control: Any) -> Iterator[None]:
    """A snapshot here is a scenario in a wrapping: what is tested is keeping it, not its format."""

    def scenario_from_snapshot(document: Mapping[str, Any]) -> Scenario:
        if "scenario" not in document:
            raise ValueError("format: Field required")
        scenario = load_scenario(document["scenario"])
        read.append(scenario.name)
        return scenario

    module = ModuleType("hcx_sim.scenario.snapshot")
    module.scenario_from_snapshot = scenario_from_snapshot  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    yield
    for each in control.get("/snapshots").json()["snapshots"]:
        control.delete(f"/snapshots/{each['snapshot_id']}")


def _store(control: Any, document: Any) -> str:
    answer = control.post("/snapshots", document)
    assert answer.status_code in (200, 201)
    return str(answer.json()["snapshot_id"])


def test_a_snapshot_is_known_by_its_content_however_it_is_sent(control: Any) -> None:
    made = control.post("/snapshots", DOCUMENT)
    turned = json.dumps(dict(reversed(DOCUMENT.items())), indent=3)
    again = control.session.post(
        f"{control.base}/snapshots",
        data=gzip.compress(turned.encode()),
        headers={"Content-Encoding": "gzip"},
        timeout=HANG_SECONDS,
    )

    text = json.dumps(DOCUMENT, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    facts = {
        "snapshot_id": hashlib.sha256(text).hexdigest(),
        "name": "seed",
        "vms": 4,
        "networks": 1,
        "size_bytes": len(text),
    }
    assert (made.status_code, made.json()) == (201, facts)
    assert (again.status_code, again.json()) == (200, facts)
    assert control.get("/snapshots").json() == {"snapshots": [facts]}
    assert control.get(f"/snapshots/{facts['snapshot_id']}").json() == facts


def test_worlds_are_made_from_one_reading_and_share_no_facts(
    control: Any, probe_pair: SitePair, read: list[str]
) -> None:
    snapshot_id = _store(control, DOCUMENT)
    for world_id in ("rh-1", "rh-2"):
        body = {
            "world_id": world_id,
            "snapshot_id": snapshot_id,
            "clock": {"mode": "stepped", "start": "2026-10-24T18:00:00Z"},
            "guarded": True,
            "seed": 7,
        }
        made = control.post("/worlds", body)
        assert made.status_code == 201
        world = made.json()["world"]
        assert (world["role"], world["guarded"], world["seed"]) == ("twin", True, 7)
        assert world["clock"]["now"] == "2026-10-24T18:00:00.000Z"
    assert read == ["seed"]
    control.delete(f"/snapshots/{snapshot_id}")

    def spoil() -> None:
        world = probe_pair.server.worlds.get("rh-1")
        for vm in world.vms.values():
            vm.nics.clear()
            vm.properties["spoilt"] = True

    probe_pair.run(spoil)

    assert control.post("/worlds/rh-1/reset").status_code == 200
    for world_id in ("rh-1", "rh-2"):
        vms = control.get(f"/worlds/{world_id}/vms").json()["vms"]
        assert all(vm["networks"] for vm in vms if vm["role"] == "workload")
        assert control.delete(f"/worlds/{world_id}").status_code == 204


def test_unknown_snapshots_make_no_world(control: Any) -> None:
    answer = control.post("/worlds", {"world_id": "x", "snapshot_id": "abc"})

    assert answer.status_code == 404
    assert answer.json() == {
        "error": "no snapshot 'abc'",
        "hint": "POST /snapshots stores one; GET /snapshots lists them",
    }
    assert control.get("/snapshots/abc").status_code == control.delete("/snapshots/abc").status_code == 404
    assert "x" not in control.get("/health").json()["worlds"]


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([1], "a snapshot must be a JSON object"),
        ({"no": 1}, "snapshot: format: Field required"),
        ({"scenario": {"name": "x", "colour": 1}}, "document: colour: Extra inputs are not permitted"),
    ],
)
def test_what_is_no_snapshot_is_refused(control: Any, document: Any, error: str) -> None:
    answer = control.post("/snapshots", document)

    assert (answer.status_code, answer.json()["error"]) == (422, error)
    assert control.get("/snapshots").json() == {"snapshots": []}


def test_the_snapshot_that_was_not_used_for_longest_goes(control: Any) -> None:
    ids = [_store(control, {**DOCUMENT, "number": number}) for number in range(16)]
    control.get(f"/snapshots/{ids[0]}")

    newest = _store(control, {**DOCUMENT, "number": 16})

    kept = {each["snapshot_id"] for each in control.get("/snapshots").json()["snapshots"]}
    assert kept == {ids[0], *ids[2:], newest}


def test_settings_and_rules_are_laid_over_the_scenarios(control: Any, probe_pair: SitePair) -> None:
    document = {
        **DOCUMENT["scenario"],
        "settings": {"hcx": {"cancel_seconds": 7, "rav_switchover": {"kind": "fixed", "seconds": 9}}},
        "faults": [{"rule_id": "own", "product": "hcx", "behaviour": "status"}],
    }
    made = control.post(
        "/worlds",
        {
            "world_id": "other",
            "scenario": document,
            "settings": {"hcx": {"rav_switchover": {"kind": "uniform", "low_seconds": 1, "high_seconds": 2}}},
            "faults": [{"rule_id": "more", "product": "nsx", "behaviour": "status"}],
        },
    )

    assert made.status_code == 201
    for _ in range(2):
        hcx = probe_pair.server.worlds.get("other").settings.hcx
        assert (hcx.cancel_seconds, hcx.rav_switchover.kind) == (7, "uniform")
        rules = control.get("/worlds/other/faults").json()["faults"]
        assert [rule["rule_id"] for rule in rules] == ["own", "more"]
        control.post("/worlds/other/reset")
    control.delete("/worlds/other")


@pytest.mark.parametrize(
    ("more", "status", "error"),
    [
        ({}, 422, "body: Value error, give scenario or snapshot_id"),
        ({"scenario": "seed", "snapshot_id": "abc"}, 422, "body: Value error, give scenario or snapshot_id"),
        ({"scenario": "seed", "settings": {"hcx": {"colour": 1}}}, 422, "settings: hcx.colour: Extra inputs"),
        ({"scenario": "seed", "guarded": True}, 409, "a guarded clock is stepped, not scaled"),
        (
            {"scenario": "seed", "faults": [{"rule_id": "a", "product": "hcx", "behaviour": "status"}] * 2},
            422,
            "two fault rules are called 'a'",
        ),
        (
            {"scenario": "seed", "faults": [{"rule_id": "a", "product": "hcx", "call": "tea", "behaviour": "status"}]},
            422,
            "fault rule 'a': no call of hcx is named 'tea'",
        ),
    ],
)
def test_a_variant_that_cannot_be_is_refused(control: Any, more: dict[str, Any], status: int, error: str) -> None:
    answer = control.post("/worlds", {"world_id": "x", **more})

    assert answer.status_code == status
    assert answer.json()["error"].startswith(error)
    assert "x" not in control.get("/health").json()["worlds"]


def test_other_worlds_go_on_while_a_large_one_is_built(control: Any, in_thread: Any) -> None:
    document = generate(12_000, 10, 1, 1).model_dump(mode="json", exclude_defaults=True)
    snapshot_id = _store(control, {"scenario": document})
    body = {"world_id": "large", "snapshot_id": snapshot_id}
    building = [in_thread(control.post, "/worlds", body) for _ in range(2)]
    answers = 0
    while "large" not in control.get("/health").json()["worlds"]:
        assert control.get("/clock").status_code == 200
        answers += 1

    made, refused = sorted((each() for each in building), key=lambda answer: int(answer.status_code))
    assert (made.status_code, refused.status_code) == (201, 409)
    assert refused.json()["error"] == "world 'large' exists already"
    assert answers > 1
    control.delete("/worlds/large")
