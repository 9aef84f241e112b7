"""Endpoints for single migrations: validate, start, cancel, force cancel and the query of both generations."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.coverage import Confidence, RouteFact
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_bool, as_text, body_of, section
from hcx_sim.hcx.mobility.endings import RefusedError
from hcx_sim.hcx.mobility.forms import first_form, second_form
from hcx_sim.hcx.mobility.gen1 import to_intent
from hcx_sim.hcx.mobility.mobility import Mobility, mobility_of
from hcx_sim.hcx.mobility.query import names_migrations, objects, select
from hcx_sim.hcx.mobility.submission import Caller, Result, refused, start_items, validate_items
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.wire import HcxError, json_response, legacy, newer, problem, with_findings
from hcx_sim.http.context import Call, call_of
from hcx_sim.world.world import World

CODE = "MIGRATION_REFUSED"
NO_MIGRATION = "No such migration."
_MIGRATIONS = f"{API}/migrations"
_D, _C, _GUESS = Confidence.DOCUMENTED, Confidence.CONFIRMED, Confidence.GUESSED

for _call, _action, _note in (
    ("migrations.query_gen1", "query", "without options.compat; items when migrations are named, else rows"),
    ("migrations.validate_gen1", "validate", "findings come under a success status"),
    ("migrations.start_gen1", "start", "findings of a refused start come as an HTTP 400 (guess)"),
):
    coverage.routes.append(
        RouteFact("hcx", _call, "POST", f"{_MIGRATIONS}?action={_action}", _C, ("XWM", "LAMW", "FED"), _note)
    )


def caller_of(request: Request) -> tuple[Call, Mobility, Caller]:
    """Check the session; return the call, the world's migrations, and who asks where."""
    authenticated(request)
    call = call_of(request)
    return call, mobility_of(call.world), Caller(call.user, call.here)


def wire_problems(messages: list[str]) -> list[dict[str, str]]:
    """Return errors of an item."""
    return [problem(message, CODE) for message in messages]


def wire_result(result: Result) -> dict[str, Any]:
    """Return one item of ``migrationIntentsPostResponse``. [D+C hcx 4.3]"""
    ids = {"migrationId": result.migration_id, "migrationGroupId": result.group_id}
    return {
        **{name: value for name, value in ids.items() if value},
        "entityId": result.entity_id,
        "errors": wire_problems(result.errors),
        "warnings": [{"message": message} for message in result.warnings],
    }


