"""The connections of rehearsals, and the control port of the simulator, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hcx_waves.clients.tls import TlsSettings
from hcx_waves.twin.control import TwinControl
from support.site_pair import SitePair, SiteServer


def twin_documents(server: SiteServer, **extra: Any) -> dict[str, dict[str, Any]]:
    """Return the connections of rehearsals as people write them: a server's addresses, and the control token."""
    endpoints = server.default().endpoints
    trust = {"ca_file": endpoints["ca_file"], **extra}
    found: dict[str, dict[str, Any]] = {
        "twin_control": {
            "conn_type": "hcx_twin",
            "host": endpoints["control"]["url"],
            "password": endpoints["control"]["token"],
            "extra": trust,
        }
    }
    for site in ("source", "destination"):
        for product, conn_type in (("hcx", "hcx"), ("vcenter", "vsphere"), ("nsx", "nsx_policy")):
            url = endpoints[site][product]["url"]
            found[f"twin_{product}_{site}"] = {"conn_type": conn_type, "host": url, "extra": trust}
        found[f"twin_vmc_{site}"] = {"conn_type": "vmc", "host": endpoints["vmc"]["url"], "extra": trust}
    return found


@contextmanager
def twin_control(pair: SitePair) -> Iterator[TwinControl]:
    """Open the control port of a pair's server."""
    control = pair.endpoints["control"]
    client = TwinControl(control["url"], control["token"], tls=TlsSettings(ca_file=Path(str(pair.ca_file))))
    try:
        yield client
    finally:
        client.close()
