"""Signed decisions: what is believed, and every way in which one is not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import NotApprovedError, SigningKeyError
from hcx_airflow.gates.approval import Requirement, verify_decision
from hcx_airflow.signing import read_decision, sign, signing_key
from hcx_waves.run.decisions import Choice, Decision
from hcx_waves.wavefile.gates import GateSettings

KEY = b"k" * 40
SCOPE = {"vms": [], "stop_before_cutover": False, "cutover_only": False}


def decision(**changes: Any) -> Decision:
    given: dict[str, Any] = {
        "wave": "seed-wave", "dag_id": "seed-wave", "run_id": "r1", "task_id": "approve_wave", "try_number": 1,
        "gate": "approve_wave", "digest": "d1", "scope": SCOPE, "choice": Choice.APPROVED, "user_id": "7",
        "user_name": "alice", "change_reference": "CHG0001", "at": datetime(2026, 1, 2, tzinfo=UTC),
    }  # fmt: skip
    return Decision(**{**given, **changes})


def needed(**changes: Any) -> Requirement:
    given: dict[str, Any] = {
        "dag_id": "seed-wave", "run_id": "r1", "task_id": "approve_wave", "digest": "d1", "scope": SCOPE,
        "gate": GateSettings(),
    }  # fmt: skip
    return Requirement(**{**given, **changes})


def test_what_was_signed_is_read_back() -> None:
    assert verify_decision(sign(decision(), KEY), needed(), KEY) == decision()
    assert decision().spoken == "approved by alice at 2026-01-02 00:00:00 UTC (CHG0001)"


@pytest.mark.parametrize("field", sorted(Decision.model_fields))
def test_no_field_can_be_changed(field: str) -> None:
    document = sign(decision(), KEY)
    document[field] = "other"
    with pytest.raises(NotApprovedError, match="signature is wrong"):
        read_decision(document, KEY)


@pytest.mark.parametrize(
    "document",
    [None, "approved", [], {}, {"choice": "approved"}, {"choice": "approved", "signature": 7}],
    ids=["nothing", "text", "list", "empty", "unsigned", "no text"],
)
def test_what_is_no_signed_decision(document: Any) -> None:
    with pytest.raises(NotApprovedError, match="there is no signed decision"):
        read_decision(document, KEY)


def test_another_key_signs_nothing_here() -> None:
    with pytest.raises(NotApprovedError, match="signature is wrong"):
        read_decision(sign(decision(), b"x" * 40), KEY)


@pytest.mark.parametrize(
    ("made", "wanted", "words"),
    [
        ({}, {"dag_id": "other"}, "from another DAG"),
        ({}, {"run_id": "r2"}, "from another run"),
        ({}, {"task_id": "cutover_a.approve_cutover"}, "from another task"),
        ({"choice": Choice.REJECTED, "reason": "not tonight"}, {}, r"rejected by alice .*\(CHG0001; not tonight\)"),
        ({"choice": Choice.UNANSWERED, "user_name": None}, {}, "not answered by 2026-01-02 00:00:00 UTC"),
        ({}, {"digest": "d2"}, "the digests differ"),
        ({}, {"scope": {**SCOPE, "vms": ["web01"]}}, "another part of the plan"),
        ({}, {"gate": GateSettings(approvers=("bob",))}, "alice is not one of its approvers"),
        ({"user_name": None}, {}, "an unknown user is not one of its approvers"),
        ({}, {"gate": GateSettings(change_reference_pattern="INC[0-9]+")}, '"CHG0001" is not a change reference'),
        ({"rehearsal": True, "user_name": None}, {}, "from a rehearsal"),
        ({}, {"rehearsal": True}, "from a live run"),
    ],
)
def test_an_approval_of_something_else(made: dict[str, Any], wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(NotApprovedError, match=words):
        verify_decision(sign(decision(**made), KEY), needed(**wanted), KEY)


def test_a_rehearsal_needs_nobody() -> None:
    made = decision(rehearsal=True, user_name=None, user_id=None)
    gate = GateSettings(approvers=("bob",), change_reference_pattern="INC.*")
    assert verify_decision(sign(made, KEY), needed(rehearsal=True, gate=gate), KEY) == made


def test_the_key_comes_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("f" * 40 + "\n")
    assert signing_key({"HCX_WAVES_SIGNING_KEY": "e" * 32}) == b"e" * 32
    assert signing_key({"HCX_WAVES_SIGNING_KEY_FILE": str(file)}) == b"f" * 40


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "no key to sign decisions with"),
        ({"HCX_WAVES_SIGNING_KEY": "short"}, "shorter than 32 characters"),
        ({"HCX_WAVES_SIGNING_KEY_FILE": "/nowhere/key"}, "cannot be read: No such file"),
    ],
)
def test_no_usable_key(environment: dict[str, str], words: str) -> None:
    with pytest.raises(SigningKeyError, match=words) as caught:
        signing_key(environment)
    assert "short" not in str(caught.value).replace("shorter", "")
