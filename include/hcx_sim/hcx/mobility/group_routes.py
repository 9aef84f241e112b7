"""Endpoints for mobility groups, their lists of the 9.1 generation, and committing a migration wave."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import to_ms
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_bool, as_int, as_list, as_text, body_of, section
from hcx_sim.hcx.mobility import groups
from hcx_sim.hcx.mobility.case import Batch
from hcx_sim.hcx.mobility.forms import v2_group, v2_migration
from hcx_sim.hcx.mobility.groups import GroupResult, group_state
from hcx_sim.hcx.mobility.intent import with_defaults
from hcx_sim.hcx.mobility.migration_routes import CODE, caller_of, required_items, wire_problems
from hcx_sim.hcx.mobility.mobility import Mobility
from hcx_sim.hcx.mobility.model import Migration, MobilityGroup, Phase
from hcx_sim.hcx.mobility.query import objects
from hcx_sim.hcx.mobility.scheduling import reschedule
from hcx_sim.hcx.mobility.submission import (
    UNKNOWN_GROUP,
    Caller,
    Result,
    check_limits,
    refused,
    review_group,
    start_group,
    startable,
)
from hcx_sim.hcx.versions import release, require_nine
from hcx_sim.hcx.wire import HcxError, json_response, legacy_items, newer, with_findings
from hcx_sim.http.context import Call

_D, _C, _I, _GUESS = Confidence.DOCUMENTED, Confidence.CONFIRMED, Confidence.INFERRED, Confidence.GUESSED
_GROUPS = f"{API}/mobility/groups"
_V2 = f"{API}/v2/mobility-groups"
_V2_SINCE = (9, 1)


def _wire_migration(mobility: Mobility, migration: Migration, result: Result | None = None) -> dict[str, Any]:
    source = section(migration.intent, "source")
    group = mobility.store.groups[migration.group_id]
    source = source or section(group.defaults, "source")
    site = mobility.world.site(migration.plan.source if migration.plan is not None else migration.manager)
    return {
        "migrationId": migration.migration_id,
        "entityId": migration.entity_id,
        "endpointId": as_text(source.get("endpointId")) or site.hcx_endpoint_id,
        "computeResourceId": as_text(source.get("computeResourceId")) or site.vcenter_instance_uuid,
        "operationType": migration.operation_type,
        "errors": wire_problems(result.errors if result else []),
        "warnings": [{"message": message} for message in (result.warnings if result else [])],
    }


def _wire_group(mobility: Mobility, result: GroupResult, members: list[dict[str, Any]]) -> dict[str, Any]:
    group = result.group
    item: dict[str, Any] = {"name": result.name} if result.name else {}
    if result.group_id:
        item["migrationGroupId"] = result.group_id
    if group is not None:
        item["state"] = group_state(mobility, group)
        item["lastUpdated"] = to_ms(group.updated_us)
    return {
        **item,
        "migrations": members,
        "errors": wire_problems(result.errors),
        "warnings": [{"message": message} for message in result.warnings],
    }


def _groups_answer(mobility: Mobility, results: list[GroupResult]) -> Response:
    items = []
    for result in results:
        members = groups.members(mobility, result.group) if result.group is not None else []
        items.append(_wire_group(mobility, result, [_wire_migration(mobility, each) for each in members]))
    return newer(400 if any(result.errors for result in results) else 202, with_findings(mobility.world, items))


@coverage.route(
    app, "POST", _GROUPS, "mobility.groups.create", _C, "VRNI T91 XWM", "the answer's body is composed after a start's"
)
async def create(request: Request) -> Response:
    """Make draft groups; starts nothing."""
    call, mobility, caller = caller_of(request)
    results = groups.create_groups(mobility, caller, required_items(body_of(call)))
    call.summary = {"groups": [result.name for result in results]}
    return _groups_answer(mobility, results)


@coverage.route(app, "PUT", _GROUPS, "mobility.groups.update", _D, "XWM", "what force overrides is a guess")
async def update(request: Request) -> Response:
    """Change groups and their drafts."""
    call, mobility, caller = caller_of(request)
    force = as_bool(parse_qs(call.query).get("force", ["false"])[0])
    results = groups.update_groups(mobility, caller, required_items(body_of(call)), force=force)
    call.summary = {"groups": [result.name for result in results]}
    return _groups_answer(mobility, results)


@coverage.route(app, "POST", f"{_GROUPS}/start", "mobility.groups.start", _D, "XWM")
async def start(request: Request) -> Response:
    """Start groups: their drafts, and again what failed or was cancelled."""
    call, mobility, caller = caller_of(request)
    results = groups.find_groups(mobility, required_items(body_of(call)))
    call.summary = {"groups": [result.name or result.group_id for result in results]}
    return _run_groups(mobility, caller, results, start_them=True)


@coverage.route(
    app, "POST", f"{_GROUPS}/validate", "mobility.groups.validate", _I, "PCLI", "presumed from Test-HCXMobilityGroup"
)
async def validate(request: Request) -> Response:
    """Validate what starting the groups would start."""
    call, mobility, caller = caller_of(request)
    return _run_groups(mobility, caller, groups.find_groups(mobility, required_items(body_of(call))), start_them=False)


def _run_groups(mobility: Mobility, caller: Caller, results: list[GroupResult], *, start_them: bool) -> Response:
    """Validate the groups' migrations and, unless anything is refused, start them."""
    work = []
    batch = Batch()
    for result in results:
        if result.group is None:
            continue
        chosen = startable(mobility, result.group)
        if start_them and (not chosen or result.group.archived):
            result.errors.append("The mobility group has nothing to start.")
        intents, reviews, found = review_group(mobility, caller, result.group, chosen, batch)
        if start_them:
            check_limits(mobility, reviews, found)
        work.append((result, chosen, intents, reviews, found))
    bad = any(result.errors for result in results) or any(refused(found) for *_, found in work)
    items = {id(result): _wire_group(mobility, result, []) for result in results}
    for result, chosen, intents, reviews, found in work:
        shown = chosen
        if start_them and not bad and result.group is not None:
            shown = start_group(mobility, caller, result.group, chosen, intents, reviews)
        members = [_wire_migration(mobility, *pair) for pair in zip(shown, found, strict=True)]
        items[id(result)] = _wire_group(mobility, result, members)
    return newer(400 if bad else 202, with_findings(mobility.world, items.values()))


