"""Several worlds in one server: apart from each other, moving by themselves, and forgotten when nobody calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from hcx_sim.engine.clock import ClockMode, iso, seconds
from hcx_sim.http.context import Product
from hcx_sim.world.model import Power
from hcx_sim.world.world import World
from hcx_sim.worlds import NoSuchWorldError, WorldError, WorldManager, WorldOptions
from support.probe_product import probe_product, probe_products
from support.site_pair import SitePair, SiteServer
from support.waiting import HANG_SECONDS, wait_until


class _Wall:
    """A wall clock that stands still until told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def _manager(wall: Callable[[], float], **served: Product) -> WorldManager:
    return WorldManager({**probe_products(), **served}, lambda world_id: {"hcx/source": f"sim://{world_id}"}, wall)


def _paused(**options: object) -> WorldOptions:
    return WorldOptions(mode=ClockMode.PAUSED, **options)  # type: ignore[arg-type]


def test_what_happens_in_one_world_leaves_the_other_untouched(probe_server: SiteServer) -> None:
    one, two = probe_server.make_world(), probe_server.make_world()
    untouched = two.run(lambda: two.world.audit.canonical_bytes())

    one.run(lambda: one.world.update(one.vm("web01"), power=Power.OFF))
    one.advance(3600)
    one.http().post(f"{one.url('hcx')}/thing", data="x")

    assert two.run(lambda: two.world.audit.canonical_bytes()) == untouched
    assert two.vm("web01").power is Power.ON
    assert one.now > two.now
    probe_server.drop(one)
    probe_server.drop(two)


def test_the_worlds_of_one_seed_are_equal(probe_server: SiteServer) -> None:
    pairs = [probe_server.make_world(scenario="three-tier", seed=11) for _ in range(2)]
    facts = [[(vm.uid, vm.moref, [nic.mac for nic in vm.nics]) for vm in pair.world.vms.values()] for pair in pairs]

    assert facts[0] == facts[1]
    for pair in pairs:
        probe_server.drop(pair)


def test_paused_and_stepped_worlds_begin_at_a_fixed_instant_and_scaled_ones_now(probe_server: SiteServer) -> None:
    paused, scaled = probe_server.make_world(), probe_server.make_world(mode="scaled")
    start = datetime(2030, 1, 1, tzinfo=UTC)
    given = probe_server.make_world(mode="stepped", start=start)

    assert paused.now == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    assert abs((scaled.now - datetime.now(UTC)).total_seconds()) < 60
    assert given.now == start
    for pair in (paused, scaled, given):
        probe_server.drop(pair)


def test_a_scaled_world_moves_without_being_called(probe_server: SiteServer) -> None:
    pair = probe_server.make_world(mode="scaled", speed=1000.0)
    happened: list[int] = []

    def plan() -> None:
        world = pair.world
        world.engine.on("test.happen", lambda: happened.append(world.now_us))
        world.engine.schedule(100, "test.happen", "a")

    planned = pair.run(lambda: pair.world.now_us)
    pair.run(plan)

    wait_until(lambda: happened)
    assert happened[0] - planned >= seconds(100)
    probe_server.drop(pair)


def test_an_event_that_fails_is_noted_as_our_bug(probe_server: SiteServer, caplog: pytest.LogCaptureFixture) -> None:
    pair = probe_server.make_world(mode="scaled")

    def fail() -> None:
        raise KeyError("gone")

    def plan() -> None:
        pair.world.engine.on("test.fail", fail)
        pair.world.engine.schedule(0, "test.fail", "a")

    pair.run(plan)

    bug = wait_until(lambda: pair.audit("note", subject="simulator-bug"))[0]
    assert bug["data"]["error"] == "KeyError: 'gone'"
    assert "an event failed" in caplog.text
    probe_server.drop(pair)


def test_a_world_nobody_calls_is_forgotten() -> None:
    async def story() -> None:
        wall = _Wall()
        manager = _manager(wall)
        manager.create("kept", _paused())
        manager.create("brief", _paused(idle_seconds=60))
        wall.seconds = 50
        assert manager.find("brief") is not None
        wall.seconds = 105
        assert manager.expire_idle() == []
        wall.seconds = 111
        assert manager.expire_idle() == ["brief"]
        assert manager.ids() == ["kept"]
        assert manager.find("brief") is None
        manager.close()

    asyncio.run(story())


@pytest.mark.parametrize("guarded", [False, True])
def test_a_wait_keeps_a_world_unless_whoever_lives_would_have_been_asked(guarded: bool) -> None:
    async def story() -> None:
        wall = _Wall()
        manager = _manager(wall)
        world = manager.create("w", WorldOptions(mode=ClockMode.STEPPED, guarded=guarded, idle_seconds=60))
        for name in ("gone", "dead"):
            world.waiters.register(name)
        hanging = asyncio.ensure_future(world.waiters.wait("gone", world.now_us + seconds(1)))
        manager.serving(world, hanging)
        await asyncio.sleep(0)
        wall.seconds = 59
        assert manager.expire_idle() == []
        wall.seconds = 61
        assert manager.expire_idle() == (["w"] if guarded else [])
        await asyncio.sleep(0)
        assert hanging.done() is guarded
        manager.close()

    asyncio.run(story())


