"""The document that tells clients where a world's products are and how to log in. Its shape is an interface."""

from __future__ import annotations

import ipaddress
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hcx_sim.http.dispatch import DEFAULT_WORLD, WORLD_PREFIX
from hcx_sim.products import CONTROL, Endpoint
from hcx_sim.tls import CERTIFICATE, write_private
from hcx_sim.world.credentials import SITE_PRODUCTS, Credentials, credentials_of
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the ports of one server are, as its clients see them."""

    host: str
    ports: Mapping[Endpoint, int]
    tls: bool
    ca_file: str | None
    control_token: str
    certificate: str = ""

    def url(self, endpoint: Endpoint, world_id: str = DEFAULT_WORLD) -> str:
        """Return the base URL of a product in a world, without a slash at the end."""
        prefix = "" if world_id == DEFAULT_WORLD or endpoint == CONTROL else f"{WORLD_PREFIX}{world_id}"
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{_host_in_url(self.host)}:{self.ports[endpoint]}{prefix}"

    def urls(self, world_id: str) -> dict[str, str]:
        """Return the base URL of every product of a world, keyed ``hcx/source``, ``vmc`` and so on.

        ``certificate`` is what they all show, in PEM form; without TLS there is none.
        """
        shown = {CERTIFICATE: self.certificate} if self.certificate else {}
        return shown | {
            f"{endpoint.product}/{endpoint.site}" if endpoint.site else endpoint.product: self.url(endpoint, world_id)
            for endpoint in self.ports
            if endpoint != CONTROL
        }


def _host_in_url(host: str) -> str:
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host


def endpoints_document(world: World, addresses: Addresses) -> dict[str, Any]:
    """Return the document of one world; it contains secrets."""
    credentials = credentials_of(world.products)
    return {
        "ca_file": addresses.ca_file,
        "speed": world.clock.speed,
        "control": {"url": addresses.url(CONTROL), "token": addresses.control_token},
        "source": _site(world, SiteName.SOURCE, addresses, credentials),
        "destination": _site(world, SiteName.DESTINATION, addresses, credentials),
        "vmc": {
            "url": addresses.url(Endpoint("vmc", None), world.world_id),
            "csp_url": addresses.url(Endpoint("csp", None), world.world_id),
            "refresh_token": credentials.refresh_token,
            "org_id": credentials.org_id,
            "source_sddc_id": _sddc_id(world, SiteName.SOURCE),
            "destination_sddc_id": _sddc_id(world, SiteName.DESTINATION),
        },
    }


def _sddc_id(world: World, name: SiteName) -> str | None:
    """Return the SDDC of a site, None for a site that is a data centre of one's own."""
    site = world.site(name)
    return site.sddc_id if site.nsx_flavour == "vmc" else None


def _site(world: World, site: SiteName, addresses: Addresses, credentials: Credentials) -> dict[str, Any]:
    return {
        product: {
            "url": addresses.url(Endpoint(product, site), world.world_id),
            "username": credentials.login(product, site).username,
            "password": credentials.login(product, site).password,
        }
        for product in SITE_PRODUCTS
    }


def write_endpoints(document: dict[str, Any], destination: str) -> None:
    """Write the document to a file that only its owner can read, or to standard output for ``-``.

    The file appears whole or not at all; :class:`OSError` when it cannot be written.
    """
    text = _text(document)
    if destination == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_private(Path(destination), text.encode())


def withdraw_endpoints(document: dict[str, Any], destination: str) -> None:
    """Remove the file again, unless another simulator has written its own there since."""
    path = Path(destination)
    if destination != "-" and path.is_file() and path.read_text(encoding="utf-8") == _text(document):
        path.unlink()


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"
