"""Which endpoints a run may change: real ones, a simulated site that says so, or rehearsal twins."""

from __future__ import annotations

from hcx_airflow.common.errors import ConnectionSettingsError
from hcx_waves.clients.errors import EndpointMismatch
from hcx_waves.clients.identity import EndpointIdentity, Role

TWIN_PREFIX = "twin_"


def allowed_roles(*, rehearsal: bool, simulated: bool) -> frozenset[Role]:
    """Return the identities that a run may work on.

    :param simulated: whether the connection's extra says that it leads to a simulated site.
    """
    if rehearsal:
        return frozenset({"twin"})
    return frozenset({"site"}) if simulated else frozenset({"real"})


def connection_id_for(conn_id: str, *, rehearsal: bool) -> str:
    """Return the connection that stands for a wave's own in a run of this kind.

    :raises ConnectionSettingsError: if a live run names a twin.
    """
    if rehearsal:
        return conn_id if conn_id.startswith(TWIN_PREFIX) else f"{TWIN_PREFIX}{conn_id}"
    if conn_id.startswith(TWIN_PREFIX):
        raise ConnectionSettingsError(conn_id, "is a twin; live waves never work on twins")
    return conn_id


def check_identity(identity: EndpointIdentity, allowed: frozenset[Role], conn_id: str, system: str) -> None:
    """Refuse an endpoint that is not what the run may work on.

    :raises EndpointMismatch: naming the connection.
    """
    if identity.role in allowed:
        return
    hint = None
    if identity.role == "site" and allowed == {"real"}:
        hint = 'If a live wave is meant to work on a simulated site, set "simulated": true in the connection\'s extra.'
    expected = " or ".join(sorted(allowed))
    raise EndpointMismatch(
        f'connection "{conn_id}": leads to a {identity}, and this run works on {expected} alone',
        system=system,
        expected=expected,
        found=str(identity),
        hint=hint,
    )
