"""A plan's digest stands for what was approved, neither more nor less."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hcx_waves.model.plan import WavePlan
from support.wave_files import full_wave


def network(name: str) -> dict[str, str]:
    """Return a network's reference."""
    return {"network_id": f"/infra/segments/{name}", "name": name, "network_type": "NsxtSegment"}


def vm(number: int, *segments: str) -> dict[str, Any]:
    """Return a planned VM with one NIC per segment."""
    return {
        "name": f"erp0{number}",
        "vm_id": f"vm-{number}",
        "instance_uuid": f"5012a3c4-0f1e-2d3c-4b5a-69788796a5b{number}",
        "powered_on": True,
        "migration": "RAV",
        "folder": {"object_id": "group-v4", "name": "Workloads"},
        "nics": [
            {
                "label": f"Network adapter {position}",
                "mac_address": f"00:50:56:AA:0{number}:0{position}",
                "source": network(segment),
                "destination": network(f"{segment}-new"),
                "segment": segment,
                "ip_addresses": [f"10.0.{position}.{number}", f"fe80::{number}"],
            }
            for position, segment in enumerate(segments, 1)
        ],
    }


def document() -> dict[str, Any]:
    """Return the document of a plan with two VMs and two segments."""
    wave = full_wave()
    site = {"endpoint_id": "e1", "endpoint_name": "hcx-old", "compute_resource_id": "c1"}
    return {
        "wave": wave.name,
        "wave_hash": wave.wave_hash,
        "resolved_at": datetime(2026, 10, 23, 18, 0, tzinfo=UTC),
        "mobility_group": "erp-1",
        "source": site,
        "destination": {**site, "endpoint_id": "e2"},
        "clock": wave.clock().model_dump(),
        "vms": [vm(1, "erp", "shared"), vm(2, "erp")],
        "segments": [
            {
                "name": name,
                "key": name,
                "cutover": "now" if name == "erp" else "later",
                "disconnect": "nsx",
                "source": network(name),
                "destination": network(f"{name}-new"),
                "destination_segment_path": f"/infra/segments/{name}-new",
                "extension_id": f"stretch-{name}",
            }
            for name in ("erp", "shared")
        ],
        "switchover_order": ["erp02", "erp01"],
    }


def plan(**changes: Any) -> WavePlan:
    """Return a plan, some of it changed."""
    return WavePlan.model_validate({**document(), **changes})


def test_a_plan_survives_json_with_its_digest() -> None:
    again = WavePlan.model_validate_json(plan().model_dump_json())

    assert again == plan()
    assert again.digest() == plan().digest()


def test_the_inventory_s_order_makes_no_difference() -> None:
    reversed_ = document()
    for items in (reversed_["vms"], reversed_["segments"], reversed_["vms"][0]["nics"]):
        items.reverse()

    assert WavePlan.model_validate(reversed_).digest() == plan().digest()
    assert plan().differences(WavePlan.model_validate(reversed_)) == ()


def test_when_it_was_read_and_what_guests_report_make_no_difference() -> None:
    later = document()
    later["resolved_at"] = datetime(2026, 10, 24, tzinfo=UTC)
    later["vms"][0]["nics"][0]["ip_addresses"] = []
    later["vms"][1]["nics"][0]["mac_address"] = later["vms"][1]["nics"][0]["mac_address"].lower()

    assert WavePlan.model_validate(later).digest() == plan().digest()
    assert plan().differences(WavePlan.model_validate(later)) == ()


def changed(*path: str | int, value: Any) -> WavePlan:
    """Return the plan with one value changed."""
    altered: Any = document()
    holder = altered
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return WavePlan.model_validate(altered)


CHANGES = [
    (("vms", 0, "vm_id"), "vm-9", "vms erp01 vm_id: was vm-1, is vm-9"),
    (("vms", 0, "powered_on"), False, "vms erp01 powered_on: was True, is False"),
    (("vms", 1, "migration"), "Cold", "vms erp02 migration: was RAV, is Cold"),
    (("vms", 1, "folder"), None, "vms erp02 folder: was {'object_id': 'group-v4', 'name': 'Workloads'}, is nothing"),
    (("vms", 1, "disk_bytes"), 4096, "vms erp02 disk_bytes: was nothing, is 4096"),
    (
        ("vms", 0, "nics", 1, "destination", "network_id"),
        "/infra/segments/x",
        "vms erp01 nics 00:50:56:aa:01:02 destination network_id: was /infra/segments/shared-new, is /infra/segments/x",
    ),
    (("vms", 0, "nics", 1, "connected"), False, "vms erp01 nics 00:50:56:aa:01:02 connected: was True, is False"),
    (("segments", 0, "extension_id"), "stretch-2", "segments erp extension_id: was stretch-erp, is stretch-2"),
    (("segments", 0, "stays"), ["fw01"], "segments erp stays: fw01 is new"),
    (("switchover_order",), ["erp01", "erp02"], "switchover_order: was ['erp02', 'erp01'], is ['erp01', 'erp02']"),
    (("wave_hash",), "0" * 64, f"wave_hash: was {full_wave().wave_hash}, is {'0' * 64}"),
    (("destination", "compute_resource_id"), "c9", "destination compute_resource_id: was c1, is c9"),
    (
        ("clock", "switchover", "closes"),
        datetime(2026, 10, 25, 5, 0, tzinfo=UTC),
        "clock switchover closes: was 2026-10-25T03:00:00Z, is 2026-10-25T05:00:00Z",
    ),
]


@pytest.mark.parametrize(("path", "value", "difference"), CHANGES)
def test_a_change_of_what_was_approved_changes_the_digest_and_is_told(
    path: tuple[str | int, ...], value: Any, difference: str
) -> None:
    later = changed(*path, value=value)

    assert later.digest() != plan().digest()
    assert plan().differences(later) == (difference,)


def test_vms_that_came_or_went_are_told() -> None:
    later = plan(vms=[vm(1, "erp", "shared"), vm(3, "erp")])

    assert plan().differences(later) == ("vms: erp02 is gone", "vms: erp03 is new")


def test_vms_and_segments_are_found_by_name() -> None:
    planned = plan()

    assert planned.vm("erp02").vm_id == "vm-2"
    assert planned.vm("erp01").segments == ("erp", "shared")
    assert planned.segment("shared").extension_id == "stretch-shared"
    assert [one.name for one in planned.vms_of("erp")] == ["erp01", "erp02"]
    assert [one.name for one in planned.vms_of("shared")] == ["erp01"]
    with pytest.raises(KeyError, match='the plan has no VM "erp09"'):
        planned.vm("erp09")
    with pytest.raises(KeyError, match='the plan has no segment "web"'):
        planned.segment("web")
