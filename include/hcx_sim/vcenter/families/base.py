"""How managed types say where their properties come from.

A provider is ``(inventory, record) -> value``. It answers for one path (``config.instanceUuid``) and, through the
members of the value that it returns, for all paths below it. None means unset: the property is absent from answers,
as on a real vCenter. [D nsx-vsphere 4.2]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from hcx_sim.vcenter.inventory import Inventory, managed_type

Provider = Callable[[Inventory, Any], Any]

_PROVIDERS: dict[str, dict[str, Provider]] = {}


def provides(type_name: str, *paths: str) -> Callable[[Provider], Provider]:
    """Register a provider for paths of a managed type, given by its wire name."""

    def register(provider: Provider) -> Provider:
        for path in paths:
            _PROVIDERS.setdefault(type_name, {})[path] = provider
        return provider

    return register


@cache
def providers_of(type_name: str) -> dict[str, Provider]:
    """Return the providers of a managed type by path, its own before those of the types it derives from."""
    merged: dict[str, Provider] = {}
    for base in reversed(managed_type(type_name).__mro__):
        merged.update(_PROVIDERS.get(getattr(base, "_wsdlName", ""), {}))
    return merged


def provided() -> dict[str, tuple[str, ...]]:
    """Return what every family provides, by type, for the coverage."""
    return {name: tuple(sorted(paths)) for name, paths in sorted(_PROVIDERS.items())}