@coverage.route(
    app, "POST", f"{_GROUPS}/delete", "mobility.groups.delete", _C, "VRNI", "only drafts; the answer is a guess"
)
async def delete(request: Request) -> Response:
    """Delete draft groups."""
    call, mobility, _ = caller_of(request)
    results = groups.delete_groups(mobility, required_items(body_of(call)))
    call.summary = {"groups": [result.name or result.group_id for result in results]}
    items = [
        {"migrationGroupId": result.group_id, "errors": wire_problems(result.errors), "warnings": []}
        for result in results
    ]
    return newer(400 if any(result.errors for result in results) else 202, with_findings(mobility.world, items))


@coverage.route(app, "POST", f"{_GROUPS}/archive", "mobility.groups.archive", _D, "XWM", "its body is a guess")
async def archive(request: Request) -> Response:
    """Archive groups: 404 for an unknown one, 403 while a migration is not terminal."""
    call, mobility, _ = caller_of(request)
    results = groups.find_groups(mobility, required_items(body_of(call)))
    call.summary = {"groups": [result.name or result.group_id for result in results]}
    found = [result.group for result in results if result.group is not None]
    if len(found) < len(results):
        raise HcxError(404, UNKNOWN_GROUP, code=CODE)
    if not all(groups.all_terminal(mobility, group) for group in found):
        raise HcxError(403, "The mobility group has migrations that are not terminal.", code=CODE)
    for group in found:
        groups.archive(mobility, group)
    items = [{"migrationGroupId": group.group_id, "errors": [], "warnings": []} for group in found]
    return newer(200, with_findings(call.world, items))


@coverage.route(app, "POST", f"{_GROUPS}/intents", "mobility.groups.intents", _C, "T91")
async def intents(request: Request) -> Response:
    """Return the intents of groups as submitted, completed by the group's defaults."""
    call, mobility, _ = caller_of(request)
    wanted = as_list(section(body_of(call), "filters").get("groups"))
    results = groups.find_groups(mobility, [entry for entry in wanted if isinstance(entry, dict)])
    return json_response(
        {"items": [_intents_of(mobility, result.group) for result in results if result.group is not None]}
    )


def _intents_of(mobility: Mobility, group: MobilityGroup) -> dict[str, Any]:
    members = []
    for migration in groups.members(mobility, group):
        draft = migration.phase is Phase.DRAFT
        intent = with_defaults(migration.intent, group.defaults) if draft else migration.intent
        ids = {"migrationId": migration.migration_id, "migrationGroupId": group.group_id}
        members.append({**intent, **ids})
    return {"migrationGroupId": group.group_id, "name": group.name, "migrations": members}


