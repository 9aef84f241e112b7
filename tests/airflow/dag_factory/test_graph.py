"""The graph of a wave's DAGs: ids, edges, trigger rules, set-ups, teardowns and gates."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from airflow.sdk import DAG

from hcx_airflow.dag_factory.cleanup import build_cleanup_dag
from hcx_airflow.dag_factory.live import build_live_dag
from hcx_airflow.dag_factory.recovery import build_recovery_dag
from hcx_airflow.dag_factory.rehearsal import build_rehearsal_dag
from hcx_airflow.dag_factory.texts import recovery_face
from hcx_airflow.retries import LOST_STARTS, TransientRetryPolicy
from hcx_waves.wavefile.loader import load_wave, read_wave
from support.airflow_home import DAGS
from support.wave_files import FULL, changed, full_wave, minimal

CUT = (
    "segments:\n  - {name: net, cutover: now, cutover_window: {opens: +0m, lasts: 2h}, rename_destination: net-cloud}\n"
)
GROUP = [
    ("prove_segment_empty", ["verify_virtual_machines"], "all_success", "setup"),
    ("approve_cutover", [".prove_segment_empty"], "all_success", ""),
    ("disconnect_source_segment", [".approve_cutover"], "all_success", "setup"),
    ("unextend_network", [".disconnect_source_segment"], "all_success", ""),
    ("await_unextended", [".unextend_network"], "all_success", ""),
    ("verify_destination_routed", [".await_unextended"], "all_success", ""),
    (
        "reconnect_source_segment",
        [".prove_segment_empty", ".disconnect_source_segment", ".verify_destination_routed"],
        "all_done_setup_success",
        "teardown",
    ),
]


def live(text: str, *following: str) -> DAG:
    return build_live_dag(read_wave(text), text=text, next_waves=[read_wave(one) for one in following])


def in_group(group: str, rows: list[tuple[str, list[str], str, str]]) -> dict[str, Any]:
    """Return a table's rows with the group in front of the ids; upstream ids that begin with a dot are in it too."""
    return {
        f"{group}.{task}": (sorted(f"{group}{one}" if one[0] == "." else one for one in upstream), rule, kind)
        for task, upstream, rule, kind in rows
    }


def shape(dag: DAG) -> dict[str, Any]:
    return {
        task.task_id: (
            sorted(task.upstream_task_ids),
            str(task.trigger_rule.value),
            "setup" if task.is_setup else "teardown" if task.is_teardown else "",
        )
        for task in dag.tasks
    }


def test_graph_of_a_live_dag() -> None:
    dag = live(minimal(more=CUT), minimal("next", vms="[b]", more="after: [small]\n"))
    assert shape(dag) == {
        "resolve_plan": ([], "all_success", ""),
        "run_preflight": (["resolve_plan"], "all_success", ""),
        "approve_wave": (["run_preflight"], "all_success", ""),
        "start_migrations": (["approve_wave"], "all_success", ""),
        "await_migrations": (["start_migrations"], "all_success", ""),
        "evaluate_migrations": (["await_migrations"], "all_success", ""),
        "verify_virtual_machines": (["evaluate_migrations"], "all_success", ""),
        **in_group("cutover_net", GROUP),
        "conclude_wave": (
            [
                "cutover_net.reconnect_source_segment",
                "cutover_net.verify_destination_routed",
                "verify_virtual_machines",
            ],
            "all_done",
            "",
        ),
        "confirm_outcome": (["conclude_wave"], "all_done_setup_success", "teardown"),
        "schedule_cleanup": (["conclude_wave"], "all_done", ""),
        "start_wave__next": (["conclude_wave"], "all_success", ""),
        "write_report": (
            ["conclude_wave", "cutover_net.reconnect_source_segment", "schedule_cleanup", "start_wave__next"],
            "all_done_setup_success",
            "teardown",
        ),
    }


