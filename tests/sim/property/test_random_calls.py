"""Random legal and illegal calls never lose or duplicate a VM and never leave an impossible state."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hcx_sim.world.model import SiteName, VmRole
from support.random_caller import RandomCaller, impossible_states
from support.site_pair import SiteServer

SITES = st.sampled_from(list(SiteName))
NUMBERS = st.integers(min_value=0, max_value=10_000)
GARBAGE = st.sampled_from(
    ["", "{", "[]", "null", '"x"', "{items:[{}]}", '{"items": 5}', '{"items":[null]}', "\x00", "<xml/>"]
)
HCX_PATHS = [
    "/mobility/migrations/validate", "/mobility/migrations/start", "/mobility/migrations/forceCancel",
    "/mobility/migrations/cancel", "/mobility/groups", "/mobility/groups/start", "/mobility/groups/delete",
    "/mobility/groups/archive", "/mobility/groups/intents", "/migrations?action=query", "/migrations?action=start",
    "/l2Extensions", "/service/inventory/virtualmachines", "/cloudConfigs", "/nowhere",
]  # fmt: skip
MIGRATION_TYPES = [
    "RAV",
    "vMotion",
    "vSphereReplication",
    "ColdMigration",
    "xVMotion",
    "OsAssistedMigration",
    "nonsense",
]


class RandomCalls(RuleBasedStateMachine):
    """One world per run; the shared server is put here by the test."""

    server: ClassVar[SiteServer]

    def __init__(self) -> None:
        super().__init__()
        hcx = {
            "failing_switchovers": ["app07"],
            "failing_cleanups": ["web02"],
            "failing_cancels": ["web03"],
            "tracker_lost_entities": ["web04"],
        }
        from hcx_sim.scenario import load_scenario

        document = load_scenario("three-tier").model_dump(mode="json")
        document["settings"]["hcx"].update(hcx)
        self.pair = self.server.make_world(scenario=document, mode="stepped")
        self.caller = RandomCaller(self.pair)

    def teardown(self) -> None:
        self.server.drop(self.pair)

    def pick(self, items: Any, number: int) -> Any:
        """One of the items, or something that does not exist."""
        choices = [*sorted(items), "no-such-object"]
        return choices[number % len(choices)]

    def movable(self, site: SiteName) -> dict[str, Any]:
        return {vm.moref: vm for vm in self.pair.world.vms.values() if vm.site is site and vm.role is VmRole.WORKLOAD}

    def item(self, site: SiteName, number: int, kind: str, broken: int) -> dict[str, Any]:
        """A migration item, right unless ``broken`` says which part is not."""
        world = self.pair.world
        vms = self.movable(site)
        moref = self.pick(vms, number)
        mappings = []
        for nic in vms[moref].nics if moref in vms else []:
            network = world.networks[f"{site}/{nic.network_moref}"]
            twin = next((n for n in world.networks.values() if n.site is site.other and n.name == network.name), None)
            target = twin.moref if twin is not None and broken != 1 else "dvportgroup-0"
            mappings.append(
                {"macAddress": nic.mac, "destNetworkId": target, "destNetworkType": "DistributedVirtualPortgroup"}
            )
        ends = {each: world.site(each) for each in SiteName}
        item = {
            "migrationType": kind,
            "entity": {"entityId": moref, "entityType": "VirtualMachine"},
            "source": {"endpointId": ends[site].hcx_endpoint_id, "computeResourceId": ends[site].vcenter_instance_uuid},
            "destination": {
                "endpointId": ends[site.other].hcx_endpoint_id,
                "computeResourceId": ends[site.other].vcenter_instance_uuid,
            },
            "placement": [
                {"id": "resgroup-101" if broken != 2 else "resgroup-999", "type": "resourcePool"},
                {"id": "group-v201", "type": "folder"},
            ],
            "storage": {"defaultStorage": {"id": "datastore-15", "type": "datastore"}},
            "networkParams": {"networkMappings": mappings},
        }
        if broken == 3:
            del item["destination"]
        if broken == 4:
            item["entity"] = 7
        return item

    @rule(
        site=SITES, number=NUMBERS, kind=st.sampled_from(MIGRATION_TYPES), broken=st.integers(0, 9), start=st.booleans()
    )
    def migrate(self, site: SiteName, number: int, kind: str, broken: int, start: bool) -> None:
        path = "/mobility/migrations/start" if start else "/mobility/migrations/validate"
        answer = self.caller.hcx(SiteName.SOURCE, "POST", path, {"items": [self.item(site, number, kind, broken)]})
        if answer.status_code == 202 and start:
            self.caller.migration_ids += [each["migrationId"] for each in answer.json()["items"]]
            self.caller.group_ids += [each["migrationGroupId"] for each in answer.json()["items"]]

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=6), name=st.sampled_from(["wave-a", "wave-b", ""]))
    def draft(self, numbers: list[int], name: str) -> None:
        items = [self.item(SiteName.SOURCE, number, "RAV", 0) for number in numbers]
        body = {"items": [{"name": name, "migrations": items}]}
        answer = self.caller.hcx(SiteName.SOURCE, "POST", "/mobility/groups", body)
        if answer.status_code < 300:
            self.caller.group_ids += [each["migrationGroupId"] for each in answer.json()["items"]]

    @rule(number=NUMBERS, action=st.sampled_from(["start", "delete", "archive", "intents", "schedule"]))
    def group(self, number: int, action: str) -> None:
        group_id = self.pick(set(self.caller.group_ids), number)
        if action == "schedule":
            window = {"switchover": {"startTime": number * 1000, "expiryTime": 0}}
            self.caller.hcx(
                SiteName.SOURCE, "POST", f"/mobility/groups/{group_id}/schedule", {"mobilityGroupDefaults": window}
            )
        else:
            body = {"items": [{"migrationGroupId": group_id}]}
            self.caller.hcx(SiteName.SOURCE, "POST", f"/mobility/groups/{action}", body)

    @rule(number=NUMBERS, force=st.booleans())
    def cancel(self, number: int, force: bool) -> None:
        migration_id = self.pick(set(self.caller.migration_ids), number)
        path = "/mobility/migrations/forceCancel" if force else "/mobility/migrations/cancel"
        self.caller.hcx(SiteName.SOURCE, "POST", path, {"items": [{"migrationId": migration_id}]})

    @rule(number=NUMBERS, connect=st.sampled_from(["", "?connectToLocalRouter=true", "?connectToLocalRouter=perhaps"]))
    def unextend(self, number: int, connect: str) -> None:
        stretch_id = self.pick(self.pair.world.bridges, number)
        self.caller.hcx(SiteName.SOURCE, "DELETE", f"/l2Extensions/{stretch_id}{connect}")

    @rule(
        site=SITES,
        path=st.sampled_from(HCX_PATHS),
        body=GARBAGE,
        method=st.sampled_from(["POST", "GET", "PUT", "DELETE"]),
    )
    def hcx_garbage(self, site: SiteName, path: str, body: str, method: str) -> None:
        self.caller.hcx(site, method, path, body)

    @rule(site=SITES, path=st.sampled_from(HCX_PATHS))
    def hcx_stranger(self, site: SiteName, path: str) -> None:
        assert self.caller.hcx(site, "POST", path, {}, token="aa:bb").status_code in (401, 404)

    @rule(site=SITES, number=NUMBERS, state=st.sampled_from(["ON", "OFF", "MAYBE", None]), subnets=st.booleans())
    def connectivity(self, site: SiteName, number: int, state: str | None, subnets: bool) -> None:
        path = self.segment_path(site, number)
        read = self.caller.nsx(site, "GET", path)
        body: dict[str, Any] = {"resource_type": "Segment", "advanced_config": {"connectivity": state}}
        if subnets and read.status_code == 200:
            body["subnets"] = read.json().get("subnets")
        self.caller.nsx(site, "PATCH", path, body)

    def segment_path(self, site: SiteName, number: int) -> str:
        world = self.pair.world
        segment_id = self.pick({s.segment_id for s in world.segments.values() if s.site is site}, number)
        fixed = world.site(site).nsx_flavour == "vmc"
        return f"/infra/tier-1s/cgw/segments/{segment_id}" if fixed else f"/infra/segments/{segment_id}"

    @rule(site=SITES, number=NUMBERS, force=st.booleans())
    def delete_segment(self, site: SiteName, number: int, force: bool) -> None:
        self.caller.nsx(site, "DELETE", self.segment_path(site, number) + ("?force=true" if force else ""))

    @rule(site=SITES, number=NUMBERS, body=GARBAGE, method=st.sampled_from(["PATCH", "PUT", "POST", "DELETE"]))
    def nsx_garbage(self, site: SiteName, number: int, body: str, method: str) -> None:
        self.caller.nsx(site, method, self.segment_path(site, number) + ("/ports" if number % 2 else ""), body)

    @rule(
        site=SITES,
        number=NUMBERS,
        method=st.sampled_from(
            [
                "PowerOffVM_Task",
                "PowerOnVM_Task",
                "SuspendVM_Task",
                "ShutdownGuest",
                "RemoveAllSnapshots_Task",
                "Nonsense",
            ]
        ),
    )
    def vcenter(self, site: SiteName, number: int, method: str) -> None:
        self.caller.post_soap(site, method, "VirtualMachine", self.pick(self.movable(site), number))

    @rule(site=SITES, number=NUMBERS, name=st.sampled_from(["web01", "renamed", ""]))
    def rename(self, site: SiteName, number: int, name: str) -> None:
        moref = self.pick(self.movable(site), number)
        self.caller.post_soap(site, "Rename_Task", "VirtualMachine", moref, f"<newName>{name}</newName>")

    @rule(seconds=st.sampled_from([0.5, 5, 60, 600, 7200]))
    def time_passes(self, seconds: float) -> None:
        self.pair.advance(seconds)

    @invariant()
    def nothing_is_lost(self) -> None:
        assert impossible_states(self.pair, self.caller.uids) == []
        self.pair.assert_no_bugs()


@pytest.fixture
def machine(site_server: SiteServer) -> type[RandomCalls]:
    """The state machine on the shared server."""
    RandomCalls.server = site_server
    return RandomCalls


def test_random_calls_keep_the_world_possible(machine: type[RandomCalls]) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=slow, derandomize=True,
            database=None,
        ),
    )  # fmt: skip
