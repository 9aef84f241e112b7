"""What is said of a run at its end, by the last task and by the report: one case for each way to end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import DriftedError, IncompleteError, RejectedError, UnansweredError
from hcx_waves.model.states import WaveOutcome
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

SEGMENT = "cutover_seed-net"
ROUTED = {"segment": "seed-net", "at": "2026-03-01T22:00:00Z", "destination": "on", "source": "off"}
NAMES = ("web01", "web02", "app01", "db01")


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    made = WaveTasks(airflow_run)
    made.do("resolve_plan")
    return made


def leave(tasks: WaveTasks, task_id: str, value: Any, key: str = "return_value") -> None:
    tasks.run.leave(task_id, value, key)


def moved(tasks: WaveTasks, **others: str) -> None:
    leave(tasks, "start_migrations", {"vms": [], "group_id": "g", "group_name": "seed-wave"})
    vms = [{"name": name, "outcome": others.get(name, "migrated")} for name in NAMES]
    blocked = {"seed-net": "a VM was left"} if others else {}
    leave(tasks, "evaluate_migrations", {"vms": vms, "blocked_segments": blocked})


def cut_over(tasks: WaveTasks) -> None:
    unverified(tasks)
    leave(tasks, "verify_virtual_machines", {"proofs": [], "blocked_segments": {}})


def unverified(tasks: WaveTasks) -> None:
    moved(tasks)
    leave(tasks, f"{SEGMENT}.verify_destination_routed", ROUTED)


def a_vm_left(tasks: WaveTasks) -> None:
    moved(tasks, web02="failed")


def no_from_a_person(tasks: WaveTasks) -> None:
    with pytest.raises(RejectedError):
        tasks.run.answer(tasks.make("approve_wave"), "Reject", "bob", reason="not tonight")


def no_to_the_segment(tasks: WaveTasks) -> None:
    moved(tasks)
    with pytest.raises(RejectedError):
        tasks.run.answer(tasks.make("approve_cutover"), "Reject", "bob")


def no_to_the_switchover(tasks: WaveTasks) -> None:
    with pytest.raises(RejectedError):
        tasks.run.answer(tasks.make("approve_switchover"), "Reject", "bob")


def silence(tasks: WaveTasks) -> None:
    with pytest.raises(UnansweredError):
        tasks.run.time_out(tasks.make("approve_wave"))


def findings(tasks: WaveTasks) -> None:
    finding = {"finding_id": "vm-has-snapshots", "severity": "blocking", "subject": "db01"}
    leave(tasks, "run_preflight", {"items": [{"finding": {**finding, "message": "has 2 snapshots"}}]})


def an_edited_file(tasks: WaveTasks) -> None:
    path = tasks.run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text().replace("lasts: 12h", "lasts: 11h"))


def an_inventory_that_changed(tasks: WaveTasks) -> None:
    site_pair = tasks.site_pair  # type: ignore[attr-defined]
    tasks.do("approve_wave")
    vm = site_pair.vm("web01")
    site_pair.run(lambda: site_pair.world.update(vm, num_cpu=vm.num_cpu + 1))
    with pytest.raises(DriftedError):
        tasks.do("start_migrations")


def an_outage(tasks: WaveTasks) -> None:
    moved(tasks)
    leave(tasks, f"{SEGMENT}.disconnect_source_segment", {"connectivity": "ON"}, "snapshot")


def an_unreadable_removal(tasks: WaveTasks) -> None:
    moved(tasks)
    leave(tasks, f"{SEGMENT}.unextend_network", {"segment": "seed-net"}, "removal")


def an_outage_and_a_no(tasks: WaveTasks) -> None:
    an_outage(tasks)
    no_to_the_switchover(tasks)


CASES: list[tuple[Callable[[WaveTasks], None], str, str, str]] = [
    (cut_over, "as_planned", "ended as planned", ""),
    (unverified, "incomplete", "incomplete: the VMs that have moved were not verified", "were not verified"),
    (an_unreadable_removal, "stranded", "stranded: seed-net: uncertain", "Look at the gateways of the segment"),
    (an_outage_and_a_no, "stranded", "bob rejected approve_switchover; seed-net: uncertain", "bob rejected"),
    (a_vm_left, "incomplete", "incomplete: web02: failed; seed-net: blocked", ""),
    (
        no_from_a_person,
        "rejected",
        "rejected: bob rejected approve_wave (not tonight)",
        "bob rejected approve_wave",
    ),
    (
        no_to_the_segment,
        "rejected",
        f"rejected: bob rejected {SEGMENT}.approve_cutover; seed-net: rejected",
        "bob rejected",
    ),
    (no_to_the_switchover, "rejected", "rejected: bob rejected approve_switchover", "bob rejected"),
    (
        silence,
        "rejected",
        "rejected: approve_wave was not answered, which counts as a rejection (no answer in time)",
        "approve_wave was not answered",
    ),
    (findings, "blocked", "blocked: db01: has 2 snapshots", "db01: has 2 snapshots"),
    (
        an_edited_file,
        "drifted",
        "drifted: the wave file has changed since the run was planned",
        "the wave file has changed since the run was planned",
    ),
    (
        an_inventory_that_changed,
        "drifted",
        "drifted: the inventory has changed since the approval",
        "vms web01 cpus: was",
    ),
    (an_outage, "stranded", "stranded: seed-net: uncertain", ""),
]


@pytest.mark.parametrize(
    ("happening", "outcome", "sentence", "reason"), CASES, ids=[case[0].__name__ for case in CASES]
)
def test_every_way_to_end_has_its_words(
    tasks: WaveTasks, site_pair: Any, happening: Any, outcome: str, sentence: str, reason: str
) -> None:
    tasks.site_pair = site_pair  # type: ignore[attr-defined]
    happening(tasks)
    if outcome == "as_planned":
        assert tasks.do("conclude_wave")["outcome"] == outcome
    else:
        with pytest.raises(IncompleteError) as verdict:
            tasks.do("conclude_wave")
        assert sentence in str(verdict.value)
        assert ": planned" not in str(verdict.value), "what was never begun is not listed"
        assert tasks.left("conclude_wave")["outcome"] == outcome
    written = tasks.do("write_report")
    assert written["outcome"] == outcome
    text = Path(written["markdown"]).read_text().replace("\\", "")
    assert f"- Outcome: **{WaveOutcome(outcome).label}**: " in text
    assert reason in text
