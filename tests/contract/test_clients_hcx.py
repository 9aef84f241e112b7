"""The HCX client against the samples: sessions, inventory, extensions, jobs, meshes; and no sample unused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    PermissionDenied,
    ServerError,
    ServiceUnavailable,
    SessionExpired,
    ValidationFailed,
)
from hcx_waves.clients.hcx import ExtensionRequest, HcxClient, HcxSite, MonVirtualMachine
from support.client_contract import VALUES, Case, ambient, hold, sample_of, unused_samples
from support.missing_members import problems_of
from support.sample_server import SampleServer, running_sample_server

V = {name: str(value) for name, value in VALUES.items()}
Hcx = Case[HcxClient]


def _own_endpoint(c: HcxClient) -> str | None:
    c.login()
    return c.endpoint_id


def _log_in_and_out(c: HcxClient) -> None:
    c.login()
    c.logout()


def _named(found: Any) -> list[tuple[str | None, str]]:
    return [(entity.entity_id, entity.name) for entity in found]


SOURCE = HcxSite(endpoint_id=V["source_endpoint_id"])
DESTINATION = HcxSite(endpoint_id=V["destination_endpoint_id"])
# Paging starts at 0 either way; the client always says so.
INVENTORY_CASES: list[Hcx] = [
    Case("hcx.sessions.create", _own_endpoint, V["source_endpoint_id"]),
    Case(
        "hcx.sessions.create.bad_credentials",
        lambda c: c.login(),
        raises=AuthenticationFailed,
        match="refused",
        omits=("password",),
    ),
    Case(
        "hcx.sessions.create.starting_up",
        lambda c: c.login(),
        raises=ServiceUnavailable,
        match="still starting up.*Trusted root certificates",
    ),
    Case("hcx.sessions.delete", _log_in_and_out),
    Case("hcx.metainfo.interconnect", lambda c: c.metainfo().vc_guid, V["vc_guid"]),
    Case(
        "hcx.cloud_configs.list",
        lambda c: [(s.endpoint_id, s.version) for s in c.cloud_configs()],
        [(V["destination_endpoint_id"], "4.10.0.0")],
    ),
    Case(
        "hcx.cloud_configs.list.expired_token",
        lambda c: c.cloud_configs(),
        raises=SessionExpired,
        match="refused",
    ),
    Case(
        "hcx.inventory.resource_containers.list",
        lambda c: [(r.endpoint_id, r.resource_id, r.is_local) for r in c.resource_containers()],
        [(V["source_endpoint_id"], V["source_resource_id"], True)],
    ),
    Case(
        "hcx.inventory.virtual_machines.list",
        lambda c: [
            (m.entity_id, m.name, m.summary.memory_size_mb, m.networks[0].network_id) for m in c.virtual_machines()
        ],
        [(V["vm_id"], V["vm_name"], 4096, V["source_network_id"])],
    ),
    Case(
        "hcx.inventory.virtual_machines.list.endpoint",
        lambda c: _named(c.virtual_machines(SOURCE)),
        [(V["vm_id"], V["vm_name"])],
        omits=("?hcspUUID", "filter.entityType"),
    ),
    Case(
        "hcx.inventory.virtual_machines.list.older_id",
        lambda c: _named(c.virtual_machines()),
        [(V["vm_id"], V["vm_name"])],
        omits=("filter.cloud",),
    ),
    Case(
        "hcx.inventory.networks.list",
        lambda c: _named(c.networks()),
        [(V["source_network_id"], V["source_network_name"])],
    ),
    Case(
        "hcx.inventory.datastores.list",
        lambda c: _named(c.datastores(DESTINATION)),
        [(V["destination_datastore_id"], "vsan-1")],
    ),
    Case(
        "hcx.inventory.containers.list",
        lambda c: [(e.entity_id, e.endpoint_id) for e in c.containers("folder", site=DESTINATION)],
        [(V["destination_folder_id"], V["destination_endpoint_id"])],
    ),
    Case(
        "hcx.inventory.containers.list.resource_pool",
        lambda c: _named(c.containers("resourcePool", site=DESTINATION)),
        [(V["destination_resource_pool_id"], "Compute-ResourcePool")],
    ),
    Case("hcx.inventory.storage_profiles.list", lambda c: [e.name for e in c.storage_profiles()], ["gold"]),
]

EXTENSION = V["stretch_id"]


def _extension(found: Any) -> tuple[str, str | None, str | None]:
    return found.extension_id, found.source_network.network_id, found.destination_network.network_id


EXTENDED = (EXTENSION, V["source_network_id"], V["destination_network_id"])
EXTEND = ExtensionRequest(
    source_network_id=V["extendable_network_id"],
    source_network_name=V["extendable_network_name"],
    source_network_type=V["source_network_type"],
    gateway=V["gateway_address"],
    netmask=V["netmask"],
    gateway_id=V["destination_gateway_id"],
    source_appliance_id=V["source_appliance_id"],
    destination_endpoint_id=V["destination_endpoint_id"],
    vc_guid=V["vc_guid"],
    destination_endpoint_name="destination-hcx",
    destination_resource_id=V["destination_resource_id"],
    destination_resource_name="destination-vcenter",
)
MON_ENDS = {"destination_endpoint_id": V["destination_endpoint_id"], "source_endpoint_id": V["source_endpoint_id"]}
MON_VM = MonVirtualMachine(
    vm_id=V["migrated_vm_id"],
    name=V["vm_name"],
    resource_id=V["destination_resource_id"],
    is_proximity_routed=False,
)


def _unextend(c: HcxClient) -> str | None:
    return c.delete_extension(EXTENSION, connect_to_local_router=True).job_id


EXTENSION_CASES: list[Hcx] = [
    Case("hcx.l2_extensions.list", lambda c: [_extension(e) for e in c.extensions()], [EXTENDED]),
    Case("hcx.l2_extensions.list.newer_fields", lambda c: [_extension(e) for e in c.extensions()], [EXTENDED]),
    Case("hcx.l2_extensions.list.none", lambda c: c.find_extension(EXTENSION), None),
    Case("hcx.l2_extensions.create", lambda c: c.create_extension(EXTEND), V["job_id"]),
    Case(
        "hcx.l2_extensions.create.refused",
        lambda c: c.create_extension(EXTEND),
        raises=ValidationFailed,
        match="cannot be extended",
        code="E1000",
    ),
    Case("hcx.l2_extensions.delete.connect", _unextend, V["job_id"]),
    Case(
        "hcx.l2_extensions.virtual_machines.list",
        lambda c: list(c.mon_virtual_machines(EXTENSION, **MON_ENDS)),
        [MON_VM],
    ),
]
MODERN_CASES: list[Hcx] = [
    Case("hcx.network_extensions.delete.connect", _unextend, None),
    Case("hcx.network_extensions.delete.refused", _unextend, raises=ValidationFailed, match="is busy", code="E1000"),
    Case("hcx.network_extensions.delete.server_error", _unextend, raises=ServerError, match="Internal", code="E1000"),
    Case("hcx.network_extensions.delete.expired_token", _unextend, raises=SessionExpired, match="refused"),
    Case("hcx.network_extensions.delete.forbidden", _unextend, raises=PermissionDenied, match="may not"),
]


def _job(c: HcxClient) -> tuple[bool, bool]:
    job = c.job(V["job_id"])
    return job.is_terminal, job.is_success


def _meshes(c: HcxClient, vc_guid: str | None = None) -> list[tuple[str, str | None, bool]]:
    return [(m.service_mesh_id, m.state, m.status.services[0].is_up) for m in c.service_meshes(vc_guid)]


def _appliances(c: HcxClient, **wanted: str) -> list[tuple[str, int | None, str]]:
    return [(a.appliance_id, a.network_extension_count, a.version_text) for a in c.appliances(**wanted)]


APPLIANCE = [(V["source_appliance_id"], 1, "4.10.0.24003800")]
INTERCONNECT_CASES: list[Hcx] = [
    Case("hcx.jobs.get.running", _job, (False, False)),
    Case("hcx.jobs.get.done", _job, (True, True)),
    Case("hcx.jobs.get.failed", _job, (True, False)),
    Case("hcx.jobs.get.failed_not_done", _job, (True, False)),
    Case(
        "hcx.jobs.get.pairing_data",
        lambda c: c.job(V["job_id"]).job_data["endpoint"],
        {"endpointId": V["destination_endpoint_id"]},
    ),
    Case("hcx.jobs.get.expired_token", _job, raises=SessionExpired, match="refused"),
    Case("hcx.jobs.get.forbidden", _job, raises=PermissionDenied, match="may not"),
    Case("hcx.service_meshes.list", _meshes, [(V["mesh_id"], "COMMITTED", True)]),
    Case(
        "hcx.service_meshes.list.with_vc_guid", lambda c: _meshes(c, V["vc_guid"]), [(V["mesh_id"], "COMMITTED", True)]
    ),
    Case("hcx.service_meshes.list.update_failed", _meshes, [(V["mesh_id"], "UPDATE_FAILED", False)]),
    Case(
        "hcx.appliances.query",
        lambda c: _appliances(c, appliance_type="HCX-NET-EXT", endpoint_id=V["source_endpoint_id"]),
        APPLIANCE,
    ),
    Case(
        "hcx.appliances.query.with_vc_guid",
        lambda c: _appliances(c, service_mesh_id=V["mesh_id"], vc_guid=V["vc_guid"]),
        APPLIANCE,
    ),
    Case(
        "hcx.underlay.service_mesh_health",
        lambda c: [
            (m.service_mesh_id, m.uplinks[0].upload_kbps, m.uplinks[0].latency) for m in c.underlay_health(V["vc_guid"])
        ],
        [(V["mesh_id"], 950000, 12)],
    ),
]
CASES = [*INVENTORY_CASES, *EXTENSION_CASES, *INTERCONNECT_CASES]

# Calls that the client does not offer, and variants of a request that it has no way to send.
NOT_OFFERED = {
    "appliances.list",
    "interconnect.tasks.get",
    "interconnect.tasks.list",
    "inventory.clouds.list",
    "inventory.vcenter_datastores.query",
    "inventory.vcenter_entities.query",
    "inventory.vcenter_switches.query",
    "inventory.vcenters.list",
    "l2_extensions.virtual_machines.route",
    "l2_network_extensions.create",
    "l2_network_extensions.get",
    "l2_network_extensions.list",
}
NOT_SENT = {
    "hcx.l2_extensions.delete.default",
    "hcx.l2_extensions.delete.unknown_parameter",
    "hcx.network_extensions.delete.default",
    "hcx.sessions.create.auth_type",
    "hcx.sessions.create.bad_format",
}


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


@pytest.mark.parametrize("case", MODERN_CASES, ids=str)
def test_client_and_sample_agree_on_a_newer_manager(case: Hcx, server: SampleServer) -> None:
    with _client(server, "9.1.0") as client:
        hold(case, client, server)


def test_refused_session_is_renewed_once_and_the_call_repeated(server: SampleServer) -> None:
    server.serve_in_turn(sample_of("hcx.cloud_configs.list.expired_token"), sample_of("hcx.cloud_configs.list"))

    with _client(server) as client:
        assert [site.endpoint_id for site in client.cloud_configs()] == [V["destination_endpoint_id"]]

    assert len(server.requests_like(sample_of("hcx.sessions.create"))) == 2
    assert len(server.requests_like(sample_of("hcx.cloud_configs.list"))) == 2


def test_manager_that_starts_up_is_asked_again(server: SampleServer) -> None:
    server.serve_in_turn(sample_of("hcx.sessions.create.starting_up"), sample_of("hcx.sessions.create"))

    with _client(server) as client:
        client.login()

        assert client.endpoint_id == V["source_endpoint_id"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_member_that_is_missing_is_named_or_makes_no_difference(case: Hcx, server: SampleServer) -> None:
    problems = problems_of(case, lambda: _client(server), server)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("case", MODERN_CASES, ids=str)
def test_a_member_that_is_missing_on_a_newer_manager(case: Hcx, server: SampleServer) -> None:
    problems = problems_of(case, lambda: _client(server, "9.1.0"), server)
    assert not problems, "\n".join(problems)


def test_every_sample_of_an_offered_call_is_used() -> None:
    unused = unused_samples(
        "hcx",
        [*CASES, *MODERN_CASES],
        only=lambda call: not call.startswith(("migrations.", "mobility.")),
        except_calls=NOT_OFFERED,
        except_samples=NOT_SENT,
    )

    assert unused == set()
