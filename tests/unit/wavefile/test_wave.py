"""What a wave is worth: reading and writing it, its hash, and what its VMs inherit."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hcx_waves.model.choices import MigrationOptions, MigrationType
from hcx_waves.model.times import format_duration, parse_duration
from hcx_waves.wavefile.gates import GateSettings, time_to_answer
from hcx_waves.wavefile.loader import dump_wave, read_wave
from hcx_waves.wavefile.settings import NetworkMapping, NicMapping
from hcx_waves.wavefile.wave import Wave
from support.wave_files import FULL, changed, full_wave, minimal
from support.wave_strategies import UNHURRIED, documents


def as_yaml(document: dict[str, Any]) -> str:
    """Write a document as JSON, which is YAML that leaves no word to taste."""
    return json.dumps(document, ensure_ascii=False)


@UNHURRIED
@given(documents())
def test_what_is_written_reads_the_same(document: dict[str, Any]) -> None:
    wave = read_wave(as_yaml(document))
    text = dump_wave(wave)

    again = read_wave(text)

    assert again == wave
    assert dump_wave(again) == text
    assert again.wave_hash == wave.wave_hash


@UNHURRIED
@given(documents())
def test_what_is_written_reads_the_same_by_the_rules_of_older_yaml(document: dict[str, Any]) -> None:
    wave = read_wave(as_yaml(document))

    assert Wave.model_validate(yaml.safe_load(dump_wave(wave))) == wave


@UNHURRIED
@given(documents())
def test_a_wave_survives_json(document: dict[str, Any]) -> None:
    wave = read_wave(as_yaml(document))

    assert Wave.model_validate_json(wave.model_dump_json()) == wave


def test_the_full_wave_reads_the_same_after_writing() -> None:
    assert read_wave(dump_wave(full_wave())) == full_wave()


def shuffled(value: Any, dice: random.Random) -> Any:
    """Return a document with the keys of every mapping in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], dice) for key in dice.sample(list(value), len(value))}
    return [shuffled(item, dice) for item in value] if isinstance(value, list) else value


@UNHURRIED
@given(documents(), st.randoms(use_true_random=False))
def test_the_order_of_keys_vms_and_segments_is_no_part_of_the_hash(
    document: dict[str, Any], dice: random.Random
) -> None:
    other = shuffled(document, dice)
    dice.shuffle(other["vms"])
    dice.shuffle(other["segments"])

    assert read_wave(as_yaml(other)).wave_hash == read_wave(as_yaml(document)).wave_hash


SAME = [
    ("name: erp-1", "# A comment.\nname:    'erp-1' # and another"),
    ("  migration: RAV\n", ""),
    ("start_tolerance: 1h30m", "start_tolerance: 90m"),
    ("start: 2026-10-23 20:00", "start: 2026-10-23T20:00:00"),
    ("approvers: [alice, bob]", "approvers: [bob, alice]"),
    (", connected: false}", ",\n         connected: false}"),
    ("  - erp01\n", "  - name: erp01\n    folder: Workloads\n"),
    ("delete_source: true}", "}"),
    ("    retain_mac: true\n", ""),
    ("approve_cleanup: {response_timeout: 7d}", "approve_cleanup: {response_timeout: 168h}"),
]


@pytest.mark.parametrize(("old", "new"), SAME)
def test_what_means_the_same_has_the_same_hash(old: str, new: str) -> None:
    assert read_wave(changed(old, new)).wave_hash == full_wave().wave_hash


OTHER = [
    ("start_tolerance: 1h30m", "start_tolerance: 1h31m"),
    ("start: 2026-10-23 20:00", "start: 2026-10-23 20:01"),
    ("Europe/Berlin", "Europe/Paris"),
    ("hcx: hcx_old", "hcx: hcx_older"),
    ("  folder: Workloads\n", "  folder: Work\n"),
    ("  migration: RAV", "  migration: vMotion"),
    ("  - erp01\n", "  - erp01\n  - erp04\n"),
    ("  - erp01\n", "  - {name: erp01, folder: Other}\n"),
    ("switchover_order: [erp02, erp01]", "switchover_order: [erp01, erp02]"),
    ('act: [/opt/router, "off", erp]', 'act: [/opt/router, erp, "off"]'),
    ('undo: [/opt/router, "on", erp]', 'undo: ["on", /opt/router, erp]'),
    ("check: [/opt/router, state, erp]", "check: [/opt/router, erp, state]"),
    (
        "    cutover_window: {opens: 2026-10-25 04:00, lasts: 3h}",
        "    cutover_window: {opens: 2026-10-25 04:30, lasts: 3h}",
    ),
    ("rename_destination: erp-cloud", "rename_destination: erp-cloud2"),
    ("approvers: [alice, bob]", "approvers: [alice]"),
    ("connected: false", "connected: true"),
    ("upgrade_vm_tools: false", "upgrade_vm_tools: true"),
    ("expires: 2026-10-31", "expires: 2026-11-01"),
    ("stop_before_cutover: true", "stop_before_cutover: false"),
    ("max_failed_vms: 1", "max_failed_vms: 0"),
    ("  approve_switchover: {response_timeout: 1h}\n", ""),
    ("cut_by: erp-2", "cut_by: erp-3"),
    ("hold: 14d", "hold: 13d"),
    ("The firewall between", "A firewall between"),
]


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_what_means_something_else_has_another_hash(old: str, new: str) -> None:
    assert read_wave(changed(old, new)).wave_hash != full_wave().wave_hash


