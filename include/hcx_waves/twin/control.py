"""The client of the simulator's control API: worlds, their time, and what really happened in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hcx_waves.clients.errors import ClientError, ErrorContext, MalformedResponse, NotFound
from hcx_waves.clients.rest_client import RestClient
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_faults import VendorWords, error_for_status
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Ambient, Call, Reply, TransportSettings, path_segment
from hcx_waves.model.base import problems_in
from hcx_waves.twin.models import ClockReading, NewWorld, Waiters, Woken, WorldFacts

HOLD_SECONDS = 30.0
"""Wall time after which a long poll is answered in any case; well below any time-out on the way."""
_NO_WORLD = "The world is gone: it was closed, or was not called for too long. Clear the rehearsal from open_twin on."

Answer = TypeVar("Answer", bound=BaseModel)


class ControlDialect:
    """Reads the control API's errors: ``{"error", "hint"}``."""

    system = "twin"

    def fault(
        self, reply: Reply, context: ErrorContext, *, with_session: bool, retry_after_seconds: float | None
    ) -> ClientError | None:
        """Return the error that a reply stands for, or None."""
        if reply.is_success:
            return None
        body = reply.body if isinstance(reply.body, Mapping) else {}
        if body.get("hint"):
            context["hint"] = str(body["hint"])
        words = VendorWords(message=str(body["error"]) if body.get("error") else None)
        # The token is no session: a refused one cannot be renewed.
        del with_session
        return error_for_status(
            reply.status, words, context, with_session=False, retry_after_seconds=retry_after_seconds
        )


