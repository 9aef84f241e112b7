"""The inventory that HCX keeps of both sites [C hcx 3.2]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, Field, model_validator

from hcx_waves.clients.hcx.values import HcxModel
from hcx_waves.clients.hcx.wire import HcxCalls, Model

_ENTITY_ID = AliasChoices("entity_id", "id", "entityId")


@dataclass(frozen=True)
class HcxSite:
    """Which side a query asks: both, one of them, or one endpoint by id."""

    local: bool = True
    remote: bool = True
    endpoint_id: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the ``cloud`` filter; a side that is not asked is left out, as the UI does."""
        if self.endpoint_id is not None:
            return {"endpointId": self.endpoint_id}
        return {name: True for name in ("local", "remote") if getattr(self, name)}


BOTH_SITES = HcxSite()


class CloudConfig(HcxModel):
    """A site pairing: ``cloudConfigs`` [C hcx 3.1]."""

    endpoint_id: str
    url: str | None = None
    name: str | None = None
    username: str | None = None
    cloud_name: str | None = None
    cloud_type: str | None = None
    version: str | None = None
    build_number: str | None = None


class ResourceContainer(HcxModel):
    """A vCenter known to HCX, flat or with a nested endpoint [C hcx 3.2]."""

    endpoint_id: str
    endpoint_name: str | None = None
    endpoint_type: str | None = None
    resource_id: str | None = Field(default=None, validation_alias=AliasChoices("resourceId", "vcuuid"))
    resource_name: str | None = Field(default=None, validation_alias=AliasChoices("resourceName", "name"))
    resource_type: str | None = None
    is_local: bool | None = None
    url: str | None = None
    version: str | None = None
    build_number: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, data: Any) -> Any:
        endpoint = data.get("endpoint") if isinstance(data, dict) else None
        if not isinstance(endpoint, Mapping):
            return data
        nested = {
            "endpointId": endpoint.get("endpointId"),
            "endpointName": endpoint.get("name"),
            "endpointType": endpoint.get("cloudType"),
        }
        return {**nested, **data}


class VmSummary(HcxModel):
    """Size and guest of a VM; memory in MB, disk in bytes."""

    guest_full_name: str | None = None
    guest_id: str | None = None
    num_cpu: int | None = None
    memory_size_mb: int | None = Field(default=None, validation_alias="memorySizeMB")
    memory_size: int | None = None
    disk_size: int | None = None


class InventoryNetworkRef(HcxModel):
    """A network as a VM's record names it."""

    network_id: str | None = Field(default=None, validation_alias=AliasChoices("id", "value"))
    name: str | None = Field(default=None, validation_alias=AliasChoices("name", "displayName"))
    network_type: str | None = Field(default=None, validation_alias="type")


class InventoryVm(HcxModel):
    """A VM of either site; ``entity_id`` is its MoRef there."""

    entity_id: str = Field(validation_alias=_ENTITY_ID)
    name: str = ""
    entity_type: str | None = None
    summary: VmSummary = Field(default_factory=VmSummary)
    networks: tuple[InventoryNetworkRef, ...] = Field(default=(), validation_alias="network")
    network_devices: tuple[dict[str, Any], ...] = ()


class InventoryNetwork(HcxModel):
    """A network: port group by MoRef, NSX segment by policy path."""

    entity_id: str | None = Field(default=None, validation_alias=AliasChoices("entity_id", "id", "href"))
    name: str = ""
    network_type: str | None = Field(default=None, validation_alias=AliasChoices("type", "entityType"))
    href: str | None = None


class InventoryEntity(HcxModel):
    """A datastore, folder, pool, cluster, data centre or storage policy."""

    entity_id: str | None = Field(default=None, validation_alias=_ENTITY_ID)
    name: str = ""
    entity_type: str | None = Field(default=None, validation_alias=AliasChoices("entityType", "type"))
    endpoint_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _origin(cls, data: Any) -> Any:
        origin = data.get("_origin") if isinstance(data, dict) else None
        if not isinstance(origin, Mapping):
            return data
        return {"endpointId": origin.get("endpointId"), **data}


class InventoryCalls(HcxCalls):
    """Reads of pairing and inventory; each reads all pages."""

    def cloud_configs(self) -> tuple[CloudConfig, ...]:
        """List the site pairings."""
        return self._get("/cloudConfigs").parse_items(CloudConfig)

    def resource_containers(self, site: HcxSite = BOTH_SITES) -> tuple[ResourceContainer, ...]:
        """List the vCenters of the sites."""
        return self._inventory("resourcecontainer/list", ResourceContainer, site, page_size=None)

    def virtual_machines(self, site: HcxSite = BOTH_SITES, *, page_size: int = 1000) -> tuple[InventoryVm, ...]:
        """List the VMs of the sites."""
        return self._inventory("virtualmachines", InventoryVm, site, page_size=page_size)

    def networks(self, site: HcxSite = BOTH_SITES, *, page_size: int = 1000) -> tuple[InventoryNetwork, ...]:
        """List the networks of the sites."""
        return self._inventory("networks", InventoryNetwork, site, page_size=page_size)

    def datastores(self, site: HcxSite = BOTH_SITES, *, page_size: int = 1000) -> tuple[InventoryEntity, ...]:
        """List the datastores of the sites."""
        return self._inventory("datastores", InventoryEntity, site, page_size=page_size)

    def containers(self, *kinds: str, site: HcxSite = BOTH_SITES, page_size: int = 1000) -> tuple[InventoryEntity, ...]:
        """List containers.

        :param kinds: any of ``folder``, ``resourcePool``, ``datacenter``, ``cluster``, ...; none means all.
        """
        narrow = {"entityType": list(kinds)} if kinds else {}
        return self._inventory("containers", InventoryEntity, site, page_size=page_size, narrow=narrow)

    def storage_profiles(self) -> tuple[InventoryEntity, ...]:
        """List the storage policies."""
        answer = self._ask("/service/inventory/storageProfiles", {"filter": {}})
        return answer.parse_items(InventoryEntity)

    def _inventory(
        self,
        path: str,
        kind: type[Model],
        site: HcxSite,
        *,
        page_size: int | None,
        narrow: Mapping[str, Any] | None = None,
    ) -> tuple[Model, ...]:
        body = {"filter": {"cloud": site.to_wire(), **(narrow or {})}, "options": {"compat": 2.1}}
        full_path = f"/service/inventory/{path}"
        if page_size is None:
            return self._ask(full_path, body).parse_items(kind)
        pages = self._pages(full_path, body, page_size=page_size)
        return tuple(answer.parse(kind, item) for answer, item in pages)
