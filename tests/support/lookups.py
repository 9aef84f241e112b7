"""Finding objects of a site by the names that people use, through the clients."""

from __future__ import annotations

from hcx_waves.clients.nsx import NsxPolicyClient, NsxSegment
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.models import VirtualMachineSummary


def segment_named(nsx: NsxPolicyClient | None, name: str) -> NsxSegment:
    """Return the one segment of a display name."""
    assert nsx is not None
    (found,) = [one for one in nsx.segments() if one.display_name == name]
    return found


def vm_named(vcenter: VsphereClient, name: str) -> VirtualMachineSummary | None:
    """Return the one VM of a name, None if there is none."""
    found = [vm for vm in vcenter.list_virtual_machines() if vm.name == name]
    assert len(found) <= 1
    return found[0] if found else None