class TokenAuth:
    """Presents the control token with every call.

    :param token: never shown.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self) -> Mapping[str, str]:
        """Return the ``Authorization`` header."""
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002  (the protocol's)
        """A refused token stays refused."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """Return the token."""
        return (self._token,)

    def __repr__(self) -> str:
        return "TokenAuth()"


class TwinControl(RestClient):
    """What a rehearsal asks of the simulator beside the vendors' APIs. Safe for several threads.

    Time-outs are wall time: nothing that is called here belongs to the rehearsed night.

    :param url: of the control port.
    :param token: the control token; never shown.
    :raises ValueError: if the URL is not one.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        tls: TlsSettings | None = None,
        settings: TransportSettings | None = None,
        ambient: Ambient | None = None,
    ) -> None:
        chosen = settings or TransportSettings()
        self._hold_seconds = min(HOLD_SECONDS, chosen.read_seconds / 2)
        self._transport = RestTransport(
            ControlDialect(),
            url,
            auth=TokenAuth(token),
            tls=tls,
            settings=chosen,
            identity_probe=Call("GET", "/health", CallKind.READ),
            ambient=ambient,
        )

    def __repr__(self) -> str:
        return f"TwinControl({self.base_url!r})"

    def worlds(self) -> tuple[WorldFacts, ...]:
        """List the worlds."""
        found = self._json("GET", "/worlds")
        return tuple(self._read(WorldFacts, one) for one in found.get("worlds", ()))

    def store_snapshot(self, document: Mapping[str, Any]) -> str:
        """Hand a snapshot over, to make worlds from; return its id. The same document is stored once.

        :raises ValidationFailed: if it is no snapshot.
        """
        return str(self._json("POST", "/snapshots", CallKind.IDEMPOTENT, dict(document))["snapshot_id"])

    def has_snapshot(self, snapshot_id: str) -> bool:
        """Whether a snapshot is stored."""
        try:
            self._json("GET", f"/snapshots/{path_segment(snapshot_id)}")
        except NotFound:
            return False
        return True

    def create_world(self, new: NewWorld) -> WorldFacts:
        """Make a world.

        :raises ConflictError: if there is one of that id.
        :raises ValidationFailed: if it cannot be made as asked; nothing was made.
        """
        body = new.model_dump(mode="json", exclude_none=True)
        return self._read(WorldFacts, self._json("POST", "/worlds", CallKind.MUTATING, body)["world"])

    def world(self, world_id: str) -> WorldFacts:
        """Return what there is to know about a world at a glance.

        :raises NotFound: if there is none.
        """
        return self._read(WorldFacts, self._json("GET", self._place(world_id)))

    def delete_world(self, world_id: str) -> bool:
        """Forget a world; return False if there was none."""
        try:
            self._json("DELETE", self._place(world_id), CallKind.IDEMPOTENT)
        except NotFound:
            return False
        return True

    def endpoints(self, world_id: str) -> dict[str, Any]:
        """Return where a world's products are and how to log in; it holds secrets."""
        return self._json("GET", self._place(world_id, "endpoints"))

    def clock(self, world_id: str) -> ClockReading:
        """Return a world's time."""
        return self._read(ClockReading, self._json("GET", self._place(world_id, "clock")))

    def waiters(self, world_id: str) -> Waiters:
        """Return who takes part in a world's time."""
        return self._read(Waiters, self._json("GET", self._place(world_id, "waiters")))

    def register(self, world_id: str, name: str) -> Waiters:
        """Take part in a world's time; again changes nothing."""
        answer = self._json("POST", self._place(world_id, "waiters"), CallKind.IDEMPOTENT, {"name": name})
        return self._read(Waiters, answer)

    def leave(self, world_id: str, name: str) -> None:
        """Take part no longer; without effect for somebody who does not."""
        self._json("DELETE", self._place(world_id, f"waiters/{path_segment(name)}"), CallKind.IDEMPOTENT)

    def wait(self, world_id: str, name: str, until: datetime) -> Woken:
        """Wait until a virtual instant, a question, or for so long of wall time.

        :raises NotFound: if ``name`` does not take part.
        """
        body = {"until": until.isoformat(), "hold_seconds": self._hold_seconds}
        path = self._place(world_id, f"waiters/{path_segment(name)}/wait")
        # An absolute instant may be waited for again: a newer wait takes the older one's place.
        return self._read(Woken, self._json("POST", path, CallKind.IDEMPOTENT, body))

    def settle(self, world_id: str, epoch: int, live: Iterable[str]) -> tuple[str, ...]:
        """Answer a question: ``live`` take part and nobody is on its way; return who was dropped.

        :raises ConflictError: if another question is open, or one of ``live`` does not wait.
        """
        body = {"epoch": epoch, "live": sorted(live)}
        # Answered again, the same question is no longer open, which is a conflict and does no harm.
        answer = self._json("POST", self._place(world_id, "waiters/settle"), CallKind.IDEMPOTENT, body)
        return tuple(answer.get("dropped", ()))

    def annotate(self, world_id: str, key: str, value: Any) -> None:
        """Keep something with a world, as JSON."""
        path = self._place(world_id, f"annotations/{path_segment(key)}")
        self._transport.send(Call("PUT", path, CallKind.IDEMPOTENT, json=value))

    def annotation(self, world_id: str, key: str) -> Any:
        """Return what is kept with a world, None if nothing is.

        :raises NotFound: if there is no such world.
        """
        path = self._place(world_id, f"annotations/{path_segment(key)}")
        try:
            return self._transport.send(Call("GET", path, CallKind.READ)).body
        except NotFound:
            self.world(world_id)
            return None

    def oracle(self, world_id: str) -> dict[str, Any]:
        """Return what really happened to segments and VMs."""
        return self._json("GET", self._place(world_id, "oracle"))

    def audit(self, world_id: str, *, kind: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        """Return what was called and what happened, oldest first.

        :param kind: ``call``, ``note``, ...; all unless given.
        :param after: leaves out as many entries.
        """
        query = {"kind": kind, "after": after or None}
        return list(self._json("GET", self._place(world_id, "audit"), query=query)["entries"])

    def timeline(self, world_id: str) -> str:
        """Return what happened when as JSON lines, nothing of wall time in them; equal nights give equal timelines."""
        call = Call("GET", self._place(world_id, "timeline"), CallKind.READ, expects_json=False)
        return self._transport.send(call).text

    def gateways(self, world_id: str) -> tuple[dict[str, Any], ...]:
        """Return the routers outside NSX, by port group."""
        return tuple(self._json("GET", self._place(world_id, "gateways"))["gateways"])

    def set_gateway(self, world_id: str, network: str, site: str, *, connected: bool) -> dict[str, Any]:
        """Do what a router command, or a person at the router, would do."""
        path = self._place(world_id, f"gateways/{path_segment(network)}")
        return self._json("POST", path, CallKind.IDEMPOTENT, {"site": site, "connected": connected})

    def _place(self, world_id: str, below: str = "") -> str:
        return f"/worlds/{path_segment(world_id)}" + (f"/{below}" if below else "")

    def _json(
        self,
        method: str,
        path: str,
        kind: CallKind = CallKind.READ,
        body: Any = None,
        query: Mapping[str, str | int | bool | None] | None = None,
    ) -> dict[str, Any]:
        call = Call(method, path, kind, json=body, query=query or {})
        try:
            reply = self._transport.send(call)
        except NotFound as error:
            if (error.vendor_message or "").startswith("no world"):
                error.hint = _NO_WORLD
            raise
        if reply.body is None and not reply.text.strip():
            return {}
        if not isinstance(reply.body, dict):
            raise MalformedResponse("not a JSON object", snippet=reply.snippet, **self._transport.context(call, reply))
        return reply.body

    def _read(self, kind: type[Answer], body: Any) -> Answer:
        try:
            return kind.model_validate(body)
        except ValidationError as error:
            raise MalformedResponse(
                f"the answer is not a {kind.__name__}: {problems_in(error)}", system="twin", endpoint=self.base_url
            ) from error
