"""Airflow connections to the simulated sites, as Airflow's database gets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hcx_airflow.hooks.roles import SNAPSHOT_PREFIX
from hcx_demo.errors import DemoError
from hcx_waves.twin.connections import CONNECTION_TYPES, twin_connections
from hcx_waves.wavefile.connections import Connections


def wave_connections(connections: Connections, endpoints: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return every connection of a wave by its id. The values hold secrets.

    :param connections: ids by site and product, as the wave file has them.
    :param endpoints: the simulator's endpoints document.
    :raises DemoError: if the sites lack a product that the wave names, or two ids differ only in case.
    """
    return _named(connections, "", lambda site, product: _connection(site, product, endpoints))


def rehearsal_connections(
    connections: Connections, endpoints: Mapping[str, Any], twins: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """Return the connections for rehearsals, and none that a live wave could use. The values hold secrets.

    :param endpoints: of the sites that snapshots are taken from; they are only read.
    :param twins: the endpoints document of the twin server.
    :raises DemoError: as :func:`wave_connections` does.
    """
    made = twin_connections([connections], twins, _trust(twins))
    return {
        **_named(connections, SNAPSHOT_PREFIX, lambda site, product: _connection(site, product, endpoints)),
        **made,
    }


def _named(
    connections: Connections, prefix: str, make: Callable[[str, str], Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for site_name, site in (("source", connections.source), ("destination", connections.destination)):
        for product, connection_id in site.used().items():
            name = f"{prefix}{connection_id}"
            # Environment variables, which Airflow reads as well, do not tell them apart.
            if name.lower() in {one.lower() for one in found}:
                raise DemoError(f"connection {connection_id!r} is named twice, or differs from another only in case")
            found[name] = make(site_name, product)
    return found


def _trust(endpoints: Mapping[str, Any]) -> dict[str, Any]:
    return {"ca_file": endpoints["ca_file"]} if endpoints.get("ca_file") else {}


def _connection(site_name: str, product: str, endpoints: Mapping[str, Any]) -> dict[str, Any]:
    # Live operators accept a simulated site only if the connection declares it.
    extra: dict[str, Any] = {**_trust(endpoints), "simulated": True}
    if product == "vmc":
        return _vmc(site_name, endpoints, extra)
    facts = endpoints.get(site_name, {}).get(product)
    if facts is None:
        raise DemoError(f"the simulated sites have no {product} at the {site_name}")
    return {
        "conn_type": CONNECTION_TYPES[product],
        "host": facts["url"],
        "login": facts["username"],
        "password": facts["password"],
        "extra": extra,
    }


def _vmc(site_name: str, endpoints: Mapping[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    facts = endpoints.get("vmc")
    if facts is None:
        raise DemoError("the simulated sites have no VMware Cloud")
    return {
        "conn_type": "vmc",
        "host": facts["url"],
        "password": facts["refresh_token"],
        "extra": {
            **extra,
            "csp_url": facts["csp_url"],
            "org_id": facts["org_id"],
            "sddc_id": facts[f"{site_name}_sddc_id"],
        },
    }
