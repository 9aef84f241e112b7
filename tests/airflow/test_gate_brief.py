"""What a gate says first: a brief of ten lines, true for what the run really does, and readable with 100 VMs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskAwaitingInput

from hcx_airflow.errors import UnansweredError
from hcx_airflow.folders import REPORTS_VARIABLE
from hcx_airflow.gates.asking import last_rehearsal
from hcx_airflow.gates.body import GateView, cutover_body, switchover_body, wave_body
from hcx_airflow.gates.groups import Row, ranges, vm_table
from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Assessments, Finding, Severity, Waiver, assess
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.states import WaveOutcome
from hcx_waves.rehearsals.model import RehearsalRecord
from hcx_waves.rehearsals.store import RecordStore
from hcx_waves.run.scope import Scope
from hcx_waves.wavefile.loader import load_wave
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

MOST_LINES_OF_BRIEF = 10


@pytest.fixture
def tasks(airflow_run: AirflowRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WaveTasks:
    monkeypatch.setenv(REPORTS_VARIABLE, str(tmp_path / "reports"))
    made = WaveTasks(airflow_run)
    made.do("resolve_plan")
    return made


def edit_wave(run: AirflowRun, new: str) -> None:
    path = run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text().replace("cleanup:\n", f"{new}\n\ncleanup:\n"))


def asked(tasks: WaveTasks, gate: str = "approve_wave") -> dict[str, Any]:
    with pytest.raises(TaskAwaitingInput):
        tasks.run.execute(tasks.make(gate))
    return tasks.run.asked[-1]


def brief_of(body: str) -> dict[str, str]:
    """Return the lines of the brief by their names; it is what stands first."""
    first = body.partition("\n\n")[0].splitlines()
    assert len(first) <= MOST_LINES_OF_BRIEF, first
    return dict(re.fullmatch(r"- \*\*(.+?)\*\*: (.+)", line).groups() for line in first)  # type: ignore[union-attr]


def record(wave_hash: str | None, **changes: Any) -> RehearsalRecord:
    starts = datetime(2026, 10, 24, 20, tzinfo=UTC)
    facts = {
        "wave": "seed-wave",
        "night": date(2026, 10, 24),
        "time_zone": "UTC",
        "seed": 1,
        "outcome": WaveOutcome.AS_PLANNED,
        "verdict": "",
        "starts_at": starts,
        "closes_at": starts + timedelta(hours=12),
        "ended_at": starts + timedelta(hours=1),
        "wave_hash": wave_hash,
        **changes,
    }
    return RehearsalRecord.model_validate(facts)


def many(plan: WavePlan, count: int) -> WavePlan:
    """Return the plan with so many VMs, of which the last has another folder and migration type."""
    pattern, mesh = plan.vms[0], plan.vms[0].folder
    assert mesh is not None
    vms = [pattern.model_copy(update={"name": f"web{number:03}"}) for number in range(1, count)]
    odd = {"name": "db01", "migration": MigrationType.BULK, "folder": mesh.model_copy(update={"name": "Databases"})}
    return plan.model_copy(update={"vms": (*vms, pattern.model_copy(update=odd))})


@pytest.fixture
def view(tasks: WaveTasks) -> GateView:
    plan = WavePlan.model_validate(tasks.left("resolve_plan"))
    return GateView(plan, load_wave(tasks.run.bundle / "waves" / "seed-wave.yaml"), Scope())


def test_a_brief_comes_first_and_says_who_decides_until_when(tasks: WaveTasks) -> None:
    edit_wave(tasks.run, "gates:\n  approve_wave: {approvers: [bob, alice], change_reference_pattern: CHG-1}")
    tasks.do("resolve_plan", "run_preflight")
    brief = brief_of(asked(tasks)["body"])
    names = ["What", "How many", "When", "Outage", "Chance", "Findings"]
    assert list(brief) == [*names, "Started by", "May answer", "Answer by", "Last rehearsal"]
    assert "**4 of 4 VMs** from hcx-source to hcx-destination" in brief["What"]
    assert brief["How many"] == "4 of 4 VMs (4 RAV; 180 GiB provisioned); 1 of 1 segment cut over"
    assert brief["When"].startswith("Replication starts as soon as you approve; cutover window ")
    assert "complete by " in brief["When"]
    assert re.match(r"seed-net: .+ \(P50\), .+ \(P90\)", brief["Outage"])
    assert re.match(r"\*\*.+ %\*\* to stay within the windows; last safe start ", brief["Chance"])
    assert brief["Findings"] == "1 advice"
    assert brief["Started by"] == "`carol`"
    assert brief["May answer"] == "bob, alice. An approval needs a change reference that matches `CHG-1`"
    assert brief["Last rehearsal"] == "none"


def test_the_way_back_is_shown_with_its_price_and_deadline(tasks: WaveTasks) -> None:
    tasks.do("run_preflight")
    shown = asked(tasks)["body"].partition("### Way back")[2].partition("###")[0]
    assert "- Reversible: **4 of 4 VMs**\n" in shown
    assert re.search(r"- Price: 4 VMs migrated back, one at a time \(.+\), 1 segment extended again; in all ", shown)
    assert re.search(r"- Deadline: back until \*\*.+\*\*, or it no longer fits the window", shown)


def test_the_deadline_that_is_shown_is_the_one_that_counts(tasks: WaveTasks) -> None:
    with pytest.raises(TaskAwaitingInput) as parked:
        tasks.run.execute(tasks.make("approve_wave"))
    shown = brief_of(tasks.run.asked[-1]["body"])["Answer by"]
    asked_at = datetime.fromisoformat(parked.value.kwargs["asked_at"])  # type: ignore[index]
    assert parked.value.timeout is not None
    assert shown == f"**{asked_at + parked.value.timeout:%a %Y-%m-%d %H:%M} UTC**. Silence is a no."


def test_a_cleared_gate_keeps_its_deadline_as_airflow_keeps_showing_its_text(
    tasks: WaveTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hcx_airflow.task import TaskRun

    first = asked(tasks)["body"]
    later = TaskRun.now
    monkeypatch.setattr(TaskRun, "now", lambda run: later(run) + timedelta(hours=23))
    RecordStore(_reports()).write(record(None))
    with pytest.raises(TaskAwaitingInput) as parked:
        tasks.run.execute(tasks.make("approve_wave"))
    assert tasks.run.asked[-1]["body"] == first
    assert parked.value.timeout is not None
    assert timedelta(minutes=59) < parked.value.timeout <= timedelta(hours=1)
    monkeypatch.setattr(TaskRun, "now", lambda run: later(run) + timedelta(hours=25))
    with pytest.raises(UnansweredError, match="approve_wave was not answered in time"):
        tasks.run.execute(tasks.make("approve_wave"))


def _reports() -> Path:
    from hcx_airflow.folders import reports_folder

    return reports_folder()


@pytest.mark.parametrize("gate", ["approve_wave", "approve_switchover", "approve_cutover", "approve_cleanup"])
def test_every_gate_begins_with_a_brief(tasks: WaveTasks, gate: str) -> None:
    edit_wave(tasks.run, "gates:\n  approve_switchover: {}")
    tasks.do("resolve_plan", "run_preflight")
    brief = brief_of(asked(tasks, gate)["body"])
    assert {"What", "How many", "When", "Outage", "Started by", "May answer", "Answer by"} <= set(brief)


def test_100_vms_are_a_row_for_each_difference(view: GateView) -> None:
    body = wave_body(replace(view, plan=many(view.plan, 100)))
    rows = [line for line in body.splitlines() if line.startswith("| ") and ("web" in line or "db01" in line)]
    assert rows == [
        "| db01 | 1 | 20 GiB | Bulk | Compute-ResourcePool, Databases, WorkloadDatastore |",
        "| web001 to web099 | 99 | 1.9 TiB | RAV | Compute-ResourcePool, Workloads, WorkloadDatastore |",
    ]
    assert "The same for all 100 VMs: networks **seed-net → seed-net**; in this run **Moves**." in body
    assert len(body.splitlines()) < 40


def test_a_vm_that_differs_in_an_option_is_seen(view: GateView) -> None:
    plan = many(view.plan, 30)
    first = plan.vms[0]
    changed = first.model_copy(update={"options": first.options.model_copy(update={"retain_mac": False})})
    body = wave_body(replace(view, plan=plan.model_copy(update={"vms": (changed, *plan.vms[1:])})))
    assert "| web001 | 1 |" in body
    assert "retain mac: no" in body
    assert "web002 to web029" in body


def test_other_gates_group_their_vms_as_well(view: GateView) -> None:
    plan = many(view.plan, 100)
    waiting = VmStatus(name="", vm_id="v", migration_id="m", group_id="g", phase=VmPhase.WAITING_FOR_WINDOW)
    vms = tuple(waiting.model_copy(update={"name": vm.name}) for vm in plan.vms)
    odd = vms[0].model_copy(update={"phase": VmPhase.FAILED, "message": "no space"})
    seeded = WaveStatus(at=datetime(2026, 2, 1, tzinfo=UTC), vms=(odd, *vms[1:]))
    body = switchover_body(replace(view, plan=plan, seeded=seeded))
    assert "| web001 | 1 | Failed | no space |" in body
    assert brief_of(body)["How many"] == "100 VMs: 1 failed, 99 waiting for window"
    assert len(body.splitlines()) < 30


def test_names_without_gaps_become_ranges() -> None:
    names = ["web01", "web02", "web03", "web05", "app", "db9", "db10", "db11", "db12", "x1", "x2"]
    assert ranges(names) == ["app", "db10 to db12", "db9", "web01 to web03", "web05", "x1", "x2"]


def test_a_size_that_nobody_knows_is_not_nothing() -> None:
    rows = [Row(f"vm{number:02}", ("RAV",), None if number == 7 else 2**30) for number in range(20)]
    assert "| vm00 to vm19 | 20 | 19 GiB and 1 of unknown size |" in vm_table(("Type",), rows, "")


def test_findings_by_severity_and_waivers_with_who_until_when_and_why(view: GateView) -> None:
    waiver = Waiver(finding="a", subject="web01", reason="Known.", approved_by="bob", expires=date(2026, 5, 1))
    old = waiver.model_copy(update={"finding": "b", "approved_by": "eve", "expires": date(2025, 1, 1)})
    found = [
        Finding(finding_id=name, severity=severity, subject="web01", message=f"It is {name}.")
        for name, severity in (("a", Severity.BLOCKING), ("b", Severity.WARNING), ("c", Severity.WARNING))
    ]
    body = wave_body(replace(view, assessments=assess(found, [waiver, old], date(2026, 2, 1))))
    assert brief_of(body)["Findings"] == "2 warning, 1 waived"
    assert "| Waived | web01 | It is a. | bob, until 2026-05-01: Known. |" in body
    assert "A waiver has expired (eve, until 2025-01-01: Known.)." in body


def test_unknown_findings_are_not_none(view: GateView) -> None:
    assert brief_of(wave_body(view))["Findings"].startswith("unknown")
    assert brief_of(wave_body(replace(view, assessments=Assessments(items=()))))["Findings"] == "none"


def test_the_last_rehearsal_is_told_with_its_outcome(view: GateView, tmp_path: Path) -> None:
    store = RecordStore(_reports())
    store.write(record(view.wave.wave_hash))
    assert last_rehearsal(view.wave) == (
        "night of 2026-10-24: Everything went as planned, ended at 21:00 UTC, 11h before the last window closed."
    )
    store.write(record("other", faults=("tunnel-down",), outcome=WaveOutcome.INCOMPLETE))
    said = last_rehearsal(view.wave)
    assert said.startswith("night of 2026-10-24 with faults tunnel-down: Something was left behind")
    assert said.endswith(" The wave file has changed since.")
    path = store.place("seed-wave") / "2026-10-24.json"
    path.write_text("{")
    assert last_rehearsal(view.wave).startswith("unknown, as the records cannot be read: 2026-10-24.json")


def test_the_form_of_a_gate_has_the_pattern_and_the_hint(tasks: WaveTasks) -> None:
    edit_wave(tasks.run, 'gates:\n  approve_wave: {change_reference_pattern: "CHG[0-9]{4}"}')
    tasks.run.params = {"change_reference": "lunch"}
    tasks.do("resolve_plan")
    param = asked(tasks)["params"]["change_reference"]
    assert param["schema"]["pattern"] == "^(?:CHG[0-9]{4})$"
    assert "All of it must match CHG[0-9]{4}." in param["description"]
    assert param["value"] is None, "what the gate would refuse is not filled in"


def test_a_reference_that_fits_is_filled_in(tasks: WaveTasks) -> None:
    tasks.run.params = {"change_reference": "CHG7"}
    assert asked(tasks)["params"]["change_reference"]["value"] == "CHG7"


def test_a_run_that_only_cuts_over_says_so(tasks: WaveTasks) -> None:
    tasks.run.params = {"cutover_only": True}
    tasks.do("run_preflight")
    question = asked(tasks)
    assert question["subject"] == "Cut over the segments of wave seed-wave, without moving VMs?"
    brief = brief_of(question["body"])
    assert "It moves no VMs" in brief["What"]
    assert brief["How many"] == "0 of 4 VMs; 1 of 1 segment cut over"
    assert "Replication" not in brief["When"]
    assert brief["Chance"] == "unknown, as there is no forecast: this run moves no VMs"
    assert "No forecast: this run moves no VMs." in question["body"]


@pytest.mark.parametrize(
    ("params", "headline"),
    [
        ({}, "Start wave seed-wave?"),
        ({"vms": ["web01", "db01"]}, "Start wave seed-wave with 2 of its 4 VMs?"),
        ({"stop_before_cutover": True}, "Start wave seed-wave, without the cutover?"),
    ],
)
def test_the_headline_says_what_the_run_does(tasks: WaveTasks, params: dict[str, Any], headline: str) -> None:
    tasks.run.params = params
    question = asked(tasks)
    assert question["subject"] == headline
    if "stop_before_cutover" in params:
        assert brief_of(question["body"])["Outage"] == "None: every segment stays stretched"


def test_instructions_keep_their_lines(view: GateView) -> None:
    from hcx_airflow.gates.body import manual_body
    from hcx_waves.wavefile.segments import Manual

    steps = "1. ssh core-sw1\n2. conf t\n3. interface vlan120\n4. shutdown"
    segment = view.wave.segments[0].model_copy(
        update={"manual": Manual(instructions=steps, undo_instructions="undo\nit", check=("true",))}
    )
    wave = view.wave.model_copy(update={"segments": (segment,)})
    body = manual_body(replace(view, wave=wave, segment="seed-net"))
    assert f"### Instructions\n\n```text\n{steps}\n```" in body
    assert "### How to undo\n\n```text\nundo\nit\n```" in body


def test_a_cutover_counts_the_vms_that_were_verified(view: GateView) -> None:
    assert brief_of(cutover_body(replace(view, segment="seed-net")))["How many"] == (
        "4 VMs of the wave on this segment; 0 verified at the destination"
    )
