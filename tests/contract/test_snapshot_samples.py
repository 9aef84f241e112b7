"""Snapshots: who takes them and the simulator share no code, but these samples, to which both are held."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from hcx_sim.engine.clock import ClockMode, VirtualClock
from hcx_sim.scenario import ScenarioError, build_world, scenario_from_snapshot
from hcx_sim.scenario.snapshot_format import SnapshotDocument
from hcx_sim.world.model import NetworkKind, Power, SiteName, VmRole
from hcx_waves.snapshot import Snapshot, SnapshotFileError, parse_snapshot, to_document
from hcx_waves.snapshot.files import canonical_json

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
def test_both_sides_read_a_sample_and_say_the_same_of_it(path: Path) -> None:
    document = json.loads(path.read_text())
    ours, theirs = parse_snapshot(document), SnapshotDocument.model_validate(document)
    assert ours.model_dump(mode="json") == theirs.model_dump(mode="json")
    assert canonical_json(to_document(ours)) == canonical_json(document)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_world_can_be_built_of_a_sample(path: Path) -> None:
    scenario = scenario_from_snapshot(json.loads(path.read_text()))
    world = build_world(scenario, "w", "twin", VirtualClock(0, ClockMode.STEPPED, 1.0))
    assert len(world.vms) >= len(scenario.vms)


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every field of a document, by its path with ``[]`` for the elements of a list."""
    schema = model.model_json_schema()
    yield from _of_schema(schema, schema.get("$defs", {}), prefix)


def _of_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}.{name}".lstrip(".")
        options = part.get("anyOf", [part])
        kinds = sorted(str(one.get("type") or one.get("enum") or one.get("const") or "object") for one in options)
        required = name in schema.get("required", ())
        yield f"{path} {kinds} default={part.get('default')!r} required={required}"
        for one in options:
            yield from _below(one, definitions, path)


def _below(part: Mapping[str, Any], definitions: Mapping[str, Any], path: str) -> Iterator[str]:
    if "$ref" in part:
        yield from _of_schema(definitions[part["$ref"].rpartition("/")[2]], definitions, path)
    elif "items" in part:
        yield from _below(part["items"], definitions, f"{path}[]")


def test_both_sides_know_the_same_fields_of_the_same_types() -> None:
    assert list(_fields(Snapshot)) == list(_fields(SnapshotDocument))


def test_the_sample_uses_every_field() -> None:
    def used(value: Any, path: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for name, item in value.items():
                yield f"{path}.{name}".lstrip(".")
                yield from used(item, f"{path}.{name}".lstrip("."))
        elif isinstance(value, list):
            for item in value:
                yield from used(item, f"{path}[]")

    known = {line.partition(" ")[0] for line in _fields(Snapshot)}
    # The sites are of one kind: what one of them shows counts for both.
    seen = {re.sub("^(source|destination)", "site", path) for path in used(sample())}
    assert {re.sub("^(source|destination)", "site", path) for path in known} - seen == set()


@pytest.mark.parametrize("case", REFUSALS, ids=[case["name"] for case in REFUSALS])
def test_both_sides_refuse_and_name_every_problem(case: dict[str, Any]) -> None:
    document = changed(sample(), case)
    with pytest.raises(SnapshotFileError) as ours:
        parse_snapshot(document)
    with pytest.raises(ScenarioError) as theirs:
        scenario_from_snapshot(document)
    for words in case["says"]:
        assert words in str(ours.value)
        assert words in str(theirs.value)


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
