"""Every rule between fields refuses with its own message, at the field that breaks it."""

from __future__ import annotations

import pytest

from support.wave_files import changed, minimal, place_in, problems_of, told

ERP = "    cutover_window: {opens: 2026-10-25 04:00, lasts: 3h}\n"
NOT_NOW = "is for cutover: now, not for never"
LATER = "  - {name: shared, cutover: later, cut_by: erp-2}"
NEVER = "  - {name: backup, cutover: never"

# old passage, new passage, where the problem is, field, message
CASES = [
    # connections
    (
        "    vmc: vmc_new",
        "    vmc: vmc_new\n    nsx: nsx_new",
        "vmc: |vmc_new",
        "connections.destination.vmc",
        "nsx is given as well: an SDDC's NSX is reached through vmc alone",
    ),
    (
        "    hcx: hcx_old\n",
        "",
        "source:\n    |nsx",
        "connections.source",
        "needs hcx: the manager that all HCX calls go to",
    ),
    (
        "    vmc: vmc_new\n",
        "",
        "destination:\n    |hcx",
        "connections.destination",
        "needs nsx or vmc: HCX extends networks to NSX segments",
    ),
    (
        "    vcenter: vcenter_new",
        "    vcenter: vcenter_old",
        "vmc_new\n    vcenter: |vcenter_old",
        "connections.destination.vcenter",
        '"vcenter_old" is the source\'s vcenter connection already',
    ),
    (
        "    hcx: hcx_new",
        "    hcx: nsx_old",
        "hcx: |nsx_old",
        "connections.destination.hcx",
        '"nsx_old" is the source\'s nsx connection already',
    ),
    # VMs
    ("  - erp01\n", "  - erp01\n  - ERP01\n", "- |ERP01", "vms[1]", '"ERP01" is listed twice'),
    (
        "name: erp03",
        "name: erp03\n    instance_uuid: 5012A3C4-0f1e-2d3c-4b5a-69788796a5b4",
        "|5012A3C4",
        "vms[2].instance_uuid",
        '"5012A3C4-0f1e-2d3c-4b5a-69788796a5b4" is listed twice',
    ),
    (
        "{source: backup, destination: backup-db}",
        "{source: backup, destination: x}\n      - {source: Backup, destination: y}",
        "source: |Backup",
        "vms[1].networks[1].source",
        '"Backup" is listed twice',
    ),
    (
        "{source: backup, destination: backup-new}",
        "{source: erp, destination: erp-new}",
        "new}\n    - {source: |erp",
        "defaults.networks[1].source",
        '"erp" is listed twice',
    ),
    (
        "{adapter: 2, destination: erp-out, connected: false}",
        "{adapter: 2, destination: x}\n      - {adapter: 2, destination: y}",
        "adapter: |2, destination: y",
        "vms[1].nics[1].adapter",
        '"2" is listed twice',
    ),
    (
        "switchover_order: [erp02, erp01]",
        "switchover_order: [erp02, erp09]",
        "erp02, |erp09]",
        "switchover_order[1]",
        '"erp09" is not among the wave\'s vms',
    ),
    (
        "switchover_order: [erp02, erp01]",
        "switchover_order: [erp02, erp02]",
        "erp02, |erp02]",
        "switchover_order[1]",
        '"erp02" is listed twice',
    ),
    (
        "  datastore: Store\n",
        "",
        "remove_isos: true\n    retain_mac: true\n    seed_checkpoint: |true",
        "defaults.options.seed_checkpoint",
        "needs a datastore, as replicated data is kept on one specific datastore and erp01 has none",
    ),
    (
        "{upgrade_vm_tools: false}",
        "{force_power_off: true}",
        "|true}\n  - name: erp03",
        "vms[1].options.force_power_off",
        "applies to Bulk only, not RAV",
    ),
    (
        "    migration: Bulk\n",
        "    migration: Cold\n",
        "power_off: |true, retain",
        "vms[2].options.force_power_off",
        "applies to Bulk only, not Cold",
    ),
    (
        "{upgrade_vm_tools: false}",
        "{seed_checkpoint: true}\n    migration: Cold",
        "{seed_checkpoint: |true}",
        "vms[1].options.seed_checkpoint",
        "needs a migration that replicates (RAV or Bulk), not Cold",
    ),
    # segments
    (ERP, "", "erp-segment\n    cutover: |now", "segments[0].cutover", "now needs a cutover_window"),
    (
        LATER,
        "  - {name: shared, cutover: later}",
        "cutover: |later}",
        "segments[2].cutover",
        "later needs cut_by: the wave that cuts this segment over",
    ),
    (
        LATER,
        "  - {name: shared, cutover: later, cut_by: erp-1}",
        "cut_by: |erp-1",
        "segments[2].cut_by",
        "names this wave itself: write cutover: now if it cuts the segment over",
    ),
    (
        NEVER,
        NEVER + ", cut_by: erp-2",
        "never, cut_by: |erp-2}",
        "segments[3].cut_by",
        "is for cutover: later, not for never",
    ),
    (
        "    segment_id: erp-segment",
        "    cut_by: erp-2",
        "cut_by: |erp-2\n",
        "segments[0].cut_by",
        "is for cutover: later, not for now",
    ),
    (
        NEVER,
        NEVER + ", cutover_window: {opens: 2026-10-25 06:00, lasts: 1h}",
        "window: |{opens: 2026-10-25 06:00",
        "segments[3].cutover_window",
        NOT_NOW,
    ),
    (NEVER, NEVER + ", disconnect: nsx", "disconnect: |nsx", "segments[3].disconnect", NOT_NOW),
    (NEVER, NEVER + ", hook: {act: [x], check: [x], undo: [x]}", "|{act: [x]", "segments[3].hook", NOT_NOW),
    (
        NEVER,
        NEVER + ", manual: {instructions: a, undo_instructions: b, check: [x]}",
        "|{instructions: a",
        "segments[3].manual",
        NOT_NOW,
    ),
    (NEVER, NEVER + ", stays: [{vm: x, reason: y}]", "|[{vm: x", "segments[3].stays", NOT_NOW),
    (NEVER, NEVER + ", delete_source: true", "source: |true}\ncleanup", "segments[3].delete_source", NOT_NOW),
    (NEVER, NEVER + ", rename_destination: b2", "|b2", "segments[3].rename_destination", NOT_NOW),
    (
        LATER,
        LATER[:-1] + ", rename_destination: b2}",
        "|b2",
        "segments[2].rename_destination",
        "is for cutover: now, not for later",
    ),
    ("    disconnect: hook\n", "", "|act: [/opt", "segments[0].hook", "is for disconnect: hook, not for nsx"),
    (
        "    disconnect: manual\n",
        "",
        "|instructions: Shut",
        "segments[1].manual",
        "is for disconnect: manual, not for nsx",
    ),
    (
        "disconnect: hook",
        "disconnect: hook\n    manual: {instructions: a, undo_instructions: b, check: [x]}",
        "|{instructions: a",
        "segments[0].manual",
        "is for disconnect: manual, not for hook",
    ),
    (
        "{name: backup, cutover: never}",
        "{name: Shared, cutover: never}",
        "name: |Shared",
        "segments[3].name",
        '"Shared" is listed twice',
    ),
    (
        "{name: backup, cutover: never}",
        '{name: "er p", cutover: never}\n  - {name: er-p, cutover: never}',
        "name: |er-p",
        "segments[4].name",
        '"er-p" and "er p" would have the same task ids (er-p)',
    ),
    (
        "{name: backup, cutover: never}",
        "{name: backup, segment_id: erp-segment, cutover: never}",
        "segment_id: |erp-segment, ",
        "segments[3].segment_id",
        '"erp-segment" is listed twice',
    ),
    (
        "    disconnect: manual\n",
        "    disconnect: manual\n    rename_destination: erp-cloud\n",
        "manual\n    rename_destination: |erp-cloud",
        "segments[1].rename_destination",
        '"erp-cloud" is listed twice',
    ),
    (
        "destination: erp-new}",
        "destination: erp-old}",
        "destination: |erp-old",
        "defaults.networks[0].destination",
        'segment erp goes to "erp-new", so its NICs cannot go to "erp-old"',
    ),
    (
        "{source: backup, destination: backup-db}",
        "{source: erp, destination: elsewhere}",
        "destination: |elsewhere",
        "vms[1].networks[0].destination",
        'segment erp goes to "erp-new", so its NICs cannot go to "elsewhere"',
    ),
    (
        "vm: fw01",
        "vm: ERP03",
        "vm: |ERP03",
        "segments[0].stays[0].vm",
        '"ERP03" is among the wave\'s vms, so it cannot stay',
    ),
    (
        "      - {vm: fw01, reason: The firewall between the tiers.}\n",
        "      - {vm: fw01, reason: a}\n      - {vm: FW01, reason: b}\n",
        "vm: |FW01",
        "segments[0].stays[1].vm",
        '"FW01" is listed twice',
    ),
    # gates
    (
        "approvers: [alice, bob]",
        "approvers: []",
        "approvers: |[]",
        "gates.approve_wave.approvers",
        "is empty, so nobody could answer: name a user or leave it out",
    ),
    (
        "approvers: [alice, bob]",
        "approvers: [alice, alice]",
        "alice, |alice]",
        "gates.approve_wave.approvers[1]",
        '"alice" is listed twice',
    ),
    (
        "{response_timeout: 1h}",
        "{response_timeout: 0s}",
        "timeout: |0s",
        "gates.approve_switchover.response_timeout",
        "must be more than 0s",
    ),
    (
        "response_timeout: 2h,",
        "response_timeout: 40h,",
        "timeout: |40h",
        "gates.approve_wave.response_timeout",
        "1d16h is longer than the 1d9h until the switchover window closes",
    ),
    (
        "{response_timeout: 1h}",
        "{response_timeout: 8h}",
        "timeout: |8h",
        "gates.approve_switchover.response_timeout",
        "8h is longer than the 7h until the switchover window closes",
    ),
    (
        "response_timeout: 45m",
        "response_timeout: 3h30m",
        "timeout: |3h30m",
        "gates.approve_cutover.response_timeout",
        "3h30m is longer than the 3h until the cutover window of erp closes",
    ),
    # chaining, running, waivers
    (
        "switchover_order:",
        "after: [erp-0]\nswitchover_order:",
        "start: |2026",
        "start",
        "cannot be combined with after: the waves before this one start it",
    ),
    ("poll_interval: 20s", "poll_interval: 1s", "interval: |1s", "options.poll_interval", "must be between 5s and 10m"),
    (
        "poll_interval: 20s",
        "poll_interval: 11m",
        "interval: |11m",
        "options.poll_interval",
        "must be between 5s and 10m",
    ),
    (
        "expires: 2026-10-31",
        "expires: 2026-10-22",
        "expires: |2026-10-22",
        "waivers[0].expires",
        "2026-10-22 is before the wave's start on 2026-10-23, so the waiver never holds",
    ),
    (
        "waivers:\n",
        "waivers:\n  - {finding: vm-has-snapshots, subject: erp02, reason: x, approved_by: y, expires: 2026-11-01}\n",
        "  - |{finding: vm-has-snapshots, subject: erp02, reason: Removed",
        "waivers[1]",
        '"vm-has-snapshots for erp02" is listed twice',
    ),
]


