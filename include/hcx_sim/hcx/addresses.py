"""Where the managers say that they and their vCenters can be reached."""

from __future__ import annotations

from hcx_sim.tls import CERTIFICATE, stand_in_certificate
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World


def manager_url(world: World, site: SiteName) -> str:
    """Return the URL of a site's manager: the real one when the server has told, else one made from its name."""
    return _url(world, f"hcx/{site}", world.site(site).hcx_endpoint_name)


def vcenter_url(world: World, site: SiteName) -> str:
    """Return the URL of a site's vCenter; see :func:`manager_url`."""
    return _url(world, f"vcenter/{site}", world.site(site).vcenter_name)


def manager_certificate(world: World) -> str:
    """Return the certificate that a manager shows, in PEM form: the server's own, which all products share."""
    urls: dict[str, str] = world.products.get("urls", {})
    return urls.get(CERTIFICATE) or stand_in_certificate()


def _url(world: World, key: str, name: str) -> str:
    urls: dict[str, str] = world.products.get("urls", {})
    return urls.get(key) or f"https://{name}"
