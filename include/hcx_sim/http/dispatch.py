"""From a listening port to a product's handler, inside the right world.

Every request goes the same way: world found, body read, time caught up, reverse proxy resolved, operation named,
fault rules asked, handler run under the call's cause, answer audited and sent with the simulator's identity.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Protocol

from starlette.routing import Match

from hcx_sim.faults.rules import FaultRule
from hcx_sim.faults.socket import Wire, acts, deliver, replacement
from hcx_sim.http.answer import (
    NO_WORLD,
    TRANSPORT_KEY,
    Answer,
    BodyRefusedError,
    Message,
    Receive,
    Scope,
    Send,
    read_body,
    send_answer,
)
from hcx_sim.http.context import SCOPE_KEY, Call, Product, Target
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

logger = logging.getLogger("hcx_sim.dispatch")

# CSP takes tokens as query parameters as well [C nsx-vsphere 1.1]: the audit must not keep them.
_SECRET_PARAMETER = re.compile(r"(?i)\b(\w*token|\w*password|\w*secret)=[^&]*")
DEFAULT_WORLD = "default"
WORLD_PREFIX = "/w/"
# A handler that is still waiting after this long is a long poll: it ends when its client goes away.
_WATCH_AFTER_SECONDS = 0.05


class WorldSource(Protocol):
    """What the dispatcher needs of the collection of worlds."""

    def find(self, world_id: str) -> World | None:
        """Return a world and note that it is in use; None when there is none."""

    def serving(self, world: World, task: asyncio.Task[Any]) -> None:
        """Note that a task serves a request of a world; it is cancelled when the world goes."""

    def rearm(self, world: World) -> None:
        """Schedule what is due next in a world that moves by itself."""


def identity_of(world: World) -> str:
    """Return the value of the header by which clients can tell a simulated product."""
    return f"world={world.world_id}; role={world.role}"


def split_world(path: str) -> tuple[str, str, str]:
    """Return world id, path prefix of links and the product's own path of a request path.

    >>> split_world("/w/a/api/v1")
    ('a', '/w/a', '/api/v1')
    """
    if not path.startswith(WORLD_PREFIX):
        return DEFAULT_WORLD, "", path
    world_id, _, rest = path.removeprefix(WORLD_PREFIX).partition("/")
    return world_id, f"{WORLD_PREFIX}{world_id}", f"/{rest}"


class Dispatcher:
    """The ASGI application of one port: one product, at one site if it has one per site."""

    def __init__(self, name: str, site: SiteName | None, products: Mapping[str, Product], worlds: WorldSource) -> None:
        """Serve product ``name`` of ``site`` for every world of ``worlds``."""
        self._name = name
        self._site = site
        self._products = products
        self._worlds = worlds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything but HTTP is ignored."""
        if scope["type"] != "http":
            return
        wire = Wire(scope.get(TRANSPORT_KEY), receive, send, NO_WORLD)
        try:
            await self._serve(scope, wire)
        except asyncio.CancelledError:
            await wire.abandon()

    async def _serve(self, scope: Scope, wire: Wire) -> None:
        try:
            body = await read_body(wire.receive)
        except BodyRefusedError as error:
            refusal = Answer.of_json(error.status, {"error": str(error), "hint": "send less, or faster"})
            refusal.headers.append((b"connection", b"close"))
            await send_answer(wire.send, refusal, NO_WORLD)
            return
        if body is None:
            return
        world_id, base_path, path = split_world(scope["path"])
        world = self._worlds.find(world_id)
        if world is None:
            hint = "GET /worlds of the control API lists the worlds of this simulator"
            absent = Answer.of_json(404, {"error": f"no world {world_id!r}", "hint": hint})
            await send_answer(wire.send, absent, NO_WORLD)
            return
        wire.identity = identity_of(world)
        task = asyncio.current_task()
        if task is not None:
            self._worlds.serving(world, task)
        if world.faults.refused(self._name, self._site):
            await wire.reset()
            return
        call_id = world.audit.next_call_id()
        with world.audit.caused_by(call_id):
            call, product = self._call(world, scope, path, base_path, body, call_id)
            try:
                with product.occupies(call) if product.occupies else nullcontext():
                    await self._answer(call, product, scope, wire)
            finally:
                self._worlds.rearm(world)

    def _call(
        self, world: World, scope: Scope, path: str, base_path: str, body: bytes, call_id: str
    ) -> tuple[Call, Product]:
        product = self._products[self._name]
        target = product.reroute(world, self._site, path) if product.reroute else None
        target = target or Target(self._name, self._site, path)
        product = self._products[target.product]
        call = Call(
            world=world,
            product=target.product,
            site=target.site,
            method=scope["method"],
            path=target.path,
            query=scope["query_string"].decode("latin-1"),
            body=body,
            call_id=call_id,
            base_path=base_path,
            via=target.via,
            client=scope["client"][0] if scope.get("client") else "",
        )
        return call, product

    async def _answer(self, call: Call, product: Product, scope: Scope, wire: Wire) -> None:
        found = self._catch_up(call, product) or _route(call, product)
        rule = self._strike(call)
        answer: Answer | None = None
        try:
            if rule is None or acts(rule):
                answer = found or await self._run(call, product, scope, wire.receive)
            else:
                answer = replacement(rule, call, product)
        except asyncio.CancelledError:
            _audit(call, None, rule, abandoned=True)
            raise
        _audit(call, answer, rule)
        if rule is None and answer is not None:
            await send_answer(wire.send, answer, wire.identity)
        elif rule is not None:
            await deliver(rule, answer, wire)

    def _catch_up(self, call: Call, product: Product) -> Answer | None:
        try:
            call.world.catch_up()
        except Exception as error:
            logger.exception("world %s: an event failed", call.world.world_id)
            return _bug(call, product, error)
        return None

    def _strike(self, call: Call) -> FaultRule | None:
        book = call.world.faults
        if not len(book):
            return None
        text = f"{call.path}?{call.query} {call.body.decode('utf-8', 'replace')}"
        try:
            body: Any = call.json()
        except ValueError:
            body = None
        if call.product != self._name:
            operation = call.operation or call.via
            rule = book.strike(self._name, self._site, operation, method=call.method, text=text, body=body)
            if rule is not None:
                return rule
        return book.strike(call.product, call.site, call.operation, method=call.method, text=text, body=body)

    async def _run(self, call: Call, product: Product, scope: Scope, receive: Receive) -> Answer:
        answer = Answer(500)
        requested = False
        inner = dict(scope)
        inner.update(path=call.path, raw_path=call.path.encode(), root_path="", state={})
        inner[SCOPE_KEY] = call

        async def replay() -> Message:
            nonlocal requested
            if requested:
                return await receive()
            requested = True
            return {"type": "http.request", "body": call.body, "more_body": False}

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = list(message.get("headers", []))
            elif message["type"] == "http.response.body":
                answer.body += message.get("body", b"")

        watch = _Watch(receive)
        try:
            await product.app(inner, replay, collect)
        except Exception as error:
            logger.exception("%s %s %s failed", call.product, call.method, call.path)
            return _bug(call, product, error)
        finally:
            watch.stop()
        return answer


