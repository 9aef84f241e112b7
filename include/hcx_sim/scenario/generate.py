"""Generated scenarios of any size, the same for the same arguments."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv4Network

from hcx_sim.scenario.schema import DiskSpec, MeshSpec, NetworkSpec, NicSpec, Scenario, SiteSpec, VmSpec
from hcx_sim.world.model import Power, SiteName

_EXTENSIONS_PER_APPLIANCE = 8  # [D hcx 8.1]
_ROLES = (
    ("web", 2, 4, (20, 40)),
    ("app", 4, 8, (40, 80)),
    ("db", 8, 32, (80, 400)),
    ("batch", 2, 8, (40, 120)),
)


def generate(vms: int, segments: int, meshes: int, seed: int) -> Scenario:
    """Return a scenario of ``vms`` VMs on ``segments`` stretched segments behind ``meshes`` service meshes.

    About one VM in twenty has a second card, one in thirty is powered off. Sizes and change rates are drawn
    from the seed. Raises :class:`ValueError` when a number is below 1 or the VMs cannot be addressed.
    """
    for name, value in (("vms", vms), ("segments", segments), ("meshes", meshes)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    prefix = _prefix_for(-(-vms * 2 // segments) + 16)
    stream = random.Random(seed)  # noqa: S311 - made-up inventory, not a secret
    networks = _networks(segments, meshes, prefix)
    appliances = -(-segments // meshes // _EXTENSIONS_PER_APPLIANCE) + 1
    return Scenario(
        name=f"generated-{vms}-{segments}-{meshes}-{seed}",
        description=f"{vms} VMs, {segments} segments, {meshes} meshes, seed {seed}",
        seed=seed,
        sites={
            SiteName.SOURCE: SiteSpec(nsx="onprem", hosts=min(64, 4 + vms // 40), datastore_gb=400.0 * vms + 1000),
            SiteName.DESTINATION: SiteSpec(nsx="vmc", hosts=min(64, 4 + vms // 40), datastore_gb=400.0 * vms + 1000),
        },
        meshes=[
            MeshSpec(name=f"mesh-{n + 1}", link_mbps=2000, network_extension_appliances=appliances)
            for n in range(meshes)
        ],
        networks=networks,
        vms=_vms(vms, networks, stream),
    )


def _prefix_for(addresses: int) -> int:
    for prefix in range(24, 15, -1):
        if 2 ** (32 - prefix) >= addresses:
            return prefix
    raise ValueError(f"a segment cannot hold {addresses} addresses; ask for more segments")


def _networks(segments: int, meshes: int, prefix: int) -> list[NetworkSpec]:
    size = 2 ** (32 - prefix)
    base = int(IPv4Address("10.0.0.0"))
    return [
        NetworkSpec(
            name=f"seg-{number + 1:03d}",
            subnet=IPv4Network((base + number * size, prefix)),
            stretched=True,
            mesh=f"mesh-{number % meshes + 1}",
        )
        for number in range(segments)
    ]


def _vms(count: int, networks: list[NetworkSpec], stream: random.Random) -> list[VmSpec]:
    used = [10] * len(networks)
    subnets = [network.subnet for network in networks if network.subnet is not None]

    def nic(index: int) -> NicSpec:
        used[index] += 1
        subnet = subnets[index]
        return NicSpec(network=networks[index].name, ips=[subnet[used[index]]])

    specs = []
    for number in range(count):
        role, cpus, memory_gb, (low_gb, high_gb) = stream.choice(_ROLES)
        home = number % len(networks)
        nics = [nic(home)]
        if len(networks) > 1 and stream.random() < 0.05:
            nics.append(nic((home + 1) % len(networks)))
        off = stream.random() < 1 / 30
        size_gb = stream.randint(low_gb, high_gb)
        specs.append(
            VmSpec(
                name=f"{role}{number + 1:05d}",
                nics=nics,
                disks=[DiskSpec(size_gb=size_gb, used_gb=round(size_gb * stream.uniform(0.2, 0.8), 1))],
                power=Power.OFF if off else Power.ON,
                tools_running=not off,
                cpus=cpus,
                memory_gb=memory_gb,
                change_rate_mbps=round(stream.uniform(0.2, 20), 1),
            )
        )
    return specs
