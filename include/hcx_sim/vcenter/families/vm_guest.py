"""``VirtualMachine.guest``: what VMware Tools report while they run."""

from __future__ import annotations

from ipaddress import ip_interface, ip_network
from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.build import build
from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.world.model import Nic, Power, VcNetwork, Vm

VM = "VirtualMachine"
_DEFAULT_PREFIX = 24
_LINK_LOCAL_PREFIX = _IPV6_PREFIX = 64
_RUNNING = "guestToolsRunning"
_NOT_RUNNING = "guestToolsNotRunning"
_OLD_STATUSES = ("guestToolsNeedUpgrade", "guestToolsSupportedOld", "guestToolsTooOld")
_NOT_INSTALLED = "guestToolsNotInstalled"


def _reports(vm: Vm) -> bool:
    return vm.tools_running and vm.power is Power.ON


@provides(VM, "guest.toolsRunningStatus")
def tools_running_status(_inventory: Inventory, vm: Vm) -> str:
    """Whether Tools run, as vSphere says it."""
    return _RUNNING if _reports(vm) else _NOT_RUNNING


@provides(VM, "guest.toolsVersionStatus2", "guest.toolsVersionStatus")
def _version_status(_inventory: Inventory, vm: Vm) -> Any:
    return vm.tools_version_status


@provides(VM, "guest.toolsStatus")
def tools_status(_inventory: Inventory, vm: Vm) -> Any:
    """Return the deprecated combination of running and version."""
    status = vim.vm.GuestInfo.ToolsStatus
    if vm.tools_version_status == _NOT_INSTALLED:
        return status.toolsNotInstalled
    if not _reports(vm):
        return status.toolsNotRunning
    return status.toolsOld if vm.tools_version_status in _OLD_STATUSES else status.toolsOk


@provides(VM, "guest.hostName")
def _host_name(_inventory: Inventory, vm: Vm) -> Any:
    return vm.host_name if _reports(vm) else None


@provides(VM, "guest.ipAddress")
def primary_address(_inventory: Inventory, vm: Vm) -> str | None:
    """Return the first address of the guest, None while Tools do not run."""
    if not _reports(vm):
        return None
    return next((ip for nic in vm.nics for ip in nic.ip_addresses), None)


@provides(VM, "guest.net")
def guest_nics(inventory: Inventory, vm: Vm) -> list[Any]:
    """Return what the guest says of its cards: the known addresses, and the link-local one it gives itself."""
    if not _reports(vm):
        return []
    return [_nic(inventory, nic) for nic in vm.nics]


def _nic(inventory: Inventory, nic: Nic) -> Any:
    network = inventory.network(nic.network_moref)
    prefix = _prefix_length(inventory, network)
    address = vim.net.IpConfigInfo.IpAddress
    configured = [_address(ip, prefix, nic.origins.get(ip, "")) for ip in nic.ip_addresses]
    local = link_local(nic.mac)
    if nic.ip_addresses:
        configured.append(build(address, ipAddress=local, prefixLength=_LINK_LOCAL_PREFIX, state="unknown"))
    return build(
        vim.vm.GuestInfo.NicInfo,
        network=network.name if network is not None else None,
        ipAddress=[each.ipAddress for each in configured],
        macAddress=nic.mac,
        connected=nic.connected,
        deviceConfigId=nic.key,
        ipConfig=build(vim.net.IpConfigInfo, ipAddress=configured),
    )


def _address(ip: str, prefix: int, origin: str) -> Any:
    """Return one address; an IPv6 address has the usual prefix, whatever the network's IPv4 subnet is."""
    word, _, own = origin.partition("/")
    length = int(own) if own else _IPV6_PREFIX if ":" in ip else prefix
    return build(
        vim.net.IpConfigInfo.IpAddress, ipAddress=ip, prefixLength=length, origin=word or None, state="preferred"
    )


def link_local(mac: str) -> str:
    """Return the IPv6 address that a guest derives from a MAC."""
    octets = [int(part, 16) for part in mac.split(":")]
    octets[0] ^= 2
    words = [*octets[:3], 0xFF, 0xFE, *octets[3:]]
    groups = [f"{words[index] << 8 | words[index + 1]:x}" for index in range(0, 8, 2)]
    return "fe80::" + ":".join(groups)


def gateway_interface(inventory: Inventory, network: VcNetwork) -> str | None:
    """Return the gateway of a network with its prefix length, None when it has none."""
    segment = inventory.segment_of(network)
    if segment is not None and segment.gateway_cidr is not None:
        return segment.gateway_cidr
    return network.gateway.address if network.gateway is not None else None


def _prefix_length(inventory: Inventory, network: VcNetwork | None) -> int:
    if network is None:
        return _DEFAULT_PREFIX
    gateway = gateway_interface(inventory, network)
    if gateway is not None and "/" in gateway:
        return int(ip_interface(gateway).network.prefixlen)
    return int(ip_network(network.subnet).prefixlen) if network.subnet else _DEFAULT_PREFIX


@provides(VM, "guest.ipStack")
def _ip_stack(inventory: Inventory, vm: Vm) -> Any:
    if not _reports(vm):
        return []
    info = vim.net.IpRouteConfigInfo
    routes = []
    for position, nic in enumerate(vm.nics):
        network = inventory.network(nic.network_moref)
        gateway = gateway_interface(inventory, network) if network is not None and nic.ip_addresses else None
        if gateway is not None:
            hop = info.Gateway(ipAddress=gateway.partition("/")[0], device=str(position))
            routes.append(info.IpRoute(network="0.0.0.0", prefixLength=0, gateway=hop))  # noqa: S104
    dns = vim.net.DnsConfigInfo(dhcp=False, hostName=vm.host_name, domainName="example", ipAddress=[])
    return [vim.vm.GuestInfo.StackInfo(dnsConfig=dns, ipRouteConfig=info(ipRoute=routes[:1]))]


@provides(VM, "guest")
def _guest(inventory: Inventory, vm: Vm) -> Any:
    reports = _reports(vm)
    return vim.vm.GuestInfo(
        toolsStatus=tools_status(inventory, vm),
        toolsVersionStatus2=vm.tools_version_status,
        toolsVersionStatus=vm.tools_version_status,
        toolsRunningStatus=tools_running_status(inventory, vm),
        toolsVersion="12389" if vm.tools_version_status != _NOT_INSTALLED else "0",
        guestId=vm.guest_id if reports else None,
        guestFamily=("windowsGuest" if "windows" in vm.guest_id.lower() else "linuxGuest") if reports else None,
        guestFullName=vm.guest_name if reports else None,
        hostName=vm.host_name if reports else None,
        ipAddress=primary_address(inventory, vm),
        net=guest_nics(inventory, vm),
        ipStack=_ip_stack(inventory, vm),
        guestState="running" if reports else "notRunning",
        guestOperationsReady=reports,
        interactiveGuestOperationsReady=False,
        guestStateChangeSupported=reports,
    )
