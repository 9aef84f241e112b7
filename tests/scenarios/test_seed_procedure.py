"""The whole seed procedure over TLS at speed 600, judged by the oracle and the audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from scenarios.seed_migration import SeedMigration, Sites
from support.site_pair import SitePair, SiteServer


@pytest.fixture
def pair(site_server: SiteServer) -> Iterator[SitePair]:
    """The seed world at 600 virtual seconds per real second."""
    made = site_server.make_world(mode="scaled", speed=600.0)
    yield made
    made.assert_no_bugs()
    site_server.drop(made)


@pytest.fixture
def procedure(pair: SitePair) -> Iterator[SeedMigration]:
    """The procedure on clients of that world."""
    with ExitStack() as stack:
        yield SeedMigration(Sites.open(pair.endpoints, stack))


def migrate(procedure: SeedMigration) -> None:
    """Steps 1 and 2 of the story."""
    procedure.look()
    procedure.migrate()
    procedure.verify()


def test_seed_procedure_from_validate_to_rename(pair: SitePair, procedure: SeedMigration) -> None:
    migrate(procedure)
    assert procedure.disconnect_source().segment_type == "DISCONNECTED"
    procedure.unextend(connect=True)
    assert procedure.verify_routed().segment_type == "ROUTED"
    procedure.delete_source()
    procedure.rename_destination("seed-net-cloud")

    report = pair.oracle()
    for name in procedure.virtual_machines:
        vm = report["vms"][name]
        assert vm["now"]["site"] == "destination"
        assert vm["power_off"] == []
        assert vm["now"]["macs"] == vm["before"]["macs"]
        assert vm["now"]["ips"] == vm["before"]["ips"]
        assert len(vm["outage"]) == 1
        assert len(vm["stuns"]) == 1
        assert vm["gateways"] == {"seed-net": "destination"}
    segment = report["segments"]["seed-net"]
    assert len(segment["outage"]) == 1
    assert segment["outage"][0]["to"] is not None
    assert segment["two_gateways"] == []
    assert segment["source_cut"] == []
    assert "source/seed-net" not in pair.world.segments
    assert pair.world.segments["destination/seed-net"].display_name == "seed-net-cloud"


def test_every_mutating_call_was_made_once(pair: SitePair, procedure: SeedMigration) -> None:
    migrate(procedure)
    procedure.disconnect_source()
    procedure.unextend(connect=True)
    procedure.verify_routed()
    for operation in ("mobility.groups.create", "mobility.groups.start", "l2_extensions.delete"):
        assert len(pair.calls(operation)) == 1, operation
    assert len(pair.calls("migrations.query")) == procedure.polls


def test_forgotten_connect_leaves_the_outage_open_until_it_is_repaired(
    pair: SitePair, procedure: SeedMigration
) -> None:
    migrate(procedure)
    procedure.disconnect_source()
    procedure.unextend(connect=False)
    assert procedure.destination_segment().segment_type == "DISCONNECTED"
    still_open = pair.oracle()["segments"]["seed-net"]["outage"]
    assert [span["to"] for span in still_open] == [None]

    procedure.connect_destination()
    report = pair.oracle()["segments"]["seed-net"]
    assert len(report["outage"]) == 1
    assert report["outage"][0]["to"] is not None
    assert report["two_gateways"] == []
