"""Drives the migrations of a simulated HCX manager in tests, with plain requests and no client of ours."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import requests

from support.site_pair import SitePair

GIB = 1024**3
BASE: dict[str, Any] = {
    "name": "mobility",
    "seed": 5,
    "settings": {
        "hcx": {
            "queue_seconds": {"kind": "fixed", "seconds": 5},
            "rav_switchover": {"kind": "fixed", "seconds": 100},
            "vmotion_overhead": {"kind": "fixed", "seconds": 40},
            "bulk_switchover": {"kind": "fixed", "seconds": 200},
            "stun": {"kind": "fixed", "seconds": 0.5},
            "cancel_seconds": 30,
        }
    },
    "sites": {"source": {"nsx": "onprem"}, "destination": {"nsx": "vmc"}},
    "meshes": [{"name": "mesh-1", "link_mbps": 800}],
    "networks": [{"name": "app", "subnet": "10.9.1.0/24", "stretched": True, "mesh": "mesh-1"}],
}


def vm_spec(name: str, number: int = 11, **changes: Any) -> dict[str, Any]:
    """Return a VM of 1 GB (10^9 bytes) used on the network ``app``, which changes nothing."""
    spec = {
        "name": name,
        "nics": [{"network": "app", "ips": [f"10.9.1.{number}"]}],
        "disks": [{"size_gb": 10, "used_gb": 1e9 / GIB}],
        "change_rate_mbps": 0,
    }
    return {**spec, **changes}


def scenario(
    vms: Iterable[Mapping[str, Any] | str], hcx: Mapping[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """Return a scenario with fixed durations; a VM may be given by its name alone."""
    document = copy.deepcopy(BASE)
    document["vms"] = [vm_spec(vm, 11 + number) if isinstance(vm, str) else dict(vm) for number, vm in enumerate(vms)]
    document["settings"]["hcx"].update(hcx or {})
    document.update(changes)
    return document


class Manager:
    """One manager of a pair, logged in."""

    def __init__(self, pair: SitePair, site: str = "source") -> None:
        self.pair = pair
        self.site = site
        self.http = pair.http()
        self.base = pair.url("hcx", site) + "/hybridity/api"
        self.log_in()

    def log_in(self) -> None:
        login = self.pair.login("hcx", self.site)
        credentials = {"username": login.username, "password": login.password}
        answer = self.http.post(f"{self.base}/sessions", json=credentials)
        assert answer.status_code == 200, answer.text
        self.http.headers["x-hm-authorization"] = answer.headers["x-hm-authorization"]

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self.send("POST", path, body)

    def send(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Call the manager; a session that has expired in virtual time is renewed."""
        document = {} if body is None else body
        answer = self.http.request(method, f"{self.base}{path}", json=document)
        if answer.status_code == 401:
            self.log_in()
            answer = self.http.request(method, f"{self.base}{path}", json=document)
        return answer

    def mesh_id(self, name: str = "mesh-1") -> str:
        return next(mesh.key for mesh in self.pair.world.meshes.values() if mesh.name == name)

    def end(self, site: str) -> dict[str, Any]:
        facts = self.pair.world.sites[site]
        return {"endpointId": facts.hcx_endpoint_id, "computeResourceId": facts.vcenter_instance_uuid}

    def intent(
        self,
        name: str,
        kind: str = "RAV",
        *,
        mesh: str | None = "mesh-1",
        window: tuple[float, float] | None = None,
        transfer_window: tuple[float, float] | None = None,
        seed_checkpoint: bool = False,
        options: Mapping[str, Any] | None = None,
        to: str = "destination",
    ) -> dict[str, Any]:
        """Return a complete intent; windows are seconds from now."""
        vm = self.pair.vm(name)
        network = self.pair.world.networks[f"{vm.site}/{vm.nics[0].network_moref}"]
        target = next(
            segment for segment in self.pair.world.segments.values()
            if segment.site == to and segment.display_name == network.name
        )  # fmt: skip
        item: dict[str, Any] = {
            "migrationType": kind,
            "entity": {"entityId": vm.moref, "entityName": vm.name, "entityType": "VirtualMachine"},
            "source": self.end(vm.site.value),
            "destination": self.end(to),
            "transferParams": {"longRecovery": seed_checkpoint},
            "switchoverParams": {"switchoverType": kind, "options": dict(options or {})},
            "placement": [
                {"id": "domain-c9", "type": "cluster"},
                {"id": "group-v201", "type": "folder"},
                {"id": "datacenter-2", "type": "dataCenter"},
            ],
            "storage": {"defaultStorage": {"id": "datastore-15", "type": "datastore", "diskProvisionType": "thin"}},
            "networkParams": {
                "networkMappings": [
                    {"macAddress": nic.mac, "destNetworkId": f"/infra/segments/{target.segment_id}"} for nic in vm.nics
                ]
            },
        }
        if mesh is not None:
            item["servicemeshId"] = self.mesh_id(mesh)
        if window is not None:
            item["switchoverParams"]["schedule"] = self.schedule(*window)
        if transfer_window is not None:
            item["transferParams"]["schedule"] = self.schedule(*transfer_window)
        return item

    def schedule(self, start_seconds: float, expiry_seconds: float) -> dict[str, int]:
        now = self.pair.now.timestamp()
        return {"startTime": int((now + start_seconds) * 1000), "expiryTime": int((now + expiry_seconds) * 1000)}

    def validate(self, *items: dict[str, Any]) -> requests.Response:
        return self.post("/mobility/migrations/validate", {"items": list(items)})

    def start(self, *items: dict[str, Any]) -> list[str]:
        """Start migrations and return their ids; the test fails when that is refused."""
        answer = self.post("/mobility/migrations/start", {"items": list(items)})
        assert answer.status_code == 202, answer.text
        return [item["migrationId"] for item in answer.json()["items"]]

    def query(self, **wanted: Any) -> list[dict[str, Any]]:
        body = {"filter": wanted, "options": {"resultLevel": "MOBILITYGROUP_ITEMS", "compat": 2.1}}
        answer = self.post("/migrations?action=query", body)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["data"]["items"]
        return items

    def state(self, migration_id: str) -> str:
        return str(self.query(migrationId=[migration_id])[0]["state"])

    def progress(self, migration_id: str) -> dict[str, Any]:
        progress: dict[str, Any] = self.query(migrationId=[migration_id])[0]["progress"]
        return progress

    def run(self, *migration_ids: str, limit_seconds: float = 200_000, step_seconds: float = 30) -> None:
        """Move the clock until the migrations are terminal; the test fails when they are not in time."""
        for _ in range(int(limit_seconds / step_seconds)):
            items = self.query(migrationId=list(migration_ids))
            if all(item["progress"]["isDone"] for item in items):
                return
            self.pair.advance(step_seconds)
        raise AssertionError([item["state"] for item in self.query(migrationId=list(migration_ids))])


def messages(answer: requests.Response) -> list[str]:
    """Return the error messages of all items of an answer."""
    return [error["message"] for item in answer.json()["items"] for error in item.get("errors", [])]


def warnings(answer: requests.Response) -> list[str]:
    """Return the warnings of all items of an answer."""
    return [warning["message"] for item in answer.json()["items"] for warning in item.get("warnings", [])]


def phases(pair: SitePair, name: str) -> list[tuple[str, str]]:
    """Return (virtual time, phase) of everything that happened to the migrations of a VM, by the audit."""
    return [
        (entry["virtual_time"], entry["data"]["phase"])
        for entry in pair.audit("note", subject="migration:")
        if entry["data"].get("vm") == name and "phase" in entry["data"]
    ]


def seconds_of(pair: SitePair, name: str, phase: str, since: str = "2026-01-05T08:00:00.000Z") -> float:
    """Return how many seconds after ``since`` a VM's migration entered a phase first."""
    from datetime import datetime

    at = next(time for time, each in phases(pair, name) if each == phase)
    return (datetime.fromisoformat(at) - datetime.fromisoformat(since)).total_seconds()
