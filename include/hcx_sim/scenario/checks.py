"""Whether the names of a scenario fit together; every problem is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hcx_sim.scenario.schema_parts import MeshSpec, NetworkSpec, SiteSpec, VmSpec
from hcx_sim.scenario.schema_sites import ExtensionSpec
from hcx_sim.world.model import SiteName

_MANY_PROBLEMS = 200


def problems_of(
    sites: Mapping[SiteName, SiteSpec],
    meshes: Sequence[MeshSpec],
    networks: Sequence[NetworkSpec],
    vms: Sequence[VmSpec],
    extensions: Sequence[ExtensionSpec],
) -> list[str]:
    """Return what does not fit, one sentence each; at most some two hundred."""
    problems = [
        *_duplicates("mesh", [mesh.name for mesh in meshes]),
        *_duplicates("network", [f"{n.site}/{n.name}" for n in networks if n.moref is None]),
        *_duplicates("network", [f"{n.site}/{n.moref}" for n in networks if n.moref is not None]),
        *_duplicates("vm", [f"{vm.site}/{vm.name}" for vm in vms if vm.moref is None]),
        *_duplicates("vm", [f"{vm.site}/{vm.moref}" for vm in vms if vm.moref is not None]),
        *_duplicates("vm uid", [vm.uid or vm.name for vm in vms if vm.moref is not None and not vm.retired]),
    ]
    for site, spec in sites.items():
        problems += _places(site, spec)
    problems += _networks(meshes, networks)
    problems += _extensions(meshes, networks, extensions)
    for site in SiteName:
        problems += _vms(site, sites.get(site, SiteSpec()), networks, vms)
    if len(problems) > _MANY_PROBLEMS:
        problems = [*problems[:_MANY_PROBLEMS], f"and {len(problems) - _MANY_PROBLEMS} more"]
    return problems


def _duplicates(kind: str, names: Iterable[str]) -> list[str]:
    return [f"two {kind}s are called {name!r}" for name, count in sorted(Counter(names).items()) if count > 1]


def _places(site: SiteName, spec: SiteSpec) -> Iterator[str]:
    yield from _duplicates(f"{site} place", [place.moref for place in spec.places])
    yield from _duplicates(f"{site} datastore", [store.moref for store in spec.datastores])
    known = {place.moref for place in spec.places}
    for place in spec.places:
        if place.parent is not None and place.parent not in known:
            yield f"{site} place {place.moref!r}: its parent {place.parent!r} is not there"
    if spec.places:
        kinds = {place.kind for place in spec.places}
        for kind in ("Datacenter", "Folder", "HostSystem"):
            if kind not in kinds:
                yield f"{site}: a site with places needs a {kind}"


def _networks(meshes: Sequence[MeshSpec], networks: Sequence[NetworkSpec]) -> Iterator[str]:
    known = {mesh.name for mesh in meshes}
    for network in networks:
        if network.mesh and network.mesh not in known:
            yield f"network {network.name!r}: no mesh called {network.mesh!r}"
        if network.stretched and network.site is not SiteName.SOURCE:
            yield f"network {network.name!r}: only source networks are stretched"
        if network.stretched and network.subnet is None:
            yield f"network {network.name!r}: a stretched network needs a subnet"


def _extensions(
    meshes: Sequence[MeshSpec], networks: Sequence[NetworkSpec], extensions: Sequence[ExtensionSpec]
) -> Iterator[str]:
    known = {site: {name for n in networks if n.site is site for name in n.is_called} for site in SiteName}
    mesh_names = {mesh.name for mesh in meshes}
    yield from _duplicates("extension", [one.extension_id for one in extensions])
    for one in extensions:
        for site, name in ((SiteName.SOURCE, one.source), (SiteName.DESTINATION, one.destination)):
            if name not in known[site]:
                yield f"extension {one.extension_id!r}: no network called {name!r} at the {site}"
        if one.mesh is not None and one.mesh not in mesh_names:
            yield f"extension {one.extension_id!r}: no mesh called {one.mesh!r}"
        if not mesh_names:
            yield f"extension {one.extension_id!r}: there is no mesh"


def _vms(site: SiteName, spec: SiteSpec, networks: Sequence[NetworkSpec], vms: Sequence[VmSpec]) -> Iterator[str]:
    names = {name for n in networks if n.site is site for name in n.is_called}
    if site is SiteName.DESTINATION:
        names |= {n.destination_name or n.name for n in networks if n.stretched}
    folders, pools, hosts = _compute_names(spec)
    stores = {name for store in spec.datastores for name in (store.moref, store.name)} or {spec.datastore}
    for vm in (vm for vm in vms if vm.site is site):
        for nic in vm.nics:
            if nic.network is not None and nic.network not in names:
                yield f"vm {vm.name!r}: no network called {nic.network!r} at the {site.value}"
        if vm.folder not in folders:
            yield f"vm {vm.name!r}: no folder called {vm.folder!r}"
        if vm.resource_pool not in pools and not vm.template:
            yield f"vm {vm.name!r}: no resource pool called {vm.resource_pool!r}"
        if vm.host is not None and vm.host not in hosts:
            yield f"vm {vm.name!r}: no host called {vm.host!r}"
        for disk in vm.disks:
            if disk.datastore is not None and disk.datastore not in stores:
                yield f"vm {vm.name!r}: no datastore called {disk.datastore!r}"


def _compute_names(spec: SiteSpec) -> tuple[set[str], set[str], set[str]]:
    """Return what folders, resource pools and hosts may be called."""
    if not spec.places:
        return set(spec.folders), set(spec.resource_pools), set()

    def called(*kinds: str) -> set[str]:
        return {name for place in spec.places if place.kind in kinds for name in (place.moref, place.name)}

    return called("Folder"), called("ResourcePool", "VirtualApp"), called("HostSystem")
