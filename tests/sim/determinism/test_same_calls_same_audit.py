"""Same seed, same calls: byte-equal audit, ten times, with three participants whose threads race."""

from __future__ import annotations

from contextlib import ExitStack

from scenarios.seed_migration import SEGMENT, SeedMigration, Sites
from support.lookups import segment_named
from support.site_pair import SitePair, SiteServer
from support.threads import Threads

RUNS = 10
WATCHERS = {"oracle-of-hcx": 45.0, "watch-nsx": 30.0, "watch-vcenter": 60.0}


class SteppedMigration(SeedMigration):
    """The seed procedure that waits as a participant of the stepped clock instead of in real time."""

    participant: Participant

    def wait(self, what: str, ready):  # type: ignore[no-untyped-def]
        while not (result := ready()):
            self.participant.wait(5.0)
        return result


class Participant:
    """One waiter of the stepped clock, by the control API."""

    def __init__(self, pair: SitePair, name: str) -> None:
        self.name = name
        control = pair.endpoints["control"]
        self._http = pair.http()
        self._http.headers["Authorization"] = f"Bearer {control['token']}"
        self._url = f"{control['url']}/worlds/{pair.world_id}/waiters"

    def register(self) -> None:
        self._http.post(self._url, json={"name": self.name}).raise_for_status()

    def wait(self, seconds: float) -> None:
        self._http.post(f"{self._url}/{self.name}/wait", json={"seconds": seconds}).raise_for_status()

    def leave(self) -> None:
        self._http.delete(f"{self._url}/{self.name}").raise_for_status()


def drive(pair: SitePair, participant: Participant) -> None:
    """The main thread of events: the whole seed procedure."""
    participant.wait(0)  # nobody acts before all are there
    with ExitStack() as stack:
        run = SteppedMigration(Sites.open(pair.endpoints, stack))
        run.participant = participant
        run.look()
        run.migrate()
        run.verify()
        run.disconnect_source()
        run.unextend(connect=True)
        run.verify_routed()
        run.delete_source()
    participant.leave()


def watch(pair: SitePair, participant: Participant, period_seconds: float) -> None:
    """Somebody else who looks now and then while the procedure runs."""
    participant.wait(0)
    with ExitStack() as stack:
        sites = Sites.open(pair.endpoints, stack)
        for _ in range(8):
            participant.wait(period_seconds)
            if participant.name == "watch-nsx":
                segment_named(sites.destination_nsx, SEGMENT)
            elif participant.name == "watch-vcenter":
                sites.source_vcenter.list_virtual_machines()
            else:
                sites.hcx.query_migrations()
    participant.leave()


def canonical_audit(server: SiteServer) -> bytes:
    """Run everybody in a fresh world of the same name and seed and return its audit."""
    pair = server.make_world(world_id="again", mode="stepped", seed=99)
    try:
        driver = Participant(pair, "driver")
        watchers = {Participant(pair, name): period for name, period in WATCHERS.items()}
        for participant in (driver, *watchers):
            participant.register()
        with Threads("participants", pair.let_go) as threads:
            jobs = [threads.submit(watch, pair, each, period) for each, period in watchers.items()]
            jobs.append(threads.submit(drive, pair, driver))
            for job in jobs:
                job.result()
        pair.assert_no_bugs()
        return pair.run(lambda: pair.world.audit.canonical_bytes())
    finally:
        server.drop(pair)


def test_ten_runs_give_equal_audits(site_server: SiteServer) -> None:
    audits = [canonical_audit(site_server) for _ in range(RUNS)]
    assert len(audits[0].splitlines()) > 100
    assert b"hcx.unextend" in audits[0] or b"extension" in audits[0]
    for number, audit in enumerate(audits[1:], start=2):
        assert audit == audits[0], _first_difference(audits[0], audit, number)


def _first_difference(one: bytes, other: bytes, number: int) -> str:
    for left, right in zip(one.splitlines(), other.splitlines(), strict=False):
        if left != right:
            return f"run {number} differs:\n{left.decode()}\n{right.decode()}"
    return f"run {number} has {len(other.splitlines())} lines instead of {len(one.splitlines())}"
