"""What a migration is verified by: what identifies a VM and its NICs has to stay, other things come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.migration.start import start_wave
from hcx_waves.migration.verify import VmProof, verify_virtual_machines
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.states import VmOutcome
from hcx_waves.resolve import resolve_plan
from hcx_waves.run.evaluation import verify
from hcx_waves.run.results import Ended, Evaluation, MigrationsWait
from hcx_waves.wavefile.wave import Wave
from support.procedures import run_to_end, sites_of
from support.site_pair import SitePair
from support.waves import scenario, seed_wave

Proofs = dict[str, VmProof]
VIRTUAL, LEASE, NEW_LEASE = "192.168.1.100", "192.168.1.11", "192.168.1.51"


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    """The clients of this test's world."""
    with sites_of(site_pair) as opened:
        yield opened


def planned(pair: SitePair, clients: SiteClients, wave: Wave | None = None) -> WavePlan:
    """The seed wave, resolved."""
    return resolve_plan(wave or seed_wave(), clients, now=pair.now)


def moved(pair: SitePair, clients: SiteClients, plan: WavePlan, change: Callable[[], None]) -> Proofs:
    """Move a plan, change the world, and verify."""
    status = run_to_end(pair, clients, start_wave(plan, clients))
    assert status.counts == {"done": len(plan.vms)}
    pair.run(change)
    return {proof.name: proof for proof in verify_virtual_machines(plan, status, clients)}


def readdress(pair: SitePair, name: str, addresses: Sequence[str], origins: dict[str, str] | None = None) -> None:
    """Let the guest of a VM with one NIC report other addresses."""
    vm = pair.vm(name)
    nic = vm.nics[0]
    own = nic.origins if origins is None else origins
    pair.world.update(vm, nics=[replace(nic, ip_addresses=list(addresses), origins=own)])


def nic(*ips: str, **origins: str) -> dict[str, Any]:
    """One NIC in seed-net whose addresses have an origin, by the address's last part (``o11="manual"``)."""
    by_address = {f"192.168.1.{part[1:]}": origin for part, origin in origins.items()}
    return {"nics": [{"network": "seed-net", "ips": list(ips), "origins": by_address}]}


@pytest.mark.parametrize("origin", [None, "manual", "manual/32"])
def test_a_virtual_address_moves_to_another_vm(site_server: Any, origin: str | None) -> None:
    held = nic("192.168.1.11", VIRTUAL, **({"o100": origin, "o11": "manual"} if origin else {}))
    pair = site_server.make_world(scenario=scenario(vms={"web01": held}))

    def fail_over() -> None:
        readdress(pair, "web01", ["192.168.1.11"])
        readdress(pair, "web02", ["192.168.1.12", VIRTUAL])

    with sites_of(pair) as clients:
        proofs = moved(pair, clients, planned(pair, clients), fail_over)
    assert {name: proof.reasons for name, proof in proofs.items() if proof.reasons} == {}
    assert proofs["web01"].changes == (f"{VIRTUAL} is now at web02",)
    site_server.drop(pair)


@pytest.mark.world(scenario=scenario(vms={"web01": nic(LEASE, o11="dhcp")}))
def test_a_lease_changes(site_pair: SitePair, clients: SiteClients) -> None:
    plan = planned(site_pair, clients)
    proofs = moved(site_pair, clients, plan, lambda: readdress(site_pair, "web01", [NEW_LEASE]))
    assert proofs["web01"].is_proven, proofs["web01"].reasons
    assert proofs["web01"].changes == (f"{LEASE} is gone; new: {NEW_LEASE}",)


def test_a_lease_of_a_guest_that_does_not_say_where_addresses_come_from(
    site_pair: SitePair, clients: SiteClients
) -> None:
    plan = planned(site_pair, clients)
    proofs = moved(site_pair, clients, plan, lambda: readdress(site_pair, "web01", [NEW_LEASE]))
    assert proofs["web01"].is_proven, proofs["web01"].reasons


BRIDGE = "172.17.0.1"
SIX, TEMPORARY = "2001:db8::11", "2001:db8::abcd"


@pytest.mark.world(
    scenario=scenario(
        vms={
            "web01": {
                "nics": [
                    {
                        "network": "seed-net",
                        "ips": ["192.168.1.11", BRIDGE, TEMPORARY],
                        "origins": {"192.168.1.11": "manual", BRIDGE: "manual", TEMPORARY: "random"},
                    }
                ]
            }
        }
    )
)
def test_container_bridges_and_temporary_addresses_come_and_go(site_pair: SitePair, clients: SiteClients) -> None:
    plan = planned(site_pair, clients)
    proofs = moved(site_pair, clients, plan, lambda: readdress(site_pair, "web01", ["192.168.1.11"]))
    assert proofs["web01"].is_proven, proofs["web01"].reasons
    assert len(proofs["web01"].changes) == 2


@pytest.mark.parametrize("left", [[NEW_LEASE], ["10.20.0.5"], [BRIDGE, TEMPORARY]])
def test_a_static_address_that_is_lost_is_not_verified(site_server: Any, left: list[str]) -> None:
    pair = site_server.make_world(scenario=scenario(vms={"web01": nic("192.168.1.11", o11="manual")}))
    with sites_of(pair) as clients:
        plan = planned(pair, clients)
        proofs = moved(pair, clients, plan, lambda: readdress(pair, "web01", left, {}))
    assert proofs["web01"].outcome is VmOutcome.MISPLACED
    assert "and not 192.168.1.11" in proofs["web01"].reasons[0]
    site_server.drop(pair)