def test_each_segment_has_a_group_of_its_own_that_waits_for_no_other() -> None:
    dag = build_live_dag(full_wave())
    groups = {task_id.partition(".")[0] for task_id in dag.task_ids if "." in task_id}
    assert groups == {"cutover_erp", "cutover_voice"}, "later and never have no group"
    for task in dag.tasks:
        if task.task_id.startswith("cutover_erp."):
            assert not [one for one in task.get_flat_relative_ids(upstream=True) if "voice" in one]


def test_a_segment_disconnected_by_hand_has_instructions_before_the_check() -> None:
    dag = build_live_dag(full_wave())
    confirm = dag.get_task("cutover_voice.confirm_disconnected")
    assert confirm.upstream_task_ids == {"cutover_voice.approve_cutover"}
    assert confirm.downstream_task_ids == {"cutover_voice.disconnect_source_segment"}
    assert not dag.has_task("cutover_erp.confirm_disconnected"), "a hook acts by itself"


@pytest.mark.parametrize("segment", ["erp", "voice"])
def test_nothing_comes_between_disconnect_and_unextend(segment: str) -> None:
    dag = build_live_dag(full_wave())
    disconnect, unextend = (
        dag.get_task(f"cutover_{segment}.{one}") for one in ("disconnect_source_segment", "unextend_network")
    )
    assert {one for one in disconnect.downstream_task_ids if not dag.get_task(one).is_teardown} == {unextend.task_id}
    assert unextend.upstream_task_ids == {disconnect.task_id}
    for task in (disconnect, unextend):
        assert not task.start_from_trigger, "synchronous: no triggerer inside the outage"


@pytest.mark.parametrize(
    ("more", "between"),
    [
        ("", ["start_migrations", "await_migrations"]),
        (
            "gates: {approve_switchover: {}}\n",
            ["start_migrations", "await_seeded", "approve_switchover", "release_switchovers", "await_migrations"],
        ),
        (
            "switchover_order: [a]\n",
            ["start_migrations", "await_seeded", "release_switchovers", "await_migrations"],
        ),
    ],
)
def test_switchovers_are_held_only_where_the_wave_says_so(more: str, between: list[str]) -> None:
    dag = live(minimal(more=more))
    for before, after in itertools.pairwise(between):
        assert dag.get_task(after).upstream_task_ids == {before}
    assert dag.has_task("await_seeded") is (len(between) > 2)


def test_a_wave_without_cutover_is_concluded_after_its_vms() -> None:
    dag = live(minimal())
    assert dag.get_task("conclude_wave").upstream_task_ids == {"verify_virtual_machines"}
    assert not dag.has_task("schedule_cleanup")
    assert dag.get_task("write_report").upstream_task_ids == {"conclude_wave"}


def test_graph_of_a_cleanup_dag() -> None:
    text = changed("delete_source: false", "delete_source: true")
    dag = build_cleanup_dag(read_wave(text), text=text)
    assert dag.dag_id == "cleanup__erp-1"
    assert shape(dag) == {
        **in_group(
            "cleanup_erp",
            [
                ("prove_segment_empty", [], "all_success", ""),
                ("delete_source_segment", [".prove_segment_empty", "approve_cleanup"], "all_success", ""),
                ("rename_destination_segment", [".delete_source_segment", "approve_cleanup"], "all_success", ""),
            ],
        ),
        **in_group(
            "cleanup_voice",
            [
                ("prove_segment_empty", [], "all_success", ""),
                ("delete_source_segment", [".prove_segment_empty", "approve_cleanup"], "all_success", ""),
            ],
        ),
        "approve_cleanup": (
            ["cleanup_erp.prove_segment_empty", "cleanup_voice.prove_segment_empty"],
            "all_done_min_one_success",
            "",
        ),
        **dict.fromkeys(
            ["write_report", "confirm_outcome"],
            (
                ["cleanup_erp.rename_destination_segment", "cleanup_voice.delete_source_segment"],
                "all_done_setup_success",
                "teardown",
            ),
        ),
    }


