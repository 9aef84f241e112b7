"""The Airflow connections through which rehearsals reach the server of twins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hcx_waves.wavefile.connections import Connections

TWIN_PREFIX = "twin_"
TWIN_CONTROL = "twin_control"
CONNECTION_TYPES = {"hcx": "hcx", "nsx": "nsx_policy", "vcenter": "vsphere"}
"""Airflow's connection type by product, except VMware Cloud."""


class TwinConnectionsError(ValueError):
    """The connections cannot be made; one problem a line, none of which holds a secret."""


def twin_connections(
    wanted: Iterable[Connections], twins: Mapping[str, Any], trust: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return ``twin_<id>`` for every connection that waves name, and ``twin_control``, as Airflow imports them.

    They say where a product's twins are served; which twin, and how to log in there, is a matter of each run. The
    control connection holds the server's token.

    :param wanted: of each wave, as its file has them.
    :param twins: the endpoints document of the twin server.
    :param trust: the extras that say whom to trust, such as ``{"ca_pem": ...}``.
    :raises TwinConnectionsError: with every id that would have to lead to two places, or what the document lacks.
    """
    try:
        found = {TWIN_CONTROL: _control(twins, trust)}
        conflicts = set()
        for conn_id, made in _products(wanted, twins, trust):
            if found.setdefault(conn_id, made) != made:
                conflicts.add(conn_id)
    except (KeyError, TypeError) as error:
        raise TwinConnectionsError(
            f"the endpoints document of the twins has no {error}. Use the file that `hcx-sim serve --twins-only` writes"
        ) from None
    if conflicts:
        lines = [f"{one}: stands for different products or sites in these waves" for one in sorted(conflicts)]
        raise TwinConnectionsError("\n".join(lines))
    return found


def _products(
    wanted: Iterable[Connections], twins: Mapping[str, Any], trust: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for connections in wanted:
        for site_name, site in (("source", connections.source), ("destination", connections.destination)):
            for product, conn_id in site.used().items():
                yield f"{TWIN_PREFIX}{conn_id}", _product(site_name, product, twins, trust)


def _control(twins: Mapping[str, Any], trust: Mapping[str, Any]) -> dict[str, Any]:
    control = twins["control"]
    return {"conn_type": "hcx_twin", "host": control["url"], "password": control["token"], "extra": dict(trust)}


def _product(site_name: str, product: str, twins: Mapping[str, Any], trust: Mapping[str, Any]) -> dict[str, Any]:
    if product == "vmc":
        facts = twins["vmc"]
        return {"conn_type": "vmc", "host": facts["url"], "extra": {**trust, "csp_url": facts["csp_url"]}}
    return {"conn_type": CONNECTION_TYPES[product], "host": twins[site_name][product]["url"], "extra": dict(trust)}
