"""What the source vCenter shows while the managers relocate a VM, and what it refuses meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from support.mobility import Manager, scenario
from support.site_pair import SitePair


def _into_switchover(pair: SitePair, kind: str) -> tuple[Manager, str, Any]:
    """Start a migration, stop in the middle of its switchover; return manager, migration id and the VM's tasks."""
    manager = Manager(pair)
    (migration_id,) = manager.start(manager.intent("vm-a", kind))
    pair.advance(60)
    assert manager.progress(migration_id)["state"]["isSwitchoverProgress"] == 1
    return manager, migration_id, pair.vm("vm-a").moref


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_rav_switchover_is_a_relocate_task_that_holds_the_vm(client: Any, site_pair: SitePair) -> None:
    manager, migration_id, _ = _into_switchover(site_pair, "RAV")
    vm = client.vm("vm-a")
    (task,) = vm.recentTask
    info = client.read(task, "info.state", "info.descriptionId", "info.entityName", "info.cancelable")
    assert info == {
        "info.state": "running",
        "info.descriptionId": "VirtualMachine.relocateVM",
        "info.entityName": "vm-a",
        "info.cancelable": False,
    }
    rename = vm.Rename("other")
    site_pair.advance(10)
    fault = client.read(rename, "info.error")["info.error"]
    assert isinstance(fault, vim.fault.TaskInProgress)
    assert fault.task == task
    site_pair.run_until_idle()
    assert client.read(task, "info.state") == {"info.state": "success"}
    assert manager.state(migration_id) == "MIGRATION_COMPLETE"
    assert site_pair.vm("vm-a").site == "destination"


@pytest.mark.world(scenario=scenario(["vm-a"], hcx={"failing_switchovers": ["vm-a"]}))
def test_a_switchover_that_fails_ends_the_task_in_error_and_frees_the_vm(client: Any, site_pair: SitePair) -> None:
    manager, migration_id, _ = _into_switchover(site_pair, "RAV")
    (task,) = client.vm("vm-a").recentTask
    fault = client.fail(task)
    assert "stays at the source" in fault.msg
    manager.log_in()
    assert manager.state(migration_id) == "MIGRATION_FAILED"
    client.succeed(client.vm("vm-a").Rename("other"))


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_force_cancelled_switchover_ends_the_task_in_error(client: Any, site_pair: SitePair) -> None:
    manager, migration_id, _ = _into_switchover(site_pair, "RAV")
    (task,) = client.vm("vm-a").recentTask
    (group_id,) = {item["migrationGroupId"] for item in manager.query(migrationId=[migration_id])}
    items = [{"migrationId": migration_id, "migrationGroupId": group_id}]
    assert manager.post("/mobility/migrations/forceCancel", {"items": items}).status_code == 202
    fault = client.fail(task)
    assert fault.msg == "Force cancelling"
    assert site_pair.vm("vm-a").site == "source"


@pytest.mark.world(scenario=scenario(["vm-a"]))
def test_a_bulk_switchover_is_no_relocation(client: Any, site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    (migration_id,) = manager.start(manager.intent("vm-a", "vSphereReplication"))
    site_pair.advance(60)
    assert manager.progress(migration_id)["state"]["isSwitchoverProgress"] == 1
    assert client.vm("vm-a").recentTask == []
