"""A small JSON transport on requests, shared by the HCX, NSX and VMware Cloud clients.

What it promises: every call has a connect and a read time-out, a deadline for the whole of it, whatever arrives, and
bounds on the size and the depth of the body; redirects are never followed; TLS depends on the :class:`TlsSettings`
alone; transient failures of repeatable calls are repeated with bounded backoff; a refused session is renewed once; a
changing call whose fate is unknown becomes
:class:`OutcomeUnknownError` with the look-up that resolves it. It knows no product: the
:class:`Dialect` reads the product's error bodies.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ClientError,
    ConnectionFailed,
    EndpointMismatch,
    ErrorContext,
    GatewayTimeout,
    MalformedResponse,
    OutcomeUnknownError,
    ServiceUnavailable,
    SessionExpired,
    TimedOut,
    strip_user_info,
)
from hcx_waves.clients.exchange import bounded_by
from hcx_waves.clients.identity import REAL_PRODUCT, AllowedEndpoints, EndpointIdentity, Role
from hcx_waves.clients.onlooker import onlooker
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport_auth import Authenticator, NoAuth
from hcx_waves.clients.transport_faults import clock_offset, error_for_exception, parse_retry_after
from hcx_waves.clients.transport_retry import CallKind, was_never_sent
from hcx_waves.clients.transport_wire import Ambient, Call, Dialect, Reply, TransportSettings, reply_of
from hcx_waves.model.formatting import size

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 65536


class RestTransport:
    """Sends calls to one endpoint.

    Safe for several threads: each has its own requests session, and log-ins are serialised by the
    authenticator.

    :param dialect: reads the product's error bodies.
    :param base_url: ``https://host[:port][/prefix]``.
    :param auth: how to present oneself.
    :param tls: what to trust; verification is on by default.
    :param settings: time-outs, bounds and retries.
    :param identity_probe: a cheap read, made when the endpoint's identity is asked before any answer.
    :param allowed_roles: the endpoints that this client may change, by role or more exactly; None allows any.
    :param ambient: clock, sleep and jitter.
    :raises ValueError: if the URL is not an http or https URL with a host.
    """

    def __init__(
        self,
        dialect: Dialect,
        base_url: str,
        *,
        auth: Authenticator | None = None,
        tls: TlsSettings | None = None,
        settings: TransportSettings | None = None,
        identity_probe: Call | None = None,
        allowed_roles: Iterable[Role] | AllowedEndpoints | None = None,
        ambient: Ambient | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http(s) URL: {strip_user_info(base_url)!r}")
        self.base_url = strip_user_info(base_url).rstrip("/")
        self.settings = settings or TransportSettings()
        self._dialect = dialect
        self._auth: Authenticator = auth or NoAuth()
        self._tls = tls or TlsSettings()
        self._identity_probe = identity_probe or Call("GET", "/", CallKind.READ)
        self._allowed = AllowedEndpoints.of(allowed_roles)
        self._ambient = ambient or Ambient()
        self._local = threading.local()
        # Weak, so that the session of a thread that ended goes with it.
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._sessions_lock = threading.Lock()
        self._identity: EndpointIdentity | None = None
        self.clock_offset_seconds: float | None = None
        """How far the product's clock was ahead of this machine's, by the header Date of the last answer."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._dialect.system!r}, {self.base_url!r})"

    def send(self, call: Call) -> Reply:
        """Send a call and return its successful reply.

        :raises ClientError: any of the tree; see the module text.
        """
        if not call.authenticated:
            return self._repeat(call, {})
        headers = self._auth.headers()
        if call.kind is not CallKind.READ:
            self._check_identity(call)
        try:
            return self._repeat(call, headers)
        except SessionExpired as refused:
            logger.info("%s session at %s was refused, logging in again", refused.system, self.base_url)
            if not self._auth.renew(headers):
                raise AuthenticationFailed("the credentials were refused", **refused.context_without_hint) from refused
        return self._repeat(call, self._auth.headers())

    def close(self) -> None:
        """Close every connection; the transport can be used again afterwards."""
        with self._sessions_lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def context(self, call: Call, reply: Reply | None = None) -> ErrorContext:
        """Return what an error about this call says of its place."""
        query = "&".join(f"{name}={value}" for name, value in call.query_values.items())
        context: ErrorContext = {
            "system": self._dialect.system,
            "endpoint": self.base_url,
            "method": call.method,
            "path": f"{call.path}?{query}" if query else call.path,
        }
        if reply is not None:
            context["status"] = reply.status
            context["request_id"] = reply.request_id
        return context

    def identity(self) -> EndpointIdentity:
        """Return what the endpoint says it is; makes the probe call when no answer has been seen yet.

        :raises ClientError: if the probe fails.
        """
        if self._identity is None:
            self.send(self._identity_probe)
        return self._identity or REAL_PRODUCT

    def _check_identity(self, call: Call) -> None:
        """Refuse to change an endpoint that this client may not touch."""
        allowed = self._allowed
        if allowed is None:
            return
        if allowed.asks_anew and allowed.roles:
            self._identity = None
        found = self.identity() if allowed.roles else self._identity or REAL_PRODUCT
        if not allowed.permits(found):
            raise EndpointMismatch(
                allowed.refusal(found), expected=str(allowed), found=str(found), **self.context(call)
            )

    def _repeat(self, call: Call, headers: Mapping[str, str]) -> Reply:
        policy = self.settings.retry if call.repeat else replace(self.settings.retry, attempts=1)
        retrying = policy.retrying(call.kind, sleep=self._ambient.sleep, rng=self._ambient.rng)
        try:
            return retrying(self._attempt, call, headers)
        except ClientError as error:
            final = self._settle(call, error)
            clean = self._scrubbed(final)
            if clean is error:
                raise
            raise clean from error

    def _attempt(self, call: Call, headers: Mapping[str, str]) -> Reply:
        reply = self._exchange(call, headers)
        if not reply.is_success:
            # Before anything of it is cut to length: half of a secret would not be found any more.
            reply = replace(reply, text=self._blanked(reply.text), body=self._blanked(reply.body))
        watching = onlooker()
        if watching is not None:
            watching.saw_answer(self._dialect.system, self.base_url, call, reply)
        context = self.context(call, reply)
        fault = self._dialect.fault(
            reply,
            context,
            with_session=call.authenticated,
            retry_after_seconds=parse_retry_after(reply.headers.get("retry-after"), self._ambient.now),
        )
        if fault is not None:
            raise fault
        self._identity = EndpointIdentity.of_headers(reply.headers)
        if call.expects_json and reply.text.strip() and not reply.is_json:
            raise MalformedResponse(f"the answer is not JSON: {reply.json_problem}", snippet=reply.snippet, **context)
        return reply

    def _exchange(self, call: Call, headers: Mapping[str, str]) -> Reply:
        """Send one request and read the whole answer, whatever its status."""
        bounds = self.settings
        started = self._ambient.clock()
        session = self._session(fresh=call.kind is CallKind.MUTATING)
        try:
            with (
                bounded_by(bounds.exchange()),
                session.request(
                    call.method,
                    self.base_url + call.path,
                    params=call.query_values or None,
                    json=call.json,
                    data=dict(call.form) if call.form is not None else None,
                    headers={"Accept": "application/json", **call.headers, **headers},
                    timeout=(min(bounds.connect_seconds, bounds.total_seconds), bounds.read_seconds),
                    allow_redirects=False,
                    stream=True,
                    verify=self._tls.verify,
                ) as response,
            ):
                content = self._read(response, call)
        except requests.RequestException as exception:
            error = error_for_exception(
                exception,
                self.context(call),
                connect_seconds=bounds.connect_seconds,
                read_seconds=bounds.read_seconds,
            )
            self._log(call, type(error).__name__, started)
            raise error from exception
        self._log(call, response.status_code, started)
        self.clock_offset_seconds = clock_offset(response.headers.get("date"), datetime.now(UTC))
        return reply_of(response, content, self._ambient.clock() - started)

    def _read(self, response: requests.Response, call: Call) -> bytes:
        """Read the body, unpacked; the time and the bytes on the wire are bounded by the exchange."""
        bounds = self.settings
        content = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            content += chunk
            if len(content) > bounds.max_body_bytes:
                context = self.context(call)
                context["status"] = response.status_code
                raise MalformedResponse(f"the answer is larger than {size(bounds.max_body_bytes)}", **context)
        return bytes(content)

    def _settle(self, call: Call, error: ClientError) -> ClientError:
        """Decide what the failure of a changing call means.

        A call that sets a state has been repeated by now; but an answer that cannot be read is not worth repeating for,
        and the state is set or not.
        """
        if call.kind is CallKind.READ or not call.authenticated or not _hides_the_outcome(error, call.kind):
            return error
        return OutcomeUnknownError(
            f"the call was sent, and it is not known whether it took effect: {error.message}",
            lookup=call.lookup,
            cause=self._scrubbed(error),
            **error.context_without_hint,
        )

    def _scrubbed(self, error: ClientError) -> ClientError:
        """Return the error without any secret that the product may have echoed."""
        data = error.to_dict()
        clean = self._blanked(data)
        return error if clean == data else ClientError.from_dict(clean)

    def _blanked(self, value: Any) -> Any:
        """Return JSON primitives with all secrets of this client blanked."""
        return _replace_texts(value, [secret for secret in self._auth.secrets() if len(secret) >= 4])

    def _session(self, *, fresh: bool) -> requests.Session:
        """Return this thread's session (a forked child gets its own).

        :param fresh: drop idle connections first: a connection that the server closed meanwhile would
            make a mutating call look as if its answer had been lost.
        """
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None or self._local.process_id != os.getpid():
            session = requests.Session()
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            adapter = self._tls.adapter()
            for scheme in ("https://", "http://"):
                session.mount(scheme, adapter)
            self._local.session = session
            self._local.process_id = os.getpid()
            with self._sessions_lock:
                self._sessions.add(session)
        elif fresh:
            session.close()
        return session

    def _log(self, call: Call, outcome: object, started: float) -> None:
        # What changes something is worth a line in the log of any task; reads are many.
        logger.log(
            logging.DEBUG if call.kind is CallKind.READ else logging.INFO,
            "%s %s %s%s: %s in %.3f s",
            self._dialect.system,
            call.method,
            self.base_url,
            call.path,
            outcome,
            self._ambient.clock() - started,
        )


def _hides_the_outcome(error: ClientError, kind: CallKind) -> bool:
    if isinstance(error, MalformedResponse):
        return not 300 <= (error.status or 200) < 400
    if kind is not CallKind.MUTATING:
        return False
    if isinstance(error, ConnectionFailed | TimedOut):
        return not was_never_sent(error)
    return isinstance(error, GatewayTimeout) or (isinstance(error, ServiceUnavailable) and error.status == 502)


def _replace_texts(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if isinstance(value, dict):
        return {key: _replace_texts(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace_texts(item, secrets) for item in value]
    return value
