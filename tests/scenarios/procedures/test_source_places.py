"""The plan keeps where each VM was, and its digest does not depend on where DRS puts it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.model.plan import SourcePlace
from hcx_waves.resolve import resolve_plan
from support.procedures import sites_of
from support.site_pair import SitePair
from support.waves import seed_wave


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    """The clients of this test's world."""
    with sites_of(site_pair) as opened:
        yield opened


def test_the_plan_keeps_where_each_vm_is(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolve_plan(seed_wave(), clients, now=site_pair.now)
    for vm in plan.vms:
        there, place = site_pair.vm(vm.name), vm.source_place
        assert place is not None
        known = (place.host, place.cluster, place.resource_pool, place.folder)
        assert [one and one.object_id for one in known] == [
            there.host_moref,
            there.cluster_moref,
            there.pool_moref,
            there.folder_moref,
        ]
        assert [one.object_id for one in place.networks] == list(dict.fromkeys(n.network_moref for n in there.nics))
        assert {one.object_id for one in place.datastores} == {disk.datastore_moref for disk in there.disks}
        assert all(one is not None and one.name != one.object_id for one in (*known, *place.networks))
        assert place.hardware_version == there.hardware_version


def test_the_place_is_not_what_is_approved(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolve_plan(seed_wave(), clients, now=site_pair.now)
    moved = plan.vms[0].model_copy(update={"source_place": SourcePlace()})
    assert plan.model_copy(update={"vms": (moved, *plan.vms[1:])}).digest() == plan.digest()
