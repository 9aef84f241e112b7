"""The timeline of a world: what it holds, and that equal nights give equal bytes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hcx_sim.faults.scenarios import NamedFault
from hcx_sim.world.operations import change_segment
from support.mobility import Manager, scenario
from support.orchestra import Orchestra, Part
from support.site_pair import SitePair, SiteServer
from support.waiting import HANG_SECONDS

VMS = ["vm-a", "vm-b", "vm-c", "vm-d"]


def export(pair: SitePair) -> bytes:
    control = pair.endpoints["control"]
    head = {"Authorization": f"Bearer {control['token']}"}
    answer = pair.http().get(f"{control['url']}/worlds/{pair.world_id}/timeline", headers=head, timeout=HANG_SECONDS)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return answer.content


def lines(pair: SitePair, **wanted: Any) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in export(pair).splitlines()]
    return [line for line in found if all(line.get(name) == value for name, value in wanted.items())]


def _cut_source(pair: SitePair) -> None:
    segment = pair.world.segments["source/app"]
    pair.run(lambda: change_segment(pair.world, segment, connectivity="OFF"))


@pytest.mark.world(scenario=scenario(["vm-a"]), seed=3)
def test_it_begins_with_what_the_world_was_made_of_and_holds_nothing_else_at_first(site_pair: SitePair) -> None:
    assert lines(site_pair) == [{"timeline": 1, "scenario": "mobility", "seed": 3, "start": "2026-01-05T08:00:00.000Z"}]


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_migration_is_told_phase_by_phase(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.run(*manager.start(manager.intent("vm-a")))

    told = lines(site_pair, what="migration")

    assert [(line["before"], line["phase"]) for line in told][:3] == [
        ("draft", "queued"),
        ("queued", "preparing"),
        ("preparing", "base_sync"),
    ]
    assert told[-1] == {
        "what": "migration",
        "at": "2026-01-05T08:01:55.000Z",
        "vm": "vm-a",
        "kind": "RAV",
        "mesh": "mesh-1",
        "before": "cleanup",
        "phase": "complete",
    }
    assert lines(site_pair, what="stun") == [
        {"what": "stun", "at": "2026-01-05T08:01:55.000Z", "vm": "vm-a", "seconds": 0.5, "aborted": False}
    ]
    assert [(line["change"], line["site"]) for line in lines(site_pair, what="vm", name="vm-a")] == [
        ("added", "destination"),
        ("removed", "source"),
    ]


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"failing_switchovers": ["vm-a"]}))
def test_a_failure_says_why(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.run(*manager.start(manager.intent("vm-a")))

    (rollback, failed) = (line for line in lines(site_pair, what="migration") if "why" in line)

    assert rollback["why"] == failed["why"] == "Switchover failed. Virtual machine vm-a stays at the source."
    assert failed["phase"] == "failed"


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_gateways_extensions_jobs_and_meshes_are_told_by_their_names(site_pair: SitePair) -> None:
    _cut_source(site_pair)
    site_pair.advance(10)
    manager = Manager(site_pair)
    (bridge,) = site_pair.world.bridges
    assert manager.send("DELETE", f"/l2Extensions/{bridge}?connectToLocalRouter=true").status_code == 200
    site_pair.run_until_idle()

    cut, down = lines(site_pair, what="segment", site="source")
    assert cut == {
        "what": "segment", "at": "2026-01-05T08:00:00.000Z", "segment": "app", "site": "source",
        "change": "changed", "connectivity": "OFF",
    }  # fmt: skip
    assert (down["at"], down["gateway_up"]) == ("2026-01-05T08:00:02.000Z", False)
    assert [(line["change"], line.get("up")) for line in lines(site_pair, what="bridge", network="app")] == [
        ("changed", False),
        ("removed", None),
    ]
    assert [line["state"] for line in lines(site_pair, what="job", job="DeleteNetworkExtension")] == ["started", "done"]
    assert lines(site_pair, what="segment", segment="app", site="destination")[-1]["gateway_up"] is True


@pytest.mark.world(scenario="physical")
def test_a_physical_gateway_is_told(site_pair: SitePair) -> None:
    network = next(each for each in site_pair.world.networks.values() if each.name == "vlan-120")
    site_pair.run(lambda: site_pair.world.update(network, gateway_connected=False))

    (line,) = lines(site_pair, what="network")

    assert (line["name"], line["site"], line["gateway_connected"]) == ("vlan-120", "source", False)


def _faults(*names: str) -> tuple[NamedFault, ...]:
    return tuple(NamedFault(scenario=name) for name in names)


@pytest.mark.world(scenario=scenario(["vm-a"]), named_faults=_faults("failing-switchover", "tunnel-down"))
def test_faults_are_told_when_they_strike(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="hcx", site="source", call="mobility.migrations.validate", behaviour="status")
    manager.validate(manager.intent("vm-a"))
    manager.run(*manager.start(manager.intent("vm-a")))
    site_pair.run_until_idle()

    told = [{name: value for name, value in line.items() if name != "at"} for line in lines(site_pair, what="fault")]

    assert told == [
        {"what": "fault", "fault": "failing-switchover", "change": "begins", "objects": ["vm-a"]},
        {"what": "fault", "rule": "rule-1", "at_call": "source/hcx"},
        {"what": "fault", "rule": "failing-switchover-0.0-0", "point": "migration.switchover", "object": "vm-a"},
        {"what": "fault", "fault": "tunnel-down", "change": "begins", "objects": ["mesh-1"]},
        {"what": "fault", "fault": "tunnel-down", "change": "ends", "objects": ["mesh-1"]},
    ]
    (down, up) = lines(site_pair, what="mesh", name="mesh-1")
    assert (down["tunnel_up"], up["tunnel_up"]) == (False, True)


PARTS = {
    **{f"migrate-{vm}": Part(at_once=True, steps=[60] * 9) for vm in VMS},
    "poll": Part(steps=[45] * 12),
    "cut": Part(after=[f"migrate-{vm}" for vm in VMS], at_once=True, steps=[20]),
    "unextend": Part(after=["cut"], at_once=True, steps=[600]),
    "look": Part(after=["cut"], at_once=True, steps=[1]),
}
NIGHT = scenario(VMS)
del NIGHT["settings"]["hcx"]["rav_switchover"], NIGHT["settings"]["hcx"]["stun"]


def _night(server: SiteServer, disorder: int, seed: int = 11) -> bytes:
    """Play a night whose tasks race each other at the instants at which they begin."""
    named = _faults("slow-link", "tunnel-down")
    pair = server.make_world(mode="stepped", guarded=True, seed=seed, scenario=NIGHT, named_faults=named)

    def act(name: str, step: int) -> None:
        manager = Manager(pair)
        if name.startswith("migrate-") and step < 0:
            manager.start(manager.intent(name.removeprefix("migrate-")))
        elif name == "cut":
            _cut_source(pair)
        elif name == "unextend" and step < 0:
            (bridge,) = pair.world.bridges
            manager.send("DELETE", f"/l2Extensions/{bridge}?connectToLocalRouter=true")
        else:
            manager.query()

    Orchestra(pair, PARTS, disorder, act).play()
    pair.assert_no_bugs()
    told = export(pair)
    server.drop(pair)
    return told


def test_equal_nights_are_equal_to_the_byte_however_their_calls_race(site_server: SiteServer) -> None:
    nights = {_night(site_server, disorder) for disorder in range(5)}

    (night,) = nights
    assert night.count(b'"phase": "complete"') == len(VMS)
    assert b'"state": "done"' in night
    assert _night(site_server, 0, seed=12) != night


def test_it_holds_neither_wall_times_nor_ids(site_server: SiteServer) -> None:
    told = _night(site_server, 3).decode()

    assert "wall" not in told
    assert re.findall(r"20(?!26-01-05)\d\d-\d\d-\d\d", told) == []
    assert re.findall(r"[0-9a-f]{8}-?[0-9a-f]{4}", told) == []
    assert re.findall(r"\b(?:vm|task|call|dvportgroup)-\d+", told) == []
