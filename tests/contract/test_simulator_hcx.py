"""The simulated HCX managers against the samples: sessions, inventory, extensions, jobs, meshes, pairing."""

from __future__ import annotations

import pytest

from hcx_sim.world.model import VcNetwork
from support.sim_contract import Book, Case, Ground, Setup, Stage
from support.sim_hcx import (
    GROUND,
    LOCAL,
    SPARE,
    expand,
    fault,
    inject,
    is_mobility,
    later,
    let_session_expire,
    migrate,
    then,
)
from support.sim_values import hcx_network_id, hcx_network_type, site_of
from support.site_pair import SiteServer

_SEED_NET = {"name": "seed-net", "subnet": "192.168.1.0/24"}
NOTHING_EXTENDED = Ground(change={"networks": [_SEED_NET]})
WITH_MON = Ground(change={"networks": [{**_SEED_NET, "stretched": True, "mon": True}]})
TWO_APPLIANCES = Ground(
    change={"meshes": [{"name": "seed-mesh", "link_mbps": 1000, "network_extension_appliances": 2}]}
)
ALONE = Ground(change={"networks": [], "vms": [], "meshes": []})


def unextend(stage: Stage) -> None:
    """Begin to unextend; keeps the job's id."""
    stage.values["job_id"] = stage.replay("hcx.l2_extensions.delete.connect")["id"]


def find_second_appliance(stage: Stage) -> None:
    """The appliance at this site that carries nothing."""
    found = stage.ask("GET", "/interconnect/appliances")["items"]
    free = (each for each in found if each["applianceType"] == "HCX-NET-EXT" and not each["networkExtensionCount"])
    stage.values["target_cluster_id"] = next(free)["applianceId"]


def resync(stage: Stage) -> None:
    """Begin to resync the mesh; keeps the task's id."""
    stage.values["task_id"] = stage.replay("hcx.service_meshes.resync")["data"]["interconnectTaskId"]


def _network(stage: Stage, name: str) -> VcNetwork:
    networks = stage.pair.world.networks.values()
    return next(each for each in networks if each.name == name and each.site is stage.site)


def extend(name: str, subnet: str) -> Setup:
    """Set-up that aims at a network to extend."""

    def setup(stage: Stage) -> None:
        network = _network(stage, name)
        stage.values |= {
            "extendable_network_id": hcx_network_id(stage, network),
            "extendable_network_name": network.name,
            "source_network_type": hcx_network_type(network),
            "gateway_address": f"{subnet}.1",
            "netmask": "255.255.255.0",
        }

    return setup


def name_own_endpoint(stage: Stage) -> None:
    """A log-in answers the endpoint of the manager that is asked."""
    stage.values["source_endpoint_id"] = site_of(stage).hcx_endpoint_id


def unpair(stage: Stage) -> None:
    """Take the pairing back, which forgets the peer's certificate, too."""
    stage.replay("hcx.endpoint_pairing.delete")


def trust_peer(stage: Stage) -> None:
    """Import the certificate that the refusal of an untrusted peer shows."""
    refusal = stage.replay("hcx.cloud_configs.create.untrusted_certificate")
    certificate = refusal["errors"][0]["data"][0]["certificate"]
    stage.ask("POST", "/admin/certificates", {"certificate": certificate})


def name_remote(stage: Stage) -> None:
    """The log-in in the request is that of the other site."""
    login = stage.pair.login("hcx", stage.site.other)
    stage.values |= {"username": login.username, "password": login.password}


def pair_up(stage: Stage) -> None:
    """Pair the sites anew; keeps the job's id."""
    UNPAIRED(stage)
    stage.values["job_id"] = stage.replay("hcx.cloud_configs.create")["data"]["jobId"]
    stage.pair.advance(60)


def lose_appliance(stage: Stage) -> None:
    """Delete an appliance VM behind the manager's back, and let the manager find out."""
    world = stage.pair.world
    lost = next(vm for vm in world.vms.values() if vm.role.value == "hcx_appliance")
    stage.pair.run(lambda: world.remove(lost))
    resync(stage)
    stage.pair.advance(120)


