"""Starting, adopting, watching, releasing, cancelling and proving migrations, at the simulated sites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.hcx import GroupDraft
from hcx_waves.migration.cancel import CancelAnswer, cancel_migrations
from hcx_waves.migration.errors import AlreadyMigratingError, GroupMismatchError, ScheduleRefusedError
from hcx_waves.migration.intents import group_name, intents_of
from hcx_waves.migration.start import StartedWave, retry_virtual_machines, start_wave
from hcx_waves.migration.status import VmPhase, read_status
from hcx_waves.migration.switchover import hold, is_held, next_release, release_switchovers, seeded
from hcx_waves.migration.verify import verify_virtual_machines
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.states import VmOutcome
from hcx_waves.procedure_errors import SubmissionLostError
from support.mobility import Manager, scenario, vm_spec
from support.procedures import Planner, run_to_end, sites_of, window_in
from support.site_pair import SitePair

FOUR = ("web01", "web02", "app01", "db01")
CREATE, START = "mobility.groups.create", "mobility.groups.start"


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    """The clients of this test's world."""
    with sites_of(site_pair) as opened:
        yield opened


@pytest.fixture
def plan(site_pair: SitePair, clients: SiteClients) -> WavePlan:
    """The seed wave."""
    return Planner(clients).plan(site_pair, FOUR, ["seed-net"])


def test_seed_wave_is_started_once_and_arrives_as_it_was(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan
) -> None:
    started = start_wave(plan, clients)
    assert not started.adopted
    assert started.group_name == group_name(plan)
    assert set(started.migration_ids) == set(FOUR)
    polls = len(site_pair.calls("migrations.query"))
    read_status(clients.hcx, started, site_pair.now)
    assert len(site_pair.calls("migrations.query")) == polls + 1

    status = run_to_end(site_pair, clients, started)
    assert status.counts == {"done": 4}
    assert status.percent == 100.0
    proofs = verify_virtual_machines(plan, status, clients)
    for proof in proofs:
        assert proof.is_proven, proof.reasons
        assert proof.after is not None
        assert (proof.before.site, proof.after.site) == ("source", "destination")
        assert proof.after.vm_id != proof.before.vm_id or proof.after.site != proof.before.site
        assert proof.after.mac_addresses == proof.before.mac_addresses
        assert proof.after.ip_addresses == proof.before.ip_addresses != ()
        assert proof.after.power_state == "poweredOn"
    assert [len(site_pair.calls(operation)) for operation in (CREATE, START)] == [1, 1]
    assert StartedWave.model_validate_json(started.model_dump_json()) == started


def test_group_carries_what_the_plan_says(site_pair: SitePair, clients: SiteClients) -> None:
    window = window_in(site_pair, 7200, 3600)
    plan = Planner(clients).plan(site_pair, ["web01", "db01"], ["seed-net"], types={"db01": MigrationType.BULK},
                                 window=window)  # fmt: skip
    started = start_wave(plan, clients)
    members = {one["entity"]["entityName"]: one for one in clients.hcx.group_intents([started.group_id])[0].migrations}
    assert {name: one["migrationType"] for name, one in members.items()} == {
        "web01": "RAV", "db01": "vSphereReplication",
    }  # fmt: skip
    web01 = members["web01"]
    assert web01["switchoverParams"]["schedule"] == {
        "startTime": int(window.opens.timestamp() * 1000), "expiryTime": int(window.closes.timestamp() * 1000),
    }  # fmt: skip
    nic = plan.vm("web01").nics[0]
    mapping = web01["networkParams"]["networkMappings"][0]
    assert (mapping["macAddress"], mapping["destNetworkId"]) == (nic.mac_address, nic.destination.network_id)
    assert web01["storage"]["defaultStorage"]["id"] == plan.vm("web01").datastore.object_id  # type: ignore[union-attr]


@pytest.mark.parametrize("behaviour", ["reset_after", "malformed", "truncated"])
@pytest.mark.parametrize("operation", [CREATE, START])
def test_lost_answer_is_resolved_by_looking(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan, operation: str, behaviour: str
) -> None:
    site_pair.fault(product="hcx", site="source", call=operation, behaviour=behaviour, count=1)
    started = start_wave(plan, clients)
    assert len(site_pair.calls(operation)) == 1
    assert run_to_end(site_pair, clients, started).migrated == FOUR


