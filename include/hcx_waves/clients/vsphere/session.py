"""One vCenter session: log in late, log in again once, log out; calls only read, and are repeated.

vCenter ends a session after 30 idle minutes and answers ``NotAuthenticated`` from then on [D nsx-vsphere 4.4]. Views,
property collectors and filters die with the session, so what is repeated after a new login is a whole read, never a
single call of it.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pyVmomi import vim, vmodl

from hcx_waves.clients.errors import ClientError, ErrorContext, SessionExpired
from hcx_waves.clients.identity import EndpointIdentity, identity_of_full_name
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Ambient, TransportSettings
from hcx_waves.clients.vsphere.address import Address, NotSentError, probe_version
from hcx_waves.clients.vsphere.faults import fault_name, from_exception, from_fault
from hcx_waves.clients.vsphere.stub import VimStub

T = TypeVar("T")
_log = logging.getLogger(__name__)

_SESSION_SCOPED = (vmodl.query.PropertyCollector, vmodl.query.PropertyCollector.Filter, vim.view.View)


class Live:
    """A logged-in session: what calls are made with. Shared by threads; each gets its own collector."""

    def __init__(self, stub: VimStub, content: Any, user: Any) -> None:
        self.stub = stub
        self.content = content
        self.user = user
        self.identity: EndpointIdentity = identity_of_full_name(content.about.fullName)
        self._threads = threading.local()

    @property
    def collector(self) -> Any:
        """The calling thread's own PropertyCollector (the vendor asks for one per thread [D nsx-vsphere 4.2])."""
        collector = getattr(self._threads, "collector", None)
        if collector is None:
            collector = self.content.propertyCollector.CreatePropertyCollector()
            self._threads.collector = collector
        return collector

    def managed(self, kind: Any, moref: str) -> Any:
        """Return a handle on a managed object; this makes no call."""
        return kind(moref, self.stub)


class VsphereSession:
    """Runs calls on a live session of one vCenter and maps everything that goes wrong.

    :param context: TLS context of the endpoint, None for plain http.
    :param settings: time-outs, bounds of an answer, and retries.
    :param ambient: sleep and chance, injected.
    """

    def __init__(
        self,
        address: Address,
        *,
        username: str,
        password: str,
        context: ssl.SSLContext | None,
        settings: TransportSettings,
        ambient: Ambient,
    ) -> None:
        self.address = address
        self.username = username
        self.settings = settings
        self._ambient = ambient
        self._password = password
        self._context = context
        self._version: str | None = None
        self._live: Live | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"VsphereSession({self.address.url!r}, username={self.username!r})"

    def read(self, method: str, path: str, call: Callable[[Live], T]) -> T:
        """Run a call that changes nothing; repeat it on transient errors.

        :param method: the managed method, for errors.
        :param path: the object, for errors.
        :raises ClientError: as mapped.
        """
        around = self._ambient
        retrying = self.settings.retry.retrying(CallKind.READ, sleep=around.sleep, rng=around.rng)
        return retrying(lambda: self._run(method, path, call))

    def live(self) -> Live:
        """Return the live session; connect and log in if there is none.

        :raises AuthenticationFailed, TlsError, ConnectionFailed, TimedOut, MalformedResponse: as mapped.
        """
        with self._lock:
            if self._live is None:
                self._live = self._log_in()
            return self._live

    def close(self) -> None:
        """Log out and close all connections. Never raises; a later call logs in anew."""
        with self._lock:
            live, self._live = self._live, None
        if live is None:
            return
        try:
            live.content.sessionManager.Logout()
        except Exception:  # noqa: BLE001  (whatever it was, the session ends by itself after its idle time)
            _log.debug("logging out of %s failed", self.address.url, exc_info=True)
        finally:
            live.stub.DropConnections()

    def context_of(self, method: str, path: str) -> ErrorContext:
        """Return the error context of a call."""
        return {"system": "vcenter", "endpoint": self.address.url, "method": method, "path": path}

    def _run(self, method: str, path: str, call: Callable[[Live], T]) -> T:
        """Run a call; on a lost session log in once more and run it again."""
        live = self.live()
        try:
            return self._attempt(live, method, path, call)
        except SessionExpired:
            _log.info("the vcenter session at %s has ended, logging in again", self.address.url)
            self._forget(live)
            return self._attempt(self.live(), method, path, call)

    def _attempt(self, live: Live, method: str, path: str, call: Callable[[Live], T]) -> T:
        """Run a call once.

        :raises SessionExpired: if the session is gone; the call was not executed.
        """
        context = self.context_of(method, path)
        live.stub.forget_request()
        try:
            return call(live)
        except ClientError:
            raise
        except vmodl.MethodFault as fault:
            if _is_session_loss(fault):
                context["vendor_code"] = fault_name(fault)
                raise SessionExpired("the session has ended", **context) from fault
            raise from_fault(fault, context) from fault
        except NotSentError as error:
            raise self._mapped(error.__cause__ or error, context, sent=False) from error
        except Exception as error:
            if not live.stub.request_left:
                raise  # a mistake in the arguments, found before anything was sent
            raise self._mapped(error, context, sent=True) from error

    def _mapped(self, error: BaseException, context: ErrorContext, *, sent: bool) -> ClientError:
        """Map an error with the time-out that applied to it."""
        limit = self.settings.read_seconds if sent else self.settings.connect_seconds
        return from_exception(error, context, timeout_seconds=limit, sent=sent)

    def _forget(self, live: Live) -> None:
        """Drop a session that has ended, unless another thread has replaced it already."""
        with self._lock:
            if self._live is live:
                self._live = None
        live.stub.DropConnections()

    def _log_in(self) -> Live:
        """Connect, agree on the API version, log in."""
        context = self.context_of("GET", f"{self.address.path}/vimServiceVersions.xml")
        try:
            if self._version is None:
                self._version = probe_version(self.address, self._context, self.settings)
            context = self.context_of("Login", "SessionManager")
            return self._log_in_on(self._new_stub(self._version))
        except NotSentError as error:
            raise self._mapped(error.__cause__ or error, context, sent=False) from error
        except Exception as error:
            raise self._mapped(error, context, sent=True) from error

    def _log_in_on(self, stub: VimStub) -> Live:
        """Log in on a fresh stub."""
        try:
            content: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
            user = content.sessionManager.Login(self.username, self._password, None)
            return Live(stub, content, user)
        except BaseException:
            stub.DropConnections()
            raise

    def _new_stub(self, version: str) -> VimStub:
        return VimStub(
            self.address,
            version=version,
            context=self._context,
            settings=self.settings,
        )


def _is_session_loss(fault: Any) -> bool:
    """Whether a fault means that the session, and all that lives in it, is gone."""
    if isinstance(fault, vim.fault.NotAuthenticated):
        return True
    if not isinstance(fault, vmodl.fault.ManagedObjectNotFound):
        return False
    return isinstance(fault.obj, _SESSION_SCOPED)
