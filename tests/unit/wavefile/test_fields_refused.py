"""Every field refuses what it cannot be, in its own words and at its own place."""

from __future__ import annotations

import pytest

from support.wave_files import FULL, changed, place_in, problems_of, told

UUID = "is not a UUID: use the instanceUuid, such as 5012a3c4-0f1e-2d3c-4b5a-69788796a5b4"
NO_TIME = "is not a time: write 2026-10-24 22:00, 22:00, or +2h for two hours after the start"
NO_LENGTH = "is not a duration: write 90s, 15m, 2h30m or 7d"
NO_ZONE = "is not a time zone: use an IANA name such as Europe/Berlin, America/New_York or UTC"
NO_DAG_ID = "cannot be part of a DAG id: use lower-case letters, digits and single hyphens"
NO_CONNECTION = "must be the id of an Airflow connection; addresses and credentials belong in that connection"
MAPPING = "must be a mapping of fields to values"
BOOLEAN, NUMBER, BLANK = "must be true or false", "must be a whole number", "not left blank"

# old passage, new passage, where the problem is (a passage; behind "|" if not at its beginning), field, message
CASES = [
    # name, description, time zone
    ("name: erp-1", "name: ERP_1", "name: |ERP_1", "name", f'"ERP_1" {NO_DAG_ID}'),
    ("name: erp-1", "name: erp--1", "name: |erp--1", "name", f'"erp--1" {NO_DAG_ID}'),
    ("name: erp-1", 'name: ""', 'name: |""', "name", "must not be empty"),
    ("name: erp-1", "name: 17", "name: |17", "name", 'must be text; put it in quotes: "17"'),
    ("name: erp-1", f"name: {'e' * 61}", "name: |eee", "name", "is longer than 60 characters"),
    ("name: erp-1\n", "", "|description: The first", "name", "is required"),
    ("The first half of the ERP system.", "''", "description: |''", "description", "must not be empty"),
    ("The first half of the ERP system.", "' '", "description: |' '", "description", "must not be blank"),
    ("The first half of the ERP system.", "", "description:| \ntime_zone", "description", f"must be text, {BLANK}"),
    (
        "The first half of the ERP system.",
        "x" * 4001,
        "description: |x",
        "description",
        "is longer than 4000 characters",
    ),
    ("description: The first half of the ERP system.\n", "", "|name: erp-1", "description", "is required"),
    ("Europe/Berlin", "Europe/Berlim", "time_zone: |E", "time_zone", f'"Europe/Berlim" {NO_ZONE}'),
    ("Europe/Berlin", "CET", "time_zone: |C", "time_zone", f'"CET" {NO_ZONE}'),
    ("Europe/Berlin", "Europe", "time_zone: |E", "time_zone", f'"Europe" {NO_ZONE}'),
    ("Europe/Berlin", "../etc/passwd", "time_zone: |.", "time_zone", f'"../etc/passwd" {NO_ZONE}'),
    ("time_zone: Europe/Berlin\n", "", "|name: erp-1", "time_zone", "is required"),
    # start and windows
    (
        "start: 2026-10-23 20:00",
        "start: 20:00",
        "start: |2",
        "start",
        '"20:00" has no date: write one, such as 2026-10-24 20:00',
    ),
    ("start: 2026-10-23 20:00", "start: tonight", "start: |t", "start", f'"tonight" {NO_TIME}'),
    (
        "start: 2026-10-23 20:00",
        "start: 2026-02-30 20:00",
        "start: |2",
        "start",
        '"2026-02-30 20:00": this date does not exist',
    ),
    ("start: 2026-10-23 20:00", "start: 2026-10-23 24:00", "start: |2", "start", f'"2026-10-23 24:00" {NO_TIME}'),
    (
        "start: 2026-10-23 20:00",
        "start: 20261023",
        "start: |2",
        "start",
        "must be a time such as 2026-10-24 22:00, 22:00 or +2h, not 20261023",
    ),
    (
        "start_tolerance: 1h30m",
        "start_tolerance: 90",
        "start_tolerance: |90",
        "start_tolerance",
        "must be a duration with its unit: 90s, 15m, 2h30m or 7d, not 90",
    ),
    (
        "start_tolerance: 1h30m",
        "start_tolerance: 30m1h",
        "start_tolerance: |3",
        "start_tolerance",
        f'"30m1h" {NO_LENGTH}',
    ),
    (
        "start_tolerance: 1h30m",
        "start_tolerance: -1h",
        "start_tolerance: |-1h",
        "start_tolerance",
        f'"-1h" {NO_LENGTH}',
    ),
    (
        "switchover_window: {opens: 2026-10-24 22:00, closes: 2026-10-25 04:00}",
        "switchover_window: tonight",
        "switchover_window: |t",
        "switchover_window",
        f'{MAPPING}, not "tonight"',
    ),
    (
        "switchover_window: {opens: 2026-10-24 22:00, ",
        "switchover_window: {",
        "switchover_window: |{",
        "switchover_window.opens",
        "is required",
    ),
    (
        "{opens: 2026-10-24 22:00,",
        "{opens: 2026-10-24 22:00, length: 1h,",
        "22:00, |length",
        "switchover_window.length",
        "unknown field; there are: closes, lasts, opens",
    ),
    ("opens: 2026-10-24 22:00", "opens: soon", "opens: |soon", "switchover_window.opens", f'"soon" {NO_TIME}'),
    ("lasts: 3h", "lasts: long", "lasts: |long", "segments[0].cutover_window.lasts", f'"long" {NO_LENGTH}'),
    # connections
    ("    hcx: hcx_old", "    hcx: https://hcx.example", "hcx: |https", "connections.source.hcx", NO_CONNECTION),
    ("    hcx: hcx_old", "    hcx: admin:secret@hcx", "hcx: |admin", "connections.source.hcx", NO_CONNECTION),
    (
        "    hcx: hcx_old",
        "    hcx: hcx old",
        "hcx: |hcx old",
        "connections.source.hcx",
        '"hcx old" is not a connection id: use letters, digits, underscore, dot and hyphen',
    ),
    (
        "    hcx: hcx_old",
        "    hcx: twin_hcx",
        "hcx: |twin",
        "connections.source.hcx",
        '"twin_hcx" is a twin: connections that begin with "twin_" belong to rehearsals',
    ),
    (
        "    hcx: hcx_old",
        "    url: hcx_old",
        "|url:",
        "connections.source.url",
        "unknown field; there are: hcx, nsx, vcenter, vmc",
    ),
    ("    vcenter: vcenter_old\n", "", "    |hcx: hcx_old", "connections.source.vcenter", "is required"),
    (
        "    vcenter: vcenter_new",
        "    vcenter: ''",
        "vcenter: |''",
        "connections.destination.vcenter",
        "must not be empty",
    ),
    # defaults and VMs
    (
        "  migration: RAV",
        "  migration: vmotion",
        "migration: |vmotion",
        "defaults.migration",
        'must be one of RAV, Bulk, vMotion or Cold, not "vmotion"',
    ),
    ("  folder: Workloads", "  foldr: Workloads", "|foldr", "defaults.foldr", 'unknown field; did you mean "folder"?'),
    (
        "  folder: Workloads",
        "  folder: ' Workloads'",
        "folder: |' W",
        "defaults.folder",
        '" Workloads" begins or ends with a space: write "Workloads"',
    ),
    (
        "  folder: Workloads",
        '  folder: "Work\\nloads"',
        'folder: |"W',
        "defaults.folder",
        "contains a control character or a line break (U+000A at character 5): write it without",
    ),
    (
        "  folder: Workloads",
        "  folder: true",
        "folder: |true",
        "defaults.folder",
        'must be text; put it in quotes: "true"',
    ),
    (
        "  cluster: Cluster-1",
        f"  cluster: {'c' * 129}",
        "cluster: |ccc",
        "defaults.cluster",
        "is 129 characters long, and such a name has at most 128: copy it from the product",
    ),
    (
        "  disk_format: thin",
        "  disk_format: fat",
        "disk_format: |fat",
        "defaults.disk_format",
        'must be one of sameAsSource, thin, thick, lazyZeroedThick or eagerZeroedThick, not "fat"',
    ),
    (
        "    - {source: erp, destination: erp-new}",
        "    - {source: erp}",
        "    - |{source: erp}",
        "defaults.networks[0].destination",
        "is required",
    ),
    (
        "    - {source: erp, destination: erp-new}",
        "    - {source: erp, destination: e, nic: 1}",
        "e, |nic: 1",
        "defaults.networks[0].nic",
        "unknown field; there are: destination, source",
    ),
    (
        "    retain_mac: true\n",
        "    retain_mac: yes\n",
        "retain_mac: |yes",
        "defaults.options.retain_mac",
        f'{BOOLEAN}, not "yes"',
    ),
    (
        "    retain_mac: true\n",
        "    retain_mac: 1\n",
        "retain_mac: |1",
        "defaults.options.retain_mac",
        f"{BOOLEAN}, not 1",
    ),
    (
        "    retain_mac: true\n",
        "    retain_mak: true\n",
        "|retain_mak",
        "defaults.options.retain_mak",
        'unknown field; did you mean "retain_mac"?',
    ),
    ("  - erp01\n", "  - 4711\n", "- |4711", "vms[0]", 'must be the name of a VM; put it in quotes: "4711"'),
    ("  - erp01\n", "  - \n", "-| \n", "vms[0]", f"{MAPPING}, {BLANK}"),
    (
        "  - erp01\n",
        f"  - {'v' * 81}\n",
        "- |vvv",
        "vms[0].name",
        "is 81 characters long, and a VM's name in vCenter has at most 80: copy it from the product",
    ),
    ("  - erp01\n", '  - "erp01 "\n', '- |"e', "vms[0].name", '"erp01 " begins or ends with a space: write "erp01"'),
    ("  - erp01\n", "  - erp*\n", "- |erp", "vms[0].name", '"erp*" is a pattern, not a name: list each name by itself'),
    (
        "  - erp01\n",
        "  - erp0?\n",
        "- |erp",
        "vms[0].name",
        '"erp0?" is a pattern, not a name: list each name by itself',
    ),
    ("  - erp01\n", '  - "  "\n', '- |"', "vms[0].name", "must not be blank"),
    (
        "  - erp01\n",
        '  - "erp\\a01"\n',
        '- |"e',
        "vms[0].name",
        "contains a control character or a line break (U+0007 at character 4): write it without",
    ),
    ("  - erp01\n", "  - {folder: Databases}\n", "- |{folder", "vms[0].name", "is required"),
    (
        "    folder: Databases",
        "    folders: Databases",
        "|folders",
        "vms[1].folders",
        'unknown field; did you mean "folder"?',
    ),
    ("5012a3c4-0f1e", "5012a3c4-xxxx", "instance_uuid: |5012", "vms[1].instance_uuid", UUID),
    ("{adapter: 2,", "{adapter: 0,", "adapter: |0", "vms[1].nics[0].adapter", "must be at least 1"),
    ("{adapter: 2,", "{adapter: 11,", "adapter: |11", "vms[1].nics[0].adapter", "must be at most 10"),
    ("{adapter: 2,", "{adapter: two,", "adapter: |two", "vms[1].nics[0].adapter", f'{NUMBER}, not "two"'),
    ("connected: false", "connected: 'no'", "connected: |'no'", "vms[1].nics[0].connected", f'{BOOLEAN}, not "no"'),
    (
        "switchover_order: [erp02, erp01]",
        "switchover_order: erp02",
        "switchover_order: |erp02",
        "switchover_order",
        'must be a list, not "erp02"',
    ),
    # segments
    (
        "    segment_id: erp-segment",
        "    segment_id: 12",
        "segment_id: |12",
        "segments[0].segment_id",
        'must be text; put it in quotes: "12"',
    ),
    (
        "  - {name: backup, cutover: never}",
        "  - {name: backup}",
        "- |{name: backup}",
        "segments[3].cutover",
        "is required",
    ),
    (
        "  - {name: backup, cutover: never}",
        "  - {cutover: never}",
        "- |{cutover: never}",
        "segments[3].name",
        "is required",
    ),
    (
        "  - {name: backup, cutover: never}",
        "  - {name: backup, cutover: no}",
        "cutover: |no}",
        "segments[3].cutover",
        'must be one of now, later or never, not "no"',
    ),
    (
        "  - {name: backup, cutover: never}",
        "  - backup",
        "- |backup\ncleanup",
        "segments[3]",
        f'{MAPPING}, not "backup"',
    ),
    (
        "disconnect: hook",
        "disconnect: ssh",
        "disconnect: |ssh",
        "segments[0].disconnect",
        'must be one of nsx, hook or manual, not "ssh"',
    ),
    ("cut_by: erp-2", "cut_by: ERP 2", "cut_by: |ERP 2", "segments[2].cut_by", f'"ERP 2" {NO_DAG_ID}'),
    (
        'act: [/opt/router, "off", erp]',
        "act: /opt/router off erp",
        "act: |/opt",
        "segments[0].hook.act",
        'must be a list, not "/opt/router off erp"',
    ),
    ('act: [/opt/router, "off", erp]', "act: []", "act: |[]", "segments[0].hook.act", "must not be an empty list"),
    (
        'act: [/opt/router, "off", erp]',
        "act: [/opt/router, 7]",
        "act: [/opt/router, |7]",
        "segments[0].hook.act[1]",
        'must be text; put it in quotes: "7"',
    ),
    ('act: [/opt/router, "off", erp]', 'act: ["", erp]', 'act: [|""', "segments[0].hook.act[0]", "must name a program"),
    ('      undo: [/opt/router, "on", erp]\n', "", "      |act: [/opt", "segments[0].hook.undo", "is required"),
    ("      check: [/opt/router, state, erp]\n", "", "      |act: [/opt", "segments[0].hook.check", "is required"),
    ("timeout: 30s", "timeout: 0s", "timeout: |0s", "segments[0].hook.timeout", "must be more than 0s and at most 10m"),
    (
        "timeout: 30s",
        "timeout: 11m",
        "timeout: |11m",
        "segments[0].hook.timeout",
        "must be more than 0s and at most 10m",
    ),
    (
        "      instructions: Shut interface vlan 7 on both routers.\n",
        "",
        "      |undo_instructions:",
        "segments[1].manual.instructions",
        "is required",
    ),
    (
        "      undo_instructions: Open interface vlan 7 on both routers.\n",
        "",
        "      |instructions: Shut",
        "segments[1].manual.undo_instructions",
        "is required",
    ),
    (
        "      check: [/opt/router, state, voice]\n",
        "",
        "      |instructions: Shut",
        "segments[1].manual.check",
        "is required",
    ),
    (
        "{vm: fw01, reason: The firewall between the tiers.}",
        "{vm: fw01}",
        "- |{vm: fw01}",
        "segments[0].stays[0].reason",
        "is required",
    ),
    (
        "    delete_source: false",
        "    delete_source: keep",
        "delete_source: |keep",
        "segments[0].delete_source",
        f'{BOOLEAN}, not "keep"',
    ),
    # the rest
    (
        "cleanup: {hold: 14d,",
        "cleanup: {hold: fortnight,",
        "hold: |fortnight",
        "cleanup.hold",
        f'"fortnight" {NO_LENGTH}',
    ),
    (
        "delete_source: true}",
        "delete_source: true, rename: x}",
        "true, |rename",
        "cleanup.rename",
        "unknown field; there are: delete_source, hold",
    ),
    (
        "  approve_cleanup:",
        "  approve_all:",
        "|approve_all",
        "gates.approve_all",
        'unknown field; did you mean "approve_wave"?',
    ),
    (
        "approvers: [alice, bob]",
        "approvers: alice",
        "approvers: |alice, r",
        "gates.approve_wave.approvers",
        'must be a list, not "alice"',
    ),
    (
        "approvers: [alice, bob]",
        "approvers: [alice, 42]",
        "alice, |42]",
        "gates.approve_wave.approvers[1]",
        'must be text; put it in quotes: "42"',
    ),
    (
        '"CHG[0-9]{7}"',
        '"CHG[0-9"',
        '|"CHG[0-9"',
        "gates.approve_wave.change_reference_pattern",
        "is not a valid regular expression: unterminated character set at position 3",
    ),
    ("max_failed_vms: 1", "max_failed_vms: -1", "max_failed_vms: |-1", "limits.max_failed_vms", "must be at least 0"),
    ("max_failed_vms: 1", "max_failed_vms: 1.5", "max_failed_vms: |1.5", "limits.max_failed_vms", f"{NUMBER}, not 1.5"),
    ("max_failed_vms: 1", "max_vms: 1", "|max_vms", "limits.max_vms", 'unknown field; did you mean "max_failed_vms"?'),
    (
        "stop_before_cutover: true",
        "stop_before_cutover: maybe",
        "cutover: |maybe",
        "options.stop_before_cutover",
        f'{BOOLEAN}, not "maybe"',
    ),
    (
        "poll_interval: 20s",
        "poll_every: 20s",
        "|poll_every",
        "options.poll_every",
        'unknown field; did you mean "poll_interval"?',
    ),
    (
        "finding: vm-has-snapshots",
        "finding: VM has snapshots",
        "finding: |VM",
        "waivers[0].finding",
        '"VM has snapshots" is not a finding id: use lower-case words with hyphens, such as vm-has-snapshots',
    ),
    ("reason: Removed on the way.", "reason: ' '", "reason: |' '", "waivers[0].reason", "must not be blank"),
    (", reason: Removed on the way.", "", "- |{finding", "waivers[0].reason", "is required"),
    (", approved_by: alice, expires", ", expires", "- |{finding", "waivers[0].approved_by", "is required"),
    (", expires: 2026-10-31", "", "- |{finding", "waivers[0].expires", "is required"),
    (
        "expires: 2026-10-31",
        "expires: 31.10.2026",
        "expires: |31",
        "waivers[0].expires",
        '"31.10.2026" is not a date: write it as 2026-11-30',
    ),
    (
        "expires: 2026-10-31",
        "expires: 2026-10-32",
        "expires: |2026-10-32",
        "waivers[0].expires",
        '"2026-10-32" is not a date: write it as 2026-11-30',
    ),
    ("limits: {", "limit: {", "|limit:", "limit", 'unknown field; did you mean "limits"?'),
    (
        "limits: {max_failed_vms: 1}",
        "owner: erp-team",
        "|owner:",
        "owner",
        "unknown field; there are: after, cleanup, connections, defaults, description, gates, limits, name, options, "
        "reversible, segments, start, start_tolerance, switchover_order, switchover_window, time_zone, vms, waivers",
    ),
]


@pytest.mark.parametrize(("old", "new", "place", "field", "message"), CASES)
def test_a_field_is_refused_by_its_own_message_at_its_place(
    old: str, new: str, place: str, field: str, message: str
) -> None:
    text = changed(old, new)

    assert told(text) == [(*place_in(text, place), field, message)]


def test_the_file_that_all_cases_change_is_valid() -> None:
    assert problems_of(FULL) == ()


def test_an_optional_field_that_is_left_blank_counts_as_not_written() -> None:
    assert problems_of(changed("    retain_mac: true\n", "    retain_mac:\n")) == ()