@pytest.mark.parametrize(("old", "new", "place", "field", "message"), CASES)
def test_a_broken_rule_is_refused_by_its_own_message_at_its_place(
    old: str, new: str, place: str, field: str, message: str
) -> None:
    text = changed(old, new)

    assert told(text) == [(*place_in(text, place), field, message)]


SMALL_CASES = [
    (
        minimal(vms="[a, b]").replace("resource_pool: Pool, ", ""),
        "defaults: |{",
        "defaults",
        "needs resource_pool or cluster, as no VM has one of its own",
    ),
    (
        minimal(vms="[a, b]").replace(", datastore: Store", ""),
        "defaults: |{",
        "defaults",
        "needs datastore or storage_policy, as no VM has one of its own",
    ),
    (
        minimal(vms="[{name: a, cluster: x}, b]").replace("resource_pool: Pool, ", ""),
        "x}, |b]",
        "vms[1]",
        "b has no resource_pool and no cluster, neither here nor in defaults",
    ),
    (
        minimal(vms="[{name: a, options: {seed_checkpoint: true}}]").replace("datastore: S", "storage_policy: S"),
        "checkpoint: |true",
        "vms[0].options.seed_checkpoint",
        "needs a datastore, as replicated data is kept on one specific datastore",
    ),
    (
        minimal().replace("Store}", "Store, options: {force_power_off: true}}"),
        "power_off: |true",
        "defaults.options.force_power_off",
        "applies to Bulk only, and no VM of the wave is moved that way",
    ),
    (
        minimal().replace("Store}", "Store, migration: Cold, options: {seed_checkpoint: true}}"),
        "checkpoint: |true",
        "defaults.options.seed_checkpoint",
        "needs a migration that replicates (RAV or Bulk), and no VM of the wave is moved that way",
    ),
    (
        minimal(vms="[{name: a, datastore: x}, b]").replace(", datastore: Store", ""),
        "x}, |b]",
        "vms[1]",
        "b has no datastore and no storage_policy, neither here nor in defaults",
    ),
    (minimal(more="after: [small]\n"), "after: [|small]", "after[0]", "a wave cannot come after itself"),
    (minimal(more="after: [x, x]\n"), "after: [x, |x]", "after[1]", '"x" is listed twice'),
    (
        minimal(more="segments: [{name: s, cutover: now, cutover_window: {opens: +1h, lasts: 1h}}]\n").replace(
            "nsx: nsx_old, ", ""
        ),
        "cutover: |now",
        "segments[0].cutover",
        "nsx needs connections.source.nsx or connections.source.vmc; a router is disconnected by hook or manual",
    ),
    (
        minimal(
            more="segments:\n  - {name: s, cutover: now, disconnect: hook, cutover_window: {opens: +1h, lasts: 1h}}\n"
        ),
        "disconnect: |hook",
        "segments[0].disconnect",
        "hook needs hook: with act, check and undo",
    ),
    (
        minimal(
            more="segments:\n  - {name: s, cutover: now, disconnect: manual, cutover_window: {opens: +1h, lasts: 1h}}\n"
        ),
        "disconnect: |manual",
        "segments[0].disconnect",
        "manual needs manual: with instructions, undo_instructions and check",
    ),
    (
        minimal(
            more="switchover_window: {opens: +2h, lasts: 4h}\n"
            "segments: [{name: s, cutover: now, cutover_window: {opens: +1h, lasts: 9h}}]\n"
        ),
        "opens: |+1h",
        "segments[0].cutover_window.opens",
        "is before the switchover window opens",
    ),
    (
        minimal(more="switchover_window: {opens: 2026-11-01 01:30, lasts: 4h}\n").replace("UTC", "America/New_York"),
        "opens: |2026-11-01",
        "switchover_window.opens",
        "2026-11-01 01:30 happens twice in America/New_York: clocks go back then; "
        'write "2026-11-01 01:30-04:00" for the first or "2026-11-01 01:30-05:00" for the second',
    ),
    (minimal(vms="[]"), "vms: |[]", "vms", "must not be an empty list"),
    (minimal(vms=str([f"v{n}" for n in range(2001)])), "vms: |[", "vms", "has more than 2000 entries"),
]


