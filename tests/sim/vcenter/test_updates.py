"""Property filters and the long poll of ``WaitForUpdatesEx``."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

import pytest
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

from hcx_sim.world.model import Power
from support.site_pair import SitePair
from support.threads import Threads
from support.waiting import HANG_SECONDS, wait_until

PC = vmodl.query.PropertyCollector


def _wait(client: Any, version: str = "", seconds: int | None = 0, limit: int | None = None) -> Any:
    return client.collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=seconds, maxObjectUpdates=limit))


def _changes(update: Any) -> dict[str, dict[str, Any]]:
    return {
        each.obj._moId: {change.name: change.val for change in each.changeSet}
        for filter_set in update.filterSet
        for each in filter_set.objectSet
    }


def _set_power(pair: SitePair, name: str, power: Power) -> None:
    pair.run(lambda: pair.world.update(pair.vm(name), power=power))


def _until_waiting(pair: SitePair, waiting: Future[Any]) -> None:
    """Return once the server holds the poll; fails when the poll ended at once."""
    state = pair.world.products["vcenter"].sites["source"]
    wait_until(lambda: waiting.done() or pair.run(lambda: len(state.changes._waiting)))
    assert not waiting.done(), waiting.result()


def test_first_answer_tells_everything_then_only_what_changed(client: Any, site_pair: SitePair) -> None:
    view = client.view(vim.VirtualMachine)
    client.collector.CreateFilter(client.spec(view, vim.VirtualMachine, "name", "runtime.powerState"), False)
    first = _wait(client)
    assert len(_changes(first)) == len([vm for vm in site_pair.world.vms.values() if vm.site == "source"])
    assert {each.kind for each in first.filterSet[0].objectSet} == {"enter"}
    assert _wait(client, first.version) is None
    _set_power(site_pair, "web01", Power.OFF)
    second = _wait(client, first.version)
    assert _changes(second) == {site_pair.vm("web01").moref: {"runtime.powerState": "poweredOff"}}
    assert second.filterSet[0].objectSet[0].kind == "modify"
    assert _wait(client, second.version) is None


def test_long_poll_wakes_on_a_change(client: Any, site_pair: SitePair, background: Threads) -> None:
    client.collector.CreateFilter(client.spec_of(client.vm("web01"), "name"), False)
    first = _wait(client)
    waiting = background.submit(_wait, client, first.version, 60)
    _until_waiting(site_pair, waiting)
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("web01"), name="web01-renamed"))
    assert list(_changes(waiting.result(timeout=HANG_SECONDS)).values()) == [{"name": "web01-renamed"}]


def test_long_poll_wakes_on_an_event_of_the_engine(client: Any, site_pair: SitePair, background: Threads) -> None:
    task = client.vm("web01").PowerOff()
    client.collector.CreateFilter(client.spec_of(task, "info.state"), False)
    first = _wait(client)
    assert list(_changes(first).values()) == [{"info.state": "queued"}]
    waiting = background.submit(_wait, client, first.version, 60)
    _until_waiting(site_pair, waiting)
    site_pair.run_until_idle(60)
    assert list(_changes(waiting.result(timeout=HANG_SECONDS)).values()) == [{"info.state": "success"}]


def test_long_poll_times_out_with_nothing(client: Any) -> None:
    client.collector.CreateFilter(client.spec_of(client.vm("web01"), "name"), False)
    first = _wait(client)
    began = time.monotonic()
    assert _wait(client, first.version, 1) is None
    assert time.monotonic() - began > 0.9


def test_a_change_of_something_else_does_not_end_the_poll(client: Any, site_pair: SitePair) -> None:
    client.collector.CreateFilter(client.spec_of(client.vm("web01"), "name"), False)
    first = _wait(client)
    _set_power(site_pair, "web02", Power.OFF)
    assert _wait(client, first.version, 0) is None


def test_leaving_and_entering(client: Any, site_pair: SitePair) -> None:
    view = client.view(vim.VirtualMachine)
    client.collector.CreateFilter(client.spec(view, vim.VirtualMachine, "name"), False)
    first = _wait(client)
    record = site_pair.vm("web01")
    site_pair.run(lambda: site_pair.world.remove(record))
    second = _wait(client, first.version)
    assert [(each.kind, each.obj._moId) for each in second.filterSet[0].objectSet] == [("leave", record.moref)]
    site_pair.run(lambda: site_pair.world.put(record))
    third = _wait(client, second.version)
    assert [(each.kind, each.obj._moId) for each in third.filterSet[0].objectSet] == [("enter", record.moref)]


def test_a_property_that_becomes_unset_is_told_without_a_value(client: Any, site_pair: SitePair) -> None:
    vm = client.vm("web01")
    client.succeed(vm.CreateSnapshot("s", "", False, False))
    client.collector.CreateFilter(client.spec_of(vm, "snapshot"), False)
    first = _wait(client)
    assert _changes(first)[vm._moId]["snapshot"].rootSnapshotList[0].name == "s"
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("web01"), snapshots=[]))
    assert _changes(_wait(client, first.version)) == {vm._moId: {"snapshot": None}}


def test_few_objects_at_a_time_are_marked_truncated(client: Any, site_pair: SitePair) -> None:
    view = client.view(vim.VirtualMachine)
    client.collector.CreateFilter(client.spec(view, vim.VirtualMachine, "name"), False)
    told: set[str] = set()
    update = _wait(client, "", 0, 2)
    while update is not None:
        assert len(_changes(update)) <= 2
        told |= set(_changes(update))
        last, update = update, _wait(client, update.version, 0, 2)
    assert not last.truncated
    assert told == {vm.moref for vm in site_pair.world.vms.values() if vm.site == "source"}


def test_a_lost_answer_is_told_again_and_a_wrong_version_refused(client: Any, site_pair: SitePair) -> None:
    client.collector.CreateFilter(client.spec_of(client.vm("web01"), "name"), False)
    first = _wait(client)
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("web01"), name="other"))
    second = _wait(client, first.version)
    again = _wait(client, first.version)
    assert (second.version, _changes(second)) == (again.version, _changes(again))
    with pytest.raises(vmodl.query.InvalidCollectorVersion):
        _wait(client, "4711")
    assert len(_changes(_wait(client, ""))) == 1


def test_cancelling_the_wait(client: Any, site_pair: SitePair, background: Threads) -> None:
    client.collector.CreateFilter(client.spec_of(client.vm("web01"), "name"), False)
    first = _wait(client)
    waiting = background.submit(_wait, client, first.version, 60)
    _until_waiting(site_pair, waiting)
    client.collector.CancelWaitForUpdates()
    with pytest.raises(vmodl.fault.RequestCanceled):
        waiting.result(timeout=HANG_SECONDS)


def test_collectors_of_ones_own_and_destroyed_filters(client: Any, site_pair: SitePair) -> None:
    own = client.collector.CreatePropertyCollector()
    kept = own.CreateFilter(client.spec_of(client.vm("web01"), "name"), False)
    gone = own.CreateFilter(client.spec_of(client.vm("web02"), "name"), False)
    assert {each._moId for each in own.filter} == {kept._moId, gone._moId}
    gone.Destroy()
    update = own.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0))
    assert set(_changes(update)) == {site_pair.vm("web01").moref}
    assert _wait(client) is None
    own.Destroy()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        own.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0))
    with pytest.raises(vmodl.query.InvalidProperty):
        client.collector.CreateFilter(client.spec_of(client.vm("web01"), "nothing"), False)


def test_older_forms_of_waiting(client: Any, site_pair: SitePair) -> None:
    client.collector.CreateFilter(client.spec_of(client.vm("web01"), "name"), False)
    first = client.collector.CheckForUpdates("")
    assert client.collector.CheckForUpdates(first.version) is None
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("web01"), name="other"))
    second = client.collector.WaitForUpdates(first.version)
    assert list(_changes(second).values()) == [{"name": "other"}]


@pytest.mark.world(mode="scaled", speed=60.0)
def test_pyvmomi_own_task_waiter_works_in_running_time(client: Any, site_pair: SitePair) -> None:
    assert WaitForTask(client.vm("web01").Rename("web01-new")) == "success"
    assert client.vm("web01-new").name == "web01-new"


def test_group_membership_follows_the_vms(client: Any, site_pair: SitePair) -> None:
    record = site_pair.vm("web01")
    network = vim.dvs.DistributedVirtualPortgroup(record.nics[0].network_moref, client.service._stub)
    client.collector.CreateFilter(client.spec_of(network, "vm"), False)
    first = _wait(client)
    site_pair.run(lambda: site_pair.world.update(record, nics=[]))
    left = _changes(_wait(client, first.version))[network._moId]["vm"]
    assert record.moref not in {each._moId for each in left}


@pytest.mark.parametrize(("seconds", "limit", "name"), [(-1, None, "maxWaitSeconds"), (0, 0, "maxObjectUpdates")])
def test_options_below_their_least_values(client: Any, seconds: int, limit: int | None, name: str) -> None:
    with pytest.raises(vmodl.fault.InvalidArgument) as caught:
        _wait(client, "", seconds, limit)
    assert caught.value.invalidProperty == f"options.{name}"
