"""Wave files for tests: one that uses every field, and ways to change it."""

from __future__ import annotations

from pathlib import Path

from hcx_waves.wavefile.loader import read_wave
from hcx_waves.wavefile.problems import Problem, WaveFileError
from hcx_waves.wavefile.wave import Wave

FULL = """\
name: erp-1
description: The first half of the ERP system.
time_zone: Europe/Berlin
start: 2026-10-23 20:00
start_tolerance: 1h30m
switchover_window: {opens: 2026-10-24 22:00, closes: 2026-10-25 04:00}
connections:
  source:
    hcx: hcx_old
    nsx: nsx_old
    vcenter: vcenter_old
  destination:
    hcx: hcx_new
    vmc: vmc_new
    vcenter: vcenter_new
defaults:
  migration: RAV
  service_mesh: mesh-1
  cluster: Cluster-1
  resource_pool: Pool
  folder: Workloads
  datastore: Store
  storage_policy: Gold
  disk_format: thin
  networks:
    - {source: erp, destination: erp-new}
    - {source: backup, destination: backup-new}
  options:
    remove_snapshots: true
    remove_isos: true
    retain_mac: true
    seed_checkpoint: true
vms:
  - erp01
  - name: erp02
    instance_uuid: 5012a3c4-0f1e-2d3c-4b5a-69788796a5b4
    folder: Databases
    networks:
      - {source: backup, destination: backup-db}
    nics:
      - {adapter: 2, destination: erp-out, connected: false}
    options: {upgrade_vm_tools: false}
  - name: erp03
    migration: Bulk
    options: {force_power_off: true, retain_mac: false}
switchover_order: [erp02, erp01]
segments:
  - name: erp
    segment_id: erp-segment
    cutover: now
    cutover_window: {opens: 2026-10-25 04:00, lasts: 3h}
    destination: erp-new
    disconnect: hook
    hook:
      act: [/opt/router, "off", erp]
      check: [/opt/router, state, erp]
      undo: [/opt/router, "on", erp]
      timeout: 30s
    stays:
      - {vm: fw01, reason: The firewall between the tiers.}
    delete_source: false
    rename_destination: erp-cloud
  - name: voice
    cutover: now
    cutover_window: {opens: 2026-10-25 05:00, closes: 2026-10-25 09:00}
    disconnect: manual
    manual:
      instructions: Shut interface vlan 7 on both routers.
      undo_instructions: Open interface vlan 7 on both routers.
      check: [/opt/router, state, voice]
  - {name: shared, cutover: later, cut_by: erp-2}
  - {name: backup, cutover: never}
cleanup: {hold: 14d, delete_source: true}
gates:
  approve_wave: {approvers: [alice, bob], response_timeout: 2h, change_reference_pattern: "CHG[0-9]{7}"}
  approve_switchover: {response_timeout: 1h}
  approve_cutover: {approvers: [alice], response_timeout: 45m}
  approve_cleanup: {response_timeout: 7d}
limits: {max_failed_vms: 1}
options: {poll_interval: 20s, stop_before_cutover: true}
waivers:
  - {finding: vm-has-snapshots, subject: erp02, reason: Removed on the way., approved_by: alice, expires: 2026-10-31}
"""

MINIMAL = """\
name: {name}
description: A wave.
time_zone: UTC
connections:
  source: {{hcx: hcx_old, nsx: nsx_old, vcenter: vcenter_old}}
  destination: {{nsx: nsx_new, vcenter: vcenter_new}}
defaults: {{resource_pool: Pool, datastore: Store}}
"""


def minimal(name: str = "small", vms: str = "[a]", more: str = "") -> str:
    """Return the shortest wave file; ``more`` is appended as it stands."""
    return MINIMAL.format(name=name) + f"vms: {vms}\n" + more


def changed(old: str, new: str, text: str = FULL) -> str:
    """Return a wave file with one passage replaced; the passage must be there once."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


def problems_of(text: str, origin: str = "w.yaml") -> tuple[Problem, ...]:
    """Return what is wrong with a wave file; empty if nothing is."""
    try:
        read_wave(text, origin)
    except WaveFileError as error:
        return error.problems
    return ()


def told(text: str) -> list[tuple[int, int, str, str]]:
    """Return line, column, field and message of each problem of a wave file."""
    return [(problem.line, problem.column, problem.field, problem.message) for problem in problems_of(text)]


def place_in(text: str, passage: str) -> tuple[int, int]:
    """Return line and column, from 1, of a passage that is there once, or of its last letters after ``|``.

    ``"cutover: |now"`` is the place of ``now``.
    """
    before, _, after = passage.rpartition("|")
    assert text.count(before + after) == 1, f"{before + after!r} is there {text.count(before + after)} times"
    position = text.index(before + after) + len(before)
    return text.count("\n", 0, position) + 1, position - (text.rfind("\n", 0, position) + 1) + 1


def write(folder: Path, *texts: str) -> list[Path]:
    """Write wave files, each called as its wave is, and return their paths."""
    paths = []
    for text in texts:
        name = next(line.removeprefix("name: ") for line in text.splitlines() if line.startswith("name: "))
        path = folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def full_wave() -> Wave:
    """Return the wave that uses every field."""
    return read_wave(FULL)