def required_items(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the items of a request; raises :class:`HcxError` 400 when there is none."""
    items = objects(body)
    if not items:
        raise HcxError(400, "The request has no items.", code=CODE)
    return items


def _answer(world: World, results: list[Result]) -> Response:
    items = [wire_result(result) for result in results]
    return newer(400 if refused(results) else 202, with_findings(world, items))


def _summary(results: list[Result], mobility: Mobility) -> dict[str, Any]:
    migrations = mobility.store.migrations
    names = [migrations[r.migration_id].entity_name if r.migration_id in migrations else r.entity_id for r in results]
    return {"vms": names, "refused": refused(results)}


@coverage.route(
    app, "POST", f"{API}/mobility/migrations/validate", "mobility.migrations.validate", _C, "XWM ASAF AYANNY",
    "messages are ours",
)  # fmt: skip
async def validate(request: Request) -> Response:
    """Validate intents: 202 when all are fine, 400 with the reasons per item otherwise."""
    call, mobility, caller = caller_of(request)
    return _answer(call.world, validate_items(mobility, caller, required_items(body_of(call))))


@coverage.route(
    app, "POST", f"{API}/mobility/migrations/start", "mobility.migrations.start", _C, "XWM ASAF AYANNY",
    "one refused item refuses the request (guess)",
)  # fmt: skip
async def start(request: Request) -> Response:
    """Start migrations, in a group of their own unless they name one."""
    call, mobility, caller = caller_of(request)
    results = start_items(mobility, caller, required_items(body_of(call)))
    call.summary = _summary(results, mobility)
    return _answer(call.world, results)


@coverage.route(
    app, "POST", f"{API}/mobility/migrations/cancel", "mobility.migrations.cancel", _GUESS, "XWM",
    "the path of a graceful cancel is in no source",
)  # fmt: skip
async def cancel(request: Request) -> Response:
    """Begin to cancel migrations gracefully."""
    return _end(request, force=False)


@coverage.route(app, "POST", f"{API}/mobility/migrations/forceCancel", "mobility.migrations.force_cancel", _D, "XWM")
async def force_cancel(request: Request) -> Response:
    """Cancel what failed to cancel gracefully, or clear what an incomplete rollback has left."""
    return _end(request, force=True)


def _end(request: Request, *, force: bool) -> Response:
    call, mobility, _ = caller_of(request)
    body = body_of(call)
    drop_seed = as_bool(body.get("removeLongRecoveryData"))
    results = [_end_one(mobility, item, force=force, drop_seed=drop_seed) for item in required_items(body)]
    call.summary = _summary(results, mobility)
    return _answer(call.world, results)


def _end_one(mobility: Mobility, item: dict[str, Any], *, force: bool, drop_seed: bool) -> Result:
    migration_id, group_id = as_text(item.get("migrationId")), as_text(item.get("migrationGroupId"))
    migration = mobility.store.migrations.get(migration_id)
    if migration is None or group_id not in ("", migration.group_id):
        return Result("", migration_id, group_id, errors=[NO_MIGRATION])
    result = Result(migration.entity_id, migration_id, migration.group_id)
    try:
        if force:
            mobility.endings.force_cancel(migration, drop_seed=drop_seed)
        else:
            mobility.endings.cancel(migration)
    except RefusedError as error:
        result.errors.append(str(error))
    return result


def action_of(call: Call) -> str:
    """Return the ``action`` of a call to ``/migrations``."""
    return parse_qs(call.query).get("action", [""])[0]


def operation_of(call: Call) -> str:
    """Name the operation of ``/migrations`` by its action and generation; empty for every other call."""
    if call.path.rstrip("/") != _MIGRATIONS:
        return ""
    action = action_of(call)
    if action in ("validate", "start"):
        return f"migrations.{action}_gen1"
    try:
        compatible = _compatible(body_of(call))
    except HcxError:
        compatible = True
    return "migrations.query" if compatible else "migrations.query_gen1"


def _compatible(body: dict[str, Any]) -> bool:
    return bool(section(body, "options").get("compat"))


@coverage.route(
    app, "POST", f"{_MIGRATIONS}/", "migrations.query.slash", _C, "AYANNY", "the same with a trailing slash"
)
@coverage.route(app, "POST", _MIGRATIONS, "migrations.query", _C, "XWM ASAF VRNI AYANNY")
async def migrations(request: Request) -> Response:
    """Answer ``action=query``, and the first generation's ``validate`` and ``start``."""
    call, mobility, caller = caller_of(request)
    action, body = action_of(call), body_of(call)
    if action == "query":
        return _query(call, mobility, body)
    if action in ("validate", "start"):
        return _first_generation(call, mobility, caller, body, start=action == "start")
    raise HcxError(400, f"Unknown action '{action}'.", code="BAD_REQUEST")


def _query(call: Call, mobility: Mobility, body: dict[str, Any]) -> Response:
    page = select(mobility, body)
    if _compatible(body):
        items = [second_form(mobility.flow, each) for each in page.migrations]
        return legacy(call.world, {"items": items, "paging": page.wire()})
    name = "items" if names_migrations(body) else "rows"
    return json_response({name: [first_form(mobility.flow, each) for each in page.migrations], "paging": page.wire()})


def _first_generation(call: Call, mobility: Mobility, caller: Caller, body: dict[str, Any], *, start: bool) -> Response:
    intents = [to_intent(entry) for entry in objects(body, "migrations")]
    if not intents:
        raise HcxError(400, "The request has no migrations.", code=CODE)
    if not start:
        results = validate_items(mobility, caller, intents)
        return json_response({"migrations": [_validation(result) for result in results]})
    results = start_items(mobility, caller, intents)
    call.summary = _summary(results, mobility)
    return json_response({"migrations": [_started(result) for result in results]}, 400 if refused(results) else 200)


def _validation(result: Result) -> dict[str, Any]:
    findings = {
        "errors": [{"message": message} for message in result.errors],
        "warnings": [{"message": message} for message in result.warnings],
    }
    return {"entityId": result.entity_id, "validationInfo": {"validationResult": findings}}


def _started(result: Result) -> dict[str, Any]:
    warnings = [{"severity": "WARNING", "code": CODE, "message": message} for message in result.warnings]
    if result.errors:
        return {"errors": wire_problems(result.errors), "warnings": warnings}
    return {"migrationId": result.migration_id, **({"warnings": warnings} if warnings else {})}
