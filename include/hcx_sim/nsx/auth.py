"""Who calls a manager: Basic, a session with its XSRF token, or an access token of the cloud.

Behind the cloud's reverse proxy only an access token counts, as ``csp-auth-token`` or as ``Authorization: Bearer``
(401 without a live one); a manager of VMware Cloud reached directly takes all three; one on premises takes Basic and
sessions (403 otherwise). [C nsx-vsphere 1.2]
"""

from __future__ import annotations

import base64
import binascii

from fastapi import Request

from hcx_sim.engine.clock import seconds
from hcx_sim.http.context import Call
from hcx_sim.nsx.errors import VMC_PROXY, bad_xsrf, unauthenticated, wrong_credentials
from hcx_sim.nsx.records import Session, records_of
from hcx_sim.vmc.tokens import presented_token, token_user
from hcx_sim.world.credentials import credentials_of

SESSION_COOKIE = "JSESSIONID"
XSRF_HEADER = "X-XSRF-TOKEN"
SESSION_IDLE_SECONDS = 1800.0


def authenticate(call: Call, request: Request) -> str:
    """Return the user's name; raises 401 or 403 as described above."""
    token = presented_token(request)
    if call.via == VMC_PROXY:
        user = token_user(call.world, token) if token else None
        if user is None:
            raise unauthenticated()
        return user
    if token and call.world.site(call.here).nsx_flavour == "vmc":
        user = token_user(call.world, token)
        if user is None:
            raise unauthenticated()
        return user
    basic = basic_credentials(request.headers.get("authorization", ""))
    if basic is not None:
        return _by_password(call, *basic)
    session_id = request.cookies.get(SESSION_COOKIE)
    if session_id is not None:
        return session_of(call, session_id, request.headers.get(XSRF_HEADER, "")).user
    raise wrong_credentials()


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Return user name and password of an ``Authorization: Basic`` header, None for any other header."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, _, password = text.partition(":")
    return user, password


def _by_password(call: Call, user: str, password: str) -> str:
    if not credentials_of(call.world.products).accepts("nsx", call.here, user, password):
        raise wrong_credentials()
    return user


def open_session(call: Call, user: str, password: str) -> Session:
    """Log in and return the new session; raises 403/403."""
    _by_password(call, user, password)
    world = call.world
    session = Session(
        site=call.here.value,
        user=user,
        session_id=world.random.token(f"nsx.session/{call.here}").upper(),
        xsrf_token=world.random.uuid(f"nsx.xsrf/{call.here}"),
        last_used_us=world.idle_now_us(),
    )
    records_of(world).sessions[session.session_id] = session
    return session


def session_of(call: Call, session_id: str, xsrf_token: str) -> Session:
    """Return the live session and note its use; raises 403/98 for a wrong token or a session that has ended."""
    now_us = call.world.idle_now_us()
    session = records_of(call.world).sessions.get(session_id)
    known = session is not None and session.site == call.here.value and session.xsrf_token == xsrf_token
    if session is None or not known or now_us - session.last_used_us > seconds(SESSION_IDLE_SECONDS):
        raise bad_xsrf()
    session.last_used_us = now_us
    return session