@pytest.mark.parametrize("operation", [CREATE, START])
def test_call_that_never_arrived_is_repeated_only_by_the_next_try(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan, operation: str
) -> None:
    site_pair.fault(product="hcx", site="source", call=operation, behaviour="reset_before", count=1)
    with pytest.raises(SubmissionLostError, match="was lost") as lost:
        start_wave(plan, clients)
    assert lost.value.is_transient
    assert ClientError.from_dict(lost.value.to_dict()).to_dict() == lost.value.to_dict()
    started = start_wave(plan, clients)
    assert run_to_end(site_pair, clients, started).migrated == FOUR
    assert len({entry["subject"] for entry in site_pair.audit("note", subject="migration:")}) == 4


def test_draft_that_was_not_started_is_started(site_pair: SitePair, clients: SiteClients, plan: WavePlan) -> None:
    clients.hcx.create_group(GroupDraft(group_name(plan), list(intents_of(plan).values())))
    started = start_wave(plan, clients)
    assert not started.adopted
    assert [len(site_pair.calls(operation)) for operation in (CREATE, START)] == [1, 1]


def test_running_group_is_adopted_also_when_some_have_moved(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan
) -> None:
    first = start_wave(plan, clients)
    while not read_status(clients.hcx, first, site_pair.now).migrated:
        site_pair.advance(30)
    again = start_wave(plan, clients)
    assert again.adopted
    assert again.migration_ids == first.migration_ids
    assert [len(site_pair.calls(operation)) for operation in (CREATE, START)] == [1, 1]
    assert len(site_pair.calls("mobility.migrations.validate")) == 1


def test_work_in_flight_of_an_earlier_plan_is_adopted(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan
) -> None:
    first = start_wave(plan, clients, only=["web01", "web02"])
    later = plan.model_copy(update={"wave_hash": "1" * 64})
    assert group_name(later) != group_name(plan)
    second = start_wave(later, clients)
    assert {vm.name: vm.group_id == first.group_id for vm in second.vms} == {
        "web01": True, "web02": True, "app01": False, "db01": False,
    }  # fmt: skip
    assert start_wave(later, clients).migration_ids == second.migration_ids
    assert run_to_end(site_pair, clients, second).migrated == FOUR
    # A try after all have moved still finds them.
    assert start_wave(later, clients).migration_ids == second.migration_ids
    assert [len(site_pair.calls(operation)) for operation in (CREATE, START)] == [2, 2]


def test_vm_in_a_foreign_group_stops_the_start(site_pair: SitePair, clients: SiteClients, plan: WavePlan) -> None:
    # A wave whose name only begins like this one's.
    foreign = clients.hcx.create_group(GroupDraft("test-2-0123456789ab", [intents_of(plan)["db01"]]))
    clients.hcx.start_groups([foreign.group_id])
    with pytest.raises(AlreadyMigratingError, match="db01: in flight in mobility group test-2-0123456789ab") as refused:
        start_wave(plan, clients)
    assert refused.value.details["vms"] == ["db01"]
    assert len(site_pair.calls(CREATE)) == 1


def test_group_with_other_members_is_not_touched(site_pair: SitePair, clients: SiteClients, plan: WavePlan) -> None:
    clients.hcx.create_group(GroupDraft(group_name(plan), [intents_of(plan)["db01"]]))
    with pytest.raises(GroupMismatchError, match="lacks app01, web01, web02"):
        start_wave(plan, clients)
    assert site_pair.calls(START) == []


SMALL: dict[str, Any] = scenario(["one", "two"], {"failing_switchovers": ["two"]})


