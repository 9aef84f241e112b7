"""Faults, audit, oracle, VMs and physical gateways by the control API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hcx_sim.world.model import Power
from support.site_pair import SitePair

RULE = {"rule_id": "r1", "product": "hcx", "call": "thing.*", "behaviour": "vendor_error", "status": 503}


def test_a_fault_rule_strikes_is_counted_and_taken_back(control: Any, probe_pair: SitePair) -> None:
    assert control.post("/faults", RULE).status_code == 201
    url = f"{probe_pair.url('hcx')}/thing"
    assert probe_pair.http().get(url).status_code == 503

    listed = control.get("/faults").json()["faults"]

    assert [(rule["rule_id"], rule["matched"], rule["struck"]) for rule in listed] == [("r1", 1, 1)]
    assert control.delete("/faults/r1").status_code == 204
    assert probe_pair.http().get(url).status_code == 200
    control.post("/faults", RULE)
    control.post("/faults", {**RULE, "rule_id": "r2"})
    assert control.delete("/faults").status_code == 204
    assert control.get("/faults").json() == {"faults": []}
    entries = [entry["data"] for entry in probe_pair.audit("control", subject="fault")]
    assert [set(data) for data in entries] == [{"added"}, {"removed"}, {"added"}, {"added"}, {"removed"}]


@pytest.mark.parametrize(
    ("rule", "status", "error"),
    [
        (RULE, 409, "fault rule 'r1' exists already"),
        ({**RULE, "rule_id": "r2", "behaviour": "explode"}, 422, "body.behaviour"),
        ({**RULE, "rule_id": "r2", "product": "engine"}, 422, "body: Value error, behaviour 'vendor_error' cannot"),
        ({**RULE, "rule_id": "r2", "behaviour": "refuse"}, 422, "body: Value error, refuse closes the listening"),
        ({**RULE, "rule_id": "r2", "wen": 1}, 422, "body.wen: Extra inputs are not permitted"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(control: Any, rule: dict[str, Any], status: int, error: str) -> None:
    control.post("/faults", RULE)

    answer = control.post("/faults", rule)

    assert answer.status_code == status
    assert answer.json()["error"].startswith(error)
    assert len(control.get("/faults").json()["faults"]) == 1


def test_an_unknown_rule_cannot_be_taken_back(control: Any) -> None:
    answer = control.delete("/faults/r9")

    assert (answer.status_code, answer.json()["error"]) == (404, "no fault rule 'r9'")


def test_the_audit_is_filtered_paged_and_canonical(control: Any, probe_pair: SitePair) -> None:
    probe_pair.http().post(f"{probe_pair.url('hcx')}/thing", data="a")
    probe_pair.http().get(f"{probe_pair.url('nsx')}/thing")

    everything = control.get("/audit").json()
    assert everything["last"] == len(everything["entries"]) == everything["entries"][-1]["sequence"]
    calls = control.get("/audit", kind="call").json()["entries"]
    assert [entry["subject"] for entry in calls] == ["source/hcx", "source/nsx"]
    assert control.get("/audit", kind="call", subject="nsx").json()["entries"] == calls[1:]
    assert control.get("/audit", after=everything["last"]).json()["entries"] == []
    assert control.get("/audit", limit=1).json()["entries"] == everything["entries"][:1]
    canonical = control.get("/audit", form="canonical")
    assert canonical.headers["content-type"].startswith("application/x-ndjson")
    assert canonical.content == probe_pair.run(lambda: probe_pair.world.audit.canonical_bytes())
    lines = [json.loads(line) for line in control.get("/audit", form="lines").text.splitlines()]
    assert lines == everything["entries"]
    assert "wall_time" in lines[0]
    assert "wall_time" not in canonical.text


def test_the_oracle_reports_what_the_facts_say(control: Any, probe_pair: SitePair) -> None:
    probe_pair.run(lambda: probe_pair.world.update(probe_pair.vm("web01"), power=Power.OFF))
    control.post("/clock", {"advance_seconds": 30})

    report = control.get("/oracle").json()

    assert report["vms"]["web01"]["power_off"][0]["seconds"] == 30
    assert report["vms"]["web02"]["power_off"] == []
    assert report == probe_pair.oracle()


def test_vms_are_told_from_the_facts(control: Any, probe_pair: SitePair) -> None:
    (shown,) = control.get("/vms", name="web01").json()["vms"]

    vm = probe_pair.vm("web01")
    assert (shown["site"], shown["power"], shown["moref"], shown["role"]) == (
        "source",
        "poweredOn",
        vm.moref,
        "workload",
    )
    (network,) = shown["networks"]
    assert network["mac"] == vm.nics[0].mac
    assert network["ip_addresses"] == ["192.168.1.11"]
    assert network["network_moref"] == vm.nics[0].network_moref


@pytest.mark.world(scenario="physical")
def test_a_physical_gateway_is_cut_as_by_a_router_command(control: Any, probe_pair: SitePair) -> None:
    gateway = next(each for each in control.get("/gateways").json()["gateways"] if each["network"] == "vlan-120")
    assert (gateway["site"], gateway["vlan_id"], gateway["connected"]) == ("source", 120, True)

    cut = control.post("/gateways/vlan-120", {"connected": False})
    control.post("/clock", {"advance_seconds": 20})

    assert cut.json() == {**gateway, "connected": False}
    report = control.get("/oracle").json()
    assert {name for name, vm in report["vms"].items() if vm["outage"]} == {"erp01", "erp02"}
    control.post("/gateways/vlan-120", {"connected": True})
    outages = [vm["outage"] for vm in control.get("/oracle").json()["vms"].values() if vm["outage"]]
    assert [(spans[0]["seconds"], spans[0]["to"] is None) for spans in outages] == [(20, False)] * 2
    change = probe_pair.audit("change", subject="network:")[0]
    assert change["cause"] == "control:gateway"


def test_a_segments_gateway_is_not_a_physical_one(control: Any) -> None:
    answer = control.post("/gateways/seed-net", {"connected": False})

    assert answer.status_code == 404
    assert answer.json()["error"] == "no physical gateway on a network 'seed-net'"
    assert "through NSX" in answer.json()["hint"]