@coverage.route(
    app, "POST", _GROUPS + "/{group_id}/schedule", "mobility.groups.schedule", _D, "XWM", "action is unknown, ignored"
)
async def schedule(request: Request) -> Response:
    """Change the windows of a group and of its migrations."""
    call, mobility, _ = caller_of(request)
    group = mobility.store.groups.get(request.path_params["group_id"])
    if group is None:
        raise HcxError(400, UNKNOWN_GROUP, code=CODE)
    outcome = reschedule(mobility, group, body_of(call))
    call.summary = {"group": group.name, "switchovers": outcome.switchovers, "transfers": outcome.transfers}
    errors = {
        "migrations": [
            {"id": migration_id, "errors": wire_problems(messages)}
            for migration_id, messages in outcome.migration_errors.items()
        ],
        "mobilityGroupDefaults": {"id": group.group_id, "errors": wire_problems(outcome.group_errors)},
    }
    body = {
        "affectedTransferScheduleCount": outcome.transfers,
        "affectedSwitchoverScheduleCount": outcome.switchovers,
        "errors": errors,
    }
    return json_response(body, 400 if outcome.refused else 200)


@coverage.route(app, "POST", f"{API}/migration/queryMobilityGroups", "mobility.groups.query", _C, "VRNI PCLI")
async def query(request: Request) -> Response:
    """List groups; the name of a group is ``entityName`` here."""
    call, mobility, _ = caller_of(request)
    items = []
    for group in groups.shown(mobility, body_of(call)):
        items.append(
            {
                "id": group.group_id,
                "migrationGroupId": group.group_id,
                "entityName": group.name,
                "state": group_state(mobility, group),
                "username": group.username,
                "creationDate": to_ms(group.created_us),
                "lastUpdated": to_ms(group.updated_us),
                **groups.counters(mobility, group),
            }
        )
    return legacy_items(call.world, items)


def _require_v2(call: Call) -> None:
    if release(call.world)[:2] < _V2_SINCE:
        raise HcxError(404, "The requested resource was not found.")


@coverage.route(app, "POST", f"{_V2}/query", "v2.mobility_groups.query", _C, "T91", "9.1 and later")
async def query_v2(request: Request) -> Response:
    """List groups with counters, by pages."""
    call, mobility, _ = caller_of(request)
    _require_v2(call)
    body = body_of(call)
    chosen = [group for group in mobility.store.groups.values() if not group.archived]
    page = section(body, "pageParameters")
    sorting = objects(page, "sortBy")
    if sorting and as_text(sorting[0].get("field")) in ("name", "createdTimestamp"):
        by_name = as_text(sorting[0].get("field")) == "name"
        descending = as_text(sorting[0].get("direction")).upper().startswith("DESC")
        chosen.sort(key=lambda group: group.name if by_name else group.created_us, reverse=descending)
    size = as_int(page.get("pageSize")) or len(chosen)
    begin = max(0, as_int(page.get("pageNumber"), 1) - 1) * size
    items = []
    for group in chosen[begin : begin + size]:
        members = mobility.store.latest_of_group(group)
        items.append(v2_group(mobility.flow, group, members, group_state(mobility, group)))
    return json_response({"items": items, "totalCount": len(chosen)})


@coverage.route(
    app, "POST", _V2 + "/{group_id}/migrations/query", "v2.mobility_groups.migrations.query", _C, "T91",
    "9.1 and later; the words of status are a guess",
)  # fmt: skip
async def query_v2_migrations(request: Request) -> Response:
    """List the migrations of a group."""
    call, mobility, _ = caller_of(request)
    _require_v2(call)
    group = mobility.store.groups.get(request.path_params["group_id"])
    if group is None:
        raise HcxError(404, UNKNOWN_GROUP, code=CODE)
    scope = as_text(section(body_of(call), "filter").get("archiveScope")) or "EXCLUDE_ARCHIVE"
    members = [
        migration
        for migration in groups.members(mobility, group)
        if scope != "EXCLUDE_ARCHIVE" or not migration.archived
    ]
    return json_response({"items": [v2_migration(mobility.flow, each) for each in members]})


@coverage.route(
    app, "PUT", API + "/planning/migrationwaves/{wave_id}", "planning.migration_waves.commit", _GUESS, "XWM",
    "9.x; call and 202 are documented; a wave is taken for the mobility group of its id",
)  # fmt: skip
async def commit_wave(request: Request) -> Response:
    """Commit a wave, which starts its migrations."""
    call, mobility, caller = caller_of(request)
    require_nine(call)
    group = mobility.store.groups.get(request.path_params["wave_id"])
    if group is None:
        raise HcxError(404, "No such migration wave.", code=CODE)
    if parse_qs(call.query).get("action") != ["commit"]:
        raise HcxError(400, "Unknown action.", code="BAD_REQUEST")
    call.summary = {"groups": [group.name]}
    return _run_groups(mobility, caller, [GroupResult(group, group.name, group.group_id)], start_them=True)
