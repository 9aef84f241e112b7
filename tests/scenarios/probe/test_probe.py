"""The probe against simulated sites: all is confirmed, and of planted differences exactly these are found."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.preflight import run_preflight
from hcx_waves.probe import Outcome, Probe, load_contract
from hcx_waves.probe.stages import NEEDS_MORE, STAGES
from hcx_waves.resolve import resolve_plan
from support.live_runs import run_live
from support.probed import (
    NINE,
    ON_PREMISES,
    OPAQUE,
    behind_proxies,
    found_differences,
    moved,
    probe_of,
    probed,
    rows_of,
)
from support.site_pair import SitePair, SiteServer
from support.untouched import assert_only_read
from support.waves import opened, seed_wave

UNREADABLE = (
    "the answer cannot be read: the answer does not fit the vSphere API (AttributeError: type object "
    "'vim.VirtualMachine.PowerState' has no attribute 'poweredUp')"
)
NOTHING_THERE = "nothing of this kind is there to look at"


def reads_of(probe: Probe) -> dict[str, set[str]]:
    """The reasons why reads were not tried, by call."""
    found: dict[str, set[str]] = {}
    for row in rows_of(probe, Outcome.NOT_TRIED):
        if row.facts.effect != "change":
            found.setdefault(row.facts.key, set()).add(row.reason)
    return found


@pytest.fixture(scope="module")
def probes(site_server: SiteServer) -> dict[str, Probe]:
    """Probes of sites that differ in what they have: 9.x in a cloud, NSX managers on premises, opaque networks."""
    found = {}
    for name, document in (("nine", NINE), ("on premises", ON_PREMISES), ("opaque", OPAQUE)):
        pair = site_server.make_world(scenario=document)
        try:
            found[name] = probed(pair if name == "opaque" else moved(pair))
        finally:
            site_server.drop(pair)
    return found


@pytest.mark.parametrize("name", ["nine", "on premises", "opaque"])
def test_nothing_differs_at_simulated_sites(probes: dict[str, Probe], name: str) -> None:
    probe = probes[name]

    assert found_differences(probe) == set()
    assert probe.count(Outcome.CONFIRMED) > 40
    not_tried = {reason for reasons in reads_of(probe).values() for reason in reasons}
    assert not_tried <= {NOTHING_THERE, *NEEDS_MORE.values()}


def test_every_read_is_confirmed_where_there_is_something_to_read(probes: dict[str, Probe]) -> None:
    confirmed = {row.facts.key for probe in probes.values() for row in rows_of(probe, Outcome.CONFIRMED)}
    calls = load_contract().calls
    reads = {key for key in STAGES if key not in calls or calls[key].effect != "change"}

    # The cloud's organisation is named in these documents, so nobody looks for it.
    assert reads - confirmed == {*NEEDS_MORE, "vmc.orgs.list"}


def test_what_an_older_release_lacks_is_not_offered(probes: dict[str, Probe]) -> None:
    older, newer = (
        {row.facts.key for row in rows_of(probes[name], Outcome.NOT_OFFERED)} for name in ("opaque", "nine")
    )

    assert older == {"hcx.l2_network_extensions.list", "hcx.underlay.service_mesh_health"}
    assert newer == set()


def test_changes_are_listed_and_not_tried(probes: dict[str, Probe]) -> None:
    changes = {row.facts.key: row for row in probes["nine"].rows if row.facts.effect == "change"}

    assert {row.outcome for row in changes.values()} == {Outcome.NOT_TRIED}
    assert {row.reason for row in changes.values()} == {"needs a change"}
    assert {"hcx.network_extensions.delete", "hcx.mobility.groups.start", "nsx.fixed_segments.patch"} <= changes.keys()
    assert "hcx.l2_extensions.delete" not in changes, "4.x unextends by another call"


def test_nothing_is_changed(site_pair: SitePair) -> None:
    mark = site_pair.mark()

    probed(site_pair)

    assert_only_read(site_pair, mark)


def without_status(path: str, body: Any) -> Any:
    """A mesh without its health, and extensions in the other envelope."""
    if path.endswith("/interconnect/serviceMesh") or "/interconnect/serviceMesh?" in path:
        for mesh in body["items"]:
            del mesh["status"]
    if path.endswith("/l2Extensions"):
        return {"data": {"items": body["items"]}}
    return body


def with_another_type(path: str, body: Any) -> Any:
    """Device keys as numbers, and a segment type that nobody knows."""
    if path.endswith("/vifs"):
        for vif in body["results"]:
            vif["device_key"] = int(vif["device_key"])
    if path.endswith("/segments"):
        for segment in body["results"]:
            segment["type"] = "BRIDGED"
    return body


def in_another_power_state(_path: str, body: Any) -> Any:
    """A power state that vSphere's own types do not have."""
    return body.replace('"VirtualMachinePowerState">poweredOn<', '"VirtualMachinePowerState">poweredUp<')


