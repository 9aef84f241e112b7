"""The identity of a simulated vCenter, as its full name reports it.

The vSphere wire has no room for the header that the other simulated products send, so the simulator appends
its marker to ``about.fullName``. A real vCenter's full name has nothing of the kind.
"""

from __future__ import annotations

import re

from hcx_waves.clients.identity import REAL_PRODUCT, EndpointIdentity

_MARKER = re.compile(r"\[hcx-sim (?P<fields>[^\]]*)\]\s*$")


def identity_of_full_name(full_name: str | None) -> EndpointIdentity:
    """Read the identity from ``about.fullName``.

    :param full_name: e.g. ``VMware vCenter Server 8.0.3 build-1 [hcx-sim world=main role=site]``.
    :returns: the real product if the marker is absent. A marker without a readable role counts as a twin,
        as it does in the header of the other products.
    """
    marker = _MARKER.search(full_name or "")
    if marker is None:
        return REAL_PRODUCT
    return EndpointIdentity.of_header(";".join(marker["fields"].split()))
