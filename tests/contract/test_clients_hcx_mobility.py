"""The HCX client's migrations and mobility groups against the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from hcx_waves.clients.errors import (
    ConflictError,
    PermissionDenied,
    SessionExpired,
    ValidationFailed,
)
from hcx_waves.clients.hcx import (
    Entity,
    GroupDraft,
    GroupSchedule,
    HcxClient,
    HcxMigrationOptions,
    HcxMigrationType,
    HcxNetworkMapping,
    MigrationIntent,
    Phase,
    Placement,
    Schedule,
    SiteRef,
    Storage,
)
from support.client_contract import VALUES, Case, ambient, hold, sample_of, unused_samples
from support.missing_members import problems_of
from support.sample_server import SampleServer, running_sample_server

V = {name: str(value) for name, value in VALUES.items()}
WINDOW = Schedule(
    datetime.fromtimestamp(int(VALUES["window_start_ms"]) / 1000, UTC),
    datetime.fromtimestamp(int(VALUES["window_end_ms"]) / 1000, UTC),
)
Hcx = Case[HcxClient]


def _site(side: str) -> SiteRef:
    return SiteRef(V[f"{side}_endpoint_id"], V[f"{side}_resource_id"], f"{side}-hcx", f"{side}-vcenter")


def _entity() -> Entity:
    summary = sample_of("hcx.mobility.migrations.start.rav").request.body["items"][0]["entity"]["summary"]
    return Entity(V["vm_id"], V["vm_name"], summary)


MAPPING = HcxNetworkMapping(
    mac_address=V["mac_address"],
    source_network_id=V["source_network_id"],
    source_network_name=V["source_network_name"],
    source_network_type=V["source_network_type"],
    destination_network_id=V["destination_network_id"],
    destination_network_name=V["destination_network_name"],
    destination_network_type="NsxtSegment",
    is_primary_nic=True,
)
OPTIONS = HcxMigrationOptions(
    remove_snapshots=True,
    remove_isos=True,
    retain_mac=True,
    force_power_off_vm=False,
    upgrade_hardware=False,
    upgrade_vm_tools=False,
    retain_tags=True,
    replicate_security_tags=False,
    update_custom_attributes=True,
)


def _intent(kind: HcxMigrationType = HcxMigrationType.RAV, **changes: Any) -> MigrationIntent:
    replicates = kind in (HcxMigrationType.RAV, HcxMigrationType.BULK)
    facts: dict[str, Any] = {
        "entity": _entity(),
        "service_mesh_id": V["mesh_id"],
        "placement": (
            Placement(V["destination_cluster_id"], "cl01", "cluster"),
            Placement(V["destination_folder_id"], "Workloads", "folder"),
            Placement(V["destination_datacenter_id"], "dc01", "dataCenter"),
        ),
        "storage": Storage(
            V["destination_datastore_id"], "vsan-1", "thin", V["destination_storage_profile_id"], "gold"
        ),
        "networks": (MAPPING,),
        "options": OPTIONS,
        "window": WINDOW,
        "seed_checkpoint": True if replicates else None,
        "sync_interval_minutes": 120 if replicates else None,
    }
    return MigrationIntent(kind, _site("source"), _site("destination"), **{**facts, **changes})


# The client leaves continuous sync to the product.
CONTINUOUS = "items[].transferParams.continuousSync"


def _ids(submission: Any) -> list[tuple[str | None, str | None, str | None]]:
    return [(i.migration_id, i.group_id, i.entity_id) for i in submission.accepted]


SUBMITTED = [(V["migration_id"], V["migration_group_id"], V["vm_id"])]


def _start(kind: HcxMigrationType) -> Callable[[HcxClient], Any]:
    return lambda c: _ids(c.start_migrations([_intent(kind)]))


def _as_sampled(sample_id: str) -> list[dict[str, Any]]:
    return list(sample_of(sample_id).request.body["items"])


def _start_as_sampled(sample_id: str) -> Hcx:
    entity_id = _as_sampled(sample_id)[0]["entity"]["entityId"]
    expected = [(V["migration_id"], V["migration_group_id"], entity_id)]
    return Case(sample_id, lambda c: _ids(c.start_migrations(_as_sampled(sample_id))), expected)


MIGRATION_CASES: list[Hcx] = [
    Case(
        "hcx.mobility.migrations.validate",
        lambda c: _ids(c.validate_migrations([_intent()])),
        SUBMITTED,
        omits=(CONTINUOUS,),
    ),
    Case(
        "hcx.mobility.migrations.validate.warning",
        lambda c: c.validate_migrations([_intent()]).warning_messages,
        ("The virtual machine has snapshots; they will be removed.",),
        omits=(CONTINUOUS,),
    ),
    Case(
        "hcx.mobility.migrations.validate.refused",
        lambda c: c.validate_migrations(_as_sampled("hcx.mobility.migrations.validate.refused")),
        raises=ValidationFailed,
        match="No target network is given",
        code="E1000",
    ),
    Case(
        "hcx.mobility.migrations.start.refused",
        lambda c: c.start_migrations(_as_sampled("hcx.mobility.migrations.start.refused")),
        raises=ValidationFailed,
        match="No target network is given",
        code="E1000",
    ),
    Case("hcx.mobility.migrations.start.rav", _start(HcxMigrationType.RAV), SUBMITTED, omits=(CONTINUOUS,)),
    Case(
        "hcx.mobility.migrations.start.warning",
        lambda c: c.start_migrations([_intent()]).warning_messages,
        ("The virtual machine has snapshots; they will be removed.",),
        omits=(CONTINUOUS,),
    ),
    Case("hcx.mobility.migrations.start.bulk", _start(HcxMigrationType.BULK), SUBMITTED, omits=(CONTINUOUS,)),
    Case("hcx.mobility.migrations.start.vmotion", _start(HcxMigrationType.VMOTION), SUBMITTED),
    Case("hcx.mobility.migrations.start.cold", _start(HcxMigrationType.COLD), SUBMITTED),
    Case("hcx.mobility.migrations.start.assisted_vmotion", _start(HcxMigrationType.ASSISTED_VMOTION), SUBMITTED),
    _start_as_sampled("hcx.mobility.migrations.start.minimal"),
    _start_as_sampled("hcx.mobility.migrations.start.options_form"),
    _start_as_sampled("hcx.mobility.migrations.start.guest_customization"),
    _start_as_sampled("hcx.mobility.migrations.start.reverse"),
    Case(
        "hcx.mobility.migrations.force_cancel",
        lambda c: _ids(c.force_cancel_migrations({V["migration_id"]: V["migration_group_id"]})),
        SUBMITTED,
    ),
    Case(
        "hcx.mobility.migrations.force_cancel.refused",
        lambda c: c.force_cancel_migrations({V["unknown_id"]: V["unknown_id"]}),
        raises=ValidationFailed,
        match="No such migration",
        code="E1000",
    ),
    Case(
        "hcx.mobility.migrations.cancel",
        lambda c: _ids(c.cancel_migrations({V["migration_id"]: V["migration_group_id"]})),
        SUBMITTED,
    ),
]


def _states(found: Any) -> list[tuple[str, Phase, float | None]]:
    return [(m.migration_id, m.state.phase, m.state.percent) for m in found]


def _query(variant: str, phase: Phase, percent: float, call: Callable[[HcxClient], Any] | None = None) -> Hcx:
    return Case(
        f"hcx.migrations.query.{variant}",
        lambda c: _states(call(c) if call else c.query_migrations(migration_ids=[V["migration_id"]], page_size=500)),
        [(V["migration_id"], phase, pytest.approx(percent, abs=0.01))],
        omits=("filter.skipDrafts",),
    )


def _gen1(variant: str, phase: Phase, percent: float) -> Hcx:
    return Case(
        f"hcx.migrations.query_gen1.{variant}",
        lambda c: _states(c.query_migrations(migration_ids=[V["migration_id"]])),
        [(V["migration_id"], phase, percent)],
    )


QUERY_CASES: list[Hcx] = [
    _query("compat21", Phase.BASE_SYNC, 40),
    _query("waiting_window", Phase.WAITING_FOR_WINDOW, 100),
    _query("window_missed_waits", Phase.WAITING_FOR_WINDOW, 100),
    _query("switchover", Phase.SWITCHOVER, 100),
    _query("complete", Phase.DONE, 100),
    _query("failed", Phase.FAILED, 100),
    _query("transfer_failed", Phase.FAILED, 33.33),
    _query("window_missed_fails", Phase.FAILED, 100),
    _query("cancelled", Phase.CANCELLED, 33.33),
    _query(
        "by_group",
        Phase.BASE_SYNC,
        40,
        lambda c: c.query_migrations(group_ids=[V["migration_group_id"]], page_size=500),
    ),
    _query("by_entity", Phase.BASE_SYNC, 40, lambda c: c.query_migrations(entity_ids=[V["vm_id"]], page_size=500)),
    Case(
        "hcx.migrations.query.no_match",
        lambda c: _states(c.query_migrations(migration_ids=[V["unknown_id"]], page_size=500)),
        [],
    ),
    _gen1("running", Phase.SWITCHOVER, 50),
    _gen1("migrated", Phase.DONE, 100),
    _gen1("failed", Phase.FAILED, 50),
    _gen1("cancelled", Phase.CANCELLED, 50),
    _gen1("all", Phase.RUNNING, 10),
]


def _group(group: Any) -> tuple[str, str | None, str | None]:
    return group.group_id, group.name, group.state


def _draft() -> GroupDraft:
    member = {
        "entity": _entity().to_wire(),
        "networkParams": sample_of("hcx.mobility.groups.create").request.body["items"][0]["migrations"][0][
            "networkParams"
        ],
    }
    return GroupDraft(V["group_name"], [member], defaults=_intent(entity=None, networks=()))


GROUP = V["migration_group_id"]
GROUP_OMITS = (
    "items[].groupDefaults.transferParams.continuousSync",
    "items[].groupDefaults.networkParams",
    "items[].lastUpdated",
)
RESCHEDULE = GroupSchedule(Schedule(), WINDOW)
INHERITED = tuple(f"migrations[].schedule.{part}.isInheritedFromGroupDefaults" for part in ("transfer", "switchover"))

GROUP_CASES: list[Hcx] = [
    Case(
        "hcx.mobility.groups.create",
        lambda c: _group(c.create_group(_draft())),
        (GROUP, "wave-1", "DRAFT"),
        omits=GROUP_OMITS,
    ),
    Case(
        "hcx.mobility.groups.create.duplicate_name",
        lambda c: c.create_group(_draft()),
        raises=ConflictError,
        match="a mobility group of this name exists",
        code="E1000",
        omits=GROUP_OMITS,
    ),
    Case(
        "hcx.mobility.groups.start",
        lambda c: [_group(g) for g in c.start_groups([GROUP])],
        [(GROUP, "wave-1", "STARTED")],
    ),
    Case(
        "hcx.mobility.groups.start.refused",
        lambda c: c.start_groups([V["unknown_id"]]),
        raises=ValidationFailed,
        match="No such mobility group",
        code="E1000",
    ),
    Case(
        "hcx.mobility.groups.schedule",
        lambda c: (
            c.schedule_group(GROUP, RESCHEDULE, {V["migration_id"]: RESCHEDULE}).affected_switchover_schedule_count
        ),
        1,
        omits=INHERITED,
    ),
    Case(
        "hcx.mobility.groups.schedule.clear",
        lambda c: c.schedule_group(GROUP, GroupSchedule(Schedule(), clear_switchover=True)).refused_migration_ids,
        (),
        omits=("migrations",),
    ),
    Case(
        "hcx.mobility.groups.schedule.refused",
        lambda c: c.schedule_group(GROUP, RESCHEDULE, {V["unknown_id"]: RESCHEDULE}),
        raises=ValidationFailed,
        match="No such migration",
        code="E1000",
        omits=INHERITED,
    ),
    Case(
        "hcx.mobility.groups.schedule.expired_token",
        lambda c: c.schedule_group(GROUP, RESCHEDULE, {V["migration_id"]: RESCHEDULE}),
        raises=SessionExpired,
        match="refused",
        omits=INHERITED,
    ),
    Case(
        "hcx.mobility.groups.schedule.forbidden",
        lambda c: c.schedule_group(GROUP, RESCHEDULE, {V["migration_id"]: RESCHEDULE}),
        raises=PermissionDenied,
        match="may not",
        omits=INHERITED,
    ),
    Case("hcx.mobility.groups.query", lambda c: [(g.group_id, g.name) for g in c.groups()], [(GROUP, "wave-1")]),
    Case("hcx.mobility.groups.query.skip_drafts", lambda c: c.groups(skip_drafts=True), ()),
    Case(
        "hcx.mobility.groups.intents",
        lambda c: [(g.group_id, [m["entity"]["entityId"] for m in g.migrations]) for g in c.group_intents([GROUP])],
        [(GROUP, [V["vm_id"]])],
    ),
]


CASES = [*MIGRATION_CASES, *QUERY_CASES, *GROUP_CASES]


@pytest.fixture
def server() -> Iterator[SampleServer]:
    with running_sample_server() as running:
        running.serve(sample_of("hcx.sessions.create"))
        yield running


def _client(server: SampleServer, version: str = "4.11.0") -> HcxClient:
    return HcxClient(server.url, V["username"], V["password"], version=version, ambient=ambient())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_client_and_sample_agree(case: Hcx, server: SampleServer) -> None:
    with _client(server) as client:
        hold(case, client, server)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_member_that_is_missing_is_named_or_makes_no_difference(case: Hcx, server: SampleServer) -> None:
    problems = problems_of(case, lambda: _client(server), server)
    assert not problems, "\n".join(problems)


def test_every_sample_of_an_offered_call_is_used() -> None:
    unused = unused_samples(
        "hcx",
        CASES,
        only=lambda call: call.startswith(("migrations.", "mobility.")),
        except_calls={
            "migrations.start_gen1",
            "migrations.validate_gen1",
            "mobility.groups.archive",
            "mobility.groups.delete",
            "mobility.groups.update",
            "mobility.groups.validate",
        },
        except_samples={"hcx.migrations.query.lenient", "hcx.migrations.query.slash"},
    )

    assert unused == set()