@pytest.mark.world(scenario=SMALL)
def test_failed_vm_stays_and_is_tried_again_only_on_demand(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one", "two"], ["app"])
    started = start_wave(plan, clients)
    status = run_to_end(site_pair, clients, started)
    assert status.vm("two").outcome is VmOutcome.FAILED
    assert status.unfinished == ("two",)
    proofs = {proof.name: proof for proof in verify_virtual_machines(plan, status, clients)}
    assert proofs["one"].is_proven
    assert proofs["two"].reasons == ("HCX: Switchover failed. Virtual machine two stays at the source.",)
    assert start_wave(plan, clients).adopted
    assert len(site_pair.calls(START)) == 1

    site_pair.fault(product="hcx", call="mobility.migrations.start", behaviour="reset_after", count=1)
    again = retry_virtual_machines(plan, started, ["two"], clients)
    assert again.vm("two").migration_id != started.vm("two").migration_id
    assert again.vm("two").group_id == started.group_id
    assert retry_virtual_machines(plan, again, ["two"], clients) == again
    assert len(site_pair.calls("mobility.migrations.start")) == 1
    with pytest.raises(GroupMismatchError, match="one has no failed or cancelled migration"):
        retry_virtual_machines(plan, again, ["one"], clients)


@pytest.mark.world(scenario=SMALL)
def test_draft_next_to_a_failed_vm_is_not_started_unasked(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one", "two"], ["app"])
    intents, name = intents_of(plan), group_name(plan)
    group_id = clients.hcx.create_group(GroupDraft(name, [intents["two"]])).group_id
    clients.hcx.start_groups([group_id])
    site_pair.advance(36_000)
    draft = {**GroupDraft(name, [intents["one"]]).to_wire(), "migrationGroupId": group_id}
    assert Manager(site_pair).send("PUT", "/mobility/groups", {"items": [draft]}).ok
    with pytest.raises(GroupMismatchError, match="never started next to two, which failed") as mixed:
        start_wave(plan, clients)
    assert mixed.value.details["drafts"] == ["one"]
    assert len(site_pair.calls(START)) == 1


@pytest.mark.world(scenario=scenario(["one", "two"], {"tracker_lost_entities": ["two"]}))
def test_switchover_that_hcx_lost_is_noticed_and_cured_by_a_new_window(
    site_pair: SitePair, clients: SiteClients
) -> None:
    window = window_in(site_pair, 3600, 7200)
    plan = Planner(clients).plan(site_pair, ["one", "two"], ["app"], window=window)
    started = start_wave(plan, clients)
    status = run_to_end(site_pair, clients, started)
    assert status.migrated == ("one",)
    assert status.vm("two").stalled
    assert not status.is_terminal
    [note] = status.notes()
    assert "KB 321654" in note
    assert status.notes(said=[note]) == ()
    release_switchovers(clients.hcx, started, ["two"], window_in(site_pair, 0, 3600), site_pair.now)
    assert run_to_end(site_pair, clients, started).migrated == ("one", "two")


@pytest.mark.world(scenario=scenario(["slow"], {"queue_seconds": {"kind": "fixed", "seconds": 5000}}))
def test_missed_window_is_said_and_can_be_mended(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["slow"], ["app"], window=window_in(site_pair, 60, 600))
    started = start_wave(plan, clients)
    status = run_to_end(site_pair, clients, started)
    assert status.vm("slow").missed_window
    assert status.is_stuck
    assert not status.is_terminal
    assert "missed its switchover window" in status.notes()[0]
    passed = window_in(site_pair, -600, 300)
    with pytest.raises(ScheduleRefusedError, match="the window closed at"):
        release_switchovers(clients.hcx, started, ["slow"], passed, site_pair.now)
    release_switchovers(clients.hcx, started, ["slow"], window_in(site_pair, 0, 7200), site_pair.now)
    assert run_to_end(site_pair, clients, started).migrated == ("slow",)


@pytest.mark.world(scenario=scenario(["slow"], {"queue_seconds": {"kind": "fixed", "seconds": 5000},
                                                "missed_window": "fail"}))  # fmt: skip
def test_missed_window_may_also_be_a_failure(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["slow"], ["app"], window=window_in(site_pair, 60, 600))
    status = run_to_end(site_pair, clients, start_wave(plan, clients))
    assert status.vm("slow").phase is VmPhase.FAILED


@pytest.mark.world(scenario=scenario([vm_spec("a", 11), vm_spec("b", 12), vm_spec("c", 13)]))
def test_held_vms_are_released_one_after_the_other(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["a", "b", "c"], ["app"], order=["b", "a"])
    started = start_wave(plan, clients, window=hold(site_pair.now))
    site_pair.advance(3600)
    status = read_status(clients.hcx, started, site_pair.now)
    assert set(seeded(status)) == {"a", "b", "c"}
    assert all(is_held(vm.window_opens, site_pair.now) for vm in status.vms)

    window = window_in(site_pair, 0, 36_000)
    released: list[str] = []
    for _ in range(500):
        status = read_status(clients.hcx, started, site_pair.now)
        if status.is_terminal:
            break
        due = next_release(status, plan.switchover_order, released)
        if due.names:
            release = release_switchovers(clients.hcx, started, due.names, window, site_pair.now)
            assert release.released == due.names
            assert release_switchovers(clients.hcx, started, due.names, window, site_pair.now).released == ()
            released += due.names
        site_pair.advance(20)
    assert released == ["b", "a", "c"]
    ended = sorted(status.vms, key=lambda vm: vm.ended_at or site_pair.now)
    assert [vm.name for vm in ended] == ["b", "a", "c"]
    assert len(site_pair.calls("mobility.groups.schedule")) == 3


@pytest.mark.world(scenario=scenario(["one", "two"], {"failing_cancels": ["two"]}))
def test_cancel_touches_only_what_is_named_and_forces_only_on_demand(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one", "two"], ["app"], window=window_in(site_pair, 36_000, 3600))
    started = start_wave(plan, clients)
    site_pair.advance(60)
    report = cancel_migrations(clients.hcx, [started.vm("two").migration_id, "nobody"])
    assert [item.answer for item in report.items] == [CancelAnswer.ASKED, CancelAnswer.NOT_LISTED]
    site_pair.advance(120)
    status = read_status(clients.hcx, started, site_pair.now)
    assert status.vm("two").outcome is VmOutcome.MIGRATING
    forced = cancel_migrations(clients.hcx, [started.vm("two").migration_id], force=True)
    assert str(forced) == "two: forced"
    site_pair.advance(120)
    status = read_status(clients.hcx, started, site_pair.now)
    assert status.vm("two").outcome is VmOutcome.CANCELLED
    assert status.vm("one").phase is VmPhase.WAITING_FOR_WINDOW
    ended = cancel_migrations(clients.hcx, [started.vm("two").migration_id])
    assert [item.answer for item in ended.items] == [CancelAnswer.ENDED]
    assert not ended.acted
    assert len(site_pair.calls("mobility.migrations.cancel")) == 1


@pytest.mark.world(scenario=scenario(["one"], {"bulk_keeps_uuids": False}))
def test_bulk_leaves_a_retired_copy_and_may_change_the_uuids(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one"], ["app"], types={"one": MigrationType.BULK})
    started = start_wave(plan, clients)
    status = run_to_end(site_pair, clients, started)
    [proof] = verify_virtual_machines(plan, status, clients)
    assert proof.is_proven, proof.reasons
    assert proof.retired_copy is not None
    assert proof.retired_copy.startswith("one-")
    assert proof.after is not None
    assert proof.after.instance_uuid != proof.before.instance_uuid


def test_vm_that_was_changed_on_the_way_is_not_proven(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan
) -> None:
    started = start_wave(plan, clients)
    status = run_to_end(site_pair, clients, started)
    world, web01, web02 = site_pair.world, site_pair.vm("web01"), site_pair.vm("web02")
    web01.nics[0].mac = "00:50:56:00:00:99"
    site_pair.run(lambda: world.update(web02, tools_running=False))
    proofs = {proof.name: proof for proof in verify_virtual_machines(plan, status, clients)}
    assert proofs["web01"].outcome is VmOutcome.MISPLACED
    assert "MAC 00:50:56:00:00:99 is new" in proofs["web01"].reasons
    assert proofs["web02"].is_proven
    assert proofs["web02"].outstanding == ("VMware Tools does not report 192.168.1.12 yet",)
    assert proofs["db01"].is_proven
