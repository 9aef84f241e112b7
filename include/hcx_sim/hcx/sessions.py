"""Sessions at a manager: a token in a response header that dies after 15 idle minutes.

[D hcx 2] (sliding idle expiry; no cookies, header only since 4.5).
"""

from __future__ import annotations

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import seconds
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_text, body_of
from hcx_sim.hcx.state import HcxState, Session, state_of
from hcx_sim.hcx.versions import is_nine
from hcx_sim.hcx.wire import TOKEN_HEADER, HcxError, Style, legacy, starting_up, unauthorised
from hcx_sim.http.context import Call, call_of
from hcx_sim.world.credentials import credentials_of
from hcx_sim.world.world import World

AUTH_TYPES = ("", "password")

coverage.fields(
    "session", ("x-hm-authorization", "data.endpointInfo.uuid", "data.endpointInfo.name"), Confidence.CONFIRMED,
    "XWM VRNI KB-408950", "token in the answer's header; 15 minutes idle, sliding; absolute life: a switch [? hcx 9.5]",
)  # fmt: skip
coverage.fields(
    "start-up", ("map.entry.string",), Confidence.CONFIRMED, "TF",
    "XML from POST sessions for settings.hcx.startup_xml_seconds; status 500 and the outer element are guessed",
)  # fmt: skip


def authenticated(request: Request) -> Session:
    """Return the caller's session and keep it alive; set the user of the call.

    The token is taken from ``x-hm-authorization``; on 9.x also from ``Authorization: Bearer``. Cookies count
    for nothing. Raises the bodyless 401 when there is no token, it is unknown to this manager, or it has expired.
    """
    call = call_of(request)
    session = _find(call, request)
    session.last_used_us = call.world.idle_now_us()
    call.user = session.username
    return session


def _find(call: Call, request: Request) -> Session:
    token = _token(call, request)
    session = state_of(call.world).sessions[call.here].get(token) if token else None
    if session is None or _expired(call.world, session):
        raise unauthorised()
    return session


def _token(call: Call, request: Request) -> str:
    token = request.headers.get(TOKEN_HEADER, "")
    if token or not is_nine(call.world):
        return token
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _expired(world: World, session: Session) -> bool:
    settings = world.settings.hcx
    now_us = world.idle_now_us()
    if now_us - session.last_used_us >= seconds(settings.session_idle_seconds):
        return True
    absolute = settings.session_absolute_seconds
    return absolute is not None and now_us - session.created_us >= seconds(absolute)


@coverage.route(app, "POST", f"{API}/sessions", "sessions.create", Confidence.CONFIRMED, "XWM XOLD KB-321606 VRNI")
async def create_session(request: Request) -> Response:
    """Log in with ``username`` and ``password``; 400 and 401 have no body. [D hcx 2]"""
    call = call_of(request)
    world = call.world
    state = state_of(world)
    if world.now_us < state.started_us + seconds(world.settings.hcx.startup_xml_seconds):
        return starting_up()
    username, password = _log_in_of(call)
    call.user = username
    call.summary = {"username": username}
    if not credentials_of(world.products).accepts("hcx", call.here, username, password):
        raise unauthorised()
    session = _open(call, state, username)
    site = world.site(call.here)
    endpoint = {"uuid": site.hcx_endpoint_id, "name": site.hcx_endpoint_name}
    answer = legacy(world, {"endpointInfo": endpoint})
    answer.headers[TOKEN_HEADER] = session.token
    return answer


def _log_in_of(call: Call) -> tuple[str, str]:
    """Return user name and password; anything malformed is the documented 400 without a body."""
    if not call.is_small:
        raise HcxError(400, "too large for a log-in", style=Style.EMPTY)
    try:
        body = body_of(call)
    except HcxError as error:
        raise HcxError(400, error.message, style=Style.EMPTY) from error
    username, password = body.get("username"), body.get("password")
    if not (_is_text(username) and _is_text(password)) or as_text(body.get("authType")) not in AUTH_TYPES:
        raise HcxError(400, "username and password are required", style=Style.EMPTY)
    return str(username), str(password)


def _is_text(value: object) -> bool:
    """Tell whether a value is text that can be sent: not empty, and free of halves of surrogate pairs."""
    return isinstance(value, str) and bool(value) and not any("\ud800" <= char <= "\udfff" for char in value)


def _open(call: Call, state: HcxState, username: str) -> Session:
    world = call.world
    sessions = state.sessions[call.here]
    for token in [token for token, session in sessions.items() if _expired(world, session)]:
        del sessions[token]
    now_us = world.idle_now_us()
    digits = world.random.token(f"hcx.session/{call.here}", 48)
    token = ":".join(digits[start : start + 8] for start in range(0, len(digits), 8))
    session = Session(token, username, now_us, now_us)
    sessions[token] = session
    return session


@coverage.route(
    app, "DELETE", f"{API}/sessions/current", "sessions.delete", Confidence.GUESSED, "T91", "log-out is not documented"
)
async def delete_session(request: Request) -> Response:
    """Log out; one toolkit tries it and ignores failures. [C hcx 2]"""
    session = authenticated(request)
    call = call_of(request)
    del state_of(call.world).sessions[call.here][session.token]
    return Response(status_code=200)
