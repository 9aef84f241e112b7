"""The oracle: from the facts alone, who reaches the outside when, and which rules of a migration were broken.

It follows every change of the world and keeps intervals in virtual time. It never asks a product.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hcx_sim.engine.clock import MICROSECONDS, iso
from hcx_sim.world.model import (
    Bridge,
    Entity,
    FirewallRule,
    Power,
    Segment,
    SiteName,
    VcNetwork,
    Vm,
    VmRole,
)
from hcx_sim.world.reachability import Domain, domain_of, reach
from hcx_sim.world.world import World


@dataclass(slots=True)
class Intervals:
    """Spans of virtual time during which something held; ``detail`` says why or for whom, at the start."""

    spans: list[dict[str, Any]] = field(default_factory=list)
    open_since_us: int | None = None

    def set(self, holds: bool, now_us: int, detail: Any = None) -> None:
        """Open or close a span at ``now_us``; a span of no length is dropped."""
        if holds and self.open_since_us is None:
            self.open_since_us = now_us
            self.spans.append({"from_us": now_us, "to_us": None, "detail": detail})
        elif not holds and self.open_since_us is not None:
            if self.open_since_us == now_us:
                self.spans.pop()
            else:
                self.spans[-1]["to_us"] = now_us
            self.open_since_us = None

    def report(self, now_us: int) -> list[dict[str, Any]]:
        """Return the spans with ISO instants and lengths in seconds; an open one has ``to`` None."""
        return [
            {
                "from": iso(span["from_us"]),
                "to": None if span["to_us"] is None else iso(span["to_us"]),
                "seconds": ((span["to_us"] or now_us) - span["from_us"]) / MICROSECONDS,
                "detail": span["detail"],
            }
            for span in self.spans
        ]


@dataclass(slots=True)
class _VmRecord:
    name: str
    outage: dict[str, Intervals] = field(default_factory=dict)  # by domain: a VM may have cards in several
    power_off: Intervals = field(default_factory=Intervals)
    stuns: list[dict[str, Any]] = field(default_factory=list)
    sites: list[dict[str, Any]] = field(default_factory=list)
    baseline: dict[str, Any] = field(default_factory=dict)
    gateways: dict[str, str | None] = field(default_factory=dict)

    def leave(self, domains: set[str], now_us: int) -> None:
        """Forget the domains in which the VM has no card any more."""
        for name in set(self.gateways) - domains:
            del self.gateways[name]
            self.outage[name].set(False, now_us)


@dataclass(slots=True)
class _DomainRecord:
    outage: Intervals = field(default_factory=Intervals)
    two_gateways: Intervals = field(default_factory=Intervals)
    source_cut: Intervals = field(default_factory=Intervals)
    source_cut_running: Intervals = field(default_factory=Intervals)


class Oracle:
    """Watches one world from the moment it is complete."""

    def __init__(self, world: World) -> None:
        """Take the baseline of all VMs and start watching."""
        self._world = world
        self._vms: dict[str, _VmRecord] = {}
        self._domains: dict[str, _DomainRecord] = {}
        for vm in world.vms.values():
            self._meet(vm)
        self._judge(list(world.networks.values()))
        world.observers.append(self._observe)

    def note_stun(self, uid: str, seconds: float) -> None:
        """Record that a switchover stunned a running VM for ``seconds``."""
        record = self._vms[uid]
        record.stuns.append({"at": iso(self._world.now_us), "seconds": round(seconds, 6)})

    def _meet(self, vm: Vm) -> None:
        if vm.retired or vm.uid in self._vms:
            return
        record = _VmRecord(vm.name)
        record.baseline = _facts(vm)
        record.sites.append({"site": vm.site.value, "since": iso(self._world.now_us)})
        self._vms[vm.uid] = record

    def _observe(self, _what: str, entity: Entity, before: dict[str, Any]) -> None:
        world = self._world
        if isinstance(entity, Vm):
            self._meet(entity)
            self._follow(entity)
            networks = [world.networks.get(f"{entity.site}/{nic.network_moref}") for nic in entity.nics]
            networks += [world.networks.get(f"{entity.site}/{n.network_moref}") for n in before.get("nics", [])]
            self._judge([network for network in networks if network is not None])
            if "nics" in before:
                self._leave(entity)
        elif isinstance(entity, VcNetwork):
            self._judge([entity])
        elif isinstance(entity, Segment):
            network = world.networks.get(f"{entity.site}/{entity.network_moref}")
            self._judge([network] if network else [])
        elif isinstance(entity, Bridge):
            keys = (entity.source_network_key, entity.destination_network_key)
            self._judge([world.networks[key] for key in keys if key in world.networks])
        elif isinstance(entity, FirewallRule):
            self._judge([n for n in world.networks.values() if n.site is entity.site])

    def _leave(self, vm: Vm) -> None:
        networks = [self._world.networks.get(f"{vm.site}/{nic.network_moref}") for nic in vm.nics]
        names = {domain_of(self._world, network).name for network in networks if network is not None}
        self._vms[vm.uid].leave(names, self._world.now_us)

    def _follow(self, vm: Vm) -> None:
        record = self._vms[vm.uid]
        if vm.retired or vm.key not in self._world.vms:
            return
        record.name = vm.name
        if record.sites[-1]["site"] != vm.site.value:
            record.sites.append({"site": vm.site.value, "since": iso(self._world.now_us)})
        was_on = record.baseline["power"] == Power.ON.value
        record.power_off.set(was_on and vm.power is not Power.ON, self._world.now_us, vm.power.value)

    def _judge(self, networks: list[VcNetwork]) -> None:
        seen: set[str] = set()
        for network in networks:
            domain = domain_of(self._world, network)
            if domain.name not in seen:
                seen.add(domain.name)
                self._judge_domain(domain)

    def _judge_domain(self, domain: Domain) -> None:
        now_us = self._world.now_us
        record = self._domains.setdefault(domain.name, _DomainRecord())
        cut_off: list[str] = []
        behind: list[str] = []
        running_behind: list[str] = []
        for vm in domain.vms:
            if vm.retired or vm.template or vm.role is not VmRole.WORKLOAD:
                continue
            gateway, reason = reach(self._world, domain, vm)
            vm_record = self._vms[vm.uid]
            running = vm.power is Power.ON
            vm_record.gateways[domain.name] = gateway
            outage = vm_record.outage.setdefault(domain.name, Intervals())
            outage.set(running and gateway is None, now_us, {"network": domain.name, "reason": reason})
            if running and gateway is None:
                cut_off.append(vm.name)
            if vm.site is SiteName.SOURCE and not domain.source_gateway_up:
                behind.append(vm.name)
                running_behind += [vm.name] if running else []
        source = domain.networks.get(SiteName.SOURCE)
        if source is not None and not domain.source_gateway_up:
            behind += [f"{vm} at {site}" for site, vms in source.properties.get("elsewhere", {}).items() for vm in vms]
            behind += [f"device {address}" for address in source.properties.get("devices", {})]
        record.outage.set(bool(cut_off), now_us, sorted(cut_off))
        record.two_gateways.set(domain.two_gateways, now_us)
        cut = domain.source_had_gateway and bool(behind)
        record.source_cut.set(cut, now_us, sorted(behind))
        record.source_cut_running.set(cut and bool(running_behind), now_us, sorted(running_behind))

    def report(self) -> dict[str, Any]:
        """Return everything known, JSON-able; reading changes nothing.

        ``segments`` (by the source network's name): ``outage`` (some running workload reaches nothing),
        ``two_gateways`` (both sites route the subnet), ``source_cut`` (source gateway off while a workload is
        still there) and ``source_cut_running``. ``vms`` (by name): ``outage``, ``power_off`` (of VMs that were
        on), ``stuns`` in seconds, ``sites``, ``gateways`` (by network), ``before`` and ``now``.
        """
        now_us = self._world.now_us
        return {
            "now": iso(now_us),
            "segments": {
                name: {
                    "outage": record.outage.report(now_us),
                    "two_gateways": record.two_gateways.report(now_us),
                    "source_cut": record.source_cut.report(now_us),
                    "source_cut_running": record.source_cut_running.report(now_us),
                }
                for name, record in sorted(self._domains.items())
            },
            "vms": {record.name: self._vm_report(uid, record) for uid, record in self._vms.items()},
        }

    def _vm_report(self, uid: str, record: _VmRecord) -> dict[str, Any]:
        now_us = self._world.now_us
        try:
            now: dict[str, Any] | None = _facts(self._world.vm_by_uid(uid))
        except KeyError:
            now = None
        return {
            "outage": [span for _, each in sorted(record.outage.items()) for span in each.report(now_us)],
            "power_off": record.power_off.report(now_us),
            "stuns": record.stuns,
            "sites": record.sites,
            "gateways": dict(sorted(record.gateways.items())),
            "before": record.baseline,
            "now": now,
        }


def _facts(vm: Vm) -> dict[str, Any]:
    return {
        "site": vm.site.value,
        "power": vm.power.value,
        "moref": vm.moref,
        "macs": sorted(nic.mac for nic in vm.nics),
        "ips": sorted(ip for nic in vm.nics for ip in nic.ip_addresses),
        "instance_uuid": vm.instance_uuid,
        "bios_uuid": vm.bios_uuid,
    }