def test_the_hash_of_a_known_file_stays_what_it_is() -> None:
    assert read_wave(minimal()).wave_hash == "d2eb53a86cd9c34c86015134ad80ea8fd7d51f39d31e3c954954cc2f37530c2d"


def test_a_vm_inherits_what_it_does_not_say() -> None:
    erp01, erp02, erp03 = full_wave().requests

    assert (erp01.migration, erp01.folder, erp01.datastore) == (MigrationType.RAV, "Workloads", "Store")
    assert erp01.options == MigrationOptions(
        remove_snapshots=True, remove_isos=True, retain_mac=True, seed_checkpoint=True
    )
    assert erp02.folder == "Databases"
    assert erp02.options.upgrade_vm_tools is False
    assert erp02.options.remove_snapshots is True
    assert (erp03.migration, erp03.options.force_power_off, erp03.options.retain_mac) == (
        MigrationType.BULK,
        True,
        False,
    )


def test_nothing_said_is_rav_with_its_mac() -> None:
    request = read_wave(minimal()).requests[0]

    assert (request.migration, request.options) == (MigrationType.RAV, MigrationOptions(retain_mac=True))


def test_options_that_mean_nothing_to_a_type_are_not_inherited() -> None:
    text = minimal(vms="[{name: a, migration: Cold}, {name: b, migration: Bulk}]").replace(
        "Store}", "Store, options: {seed_checkpoint: true, force_power_off: true}}"
    )

    cold, bulk = read_wave(text).requests

    assert cold.options == MigrationOptions(retain_mac=True)
    assert bulk.options == MigrationOptions(retain_mac=True, seed_checkpoint=True, force_power_off=True)


def test_a_nic_goes_where_the_nearest_mapping_says() -> None:
    erp01, erp02, _ = full_wave().requests

    assert erp01.destination_of("backup", 2) == NetworkMapping(source="backup", destination="backup-new")
    assert erp02.destination_of("backup", 1) == NetworkMapping(source="backup", destination="backup-db")
    assert erp02.destination_of("erp", 1) == NetworkMapping(source="erp", destination="erp-new")
    assert erp02.destination_of("backup", 2) == NicMapping(adapter=2, destination="erp-out", connected=False)
    assert erp01.destination_of("voice", 1) is None


def test_segments_by_name_and_policy() -> None:
    wave = full_wave()

    assert [segment.name for segment in wave.segments_to_cut] == ["erp", "voice"]
    assert wave.segment("shared").cut_by == "erp-2"
    assert [wave.deletes_source(segment) for segment in wave.segments_to_cut] == [False, True]
    with pytest.raises(KeyError, match='wave erp-1 has no segment "nowhere"'):
        wave.segment("nowhere")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("seed-net", "seed-net"),
        ("Web Tier (prod)", "web-tier-prod"),
        ("VLAN_120.a/b", "vlan_120-a-b"),
        ("東京", "segment-130016b2"),
        ("büro", "b-ro-2616f09c"),
    ],
)
def test_a_segment_s_key_can_be_part_of_a_task_id(name: str, key: str) -> None:
    text = minimal(more=f'segments: [{{name: "{name}", cutover: never}}]\n')

    assert read_wave(text).segments[0].key == key


def test_a_wave_is_frozen_and_closed() -> None:
    wave = full_wave()

    with pytest.raises(ValidationError, match="frozen"):
        wave.name = "other"
    with pytest.raises(ValidationError, match="not among the wave's vms"):
        Wave.model_validate({**yaml.safe_load(FULL), "switchover_order": ["nobody"]})


def test_a_gate_is_asked_until_its_window_closes() -> None:
    clock = full_wave().clock()
    window = clock.cutover("erp")
    hour = timedelta(hours=1)

    assert time_to_answer(GateSettings(), window.closes - hour, window) == hour
    assert time_to_answer(
        GateSettings(response_timeout=timedelta(minutes=5)), window.closes - hour, window
    ) == timedelta(minutes=5)
    assert time_to_answer(GateSettings(response_timeout=2 * hour), window.closes - hour, window) == hour
    assert time_to_answer(GateSettings(), window.closes + hour, window) == timedelta()
    assert time_to_answer(GateSettings(), window.opens, None) == timedelta(hours=24)
    assert time_to_answer(GateSettings(response_timeout=hour), window.opens, None) == hour


@UNHURRIED
@given(st.integers(0, 10**8))
def test_lengths_of_time_read_as_they_are_written(seconds: int) -> None:
    length = timedelta(seconds=seconds)

    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize(
    ("length", "text"),
    [(0, "0s"), (90, "1m30s"), (3600, "1h"), (604800, "7d"), (90061, "1d1h1m1s")],
)
def test_lengths_of_time_are_written_in_their_shortest_form(length: int, text: str) -> None:
    assert format_duration(timedelta(seconds=length)) == text
