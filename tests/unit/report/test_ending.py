"""How a run is judged when results are missing, unreadable, or not to be trusted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hcx_airflow.results import REMOVAL, UnreadableResultError, from_json
from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.run.ending import judge
from hcx_waves.run.results import Evaluation, RunResults, SegmentResults, Verification
from hcx_waves.run.scope import Scope
from support.plans import plan_of
from support.run_results import answer, run_results

NOW = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
MOVED = Evaluation(outcomes={"web01": VmOutcome.MIGRATED})
STATUS = WaveStatus(
    at=NOW, vms=(VmStatus(name="web01", vm_id="vm-1", migration_id="m", group_id="g", phase=VmPhase.DONE),)
)
REMOVED = {"segment": "app", "extension_id": "e", "connect": True, "accepted_at": NOW.isoformat()}


def results(**others: Any) -> RunResults:
    return run_results(plan=plan_of("web01"), ended_at=NOW, **others)


def stretched(**others: Any) -> RunResults:
    return results(scope=Scope(stop_before_cutover=True), status=STATUS, **others)


@pytest.mark.parametrize(
    ("left", "outcome"),
    [
        ({}, WaveOutcome.INCOMPLETE),
        ({"drift": "the wave file has changed"}, WaveOutcome.DRIFTED),
        ({"evaluated": MOVED}, WaveOutcome.INCOMPLETE),
        ({"evaluated": MOVED, "verified": Verification(proofs=(), blocked_segments={})}, WaveOutcome.AS_PLANNED),
    ],
    ids=["not evaluated", "drifted", "not verified", "verified"],
)
def test_what_hcx_says_alone_is_never_green(left: dict[str, Any], outcome: WaveOutcome) -> None:
    assert judge(stretched(**left)).outcome is outcome


def test_a_step_that_left_something_unreadable_may_have_begun_an_outage() -> None:
    ending = judge(results(evaluated=MOVED, segments=(SegmentResults(segment="app", unreadable=True),)))

    assert ending.segments == {"app": SegmentOutcome.UNCERTAIN}
    assert ending.outcome is WaveOutcome.STRANDED


def test_an_untrusted_answer_of_the_person_who_disconnects_may_have_begun_an_outage() -> None:
    untrusted = answer("confirm_disconnected", "not valid", segment="app", starts_outage=True, note="another key")
    ending = judge(results(evaluated=MOVED, gates=(untrusted,)))

    assert ending.outcome is WaveOutcome.STRANDED
    assert ending.causes == ("the decision at confirm_disconnected is not valid: another key",)


def test_an_outage_is_worse_than_a_rejection() -> None:
    rejected = answer("approve_switchover", "reject", by="bob")
    ending = judge(results(gates=(rejected,), segments=(SegmentResults(segment="app", snapshot={}),)))

    assert ending.outcome is WaveOutcome.STRANDED


def test_a_later_verification_does_not_hide_what_the_evaluation_blocks() -> None:
    evaluated = Evaluation(outcomes={"web01": VmOutcome.FAILED}, blocked_segments={"app": "web01: failed"})
    found = results(evaluated=evaluated, verified=Verification(proofs=(), blocked_segments={}))

    assert judge(found).segments == {"app": SegmentOutcome.BLOCKED}


def test_a_field_of_a_newer_release_is_passed_over() -> None:
    read = from_json(REMOVAL, {**REMOVED, "colour": "green"}, "unextend_network")

    assert read.segment == "app"
    with pytest.raises(UnreadableResultError, match="unextend_network"):
        from_json(REMOVAL, {**REMOVED, "colour": "green", "accepted_at": "soon"}, "unextend_network")
