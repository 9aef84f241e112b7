"""Decisions that approve something else than what is needed, and the key of the installation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import NotApprovedError, SigningKeyError
from hcx_airflow.gates.approval import Requirement, verify_decision
from hcx_airflow.signing import SigningKey, known_keys, signing_key
from hcx_waves.run.decisions import Choice, Decision
from hcx_waves.wavefile.gates import GateSettings

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
        verify_decision(decision(**made), needed(**wanted))


def test_a_rehearsal_needs_nobody() -> None:
    made = decision(rehearsal=True, user_name=None, user_id=None)
    gate = GateSettings(approvers=("bob",), change_reference_pattern="INC.*")
    assert verify_decision(made, needed(rehearsal=True, gate=gate)) == made


def test_the_key_comes_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("f" * 40 + "\n")
    assert signing_key({"HCX_WAVES_SIGNING_KEY": "e" * 32}) == SigningKey(b"e" * 32)
    assert signing_key({"HCX_WAVES_SIGNING_KEY_FILE": str(file)}) == SigningKey(b"f" * 40)


def test_while_keys_are_changed_the_one_before_is_known(tmp_path: Path) -> None:
    environment = {"HCX_WAVES_SIGNING_KEY": "e" * 32, "HCX_WAVES_SIGNING_KEY_PREVIOUS": "p" * 32}
    assert known_keys(environment) == (SigningKey(b"e" * 32), SigningKey(b"p" * 32))
    assert len({key.key_id for key in known_keys(environment)}) == 2


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "no key to sign with"),
        ({"HCX_WAVES_SIGNING_KEY": "short"}, "shorter than 32 characters"),
        ({"HCX_WAVES_SIGNING_KEY_FILE": "/nowhere/key"}, "cannot be read: No such file"),
    ],
)
def test_no_usable_key(environment: dict[str, str], words: str) -> None:
    with pytest.raises(SigningKeyError, match=words) as caught:
        signing_key(environment)
    assert "short" not in str(caught.value).replace("shorter", "")