def test_a_source_segment_that_is_kept_is_only_renamed_at_the_destination() -> None:
    tasks = set(build_cleanup_dag(read_wave(FULL)).task_ids)
    assert "cleanup_erp.rename_destination_segment" in tasks
    assert "cleanup_erp.delete_source_segment" not in tasks


def test_graph_of_a_recovery_dag() -> None:
    dag = build_recovery_dag(recovery_face(full_wave(), "text"))
    assert (dag.dag_id, dag.max_active_runs, dag.is_paused_upon_creation) == ("recover__erp-1", 1, False)
    assert dag.allowed_run_types == build_cleanup_dag(full_wave()).allowed_run_types
    assert shape(dag) == {
        "resolve_recovery": ([], "all_success", ""),
        "approve_recovery": (["resolve_recovery"], "all_success", ""),
        "recover": (["approve_recovery"], "all_success", ""),
        "write_report": (["recover"], "all_done_setup_success", "teardown"),
        "confirm_outcome": (["recover", "resolve_recovery"], "all_done_setup_success", "teardown"),
    }


def is_gate(task_id: str) -> bool:
    name = task_id.rpartition(".")[2]
    return name.startswith("approve_") or name == "confirm_disconnected"


def all_dags() -> list[DAG]:
    shipped = [load_wave(path) for path in sorted((DAGS / "waves").glob("*.yaml"))]
    dags = [build_live_dag(wave) for wave in [*shipped, full_wave()]]
    recovery = build_recovery_dag(recovery_face(full_wave(), "text"))
    return [*dags, build_cleanup_dag(full_wave()), build_cleanup_dag(shipped[0]), recovery]


@pytest.mark.parametrize("dag", all_dags(), ids=lambda dag: dag.dag_id)
def test_no_task_is_mapped_and_gates_neither_retry_nor_queue_for_a_pool(dag: DAG) -> None:
    gates = [task for task in dag.tasks if is_gate(task.task_id)]
    assert gates, "a wave that asks nobody would be a mistake"
    for task in dag.tasks:
        assert not task.is_mapped
        assert task.task_group is not None
        assert not list(task.iter_mapped_task_groups())
    for gate in gates:
        assert (gate.retries, gate.pool) == (LOST_STARTS, "default_pool"), gate.task_id
        assert isinstance(gate.retry_policy, TransientRetryPolicy), gate.task_id


@pytest.mark.parametrize("dag", all_dags(), ids=lambda dag: dag.dag_id)
def test_whatever_is_no_gate_survives_a_lost_worker(dag: DAG) -> None:
    for task in dag.tasks:
        if not is_gate(task.task_id):
            assert task.retries >= 1, task.task_id
            assert task.retry_delay.total_seconds() <= 10, task.task_id


def test_an_outage_comes_before_all_else_and_what_is_real_before_rehearsals() -> None:
    """Scheduler slots are shared; nothing of a backfill may be given one that a segment without gateway waits for."""
    wave = read_wave(minimal(more=CUT))
    weights = {
        kind: {task.task_id.rpartition(".")[2]: task for task in dag.tasks}
        for kind, dag in {
            "live": build_live_dag(wave),
            "cleanup": build_cleanup_dag(wave),
            "rehearsal": build_rehearsal_dag(wave),
        }.items()
    }
    outage = {
        "disconnect_source_segment",
        "unextend_network",
        "await_unextended",
        "verify_destination_routed",
        "reconnect_source_segment",
    }
    assert {name for name, task in weights["live"].items() if task.priority_weight == 1000} == outage
    assert {task.priority_weight for name, task in weights["live"].items() if name not in outage} == {100}
    assert {task.priority_weight for task in weights["cleanup"].values()} == {100}
    assert {task.priority_weight for task in weights["rehearsal"].values()} == {1}
    rules = {
        str(getattr(task.weight_rule, "value", task.weight_rule)) for dag in weights.values() for task in dag.values()
    }
    assert all("bsolute" in rule for rule in rules), rules