FIVE = {
    ("source", "hcx"): without_status,
    ("destination", "nsx"): with_another_type,
    ("source", "vcenter"): in_another_power_state,
}


@pytest.mark.world(scenario=ON_PREMISES)
def test_of_five_planted_differences_exactly_these_are_found(site_pair: SitePair) -> None:
    with behind_proxies(moved(site_pair), FIVE) as (document, _):
        probe = probe_of(document, site_pair)

    assert found_differences(probe) == {
        ("source HCX Manager", "hcx.service_meshes.list", "items[].status: missing"),
        ("source HCX Manager", "hcx.l2_extensions.list", "items: missing; there is a list at data.items"),
        ("destination NSX", "nsx.realized_state.vifs", "results[].device_key: string expected, number found"),
        ("destination NSX", "nsx.flexible_segments.list", 'results[].type: unknown word "BRIDGED"'),
        ("source vCenter", "vcenter.virtual_machine.properties", UNREADABLE),
    }


def test_without_anything_planted_the_proxies_change_nothing(site_pair: SitePair) -> None:
    untouched = {place: lambda _path, body: body for place in FIVE}
    with behind_proxies(site_pair, untouched) as (document, proxies):
        probe = probe_of(document, site_pair)

    assert found_differences(probe) == set()
    assert all(proxy.methods for proxy in proxies.values())


class FirstPageOnly:
    """A manager that does not know offsets: what it has answered to a page size, it answers again."""

    def __init__(self) -> None:
        self.pages: dict[int, Any] = {}

    def __call__(self, path: str, body: Any) -> Any:
        if not path.endswith("/inventory/virtualmachines"):
            return body
        items = body["data"]["items"]
        body["data"]["items"] = self.pages.setdefault(len(items), items)
        return body


def test_a_list_that_does_not_page_is_a_difference(site_pair: SitePair) -> None:
    with behind_proxies(site_pair, {("source", "hcx"): FirstPageOnly()}) as (document, _):
        probe = probe_of(document, site_pair)

    [(endpoint, call, text)] = found_differences(probe)
    assert (endpoint, call) == ("source HCX Manager", "hcx.inventory.virtual_machines.list")
    assert "objects are not listed if asked for by pages of" in text


def test_a_missing_header_is_a_difference_and_what_hangs_on_it_is_not_tried(site_pair: SitePair) -> None:
    untouched = {("source", "hcx"): lambda _path, body: body}
    with behind_proxies(site_pair, untouched, lost_headers=frozenset({"x-hm-authorization"})) as (document, _):
        probe = probe_of(document, site_pair)

    assert found_differences(probe) == {
        ("source HCX Manager", "hcx.sessions.create", "header x-hm-authorization: missing")
    }
    assert any(reason.startswith("not reached; ") for reason in reads_of(probe)["hcx.service_meshes.list"])


def test_the_probe_knows_every_read_that_the_product_makes(site_pair: SitePair) -> None:
    """A plan, its preflight, a migration and a cutover ask for nothing that no stage is said to rely on."""
    mark = site_pair.mark()
    wave = seed_wave()
    with opened(site_pair) as clients:
        plan = resolve_plan(wave, clients, now=site_pair.now, started_at=site_pair.now)
        run_preflight(plan, wave, clients, now=site_pair.now)
    run_live(site_pair, vms=4, segments=1)

    asked = {
        f"{entry['subject'].rpartition('/')[2]}.{entry['data']['operation'].removesuffix('.slash')}"
        for entry in site_pair.calls(after=mark)
    }
    asked = {key for key in asked if not key.startswith("vcenter.") and key != "vmc.nsx.proxy"}
    # Which of two releases answers, and a session's end: nothing that a step decides by. Of a tier-1's tier-0 the
    # vendor documents no answer that could be compared.
    apart = {"hcx.l2_network_extensions.list", "hcx.sessions.delete", "nsx.tier_1s.get"}
    assert len(asked) > 20
    assert asked - STAGES.keys() - apart == set()
