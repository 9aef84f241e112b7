"""One process, one loop, one port per product: the simulated site pair as a server."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import secrets
import tempfile
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from hcx_sim.control.app import control_app
from hcx_sim.endpoints import Addresses, endpoints_document
from hcx_sim.http.context import Product
from hcx_sim.http.dispatch import DEFAULT_WORLD, Dispatcher
from hcx_sim.http.listener import Listener, PortTakenError
from hcx_sim.products import CONTROL, ENDPOINTS, Endpoint, products
from hcx_sim.tls import ensure_certificates, leaf_of, write_private
from hcx_sim.world.credentials import Credentials
from hcx_sim.world.world import World
from hcx_sim.worlds import WorldLimits, WorldManager, WorldOptions

__all__ = ["PortTakenError", "ServerOptions", "SimServer"]

T = TypeVar("T")

_REFUSAL_CHECK_SECONDS = 0.1
_START_SECONDS = 60.0
_WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound to
_SECRETS_FILE = "secrets.json"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to serve.

    ``host`` is what the ports bind to and ``public_host`` what clients are told (default: the same, or localhost
    for a wildcard). ``port_base`` N means ports N to N+8 in the order of :data:`hcx_sim.products.ENDPOINTS`, 0 any
    free ones. ``limits`` are about the worlds that clients make. ``state_dir`` keeps CA and secrets over restarts;
    without it they live as long as the server.
    """

    world: WorldOptions = field(default_factory=WorldOptions)
    host: str = "127.0.0.1"
    public_host: str | None = None
    port_base: int = 0
    tls: bool = True
    state_dir: Path | None = None
    control_token: str | None = None
    limits: WorldLimits = field(default_factory=WorldLimits)

    def with_secrets(self, credentials: Credentials, control_token: str | None) -> ServerOptions:
        """Return a copy whose default world has these credentials, with this control token (None: a fresh one)."""
        return replace(self, world=replace(self.world, credentials=credentials), control_token=control_token)

    @property
    def client_host(self) -> str:
        """The host name in URLs."""
        return self.public_host or ("localhost" if self.host in _WILDCARDS else self.host)


