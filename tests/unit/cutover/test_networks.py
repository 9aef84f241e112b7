"""Which vCenter networks a segment is shown as, and who is on them by either list."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.vsphere.inventory_models import DistributedVirtualPortgroup, Network, OpaqueNetwork
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.cutover.networks import networks_of, summaries_on
from hcx_waves.model.plan import NetworkRef

PATH = "/infra/tier-1s/cgw/segments/app"


def vm(moref: str, *networks: str) -> VirtualMachineSummary:
    return VirtualMachineSummary(
        moref=moref, name=moref, instance_uuid=None, bios_uuid=None, power_state=None, networks=networks,
        folder=None, is_template=False, resource_pool=None, host=None,
    )  # fmt: skip


class Vcenter:
    """Lists what it is given."""

    def __init__(self, *networks: Network, on: dict[str, tuple[str, ...]] | None = None) -> None:
        self.networks = list(networks)
        self.on = on or {}

    def list_networks(self) -> list[Network]:
        return self.networks

    def virtual_machines_on(self, moref: str) -> tuple[str, ...]:
        return self.on.get(moref, ())


def found(vcenter: Any, network_id: str = PATH, name: str = "app", path: str | None = PATH) -> list[str]:
    reference = NetworkRef(network_id=network_id, name=name, network_type="NsxtSegment")
    return [network.moref for network in networks_of(vcenter, reference, path)]


GROUP = DistributedVirtualPortgroup(moref="dvportgroup-1", name="renamed", key="dvportgroup-1", segment_id=PATH)
OTHER = DistributedVirtualPortgroup(moref="dvportgroup-2", name="app", key="dvportgroup-2", segment_id="x")


def test_id_goes_before_name() -> None:
    assert found(Vcenter(GROUP, OTHER)) == ["dvportgroup-1"]
    assert found(Vcenter(GROUP, OTHER), "/infra/segments/app") == ["dvportgroup-1"]
    assert found(Vcenter(GROUP, OTHER), "dvportgroup-2", path=None) == ["dvportgroup-2"]


def test_opaque_network_is_found_by_name() -> None:
    opaque = OpaqueNetwork(moref="network-o1", name="app", opaque_id="switch-uuid", opaque_type="nsx.LogicalSwitch")
    assert found(Vcenter(opaque)) == ["network-o1"]


def test_nothing_fits() -> None:
    with pytest.raises(NotFound, match="no network of the source's vCenter is 'gone'") as missing:
        found(Vcenter(GROUP), "/infra/segments/gone", "gone", None)
    assert "cannot be proven empty" in missing.value.hint


def test_vm_counts_that_is_in_either_list() -> None:
    vcenter: Any = Vcenter(GROUP, on={"dvportgroup-1": ("vm-2",)})
    listed = [vm("vm-1", "dvportgroup-1"), vm("vm-2"), vm("vm-3", "dvportgroup-2")]
    assert [one.moref for one in summaries_on(vcenter, [GROUP], listed)] == ["vm-1", "vm-2"]