@pytest.mark.world(mode="stepped", guarded=True, ask_again_seconds=0.05, idle_seconds=60)
def test_a_world_in_which_somebody_waits_and_answers_is_in_use(
    probe_pair: SitePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = _Wall()
    monkeypatch.setattr(probe_pair.server.worlds, "_monotonic", wall)
    control = probe_pair.endpoints["control"]
    http = probe_pair.http()
    http.headers["Authorization"] = f"Bearer {control['token']}"
    waiters = f"{control['url']}/worlds/{probe_pair.world_id}/waiters"
    for name in ("lives", "busy"):
        http.post(waiters, json={"name": name}, timeout=HANG_SECONDS)

    for _ in range(5):
        wall.seconds += 50
        asked = http.post(f"{waiters}/lives/wait", json={"seconds": 1}, timeout=HANG_SECONDS)
        assert asked.status_code == 200
        assert probe_pair.server.run(probe_pair.server.worlds.expire_idle) == []


def test_the_server_forgets_idle_worlds_by_itself(probe_server: SiteServer) -> None:
    pair = probe_server.make_world(idle_seconds=0.05)

    wait_until(lambda: pair.world_id not in probe_server.server.run(probe_server.server.worlds.ids))

    pair.close()


def test_reset_builds_the_world_anew_with_the_same_log_ins(probe_pair: SitePair) -> None:
    before = probe_pair.credentials
    fresh = probe_pair.run(lambda: probe_pair.world.audit.canonical_bytes())
    probe_pair.run(lambda: probe_pair.world.update(probe_pair.vm("web01"), name="renamed"))
    probe_pair.fault(product="hcx", behaviour="reset_before")
    probe_pair.advance(60)

    probe_pair.server.run(lambda: probe_pair.server.worlds.reset(probe_pair.world_id))

    assert probe_pair.vm("web01").name == "web01"
    assert probe_pair.credentials == before
    assert probe_pair.run(lambda: probe_pair.world.audit.canonical_bytes()) == fresh
    assert probe_pair.http().get(f"{probe_pair.url('hcx')}/thing").status_code == 200


@pytest.mark.parametrize("world_id", ["", "-a", "a/b", "a b", "ä", "x" * 65])
def test_a_world_id_must_fit_into_a_path(world_id: str) -> None:
    with pytest.raises(WorldError, match="must be letters, digits"):
        _manager(_Wall()).create(world_id, _paused())


def test_worlds_refuse_what_cannot_be() -> None:
    async def story() -> None:
        manager = _manager(_Wall())
        manager.create("a", _paused())
        with pytest.raises(WorldError, match="world 'a' exists already"):
            manager.create("a", _paused())
        with pytest.raises(WorldError, match="the default world cannot be deleted"):
            manager.delete("default")
        with pytest.raises(NoSuchWorldError, match="no world 'b'"):
            manager.get("b")
        with pytest.raises(WorldError, match="a world plays a site or a twin"):
            manager.create("c", _paused(role="king"))
        assert manager.ids() == ["a"]

    asyncio.run(story())


def test_products_find_credentials_and_urls_when_they_are_installed() -> None:
    seen: list[tuple[str, list[str], bool]] = []

    def install(world: World) -> None:
        seen.append((world.products["urls"]["hcx/source"], sorted(world.products), "oracle" in world.products))

    probe = probe_product("nsx")
    product = Product("nsx", probe.app, probe.coverage, install, probe.failure)

    async def story() -> None:
        _manager(_Wall(), nsx=product).create("a", _paused())

    asyncio.run(story())
    ((url, known, watched),) = seen
    assert (url, {"credentials", "urls"} <= set(known), watched) == ("sim://a", True, False)


def test_reads_change_nothing(site_pair: SitePair) -> None:
    before = site_pair.run(lambda: site_pair.world.audit.canonical_bytes())
    control = site_pair.endpoints["control"]
    session = site_pair.http()
    session.headers["Authorization"] = f"Bearer {control['token']}"
    base = f"{control['url']}/worlds/{site_pair.world_id}"

    for path in ("", "/clock", "/waiters", "/faults", "/audit", "/oracle", "/vms", "/gateways", "/endpoints"):
        assert session.get(base + path).status_code == 200
    assert session.get(f"{base}/snapshot").status_code == 200

    assert site_pair.run(lambda: site_pair.world.audit.canonical_bytes()) == before
    assert iso(site_pair.world.now_us) == "2026-01-05T08:00:00.000Z"