def test_a_guest_whose_addresses_all_lie_elsewhere_is_not_verified(site_pair: SitePair, clients: SiteClients) -> None:
    plan = planned(site_pair, clients)
    proofs = moved(site_pair, clients, plan, lambda: readdress(site_pair, "web01", ["10.20.0.5"]))
    assert proofs["web01"].reasons == ("it has 10.20.0.5 and not 192.168.1.11",)


def test_addresses_with_their_origin_are_no_part_of_what_is_approved(site_pair: SitePair, clients: SiteClients) -> None:
    plan = planned(site_pair, clients)
    assert plan.vm("web01").nics[0].guest_addresses[0].address == "192.168.1.11"
    site_pair.run(lambda: readdress(site_pair, "web01", [NEW_LEASE], {NEW_LEASE: "dhcp"}))
    later = planned(site_pair, clients)
    assert later.vm("web01").nics[0].guest_addresses[0].origin == "dhcp"
    assert later.digest() == plan.digest()


BULK_WITH_NEW_UUIDS = {"hcx": {"bulk_keeps_uuids": False}}


def clone(**changes: Any) -> dict[str, Any]:
    """A VM at the destination that was there before."""
    return {"site": "destination", "nics": [], **changes}


@pytest.mark.parametrize(
    "there",
    [
        {"web01-old": clone(bios_uuid="4201aaaa-0000-4000-8000-00000000b105")},
        {"web01-old": clone(bios_uuid="4201aaaa-0000-4000-8000-00000000b105", power="poweredOff")},
        {"web01-twin": clone(nics=[{"network": "mgmt", "mac": "00:50:56:00:aa:01"}])},
    ],
    ids=["clone", "clone that is off", "same MAC"],
)
@pytest.mark.parametrize("keeps", [True, False])
def test_a_clone_is_not_taken_for_the_vm_that_arrives(site_server: Any, there: dict[str, Any], keeps: bool) -> None:
    web01 = {
        "bios_uuid": "4201aaaa-0000-4000-8000-00000000b105",
        "nics": [{"network": "seed-net", "ips": ["192.168.1.11"], "mac": "00:50:56:00:aa:01"}],
    }
    world = scenario(vms={"web01": web01, **there}, settings={"hcx": {"bulk_keeps_uuids": keeps}})
    world["networks"].append({"name": "mgmt", "site": "destination", "kind": "flexible"})
    pair = site_server.make_world(scenario=world)
    with sites_of(pair) as clients:
        plan = planned(pair, clients, seed_wave(defaults={"migration": "Bulk"}))
        proofs = moved(pair, clients, plan, lambda: None)
        arrived = proofs["web01"].after
    assert proofs["web01"].is_proven, proofs["web01"].reasons
    assert arrived is not None
    assert (arrived.name, arrived.mac_addresses) == ("web01", ("00:50:56:00:aa:01",))
    site_server.drop(pair)


@pytest.mark.world(scenario=scenario(vms={"web01-old": clone(), "web01 ": clone()}))
def test_a_namesake_that_was_there_before_is_never_the_vm(site_pair: SitePair, clients: SiteClients) -> None:
    """HCX says that it has moved, and all that is there is what was there before."""
    web01, old = site_pair.vm("web01"), site_pair.vm("web01-old")
    same = {"bios_uuid": web01.bios_uuid, "nics": [replace(web01.nics[0], network_moref="")]}
    site_pair.run(lambda: site_pair.world.update(old, **same))
    plan = planned(site_pair, clients)
    assert plan.vm("web01").there_before == (old.moref,)

    proofs = moved(site_pair, clients, plan, lambda: site_pair.world.remove(site_pair.vm("web01")))
    assert proofs["web01"].reasons == ("it is not in the destination's vCenter",)


def test_vms_that_arrived_in_an_earlier_run_are_compared_as_well(site_pair: SitePair, clients: SiteClients) -> None:
    first = planned(site_pair, clients)
    moved(site_pair, clients, first, lambda: None)
    later = planned(site_pair, clients)
    assert all(vm.already_there for vm in later.vms)
    nothing = MigrationsWait(ended=Ended.NOTHING, at=site_pair.now)
    evaluated = Evaluation(outcomes={vm.name: VmOutcome.ALREADY_THERE for vm in later.vms})

    found = verify(later, evaluated, nothing, clients)
    assert [proof.is_proven for proof in found.proofs] == [True] * 4
    assert {proof.after.site for proof in found.proofs if proof.after} == {"destination"}

    world = site_pair.world
    app01, db01 = site_pair.vm("app01"), site_pair.vm("db01")
    site_pair.run(lambda: world.update(app01, nics=[replace(app01.nics[0], mac="00:50:56:00:00:99")]))
    site_pair.run(lambda: world.remove(db01))
    found = verify(later, evaluated, nothing, clients)
    by_name = {proof.name: proof for proof in found.proofs}
    assert [name for name, proof in by_name.items() if proof.is_proven] == ["web01", "web02"]
    assert by_name["db01"].reasons == ("it is not in the destination's vCenter",)
    assert "app01" in found.blocked_segments["seed-net"] or "db01" in found.blocked_segments["seed-net"]
