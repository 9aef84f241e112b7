"""Records of the cloud service: organisation, SDDC and task, with every field that the official binding demands."""

from __future__ import annotations

from typing import Any

from hcx_sim.engine.clock import iso
from hcx_sim.world.credentials import credentials_of
from hcx_sim.world.model import Site
from hcx_sim.world.world import World

PROXY = "/vmc/reverse-proxy/api/orgs/{org}/sddcs/{sddc}/sks-nsxt-manager"
SDDC_VERSION = "1.24"
_ADDRESS = {"source": "10.2.0.", "destination": "10.3.0."}


def _entity(world: World, entity_id: str, created_us: int) -> dict[str, Any]:
    """Return the fields without which the official client refuses a record. [C nsx-vsphere 1.3]"""
    user_id = world.random.stable_uuid("vmc.user")
    return {
        "id": entity_id,
        "version": 1,
        "created": iso(created_us),
        "updated": iso(created_us),
        "user_id": user_id,
        "user_name": "cloudadmin",
        "updated_by_user_id": user_id,
        "updated_by_user_name": "cloudadmin",
    }


def organization(world: World, created_us: int) -> dict[str, Any]:
    """Return the one organisation."""
    return {
        **_entity(world, credentials_of(world.products).org_id, created_us),
        "name": f"hcx-sim-{world.world_id}",
        "display_name": f"Simulated organisation of world {world.world_id} ({world.role})",
        "org_type": "CUSTOMER",
        "project_state": "CREATED",
        "properties": {"values": {"hcx_sim.world": world.world_id, "hcx_sim.role": world.role}},
    }


def sddc(world: World, site: Site, base_url: str, created_us: int) -> dict[str, Any]:
    """Return the SDDC that a site is; ``base_url`` is how the caller reached the cloud service."""
    return {
        **_entity(world, site.sddc_id, created_us),
        "name": f"sddc-{site.name.value}",
        "org_id": credentials_of(world.products).org_id,
        "provider": "AWS",
        "sddc_state": "READY",
        "sddc_type": "DEFAULT",
        "account_link_state": "LINKED",
        "sddc_access_state": "ENABLED",
        "resource_config": _resource_config(world, site, base_url),
    }


def _resource_config(world: World, site: Site, base_url: str) -> dict[str, Any]:
    credentials = credentials_of(world.products)
    urls: dict[str, str] = world.products.get("urls", {})
    nsx = credentials.login("nsx", site.name)
    vcenter = credentials.login("vcenter", site.name)
    nsx_url = urls.get(f"nsx/{site.name}", "")
    subnet = _ADDRESS[site.name.value]
    return {
        "provider": "AWS",
        "nsxt": True,
        "sddc_id": site.sddc_id,
        "region": "US_WEST_2" if site.name == "source" else "US_EAST_1",
        "nsx_api_public_endpoint_url": base_url + PROXY.format(org=credentials.org_id, sddc=site.sddc_id),
        "nsx_mgr_url": f"{nsx_url}/",
        "nsx_mgr_login_url": f"{nsx_url}/login.jsp",
        "nsx_mgr_management_ip": f"{subnet}3",
        "nsx_cloud_admin": nsx.username,
        "nsx_cloud_admin_password": nsx.password,
        "vc_url": urls.get(f"vcenter/{site.name}", "") + "/",
        "vc_public_ip": "127.0.0.1",
        "vc_management_ip": f"{subnet}4",
        "vc_instance_id": site.vcenter_instance_uuid,
        "cloud_username": vcenter.username,
        "cloud_password": vcenter.password,
        "cgws": [site.tier1_id],
        "sddc_networks": [],
        "clusters": [],
        "sddc_manifest": {"vmc_version": SDDC_VERSION, "vmc_internal_version": f"{SDDC_VERSION}.0.0"},
        "custom_properties": {"hcx_sim.world": world.world_id, "hcx_sim.role": world.role},
    }


def provision_task(world: World, site: Site, created_us: int) -> dict[str, Any]:
    """Return the finished task that once made a site's SDDC."""
    return {
        **_entity(world, world.random.stable_uuid(f"vmc.task/{site.sddc_id}"), created_us),
        "status": "FINISHED",
        "sub_status": "FINISHED",
        "task_type": "SDDC-PROVISION",
        "task_version": "1",
        "resource_type": "sddc",
        "resource_id": site.sddc_id,
        "org_id": credentials_of(world.products).org_id,
        "progress_percent": 100,
        "estimated_remaining_minutes": 0,
        "start_time": iso(created_us),
        "end_time": iso(created_us),
        "params": {},
    }
