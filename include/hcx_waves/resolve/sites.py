"""Which HCX endpoints are the two sites: by the identity of their vCenters, never by order or name."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.hcx import ResourceContainer
from hcx_waves.clients.vsphere.inventory_models import About
from hcx_waves.model.formatting import listed
from hcx_waves.model.plan import PlannedSite
from hcx_waves.model.spelling import MOST_NAMES
from hcx_waves.resolve.problems import Problems

SOURCE, DESTINATION = "source site", "destination site"


def planned_sites(
    containers: Sequence[ResourceContainer], source: About, destination: About, problems: Problems
) -> tuple[PlannedSite, PlannedSite] | None:
    """Return source and destination as HCX knows them, or None after noting why not."""
    local = _site(containers, source, SOURCE, problems)
    remote = _site(containers, destination, DESTINATION, problems)
    if local is None or remote is None:
        return None
    if local.endpoint_id == remote.endpoint_id:
        problems.add(
            DESTINATION,
            f"is the same vCenter as the source ({local.vcenter_name or local.compute_resource_id})",
            "Correct the destination's vCenter connection.",
        )
        return None
    return local, remote


def _site(containers: Sequence[ResourceContainer], about: About, side: str, problems: Problems) -> PlannedSite | None:
    wanted = (about.instance_uuid or "").lower()
    found = [one for one in containers if wanted and (one.resource_id or "").lower() == wanted]
    # A manager that is paired twice may list a vCenter under several endpoints; the local flag tells them apart.
    local = [one for one in found if one.is_local is not (side == DESTINATION)]
    if len(local or found) != 1:
        _explain(containers, about, side, len(found), problems)
        return None
    container = (local or found)[0]
    if container.is_local is not None and container.is_local is not (side == SOURCE):
        where = "local to" if container.is_local else "remote from"
        problems.add(
            side,
            f"vCenter {about.name} {about.instance_uuid} is {where} the HCX Manager that the connection leads to",
            "Point the HCX connection at the source's HCX Manager.",
        )
        return None
    return PlannedSite(
        endpoint_id=container.endpoint_id,
        endpoint_name=container.endpoint_name or container.endpoint_id,
        compute_resource_id=str(container.resource_id),
        vcenter_name=container.resource_name,
    )


def _explain(containers: Sequence[ResourceContainer], about: About, side: str, count: int, problems: Problems) -> None:
    known = listed(sorted(str(one.resource_name or one.resource_id) for one in containers), MOST_NAMES) or "none"
    message = (
        f"HCX does not know its vCenter {about.instance_uuid}; it knows {known}"
        if count == 0
        else f"HCX lists its vCenter {about.instance_uuid} {count} times"
    )
    problems.add(side, message, "Check the vCenter and HCX connections, and the site pairing in HCX.")
