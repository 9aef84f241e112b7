"""Whether a simulated site was only read: by the calls it has answered, and by the facts that have changed in it."""

from __future__ import annotations

from typing import Any

READS_BY_POST = {
    # Logging in and out, and what HCX and VMware Cloud are asked by POST.
    "session.create", "sessions.create", "sessions.delete", "api_tokens.authorize", "appliances.query",
    "inventory.networks.list", "inventory.resource_containers.list", "inventory.storage_profiles.list",
    "inventory.virtual_machines.list", "mobility.groups.intents",
    "migrations.query", "mobility.groups.query", "mobility.migrations.validate",
    # SOAP has no other method; collectors and views are the session's own.
    "Login", "Logout", "RetrieveServiceContent", "RetrievePropertiesEx", "CreateContainerView", "CreateListView",
    "CreatePropertyCollector", "DestroyView", "DestroyPropertyCollector", "CurrentTime",
}  # fmt: skip


def mutating_calls(pair: Any, after: int = 0) -> list[str]:
    """Return the operations that a site was asked for and that are not known to be reads."""
    return [
        call["data"]["operation"] or call["data"]["path"]
        for call in pair.calls(after=after)
        if call["data"]["method"] not in ("GET", "HEAD") and call["data"]["operation"] not in READS_BY_POST
    ]


def assert_only_read(pair: Any, after: int = 0) -> None:
    """Refuse a site that was asked to change, or has changed, anything."""
    asked = mutating_calls(pair, after)
    assert asked == [], asked
    assert pair.audit("change", after=after) == []
