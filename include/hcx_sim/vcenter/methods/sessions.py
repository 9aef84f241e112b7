"""The service instance and the session manager: content, time, log-in and log-out."""

from __future__ import annotations

import re
from typing import Any

from pyVmomi import vim

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import to_datetime
from hcx_sim.http.context import Call
from hcx_sim.vcenter.families.service import service_content, session_info
from hcx_sim.vcenter.faults import Faulted, faulted, invalid_login, not_supported
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.state import Session, SiteState
from hcx_sim.world.credentials import credentials_of

COOKIE = "vmware_soap_session"
_COOKIE = re.compile(COOKIE + r'="?([^";,\s]+)"?')
_MANAGER = "SessionManager"


def session_of(call: Call, state: SiteState, cookie_header: str) -> Session | None:
    """Return the session behind a cookie and slide its expiry; None when there is none or it was idle too long.

    Idle time is 30 minutes by default [D nsx-vsphere 4.4].
    """
    match = _COOKIE.search(cookie_header)
    session = state.sessions.get(match.group(1)) if match else None
    if session is None:
        return None
    now_us = call.world.idle_now_us()
    idle_us = call.world.settings.vcenter.session_idle_seconds * 1e6
    if now_us - session.last_used_us > idle_us:
        state.drop_session(session)
        call.world.audit.add("note", f"vcenter-session:{call.site}", expired=True, user=session.username)
        return None
    session.last_used_us = now_us
    session.last_used_virtual_us = call.world.now_us
    session.calls += 1
    return session


@method("ServiceInstance", "RetrieveServiceContent", anonymous=True)
def retrieve_content(context: Context) -> Any:
    """Return the entrance to everything."""
    return service_content(context.inventory, None)


@method("ServiceInstance", "CurrentTime")
def current_time(context: Context) -> Any:
    """Return the virtual time."""
    return to_datetime(context.world.now_us)


@method(_MANAGER, "Login", anonymous=True, note="sets the cookie vmware_soap_session")
def login(context: Context) -> Any:
    """Log in; the account may be given as ``user@domain`` or the other way round with a backslash."""
    given = context.arguments["userName"]
    username = _normal(given)
    context.call.user = username
    accepted = credentials_of(context.world.products).accepts(
        "vcenter", context.inventory.site, username, context.arguments["password"]
    )
    if not accepted:
        raise invalid_login()
    session = _open(context, username)
    context.headers["Set-Cookie"] = f'{COOKIE}="{session.token}"; Path=/; HttpOnly; Secure; '
    return session_info(session)


def _normal(username: str) -> str:
    domain, separator, user = username.partition("\\")
    return f"{user}@{domain}" if separator else username


def _open(context: Context, username: str) -> Session:
    world, state = context.world, context.state
    if context.session is not None:
        state.drop_session(context.session)
    token = world.random.token(f"vcenter-session/{context.inventory.site}", 40)
    session = Session(
        key=world.random.uuid(f"vcenter-session-key/{context.inventory.site}"),
        token=token,
        username=username,
        login_us=world.now_us,
        last_used_us=world.idle_now_us(),
        last_used_virtual_us=world.now_us,
        client=context.call.client,
        agent=context.agent,
    )
    state.sessions[token] = session
    return session


@method(_MANAGER, "Logout")
def logout(context: Context) -> None:
    """End the caller's session."""
    context.state.drop_session(context.caller)


@method(_MANAGER, "SessionIsActive", note="needs Sessions.ValidateSession [I nsx-vsphere 4.4]")
def session_is_active(context: Context) -> bool:
    """Tell whether a session of that key and user is alive."""
    wanted = (context.arguments["sessionID"], _normal(context.arguments["userName"]).lower())
    return any((each.key, each.username.lower()) == wanted for each in context.state.sessions.values())


@method(_MANAGER, "TerminateSession")
def terminate_session(context: Context) -> None:
    """End other sessions by their keys; an unknown key is NotFound."""
    sessions = {each.key: each for each in context.state.sessions.values()}
    for key in context.arguments["sessionId"]:
        if key not in sessions:
            raise _not_found()
        context.state.drop_session(sessions[key])


def _not_found() -> Faulted:
    return faulted(vim.fault.NotFound, "The object or item referred to could not be found.")


@method(_MANAGER, "SetLocale")
def set_locale(context: Context) -> None:
    """Accept any locale; texts stay English."""


@method(_MANAGER, "LoginByToken", Confidence.INFERRED, "PYV", "single sign-on tokens are refused", anonymous=True)
@method(_MANAGER, "LoginExtensionByCertificate", Confidence.INFERRED, "PYV", "not offered", anonymous=True)
def login_otherwise(context: Context) -> None:
    """Refuse other ways to log in."""
    raise not_supported(f"{context.method} is not offered by this simulation; use Login.")
