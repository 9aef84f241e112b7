"""Checks of the identity that the endpoints report: a real product, a simulated site, or a twin."""

from __future__ import annotations

from collections.abc import Mapping

from hcx_waves.clients.identity import EndpointIdentity
from hcx_waves.doctor.results import CheckResult, failed, ok


def show_identity(identity: EndpointIdentity) -> CheckResult:
    """Show the identity that an endpoint reports."""
    return ok("identity", str(identity))


def check_agreement(identities: Mapping[str, EndpointIdentity]) -> CheckResult | None:
    """Check that all endpoints are of one kind and one world; None if fewer than two are known.

    A pair of which one side is real and the other a twin would let a rehearsal touch the real one.
    """
    if len(identities) < 2:
        return None
    kinds: dict[str, list[str]] = {}
    for endpoint, identity in identities.items():
        kinds.setdefault(str(identity), []).append(endpoint)
    if len(kinds) == 1:
        return ok("identity", f"every endpoint is a {next(iter(kinds))}")
    shown = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items())
    return failed("identity", shown, "Name only endpoints of one kind, and of one simulated world, in a document.")
