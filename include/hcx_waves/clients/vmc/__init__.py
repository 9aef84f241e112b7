"""The VMware Cloud on AWS client and its vocabulary."""

from hcx_waves.clients.vmc.auth import CspTokenAuth, OAuthApp, RefreshToken
from hcx_waves.clients.vmc.client import Organization, Sddc, VmcClient

__all__ = ["CspTokenAuth", "OAuthApp", "Organization", "RefreshToken", "Sddc", "VmcClient"]
