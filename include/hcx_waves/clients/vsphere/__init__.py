"""Client of vCenter, on pyvmomi."""

from hcx_waves.clients.vsphere.client import VsphereClient

__all__ = ["VsphereClient"]
