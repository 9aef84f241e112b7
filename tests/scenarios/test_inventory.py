"""An inventory of simulated sites: from a snapshot, and compared with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcx_snapshot import save_snapshot
from hcx_waves.inventory import read_inventory
from support.site_pair import SitePair
from support.snapshots import taken

pytestmark = pytest.mark.world(scenario="three-tier")


def test_a_snapshot_is_an_inventory(site_pair: SitePair, tmp_path: Path) -> None:
    snapshot = taken(site_pair, whole_inventory=True)
    save_snapshot(snapshot, tmp_path / "today.json.gz")

    found = read_inventory([tmp_path / "today.json.gz"])

    assert {vm.name for vm in found.vms} == {vm.name for vm in snapshot.source.vms if not vm.hcx_appliance}
    assert any(network.extended for network in found.networks)


def test_a_list_is_compared_with_today(site_pair: SitePair, tmp_path: Path) -> None:
    snapshot = taken(site_pair, whole_inventory=True)
    save_snapshot(snapshot, tmp_path / "today.json")
    known = [vm.name for vm in snapshot.source.vms if not vm.hcx_appliance and not vm.template]
    (tmp_path / "old.txt").write_text("\n".join([*known[:2], "gone-01"]))

    found = read_inventory([tmp_path / "old.txt"], live=tmp_path / "today.json")

    assert sorted(vm.name for vm in found.vms) == sorted(known[:2])
    assert all(vm.moref and vm.networks for vm in found.vms)
    assert [one.message.split('"')[1] for one in found.remarks if one.kind == "stale"] == ["gone-01"]
    assert {one.message.split('"')[1] for one in found.remarks if one.kind == "missing"} == set(known[2:])