class SimServer:
    """The server; :meth:`open` and :meth:`close` on a loop of yours, or :meth:`start` and :meth:`stop` in a thread.

    ``worlds`` and everything reached through it belong to the loop's thread; from elsewhere use :meth:`run`.
    """

    def __init__(self, options: ServerOptions | None = None, served: Mapping[str, Product] | None = None) -> None:
        """Prepare to serve products (``served`` by name, default all simulated ones); nothing is opened yet."""
        self.options = options or ServerOptions()
        self._served = products() if served is None else served
        limits = self.options.limits
        self.worlds = WorldManager(self._served, lambda world_id: self.addresses.urls(world_id), limits=limits)
        self.addresses: Addresses
        self._listeners: dict[Endpoint, Listener] = {}
        self._cleanup = ExitStack()
        self._refusal_timer: asyncio.TimerHandle | None = None
        self._reopening: set[asyncio.Task[None]] = set()
        self.thread_name = f"hcx-sim-{id(self):x}"
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    async def open(self) -> None:
        """Bind all ports, build the default world and serve.

        Raises :class:`PortTakenError`, :class:`ScenarioError` or :class:`WorldError`, with everything undone.
        """
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise

    async def _open(self) -> None:
        options = self.options
        directory = options.state_dir
        if directory is None:
            directory = Path(self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="hcx-sim-")))
        hosts = [host for host in (options.host, options.client_host) if host not in _WILDCARDS]
        files = ensure_certificates(directory, tuple(hosts)) if options.tls else None
        tls = files.server_context() if files else None
        token = options.control_token or secrets.token_hex(24)
        for number, endpoint in enumerate(ENDPOINTS):
            port = options.port_base + number if options.port_base else 0
            listener = Listener(endpoint.label, options.host, port, self._app(endpoint, token), tls)
            listener.bind()
            self._listeners[endpoint] = listener
        ports = {endpoint: listener.port for endpoint, listener in self._listeners.items()}
        ca_file = str(files.ca_file.resolve()) if files else None
        shown = leaf_of(files.chain_file) if files else ""
        self.addresses = Addresses(options.client_host, ports, options.tls, ca_file, token, shown)
        self.worlds.create(DEFAULT_WORLD, options.world)
        for listener in self._listeners.values():
            await listener.open()
        self.worlds.watchers.append(self._reconcile_refusals)
        self._reconcile_refusals(DEFAULT_WORLD)

    def _app(self, endpoint: Endpoint, token: str) -> Any:
        if endpoint == CONTROL:
            return control_app(self.worlds, token, self.endpoints)
        return Dispatcher(endpoint.product, endpoint.site, self._served, self.worlds)

    def endpoints(self, world_id: str = DEFAULT_WORLD) -> dict[str, Any]:
        """Return the endpoints document of a world; raises :class:`NoSuchWorldError`."""
        return endpoints_document(self.worlds.get(world_id), self.addresses)

    def _reconcile_refusals(self, world_id: str) -> None:
        """Close and reopen ports as the default world's ``refuse`` rules come and go, also by virtual time."""
        if world_id != DEFAULT_WORLD:
            return
        faults = self.worlds.pump(DEFAULT_WORLD).faults  # rules may have expired by now
        closed = False
        for endpoint, listener in self._listeners.items():
            if endpoint == CONTROL:
                continue
            refused = faults.refused(endpoint.product, endpoint.site)
            closed = closed or refused
            if refused:
                listener.refuse()
            elif listener.refusing:
                task = asyncio.get_running_loop().create_task(listener.open())
                self._reopening.add(task)
                task.add_done_callback(self._reopening.discard)
        if self._refusal_timer is not None:
            self._refusal_timer.cancel()
            self._refusal_timer = None
        if closed:
            loop = asyncio.get_running_loop()
            self._refusal_timer = loop.call_later(_REFUSAL_CHECK_SECONDS, self._reconcile_refusals, DEFAULT_WORLD)

    async def close(self) -> None:
        """Stop serving and remove what was temporary; may be called again."""
        if self._refusal_timer is not None:
            self._refusal_timer.cancel()
        self.worlds.close()
        await asyncio.gather(*(listener.close() for listener in self._listeners.values()))
        self._listeners.clear()
        self._cleanup.close()

    def start(self) -> SimServer:
        """Serve in a thread; returns when ready, raises what :meth:`open` raises."""
        ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._thread_main, args=(ready,), name=self.thread_name, daemon=True)
        self._thread.start()
        ready.result(timeout=_START_SECONDS)
        return self

    def _thread_main(self, ready: concurrent.futures.Future[None]) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._stopping = asyncio.Event()
            try:
                await self.open()
            except BaseException as error:  # noqa: BLE001 - handed to the thread that called start()
                ready.set_exception(error)
                return
            ready.set_result(None)
            await self._stopping.wait()
            await self.close()

        asyncio.run(serve())

    def stop(self) -> None:
        """End the thread of :meth:`start`; does nothing when it is not running."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(timeout=_START_SECONDS)
        self._thread = self._loop = None

    def run(self, action: Callable[[], T]) -> T:
        """Call ``action`` on the server's loop and return what it returns; for use from other threads."""

        async def call() -> T:
            return action()

        return self.run_async(call())

    def run_async(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await ``coroutine`` on the server's loop; for use from other threads."""
        if self._loop is None:
            coroutine.close()
            raise RuntimeError("the server is not running")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=_START_SECONDS)

    def world(self, world_id: str = DEFAULT_WORLD) -> World:
        """Return a world; touch it only from :meth:`run`."""
        return self.worlds.get(world_id)


def load_secrets(state_dir: Path) -> tuple[Credentials, str] | None:
    """Return credentials and control token that an earlier server kept in ``state_dir``, None when there are none."""
    path = state_dir / _SECRETS_FILE
    if not path.is_file():
        return None
    data = json.loads(path.read_text(encoding="utf-8"))
    return Credentials.from_json(data["credentials"]), data["control_token"]


def keep_secrets(state_dir: Path, credentials: Credentials, control_token: str) -> None:
    """Keep credentials and control token for the next start, readable by their owner only."""
    state_dir.mkdir(parents=True, exist_ok=True)
    data = {"credentials": credentials.to_json(), "control_token": control_token}
    write_private(state_dir / _SECRETS_FILE, json.dumps(data).encode())
