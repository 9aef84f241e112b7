"""Checks of a vCenter: login, version, rights, clock."""

from __future__ import annotations

from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.doctor.connection import judge_clock
from hcx_waves.doctor.findings import Finding, ok, warning
from hcx_waves.doctor.target import Means


def check_login(client: VsphereClient) -> Finding:
    """Open a session."""
    session = client.session_info()
    return ok("login", f"logged in as {session.user_name}, API {session.api_version.lstrip('v').replace('_', '.')}")


def check_version(client: VsphereClient) -> Finding:
    """Read the product's version."""
    about = client.about()
    detail = f"{about.name} {about.version} build {about.build}"
    if about.api_type != "VirtualCenter":
        return warning("version", f"{detail}, {about.api_type}", "Give the vCenter's address, not a host's.")
    return ok("version", detail)


def check_rights(client: VsphereClient) -> Finding:
    """Ask for the privileges that the clients' calls need."""
    held = client.held_privileges()
    if held is None:
        return warning(
            "rights",
            "this vCenter does not tell the account's privileges",
            "Check the account's role by hand.",
        )
    lacking = [privilege for privilege, is_held in held.items() if not is_held]
    if lacking:
        return warning(
            "rights",
            f"lacks {', '.join(lacking)}",
            "Add them to the role of the account, if a wave needs them.",
        )
    return ok("rights", f"holds all {len(held)} privileges that were asked for")


def check_inventory(client: VsphereClient) -> Finding:
    """Count the VMs by a light pass."""
    vms = client.list_virtual_machines()
    withheld = sum(1 for vm in vms if vm.unreadable)
    if withheld:
        step = "Give the account System.Read on them, or waves will not see them."
        return warning("inventory", f"{withheld} of {len(vms)} virtual machines withhold properties", step)
    if not vms:
        return warning("inventory", "no virtual machine is visible", "Check on which folders the account has its role.")
    return ok("inventory", f"{len(vms)} virtual machines are visible")


def check_clock(client: VsphereClient, means: Means) -> Finding:
    """Compare vCenter's clock with the local one."""
    return judge_clock(client.server_time(), means, simulated=client.identity().simulated)
