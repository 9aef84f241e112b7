"""Which connection a run uses in each role, the wave's own or a twin, and which endpoints it may change."""

from __future__ import annotations

from hcx_airflow.errors import ConnectionSettingsError
from hcx_waves.clients.errors import EndpointMismatch
from hcx_waves.clients.identity import AllowedEndpoints, EndpointIdentity, Role

TWIN_PREFIX = "twin_"
SNAPSHOT_PREFIX = "snapshot_"


def allowed_roles(*, rehearsal: bool, simulated: bool) -> frozenset[Role]:
    """Return the identities that a run may work on.

    :param simulated: whether the connection's extra says that it leads to a simulated site.
    """
    if rehearsal:
        return frozenset({"twin"})
    return frozenset({"site"}) if simulated else frozenset({"real"})


def allowed_endpoints(*, rehearsal: bool, simulated: bool, world_id: str | None) -> AllowedEndpoints:
    """Return the endpoints that a run may change: a rehearsal its own world and nothing else."""
    return AllowedEndpoints(allowed_roles(rehearsal=rehearsal, simulated=simulated), world_id if rehearsal else None)


def snapshot_connection_id(conn_id: str) -> str:
    """Return the connection by which the inventory behind a wave's own one is read for a snapshot.

    :raises ConnectionSettingsError: if it names a twin, which has no inventory of its own.
    """
    if conn_id.startswith(TWIN_PREFIX):
        raise ConnectionSettingsError(
            conn_id, "is a twin; a snapshot is taken of the live site. Name a live connection in the wave file"
        )
    return conn_id if conn_id.startswith(SNAPSHOT_PREFIX) else f"{SNAPSHOT_PREFIX}{conn_id}"


def connection_id_for(conn_id: str, *, rehearsal: bool) -> str:
    """Return the connection that stands for a wave's own in a run of this kind.

    :raises ConnectionSettingsError: if a live run names a twin.
    """
    if rehearsal:
        return conn_id if conn_id.startswith(TWIN_PREFIX) else f"{TWIN_PREFIX}{conn_id}"
    if conn_id.startswith(TWIN_PREFIX):
        raise ConnectionSettingsError(
            conn_id, "is a twin; live waves never work on twins. Name a live connection in the wave file"
        )
    return conn_id


def check_identity(identity: EndpointIdentity, allowed: AllowedEndpoints, conn_id: str, system: str) -> None:
    """Refuse an endpoint that is not what the run may work on.

    :raises EndpointMismatch: naming the connection.
    """
    if not allowed.roles or allowed.permits(identity):
        return
    hint = None
    if allowed.world_id is not None:
        hint = (
            f"A rehearsal works only in its own world {allowed.world_id}. No log-in was sent. Set the connection's "
            "host to "
            "the twins' simulator."
        )
    elif identity.role == "site" and allowed.roles == {"real"}:
        hint = 'To let live waves work on this simulated site, set "simulated": true in the connection\'s extra.'
    raise EndpointMismatch(
        f'connection "{conn_id}": leads to a {identity}, but this run may only work on: {allowed}',
        system=system,
        expected=str(allowed),
        found=str(identity),
        hint=hint,
    )
