"""Whether VMs could come back: as a simulated site has it, and exactly the finding that it must give."""

from __future__ import annotations

from dataclasses import replace

from hcx_sim.world.model import SiteName
from hcx_waves.clients.bundle import SiteClients
from support.judging import Judge
from support.site_pair import SitePair
from support.waves import seed_wave

FOUR = ("web01", "web02", "app01", "db01")


def set_hosts(pair: SitePair, site: SiteName, **properties: str) -> None:
    """Give all hosts of a site other properties."""

    def change() -> None:
        for place in list(pair.world.placements.values()):
            if (place.site, place.type_name) == (site, "HostSystem"):
                pair.world.update(place, properties={**place.properties, **properties})

    pair.run(change)


def test_newer_cpus_at_the_destination_leave_no_live_way_back(judge: Judge) -> None:
    set_hosts(judge.pair, SiteName.DESTINATION, max_evc_mode="intel-icelake")
    found = judge.found()
    assert set(found) == {("warning", "vm-way-back-cpu", name) for name in FOUR}
    finding = found["warning", "vm-way-back-cpu", "db01"]
    assert "(intel-icelake) are newer than those of the source (intel-cascadelake)" in finding.message
    assert finding.evidence["reason"] == "newer CPU"


def test_it_blocks_if_the_wave_must_be_reversible(site_pair: SitePair, clients: SiteClients) -> None:
    set_hosts(site_pair, SiteName.DESTINATION, max_evc_mode="intel-icelake")
    judge = Judge(site_pair, clients, seed_wave(reversible="required"))
    assert {one.finding_id for one in judge.judge().blocking} == {"vm-way-back-cpu"}


def test_evc_of_the_destination_at_the_level_of_the_source_keeps_the_way_back(judge: Judge) -> None:
    set_hosts(judge.pair, SiteName.DESTINATION, max_evc_mode="intel-icelake", evc_mode="intel-cascadelake")
    assert judge.found() == {}


def test_a_vm_that_restarts_has_a_way_back_from_any_cpu(site_pair: SitePair, clients: SiteClients) -> None:
    set_hosts(site_pair, SiteName.DESTINATION, max_evc_mode="intel-icelake")
    assert Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"})).found() == {}


def test_upgraded_hardware_that_the_source_does_not_run(site_pair: SitePair, clients: SiteClients) -> None:
    set_hosts(site_pair, SiteName.SOURCE, version="7.0.3")
    set_hosts(site_pair, SiteName.DESTINATION, version="8.0.2")
    wave = seed_wave(defaults={"options": {"upgrade_hardware": True}})
    found = Judge(site_pair, clients, wave).found()
    assert {(key[1], key[2]) for key in found} == {("vm-way-back-hardware", name) for name in FOUR}
    assert "run vmx-19 at most" in found["warning", "vm-way-back-hardware", "web01"].message


def test_a_full_datastore_at_the_source_has_no_room_for_bulk_to_come_back(
    site_pair: SitePair, clients: SiteClients
) -> None:
    judge = Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"}))

    def fill() -> None:
        for store in list(site_pair.world.datastores.values()):
            if store.site is SiteName.SOURCE:
                site_pair.world.update(store, free_bytes=1024)

    judge.after(fill)
    assert {key[1] for key in judge.found()} == {"vm-way-back-storage"}
    assert Judge(site_pair, clients).found() == {}, "what RAV moves away leaves its own space behind"


def test_no_slot_to_extend_again(judge: Judge) -> None:
    bridge = next(iter(judge.pair.world.bridges.values()))

    def crowd() -> None:
        for number in range(8):
            judge.pair.world.put(replace(bridge, key=f"more-{number}", source_network_key=f"x/{number}"))

    judge.after(crowd)
    assert ("warning", "segment-way-back-no-slot", "seed-net") in judge.found()
