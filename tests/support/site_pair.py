"""The simulated site pair for tests: real sockets and TLS, in this process.

Fixtures (import nothing; they are registered by ``tests/conftest.py``):

``site_pair``
    A :class:`SitePair` in a fresh world of its own, built from scenario ``seed`` with a *paused* clock: time stands
    still until the test moves it. All tests share one server; each world has its own path prefix, which is already
    in the URLs. Choose otherwise by ``@pytest.mark.world(scenario="three-tier", mode="stepped", seed=3, ...)``
    (keywords of :meth:`SiteServer.make_world`).
``site_server``
    The shared :class:`SiteServer` (session scope), to make several worlds: ``site_server.make_world(...)``.

A :class:`SitePair` offers::

    pair.endpoints            the endpoints document, as ``hcx-sim serve`` writes it
    pair.url("nsx", "source"), pair.url("vmc"), pair.login("hcx", "source") -> Login, pair.credentials
    pair.ca_file              for ``requests`` (``verify=pair.ca_file``) and ssl contexts
    pair.http()               a requests.Session that trusts the CA
    pair.advance(seconds)     moves a paused or stepped clock; everything due happens, in order
    pair.run_until_idle()     moves the clock from event to event until none is left (bounded)
    pair.now                  virtual time as datetime
    pair.world                the World itself; read it freely while nothing is in flight, change it through pair.run
    pair.run(lambda: ...)     calls a function on the server's loop: ``pair.run(lambda: world.update(vm, ...))``
    pair.vm("web01")          the living VM object of that name
    pair.calls(operation)     audit entries of kind ``call`` (dicts), newest last; operation is optional
    pair.audit(kind=, subject=, after=)   audit entries as dicts
    pair.canonical()          the whole audit without wall times: equal bytes mean that nothing happened, or the same
    pair.mark()               the audit's present length, for ``after=``
    pair.fault(product=..., call=..., behaviour=..., ...)   puts a fault rule in force, returns its id
    pair.oracle()             the oracle's report
    pair.let_go()             drops the world, so that nobody waits in it any more
    pair.assert_no_bugs()     no handler or event failed in a way that is the simulator's own fault (also checked at the
                              end of every test that uses ``site_pair``)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

import requests

from hcx_sim.engine.clock import ClockMode, seconds, to_datetime
from hcx_sim.faults.rules import FaultRule
from hcx_sim.http.context import Product
from hcx_sim.server import ServerOptions, SimServer
from hcx_sim.world.credentials import Credentials, Login, credentials_of
from hcx_sim.world.model import SiteName, Vm
from hcx_sim.world.world import World
from hcx_sim.worlds import WorldOptions
from support import site_servers

T = TypeVar("T")
_WORLD_NUMBERS = itertools.count(1)


class SitePair:
    """One simulated world as a test sees it."""

    def __init__(self, server: SimServer, world_id: str) -> None:
        self.server = server
        self.world_id = world_id
        self.endpoints: dict[str, Any] = server.run(lambda: server.endpoints(world_id))
        self._sessions: list[requests.Session] = []
        self._rules = itertools.count(1)
        self._has_let_go = False

    @property
    def world(self) -> World:
        return self.server.world(self.world_id)

    @property
    def ca_file(self) -> str | None:
        ca_file: str | None = self.endpoints["ca_file"]
        return ca_file

    @property
    def credentials(self) -> Credentials:
        return credentials_of(self.world.products)

    @property
    def now(self) -> datetime:
        return to_datetime(self.run(lambda: self.world.now_us))

    def url(self, product: str, site: SiteName | str | None = None) -> str:
        if product in ("vmc", "csp"):
            key = "url" if product == "vmc" else "csp_url"
            return str(self.endpoints["vmc"][key])
        return str(self.endpoints[str(SiteName(site or "source"))][product]["url"])

    def login(self, product: str, site: SiteName | str = "source") -> Login:
        return self.credentials.login(product, site)

    def http(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = self.ca_file or True
        self._sessions.append(session)
        return session

    def run(self, action: Callable[[], T]) -> T:
        def act() -> T:
            try:
                return action()
            finally:
                if self.world_id in self.server.worlds.ids():
                    self.server.worlds.changed(self.world_id)

        return self.server.run(act)

    def advance(self, by_seconds: float) -> None:
        def move() -> None:
            world = self.world
            world.clock.advance_to(world.clock.now_us() + seconds(by_seconds))
            world.catch_up()
            world.waiters.release_due()

        self.run(move)

    def run_until_idle(self, limit_seconds: float = 86_400.0) -> None:
        def drain() -> None:
            world = self.world
            limit_us = world.now_us + seconds(limit_seconds)
            while (next_us := world.engine.next_at_us()) is not None and next_us <= limit_us:
                world.clock.advance_to(max(next_us, world.clock.now_us()))
                world.catch_up()

        self.run(drain)

    def vm(self, name: str) -> Vm:
        return next(vm for vm in self.world.vms.values() if vm.name == name and not vm.retired)

    def mark(self) -> int:
        return self.run(lambda: len(self.world.audit))

    def audit(self, kind: str | None = None, subject: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        entries = self.run(lambda: self.world.audit.entries(kind=kind, subject=subject, after=after))
        return [asdict(entry) for entry in entries]

    def canonical(self) -> bytes:
        return self.run(lambda: self.world.audit.canonical_bytes())

    def calls(self, operation: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        entries = self.audit("call", after=after)
        return [entry for entry in entries if operation in (None, entry["data"]["operation"])]

    def fault(self, **rule: Any) -> str:
        made = FaultRule(**{"rule_id": f"rule-{next(self._rules)}", **rule})
        assert self.server.worlds.miss(made) is None
        self.run(lambda: self.world.faults.add(made))
        return made.rule_id

    def oracle(self) -> dict[str, Any]:
        report: dict[str, Any] = self.run(lambda: self.world.products["oracle"].report())
        return report

    def let_go(self) -> None:
        """Drop the world, and with it whoever waits in it: for the end of a test that was interrupted."""
        self._has_let_go = True
        self.server.run(lambda: _forget(self.server, self.world_id))

    def drop(self) -> None:
        """Close the sessions and drop the world, which must still be there unless it was let go."""
        self.close()
        if not self._has_let_go:
            self.server.run(lambda: self.server.worlds.delete(self.world_id))

    def assert_no_bugs(self) -> None:
        if self._has_let_go:
            return
        bugs = self.audit("note", subject="simulator-bug")
        assert not bugs, bugs

    def close(self) -> None:
        for session in self._sessions:
            session.close()


class SiteServer:
    """The simulator in a thread, in which tests make worlds."""

    def __init__(self, options: ServerOptions | None = None, served: Mapping[str, Product] | None = None) -> None:
        self.server = SimServer(options or ServerOptions(), served).start()
        site_servers.running.add(self.server)

    def make_world(self, *, world_id: str | None = None, mode: str = "paused", **options: Any) -> SitePair:
        """Make a world; ``options`` are those of :class:`hcx_sim.worlds.WorldOptions`."""
        name = world_id or f"test-{next(_WORLD_NUMBERS)}"
        chosen = WorldOptions(mode=ClockMode(mode), **options)
        self.server.run(lambda: self.server.worlds.create(name, chosen))
        return SitePair(self.server, name)

    def default(self) -> SitePair:
        """Return the default world, which has no path prefix."""
        return SitePair(self.server, "default")

    def drop(self, pair: SitePair) -> None:
        pair.drop()

    def forget(self, world_id: str) -> None:
        """Drop a world by its id, and whoever waits in it; it may be gone already."""
        self.server.run(lambda: _forget(self.server, world_id))

    def stop(self) -> None:
        site_servers.running.discard(self.server)
        self.server.stop()


def _forget(server: SimServer, world_id: str) -> None:
    if world_id in server.worlds.ids():
        server.worlds.delete(world_id)