UNPAIRED = then(unpair, name_remote, trust_peer)
SETUPS = {
    "session idle for 15 minutes": let_session_expire,
    "hcx.jobs.get.expired_token": then(unextend, let_session_expire),
    "hcx.sessions.create": name_own_endpoint,
    "hcx.sessions.create.auth_type": name_own_endpoint,
    "manager is starting up": lambda stage: None,
    "manager of an older release": lambda stage: None,
    "a task exists": then(resync, later(120)),
    "task is queued": resync,
    "task is running": then(resync, later(20)),
    "task is success": then(resync, later(120)),
    "task is failed": then(fault(call="interconnect.task", behaviour="fail"), resync, later(120)),
    "a job is running": then(unextend, later(20)),
    "a job has succeeded": then(unextend, later(600)),
    "a job has failed": then(fault(call="extension.unextend", behaviour="fail"), unextend, later(600)),
    "a job has failed, manager does not set isDone": then(
        fault(call="extension.unextend", behaviour="fail"), unextend, later(600)
    ),
    "job of another organisation": then(unextend, inject),
    "a pairing job is running": pair_up,
    "a segment is extended": lambda stage: None,
    "nothing is extended": lambda stage: None,
    "a segment is extended, a second appliance is free": find_second_appliance,
    "network is not extended": extend(SPARE, "192.168.2"),
    "network is of a kind that cannot be extended": extend(LOCAL, "192.168.3"),
    "first network can be extended, second does not exist": extend(SPARE, "192.168.2"),
    "extension with MON, a VM at the destination": migrate,
    "another operation runs on the extension": unextend,
    "user has no right to unextend": inject,
    "fault injected": inject,
    "an appliance was deleted behind the product's back": lose_appliance,
    "the group carries extensions": inject,
    "site is not paired yet": UNPAIRED,
    "certificate of the remote site is unknown": then(unpair, name_remote),
    "destination has no NSX registered": then(name_remote, inject),
    "hcx.cloud_configs.create.login_failure": UNPAIRED,
}
WORLDS = {
    "manager is starting up": GROUND.with_settings(hcx={"startup_xml_seconds": 60}),
    "a job has failed, manager does not set isDone": GROUND.with_settings(hcx={"failed_job_is_done": False}),
    "nothing is extended": NOTHING_EXTENDED,
    "a segment is extended, a second appliance is free": TWO_APPLIANCES,
    "extension with MON, a VM at the destination": WITH_MON,
    "a pairing job is running": ALONE,
    "site is not paired yet": ALONE,
    "certificate of the remote site is unknown": ALONE,
    "hcx.cloud_configs.create.login_failure": ALONE,
    "hcx.endpoint_pairing.delete": ALONE,
    "hcx.service_meshes.delete": NOTHING_EXTENDED,
}
_PORT_9443 = "appliance management on port 9443 is not simulated"
NOT_REPLAYED = {
    "hcx.appliance_management.sessions.create": _PORT_9443,
    "hcx.appliance_management.sessions.create.bad_credentials": _PORT_9443,
    "hcx.cloud_service.sessions.create": "the HCX cloud service, which only activates managers, is not simulated",
    "hcx.network_profiles.create": "network and compute profiles are not simulated",
    "hcx.appliances.ha_groups.delete": "no simulated site has HA groups",
}
LOOSE = {
    # A client waits for the endpoint in the job's data; whether that appears before the job's end is in no source.
    "hcx.jobs.get.pairing_data": frozenset({"isDone"}),
    # The mesh that is asked for, not the one that is there.
    "hcx.service_meshes.create": frozenset({"data.serviceMeshId"}),
    # A mesh's last task is not kept up to date: any status will do.
    "hcx.service_meshes.list.update_failed": frozenset({"items[].lastTaskDetails.status"}),
}
BOOK = Book(
    ("hcx",),
    GROUND,
    SETUPS,
    WORLDS,
    NOT_REPLAYED,
    LOOSE,
    only=lambda sample_id: not is_mobility(sample_id),
    expand=expand,
)


@pytest.mark.parametrize("case", BOOK.cases(), ids=str)
def test_answer(case: Case, site_server: SiteServer) -> None:
    case.hold(site_server)


def test_no_sample_is_forgotten() -> None:
    assert BOOK.forgotten() == []