class _Watch:
    """Cancels the current task when the client of a long poll goes away."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._serving = asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_WATCH_AFTER_SECONDS, self._start)

    def _start(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        if self._serving is not None:
            self._serving.cancel()

    def stop(self) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()


def _route(call: Call, product: Product) -> Answer | None:
    """Name the operation; return the vendor's answer when there is none at this path or for this method."""
    scope = {"type": "http", "path": call.path, "root_path": "", "method": call.method, "headers": []}
    other_method = False
    for route in product.app.router.routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            call.operation = getattr(route, "name", "") or ""
            if product.operation_of is not None:
                call.operation = product.operation_of(call) or call.operation
            return None
        other_method = other_method or match is Match.PARTIAL
    return _failure(call, product, 405 if other_method else 404, None)


def _failure(call: Call, product: Product, status: int, message: str | None) -> Answer:
    return Answer.of(product.failure(call, status, None, message))


def _bug(call: Call, product: Product, error: Exception) -> Answer:
    """Render a fault of the simulator itself the vendor's way, and say in the audit that it was ours."""
    text = f"{type(error).__name__}: {error}"
    call.world.audit.add("note", "simulator-bug", call=f"{call.method} {call.path}", error=text)
    return _failure(call, product, 500, f"simulator bug: {text}")


def _audit(call: Call, answer: Answer | None, rule: FaultRule | None, abandoned: bool = False) -> None:
    data: dict[str, Any] = {
        "user": call.user,
        "method": call.method,
        "path": call.path,
        "query": _SECRET_PARAMETER.sub(r"\1=***", call.query),
        "operation": call.operation,
        "status": answer.status if answer is not None else None,
    }
    optional = {"via": call.via, "summary": call.summary, "fault": rule and rule.rule_id, "abandoned": abandoned}
    data.update({name: value for name, value in optional.items() if value})
    call.world.audit.add("call", f"{call.site}/{call.product}" if call.site else call.product, **data)
