"""Snapshot samples: what the format accepts and refuses, and what the simulator makes of each field."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hcx_sim.engine.clock import ClockMode, VirtualClock
from hcx_sim.scenario import ScenarioError, build_world, scenario_from_snapshot
from hcx_sim.world.model import NetworkKind, Power, SiteName, VmRole
from hcx_snapshot import SnapshotFileError, canonical_json, parse_snapshot, to_document
from hcx_snapshot.schema import snapshot_schema

FOLDER = Path(__file__).parent / "snapshot"
SAMPLES = sorted(path for path in FOLDER.glob("*.json") if path.name != "refusals.json")
REFUSALS = json.loads((FOLDER / "refusals.json").read_text())


def sample(name: str = "every_field") -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return document


def changed(document: dict[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    """A sample with fields set and removed, which are given by dotted paths."""
    document = copy.deepcopy(document)
    for path, value in case.get("set", {}).items():
        holder, last = _holder(document, path)
        holder[last] = value
    for path in case.get("remove", ()):
        holder, last = _holder(document, path)
        del holder[last]
    return document


def _holder(document: Any, path: str) -> tuple[Any, str]:
    *above, last = path.split(".")
    for part in above:
        document = document[int(part)] if part.isdigit() else document[part]
    return document, last


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_nothing_of_a_sample_is_lost_or_added_when_it_is_read(path: Path) -> None:
    document = json.loads(path.read_text())
    assert canonical_json(to_document(parse_snapshot(document))) == canonical_json(document)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_world_can_be_built_of_a_sample(path: Path) -> None:
    scenario = scenario_from_snapshot(json.loads(path.read_text()))
    world = build_world(scenario, "w", "twin", VirtualClock(0, ClockMode.STEPPED, 1.0))
    assert len(world.vms) >= len(scenario.vms)


def _known_fields() -> set[str]:
    """Every field of the format, by its path with ``[]`` for the elements of a list."""
    schema = snapshot_schema()
    return set(_of_schema(schema, schema["$defs"], ""))


def _of_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any], above: str) -> Iterator[str]:
    for name, part in schema.get("properties", {}).items():
        path = _one_site(f"{above}.{name}".lstrip("."))
        yield path
        reference = part.get("$ref") or part.get("items", {}).get("$ref")
        if reference is not None:
            below = definitions[reference.rpartition("/")[2]]
            yield from _of_schema(below, definitions, path + ("[]" if "items" in part else ""))


def _one_site(path: str) -> str:
    """The sites are of one kind: what one of them shows counts for both."""
    return re.sub("^(source|destination)\\b", "site", path)


def _used(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a document: its field, and its place by a dotted path with the numbers of elements."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict) and path not in ("sources", "hcx.limits"):
        items = value.items()
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        items = enumerate(value)
    for name, item in items:
        place = f"{path}.{name}".lstrip(".")
        if not isinstance(name, int):
            yield _one_site(re.sub(r"\.\d+(?=\.)", "[]", place)), place
        yield from _used(item, place)


def test_the_sample_uses_every_field() -> None:
    assert {field for field, _ in _used(sample())} == _known_fields()


NOT_CARRIED = {
    "format": "read by the check",
    "version": "read by the check",
    "whole": "what it was taken for",
    "sources": "how the parts came to be known",
    "site.endpoint.hcx_version": "the managers of a twin have one version",
    "site.nsx.version": "no settings of the simulator depend on it",
    "site.nsx.segments[].kind": "follows from the path",
    "site.nsx.firewall[].sequence_number": "the order of the list counts",
    "site.networks[].key": "a simulated vCenter makes its own",
    "site.networks[].hcx_id": "a simulated HCX makes its own",
    "site.networks[].hcx_kind": "a simulated HCX makes its own",
    "site.vms[].nics[].start_connected": "only if connected is not known",
    "site.vms[].nics[].addresses[].prefix": "no check reads it",
    "site.vms[].disks[].thin": "used_bytes counts",
    "site.vms[].media[].key": "only of drives other than the first CD-ROM",
    "site.vms[].media[].connected": "together with start_connected",
    "site.vms[].media[].start_connected": "together with connected",
    "hcx.meshes[].appliances[].appliance_id": "a simulated HCX makes its own",
    "hcx.meshes[].appliances[].reasons": "in the simulator's words",
    "hcx.meshes[].uplinks[].name": "a twin has one link per mesh",
    "hcx.extensions[].source_name": "the network's MoRef counts",
    "hcx.extensions[].destination_name": "the network's MoRef counts",
    "hcx.extensions[].gateway": "only if the segment has none",
    "hcx.extensions[].netmask": "only if the segment has none",
    "hcx.limits": "the simulator's own are the same",
}
"""Fields whose value changes nothing of the twin of the sample, and why."""
OTHER_VALUES = {
    "taken_at": "2027-01-01T00:00:00Z",
    "site.nsx.flavour": "onprem",
    "site.nsx.firewall[].action": "DROP",
    "site.places[].kind": "VirtualApp",
    "site.networks[].kind": "opaque",
    "site.vms[].nics[].addresses[].ip": "10.9.9.9",
    "site.vms[].media[].kind": "floppy",
    "site.vms[].passthrough[].kind": "pci",
    "hcx.version": "9.1.0",
    "hcx.meshes[].services_down": ["INTERCONNECT"],
    "hcx.meshes[].uplinks[].upload_kbps": 1.0,
    "hcx.extensions[].state": "DOWN",
    "hcx.storage_policies[].site": "source",
}
"""Values that make a difference, of fields where not just any value does."""


def _variants(document: dict[str, Any], field: str, place: str) -> Iterator[dict[str, Any]]:
    """The document without that value, and with others in its place; some of them may not be valid."""
    holder, last = _holder(document, place)
    value = holder[last]
    if field in OTHER_VALUES:
        yield changed(document, {"set": {place: OTHER_VALUES[field]}})
    yield changed(document, {"remove": [place]})
    if isinstance(value, bool):
        yield changed(document, {"set": {place: not value}})
    elif isinstance(value, int | float):
        yield changed(document, {"set": {place: value + 1024}})
    elif isinstance(value, str):
        yield changed(document, {"set": {place: f"{value}x"}})


def test_the_simulator_overlooks_no_field_but_those_that_are_not_carried() -> None:
    """A field that is new in the format reaches the twin, or is named here with a reason."""
    document = sample()
    usual = scenario_from_snapshot(document)

    def makes_a_difference(variant: dict[str, Any]) -> bool:
        try:
            return scenario_from_snapshot(variant) != usual
        except ScenarioError:
            return False

    carried: dict[str, bool] = {}
    fields = list(_used(document))
    for field, place in fields:
        if any(other.startswith((f"{field}.", f"{field}[].")) for other, _ in fields):
            continue  # a part of the document: each of its own fields is looked at
        carried[field] = carried.get(field, False) or any(
            makes_a_difference(variant) for variant in _variants(document, field, place)
        )
    assert {field for field, is_carried in carried.items() if not is_carried} == set(NOT_CARRIED)


@pytest.mark.parametrize("case", REFUSALS, ids=[case["name"] for case in REFUSALS])
def test_a_refusal_names_every_problem_and_the_simulator_passes_it_on(case: dict[str, Any]) -> None:
    document = changed(sample(), case)
    with pytest.raises(SnapshotFileError) as refused:
        parse_snapshot(document)
    with pytest.raises(ScenarioError) as passed_on:
        scenario_from_snapshot(document)
    for words in case["says"]:
        assert words in str(refused.value)
    assert str(passed_on.value) == str(refused.value)


def test_what_the_simulator_makes_of_the_sample() -> None:
    scenario = scenario_from_snapshot(sample())
    world = build_world(scenario, "w", "twin", VirtualClock(0, ClockMode.STEPPED, 1.0))
    vm, twin = world.vms["source/vm-101"], world.vms["source/vm-102"]

    assert {vm.uid, twin.uid} == {"shop-app1 (vm-101 at the source)", "shop-app1 (vm-102 at the source)"}
    assert vm.change_rate_bytes_per_second == 1_250_000
    assert [nic.mac for nic in vm.nics] == ["00:50:56:aa:00:01", "00:50:56:aa:00:02"]
    assert vm.nics[0].ip_addresses == ["10.20.1.11", "2001:db8:20:1::11"]
    assert [(disk.backing, disk.used_bytes) for disk in vm.disks][1] == ("rdmVirtual", 21_474_836_480)
    assert (twin.role, twin.power, twin.cluster_moref) == (VmRole.ROUTER, Power.SUSPENDED, "domain-s31")
    assert world.networks["source/network-o24"].network_kind is NetworkKind.OPAQUE
    assert world.networks["source/network-23"].network_kind is NetworkKind.STANDARD
    assert world.site(SiteName.SOURCE).tier1_id == "t1-east"
    assert world.site(SiteName.SOURCE).more_tier1_ids == ["t1-east-2"]
    assert world.settings.hcx.version == "4.11.3"
    # HCX calls the extension appliance degraded: the twin's is off, and what it carries is down.
    assert world.vms["source/vm-104"].power is Power.OFF
    assert list(world.bridges) == ["9d2f"]
    assert world.bridges["9d2f"].mon_vm_uids == ["shop-app9"]
    assert world.meshes["servicemesh-1111"].link_bits_per_second == 900_000_000
    assert {port.display_name for port in world.ports.values()} == {"left-over"}
    assert world.datastores["destination/datastore-61"].free_bytes == 54_975_581_388_800


def test_names_that_do_not_fit_are_all_named() -> None:
    case = {
        "set": {
            "source.vms.0.folder": "group-v99",
            "source.vms.0.host": "host-99",
            "source.vms.0.nics.0.network": "dvportgroup-99",
            "source.vms.0.disks.0.datastore": "datastore-99",
            "source.places.0.parent": "group-h99",
            "hcx.extensions.0.destination": "dvportgroup-99",
        }
    }
    with pytest.raises(ScenarioError) as error:
        scenario_from_snapshot(changed(sample(), case))
    lines = str(error.value).splitlines()
    for words in ("group-v99", "host-99", "dvportgroup-99", "datastore-99", "group-h99"):
        assert any(words in line for line in lines), words
    assert len(lines) >= 6
