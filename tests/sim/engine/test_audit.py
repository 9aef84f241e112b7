"""The audit: append-only, with causes that hold across interleaved calls, and equal for equal runs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

from hcx_sim.world.audit import Audit
from hcx_sim.world.model import Power
from support.site_pair import SitePair, SiteServer


def test_calls_under_way_at_once_keep_their_own_causes() -> None:
    audit = Audit(lambda: 0)

    async def call(before: asyncio.Event, after: asyncio.Event) -> None:
        cause = audit.next_call_id()
        with audit.caused_by(cause):
            audit.add("note", "begin", who=cause)
            before.set()
            await after.wait()
            audit.add("note", "end", who=cause)

    async def story() -> None:
        events = [asyncio.Event() for _ in range(4)]
        first = asyncio.create_task(call(events[0], events[1]))
        await events[0].wait()
        second = asyncio.create_task(call(events[2], events[3]))
        await events[2].wait()
        events[1].set()
        await first
        events[3].set()
        await second

    asyncio.run(story())

    assert all(entry.cause == entry.data["who"] for entry in audit.entries())
    assert len(audit) == 4


def test_causes_nest() -> None:
    audit = Audit(lambda: 0)
    with audit.caused_by("call:1"):
        with audit.caused_by("event:x:y"):
            inner = audit.add("note", "a")
        outer = audit.add("note", "b")

    assert (inner.cause, outer.cause, audit.cause) == ("event:x:y", "call:1", "load")


def test_wall_time_is_the_only_difference_of_equal_runs() -> None:
    def run(wall: datetime) -> Audit:
        audit = Audit(lambda: 1_000_000, lambda: wall)
        audit.add("change", "vm:a", before={"b": 1, "a": 2}, after={"a": 3})
        return audit

    one, two = (run(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)) for day in (0, 1))

    assert one.entries()[0] != two.entries()[0]
    assert one.canonical_bytes() == two.canonical_bytes()
    assert json.loads(one.canonical_bytes())["virtual_time"] == "1970-01-01T00:00:01.000Z"


def _story(pair: SitePair) -> None:
    """Calls, faults by chance, time and changes, over the wire."""
    session = pair.http()
    pair.fault(product="hcx", behaviour="vendor_error", status=503, probability=0.5)
    for number in range(20):
        session.post(f"{pair.url('hcx')}/thing", data=str(number))
        session.get(f"{pair.url('vmc')}/deep/thing")
        pair.advance(number)
    pair.run(lambda: pair.world.update(pair.vm("web01"), power=Power.OFF))


def test_same_seed_and_same_calls_give_byte_equal_audits_ten_times(probe_server: SiteServer) -> None:
    audits = set()
    for _ in range(10):
        pair = probe_server.make_world(world_id="same", seed=42)
        _story(pair)
        audits.add(pair.canonical())
        probe_server.drop(pair)

    assert len(audits) == 1
    statuses = [json.loads(line)["data"].get("status") for line in audits.pop().splitlines()]
    assert {503, 201} <= set(statuses)


def test_another_seed_gives_another_audit(probe_server: SiteServer) -> None:
    audits = set()
    for seed in (1, 2):
        pair = probe_server.make_world(world_id="other", seed=seed)
        _story(pair)
        audits.add(pair.canonical())
        probe_server.drop(pair)

    assert len(audits) == 2


def test_no_secret_is_in_the_audit(probe_pair: SitePair) -> None:
    _story(probe_pair)
    text = probe_pair.canonical().decode()

    credentials = probe_pair.credentials
    secrets = [login.password for login in credentials.logins.values()]
    secrets += [credentials.refresh_token, credentials.oauth_client_secret]
    assert not [secret for secret in secrets if secret in text]
