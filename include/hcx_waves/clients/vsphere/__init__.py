"""Client of vCenter, on pyvmomi."""

from hcx_waves.clients.vsphere.client import VsphereClient
from hcx_waves.clients.vsphere.operations import Waiting
from hcx_waves.clients.vsphere.tasks import TaskResult

__all__ = ["TaskResult", "VsphereClient", "Waiting"]
