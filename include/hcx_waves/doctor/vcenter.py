"""Checks of a vCenter: login, version, rights, clock."""

from __future__ import annotations

from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.doctor.connection import judge_clock
from hcx_waves.doctor.results import CheckResult, ok, warning
from hcx_waves.doctor.target import Means


def check_login(client: VsphereClient) -> CheckResult:
    """Open a session."""
    session = client.session_info()
    return ok("login", f"logged in as {session.user_name}, API {session.api_version.lstrip('v').replace('_', '.')}")


def check_version(client: VsphereClient) -> CheckResult:
    """Read the product's version."""
    about = client.about()
    detail = f"{about.name} {about.version} build {about.build}"
    if about.api_type != "VirtualCenter":
        return warning("version", f"{detail}, {about.api_type}", "Give the vCenter's address, not a host's.")
    return ok("version", detail)


def check_rights(client: VsphereClient) -> CheckResult:
    """Ask for the privileges that reading the inventory needs; waves change nothing in vCenter."""
    held = client.held_privileges()
    if held is None:
        return warning(
            "rights",
            "this vCenter does not report the account's privileges",
            "Check that the account's role is at least Read-only, at the root folder and propagated.",
        )
    lacking = [privilege for privilege, is_held in held.items() if not is_held]
    if lacking:
        return warning(
            "rights",
            f"the account lacks {', '.join(lacking)} on the root folder",
            "Give the account at least the Read-only role at the root folder, propagated to its children.",
        )
    return ok("rights", f"the account may read the inventory ({', '.join(held)})")


def check_inventory(client: VsphereClient) -> CheckResult:
    """Count the VMs by a light pass."""
    vms = client.list_virtual_machines()
    withheld = sum(1 for vm in vms if vm.unreadable)
    if withheld:
        step = "Give the account at least the Read-only role on them; waves cannot see them otherwise."
        return warning("inventory", f"properties of {withheld} of {len(vms)} virtual machines cannot be read", step)
    if not vms:
        return warning(
            "inventory",
            "no virtual machine is visible",
            "Check on which folders the account has its role, and that the role is propagated.",
        )
    return ok("inventory", f"{len(vms)} virtual machines are visible")


def check_clock(client: VsphereClient, means: Means) -> CheckResult:
    """Compare vCenter's clock with the local one."""
    return judge_clock(client.server_time(), means, simulated=client.identity().simulated)
