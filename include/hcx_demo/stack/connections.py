"""Airflow connections to the simulated sites, as environment variables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hcx_airflow.hooks.roles import SNAPSHOT_PREFIX
from hcx_demo.errors import DemoError
from hcx_waves.twin.connections import CONNECTION_TYPES, twin_connections
from hcx_waves.wavefile.connections import Connections


def connection_variables(connections: Connections, endpoints: Mapping[str, Any]) -> dict[str, str]:
    """Return ``AIRFLOW_CONN_<ID>`` for every connection of a wave. The values hold secrets.

    :param connections: ids by site and product, as the wave file has them.
    :param endpoints: the simulator's endpoints document.
    :raises DemoError: if the sites lack a product that the wave names, or two ids differ only in case.
    """
    return _variables(connections, "", lambda site, product: _connection(site, product, endpoints))


def rehearsal_variables(
    connections: Connections, endpoints: Mapping[str, Any], twins: Mapping[str, Any]
) -> dict[str, str]:
    """Return the connections for rehearsals, and none that a live wave could use. The values hold secrets.

    :param endpoints: of the sites that snapshots are taken from; they are only read.
    :param twins: the endpoints document of the twin server.
    :raises DemoError: as :func:`connection_variables` does.
    """
    made = twin_connections([connections], twins, _trust(twins))
    return {
        **_variables(connections, SNAPSHOT_PREFIX, lambda site, product: _connection(site, product, endpoints)),
        **{_name(conn_id): json.dumps(one) for conn_id, one in made.items()},
    }


def _variables(connections: Connections, prefix: str, make: Callable[[str, str], Mapping[str, Any]]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for site_name, site in (("source", connections.source), ("destination", connections.destination)):
        for product, connection_id in site.used().items():
            name = _name(f"{prefix}{connection_id}")
            if name in variables:
                raise DemoError(f"connection {connection_id!r} is named twice, or differs from another only in case")
            variables[name] = json.dumps(make(site_name, product))
    return variables


def _name(connection_id: str) -> str:
    return f"AIRFLOW_CONN_{connection_id.upper()}"


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
