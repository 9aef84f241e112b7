"""What fault rules do to a connection.

``status``         a bare page of a front end (proxy, load balancer) with the rule's status, HTML; nothing acts
``vendor_error``   the product's own error shape with the rule's status, code and message; nothing acts
                   (a status of 2xx: an answer that accepts, with an error in it [D hcx 1])
``item_error``     the same with the error at an item of the answer, not on top of it
``reset_before``   TCP reset before anything acts
``reset_after``    acts, then TCP reset instead of an answer: the client cannot know
``timeout``        holds the connection for ``seconds``, then closes it without an answer; acts only with ``acts``
``slow``           acts, then answers after ``seconds``
``malformed``      acts; the answer's JSON or XML is broken off in the middle, its length is right
``truncated``      acts; the announced length is never reached and the connection closes
``wrong_schema``   acts; the answer is well-formed and has another shape
``clock_ahead``    acts; the header Date is ``seconds`` ahead, as that of a product whose clock has jumped. The instants
                   in the answer stay: only what every product of the kind sends is known to follow its clock

A rule for ``vmc`` also strikes calls that pass its reverse proxy, under their NSX operation; one for ``nsx`` strikes
those that arrive there, by either way.

``refuse`` is done by the listening socket (see :mod:`hcx_sim.server`); a world that shares its ports with others
cannot close them, there a refusing product resets each connection. Times are wall time: clients' time-outs are real.
"""

from __future__ import annotations

import asyncio
import http
import json
import socket
import struct
from dataclasses import dataclass

from hcx_sim.faults.rules import FaultRule
from hcx_sim.http.answer import Answer, Receive, Send, send_answer
from hcx_sim.http.context import Call, Product

_ALWAYS_ACT = frozenset({"reset_after", "slow", "malformed", "truncated", "wrong_schema", "clock_ahead"})
_BROKEN_JSON = b'{"items": [{"id": '
_BROKEN_XML = b'<?xml version="1.0" encoding="UTF-8"?><Envelope><Body>'
_OTHER_JSON = b'{"unexpected": {"shape": [1, "two", null]}}'
_OTHER_XML = b'<?xml version="1.0" encoding="UTF-8"?><unexpected><shape>1</shape></unexpected>'
_MISSING_BYTES = 64


@dataclass(slots=True)
class Wire:
    """The connection behind a request; ``transport`` is None when there is no socket."""

    transport: asyncio.Transport | None
    receive: Receive
    send: Send
    identity: str

    async def reset(self) -> None:
        """Send a TCP reset: the peer sees its connection broken, not closed."""
        if self.transport is not None:
            sock = self.transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        await self.gone()

    async def close(self) -> None:
        """Close the connection once everything written has been sent."""
        if self.transport is not None:
            self.transport.close()
        await self.gone()

    async def abandon(self) -> None:
        """Drop the connection without a word, for a request that is no longer served."""
        if self.transport is not None:
            self.transport.abort()
        await self.gone()

    async def gone(self) -> None:
        """Wait until the connection has ended."""
        while (await self.receive())["type"] != "http.disconnect":
            continue

    async def hold(self, seconds: float) -> bool:
        """Wait ``seconds`` of wall time; return False when the client went away before."""
        try:
            await asyncio.wait_for(self.gone(), timeout=seconds)
        except TimeoutError:
            return True
        return False


def acts(rule: FaultRule) -> bool:
    """Tell whether the product acts although the rule strikes."""
    return rule.behaviour in _ALWAYS_ACT or (rule.behaviour == "timeout" and rule.acts)


def replacement(rule: FaultRule, call: Call, product: Product) -> Answer | None:
    """Return the answer that a rule gives instead of the product's; None for a rule that gives none."""
    if rule.behaviour == "vendor_error":
        return Answer.of(product.failure(call, rule.status, rule.code, rule.message))
    if rule.behaviour == "item_error":
        told = json.loads(Answer.of(product.failure(call, rule.status, rule.code, rule.message)).body)
        return Answer.of_json(rule.status, {**told, "errors": [], "items": [{"errors": told.get("errors", [])}]})
    if rule.behaviour == "status":
        return _front_end_page(rule)
    return None


def _front_end_page(rule: FaultRule) -> Answer:
    try:
        phrase = http.HTTPStatus(rule.status).phrase
    except ValueError:
        phrase = "Error"
    title = f"{rule.status} {rule.message or phrase}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>"
    return Answer(rule.status, [(b"content-type", b"text/html")], page.encode())


async def deliver(rule: FaultRule, answer: Answer | None, wire: Wire) -> None:
    """Do to the connection what the rule says, with the product's or the rule's answer."""
    if rule.behaviour == "timeout":
        if await wire.hold(rule.seconds):
            await wire.close()
    elif answer is None or rule.behaviour in ("reset_before", "reset_after", "refuse"):
        await wire.reset()
    elif rule.behaviour == "truncated":
        await wire.send(answer.start(wire.identity, content_length=len(answer.body) + _MISSING_BYTES))
        await wire.send({"type": "http.response.body", "body": answer.body, "more_body": True})
        await wire.close()
    else:
        if rule.behaviour == "slow" and not await wire.hold(rule.seconds):
            return
        ahead = rule.seconds if rule.behaviour == "clock_ahead" else 0.0
        await send_answer(wire.send, _spoilt(rule, answer), wire.identity, ahead_seconds=ahead)


def _spoilt(rule: FaultRule, answer: Answer) -> Answer:
    if rule.behaviour == "malformed":
        return _fill(answer, _BROKEN_XML if _is_xml(answer) else answer.body[: len(answer.body) // 2] or _BROKEN_JSON)
    if rule.behaviour == "wrong_schema":
        return _fill(answer, _OTHER_XML if _is_xml(answer) else _OTHER_JSON)
    return answer


def _is_xml(answer: Answer) -> bool:
    return b"xml" in (answer.header(b"content-type") or b"")


def _fill(answer: Answer, body: bytes) -> Answer:
    """Give an answer a body, also one that had none (202 and 204 become 200, as they cannot carry any)."""
    headers = answer.headers
    if answer.header(b"content-type") is None:
        headers = [*headers, (b"content-type", b"application/json")]
    return Answer(200 if answer.status in (202, 204) else answer.status, headers, body)
