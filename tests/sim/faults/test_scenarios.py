"""Fault scenarios by name: each works, is drawn from the seed, and is refused where it cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from hcx_sim.faults.catalogue import FAULT_SCENARIOS
from hcx_sim.faults.scenarios import NamedFault
from hcx_sim.scenario import ScenarioError
from support.hcx_wire import Manager as Extensions
from support.hcx_wire import scenario as extended
from support.mobility import Manager, messages, phases, scenario, seconds_of
from support.site_pair import SitePair, SiteServer
from support.waiting import HANG_SECONDS

VMS = ["vm-a", "vm-b", "vm-c", "vm-d"]
EIGHT = datetime(2026, 1, 5, 8, tzinfo=UTC)


def _at(hour: int, minute: int = 0) -> datetime:
    return EIGHT.replace(hour=hour, minute=minute)


def drawn(pair: SitePair) -> list[dict[str, Any]]:
    control = pair.endpoints["control"]
    head = {"Authorization": f"Bearer {control['token']}"}
    answer = pair.http().get(f"{control['url']}/worlds/{pair.world_id}", headers=head)
    shown: list[dict[str, Any]] = answer.json()["fault_scenarios"]
    return shown


def faulty(name: str, document: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    """Return what makes a world with one named fault."""
    fault = NamedFault(scenario=name, **parameters)
    return {"scenario": document or scenario(VMS), "named_faults": (fault,)}


@pytest.mark.world(**faulty("stuck-switchover", objects=["vm-b", "vm-c"]))
def test_one_scheduled_switchover_gets_stuck_until_it_is_found_again(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = dict(zip(VMS, manager.start(*(manager.intent(vm, window=(3600, 36000)) for vm in VMS)), strict=True))
    site_pair.run_until_idle()

    ((stuck,),) = (each["objects"] for each in drawn(site_pair))

    assert stuck in ("vm-b", "vm-c")
    done = {vm for vm, migration_id in ids.items() if manager.state(migration_id) == "MIGRATION_COMPLETE"}
    assert done == set(VMS) - {stuck}
    assert manager.query(migrationId=[ids[stuck]])[0]["progress"]["state"]["isWaitingForMaintWindow"] == 1
    answer = manager.post(
        f"/mobility/groups/{manager.query(migrationId=[ids[stuck]])[0]['migrationGroupId']}/schedule",
        {"mobilityGroupDefaults": {"switchover": manager.schedule(1, 9000)}},
    )
    assert answer.status_code == 200
    site_pair.run_until_idle()
    assert manager.state(ids[stuck]) == "MIGRATION_COMPLETE"


@pytest.mark.world(**faulty("failing-switchover", times=1))
def test_one_switchover_fails_so_many_times(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = manager.start(*(manager.intent(vm) for vm in VMS))
    manager.run(*ids)
    (strike,) = drawn(site_pair)
    (failed,) = strike["objects"]

    states = dict(zip(VMS, (manager.state(each) for each in ids), strict=True))

    assert [vm for vm, state in states.items() if state == "MIGRATION_FAILED"] == [failed]
    began = seconds_of(site_pair, failed, "switchover")
    assert seconds_of(site_pair, failed, "rollback") - began == strike["fails_after_seconds"]
    assert 20 <= strike["fails_after_seconds"] <= 90
    assert site_pair.vm(failed).site == "source"
    manager.run(*manager.start(manager.intent(failed)))
    assert phases(site_pair, failed)[-1][1] == "complete"


@pytest.mark.world(**faulty("failing-switchover", scenario(["vm-1", "vm-10"]), objects=["vm-1"]))
def test_a_name_that_is_part_of_another_is_not_taken_for_it(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    ids = manager.start(manager.intent("vm-1"), manager.intent("vm-10"))
    manager.run(*ids)

    assert [manager.state(each) for each in ids] == ["MIGRATION_FAILED", "MIGRATION_COMPLETE"]


@pytest.mark.world(**faulty("tunnel-down", scenario(["vm-a"]), at=_at(8, 1), seconds=600))
def test_a_tunnel_goes_down_and_comes_back(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.advance(50)
    (migration_id,) = manager.start(manager.intent("vm-a"))
    site_pair.advance(60)
    (mesh,) = site_pair.world.meshes.values()
    assert mesh.tunnel_up is False
    assert all(not bridge.up for bridge in site_pair.world.bridges.values())
    manager.run(migration_id)

    assert mesh.tunnel_up is True
    assert all(bridge.up for bridge in site_pair.world.bridges.values())
    # 55 s of queue, 5 s of base sync, ten minutes of nothing, then the other 5 s
    assert seconds_of(site_pair, "vm-a", "switchover_window") == 50 + 5 + 5 + 600 + 5
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"


def test_by_itself_a_tunnel_goes_down_for_a_while_in_the_night(site_server: SiteServer) -> None:
    seen = set()
    for seed in range(12):
        pair = site_server.make_world(seed=seed, **faulty("tunnel-down"))
        (strike,) = drawn(pair)
        site_server.drop(pair)
        begins, ends = (datetime.fromisoformat(strike[name]) for name in ("from", "to"))
        assert 1800 <= (begins - EIGHT).total_seconds() <= 6 * 3600
        assert 600 <= (ends - begins).total_seconds() <= 3600
        seen.add((strike["from"], strike["to"]))
    assert len(seen) == 12


@pytest.mark.world(**faulty("unextend-fails", extended()))
def test_unextending_fails_once(site_pair: SitePair) -> None:
    manager = Extensions(site_pair)
    stretch_id = manager.extensions()[0]["stretchId"]

    jobs = []
    for _ in range(2):
        answer = manager.call("DELETE", f"/l2Extensions/{stretch_id}?connectToLocalRouter=true&force=true")
        assert answer.status_code == 200, answer.text
        site_pair.run_until_idle()
        jobs.append(manager.job(answer.json()["id"]))

    assert [job["didFail"] for job in jobs] == [True, False]
    assert jobs[0]["errorMessage"].startswith("Failed to unextend network net-a")
    assert manager.extensions() == []


@pytest.mark.world(**faulty("destination-full", free_gb=1))
def test_a_full_destination_is_said_by_the_validation(site_pair: SitePair) -> None:
    manager = Manager(site_pair)

    answer = manager.validate(manager.intent("vm-a"), manager.intent("vm-b"))

    needed = "Datastore 'WorkloadDatastore' has 1.0 GiB free, 1.9 GiB are needed"
    assert any(needed in message for message in messages(answer)), messages(answer)


@pytest.mark.world(**faulty("destination-full", at=_at(9), seconds=3600))
def test_a_destination_that_fills_up_later_fails_those_that_begin_then(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.start(manager.intent("vm-a"), manager.intent("vm-b", transfer_window=(5400, 9000)))
    (free_bytes,) = (each.free_bytes for each in site_pair.world.datastores.values() if each.site == "destination")
    site_pair.run_until_idle()

    assert phases(site_pair, "vm-a")[-1][1] == "complete"
    (item,) = manager.query(entityId=[site_pair.vm("vm-b").moref])
    assert item["state"] == "TRANSFER_FAILED"
    assert "Virtual machine vm-b does not fit the target datastore." in str(item["progress"]["error"])
    (after,) = (each.free_bytes for each in site_pair.world.datastores.values() if each.site == "destination")
    assert after == free_bytes - 10**9


@pytest.mark.world(**faulty("slow-link", scenario(["vm-a"]), factor=0.25))
def test_a_slow_link_makes_transfers_longer(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.run(*manager.start(manager.intent("vm-a")))

    assert seconds_of(site_pair, "vm-a", "switchover_window") == 5 + 40  # 10 s at full speed


@pytest.mark.world(**faulty("slow-link", scenario(["vm-a"]), factor=0.5, at=_at(8), seconds=10))
def test_a_link_recovers(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.run(*manager.start(manager.intent("vm-a")))

    assert seconds_of(site_pair, "vm-a", "switchover_window") == 5 + 5 + 7.5
    assert [each.link_bits_per_second for each in site_pair.world.meshes.values()] == [800e6]


@pytest.mark.world(**faulty("vcenter-flaps", objects=["destination"], at=(_at(9), _at(10))))
def test_a_vcenter_refuses_for_seconds_and_is_there_again(site_pair: SitePair) -> None:
    strikes = drawn(site_pair)
    assert 2 <= len(strikes) <= 4
    url = site_pair.url("vcenter", "destination")
    instants = sorted((each["from"], each["to"]) for each in strikes)
    for begins, ends in instants:
        length = (datetime.fromisoformat(ends) - datetime.fromisoformat(begins)).total_seconds()
        assert 5 <= length <= 40
        to_begin = (datetime.fromisoformat(begins) - site_pair.now).total_seconds()
        site_pair.advance(max(0.0, to_begin))
        with pytest.raises(requests.ConnectionError):
            site_pair.http().get(f"{url}/sdk/vimServiceVersions.xml", timeout=HANG_SECONDS)
        assert site_pair.http().get(site_pair.url("vcenter", "source") + "/sdk/vimServiceVersions.xml").ok
    site_pair.run_until_idle()
    assert site_pair.http().get(f"{url}/sdk/vimServiceVersions.xml", timeout=HANG_SECONDS).ok
    assert len(site_pair.world.faults) == 0


def test_equal_seeds_draw_equally_and_one_more_fault_changes_no_other(site_server: SiteServer) -> None:
    def draw(seed: int, *names: str) -> list[dict[str, Any]]:
        named = tuple(NamedFault(scenario=name) for name in names)
        pair = site_server.make_world(seed=seed, scenario=scenario(VMS), named_faults=named)
        shown = drawn(pair)
        site_server.drop(pair)
        return shown

    assert draw(3, "stuck-switchover", "tunnel-down") == draw(3, "stuck-switchover", "tunnel-down")
    assert draw(3, "stuck-switchover", "tunnel-down", "slow-link")[:2] == draw(3, "stuck-switchover", "tunnel-down")
    chosen = {draw(seed, "stuck-switchover")[0]["objects"][0] for seed in range(24)}
    assert chosen == set(VMS)


def test_a_reset_world_has_the_same_faults_again(site_server: SiteServer) -> None:
    pair = site_server.make_world(**faulty("failing-switchover"))
    before = drawn(pair), pair.run(pair.world.faults.listing)
    site_server.server.run(lambda: site_server.server.worlds.reset(pair.world_id))

    assert (drawn(pair), pair.run(pair.world.faults.listing)) == before
    site_server.drop(pair)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"scenario": "tea-time"}, "no fault scenario 'tea-time'; there are: destination-full, failing-switchover, "),
        ({"scenario": "stuck-switchover", "times": 2}, "stuck-switchover takes no 'times'; it takes: count, objects"),
        (
            {"scenario": "stuck-switchover", "objects": ["vm-x"]},
            "stuck-switchover: none of ['vm-x'] is one of the running workload VMs of the source",
        ),
        (
            {"scenario": "unextend-fails", "objects": ["mesh-1"]},
            "unextend-fails: none of ['mesh-1'] is one of the extended networks of the source",
        ),
    ],
)
def test_what_cannot_strike_is_refused(site_server: SiteServer, fault: dict[str, Any], error: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        site_server.make_world(world_id="none", scenario=scenario(VMS), named_faults=(NamedFault(**fault),))

    assert str(refusal.value).startswith(error)
    assert "none" not in site_server.server.worlds.ids()


def test_the_control_api_takes_names_scenarios_and_rules_and_lists_what_there_is(site_pair: SitePair) -> None:
    control = site_pair.endpoints["control"]
    http = site_pair.http()
    http.headers["Authorization"] = f"Bearer {control['token']}"
    faults: list[Any] = [
        "slow-link",
        {"scenario": "tunnel-down", "at": ["2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z"], "seconds": [60, 90]},
        {"rule_id": "mine", "product": "hcx", "behaviour": "status"},
    ]

    body = {"world_id": "named", "scenario": "seed", "clock": {"mode": "stepped"}, "faults": faults}
    made = http.post(f"{control['url']}/worlds", json=body)

    assert made.status_code == 201, made.text
    slow, tunnel = made.json()["world"]["fault_scenarios"]
    assert (slow["scenario"], slow["from"], 0.2 <= slow["factor"] <= 0.6) == ("slow-link", None, True)
    assert "2026-01-05T09:00" <= tunnel["from"] <= "2026-01-05T10:00:00.000Z"
    lasts = datetime.fromisoformat(tunnel["to"]) - datetime.fromisoformat(tunnel["from"])
    assert 60 <= lasts.total_seconds() <= 90
    assert made.json()["world"]["faults"] == 1
    strange = {**body, "world_id": "x", "faults": [{"scenario": "x", "a": 1}]}
    refusal = http.post(f"{control['url']}/worlds", json=strange)
    assert refusal.status_code == 422
    assert refusal.json()["error"] == "body.faults.0.scenario.a: Extra inputs are not permitted"
    listed = http.get(f"{control['url']}/fault-scenarios").json()["scenarios"]
    assert [each["name"] for each in listed] == sorted(FAULT_SCENARIOS)
    assert all(each["description"] and each["objects"] and each["parameters"] for each in listed)
    http.delete(f"{control['url']}/worlds/named")


def test_each_fault_scenario_has_a_test_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in FAULT_SCENARIOS if f'faulty("{name}"' not in text} == set()
