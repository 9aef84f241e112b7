"""The NSX Policy client and its vocabulary."""

from hcx_waves.clients.nsx.auth import SessionAuth
from hcx_waves.clients.nsx.client import NsxPolicyClient
from hcx_waves.clients.nsx.models import (
    Binding,
    Connectivity,
    NsxSegment,
    NsxVirtualMachine,
    PortState,
    SegmentPort,
    SegmentState,
    Vif,
)
from hcx_waves.clients.transport_auth import BasicAuth

__all__ = [
    "BasicAuth",
    "Binding",
    "Connectivity",
    "NsxPolicyClient",
    "NsxSegment",
    "NsxVirtualMachine",
    "PortState",
    "SegmentPort",
    "SegmentState",
    "SessionAuth",
    "Vif",
]