@pytest.mark.parametrize(("text", "place", "field", "message"), SMALL_CASES, ids=range(len(SMALL_CASES)))
def test_a_broken_rule_of_a_small_file(text: str, place: str, field: str, message: str) -> None:
    assert told(text) == [(*place_in(text, place), field, message)]


def test_every_problem_is_told_at_once() -> None:
    text = changed("erp02, erp01]", "erp02, nobody]", changed("Europe/Berlin", "Nowhere/City"))
    text = changed("adapter: 2", "adapter: 99", changed("poll_interval: 20s", "poll_interval: 1s", text))

    fields = [problem.field for problem in problems_of(text)]

    # switchover_order is judged against vms, one of which is invalid by itself.
    assert fields == ["time_zone", "vms[1].nics[0].adapter", "options.poll_interval"]


def test_rules_between_valid_fields_are_asked_though_other_fields_are_invalid() -> None:
    text = changed("Europe/Berlin", "Nowhere/City", changed("erp02, erp01]", "erp02, nobody]"))

    assert [problem.field for problem in problems_of(text)] == ["time_zone", "switchover_order[1]"]


def test_a_list_of_invalid_items_is_not_called_empty() -> None:
    assert [problem.field for problem in problems_of(minimal(vms="[{name: a, foldr: b}]"))] == ["vms[0].foldr"]
