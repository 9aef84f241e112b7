"""The procedures' errors survive a process boundary, are found under stored names, and say what to do next."""

from __future__ import annotations

import json
import pickle

import pytest

from hcx_waves.clients.errors import ClientError, error_classes
from hcx_waves.cutover import errors as cutover
from hcx_waves.migration import errors as migration
from hcx_waves.procedure_errors import NotSettledError, ProcedureError, SubmissionLostError

MODULES = {ProcedureError.__module__, migration.__name__, cutover.__name__}
KINDS = [kind for kind in error_classes() if issubclass(kind, ProcedureError) and kind.__module__ in MODULES]
# The names that runs of every version so far have stored. They are history keys: add, never remove.
STORED_NAMES = {
    "ProcedureError": ProcedureError,
    "SubmissionLostError": SubmissionLostError,
    "NotSettledError": NotSettledError,
    "GroupMismatchError": migration.GroupMismatchError,
    "AlreadyMigratingError": migration.AlreadyMigratingError,
    "MigrationsRefusedError": migration.MigrationsRefusedError,
    "ScheduleRefusedError": migration.ScheduleRefusedError,
    "SegmentNotEmptyError": cutover.SegmentNotEmptyError,
    "TwoGatewaysError": cutover.TwoGatewaysError,
    "NotRestorableError": cutover.NotRestorableError,
    "TurnTakenError": cutover.TurnTakenError,
    "ReconnectRefusedError": cutover.ReconnectRefusedError,
    "SourceNotDisconnectedError": cutover.SourceNotDisconnectedError,
    "DestinationNotRoutedError": cutover.DestinationNotRoutedError,
    "RealisationFailedError": cutover.RealisationFailedError,
    "UnextendFailedError": cutover.UnextendFailedError,
    "ExtensionPresentError": cutover.ExtensionPresentError,
    "PortsRemainError": cutover.PortsRemainError,
    "HookError": cutover.CommandFailedError,
    "CommandFailedError": cutover.CommandFailedError,
    "ManualStepOutstandingError": cutover.ManualStepOutstandingError,
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_round_trip(kind: type[ProcedureError]) -> None:
    error = kind("it is so", evidence={"path": "/infra/segments/a", "number": 3})
    for again in (ClientError.from_dict(error.to_dict()), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert type(again) is kind
        assert again.to_dict() == error.to_dict()
        assert again.is_transient is error.is_transient
    assert error.hint
    assert str(error) == f"it is so. {error.hint}"


@pytest.mark.parametrize("name", STORED_NAMES)
def test_a_stored_name_restores_its_class(name: str) -> None:
    stored = json.dumps({"type": name, "message": "m", "hint": "h", "is_transient": False, "details": {"a": 1}})
    error = ClientError.from_dict(json.loads(stored))
    assert type(error) is STORED_NAMES[name]
    assert (error.message, error.hint, error.details) == ("m", "h", {"a": 1})


def test_every_class_has_a_stored_name_and_no_name_stands_for_two() -> None:
    assert set(STORED_NAMES.values()) == set(KINDS)
    names = [name for kind in error_classes() for name in kind.names()]
    assert len(names) == len(set(names))


def test_leftovers_are_kept() -> None:
    error = cutover.SegmentNotEmptyError("not empty", leftovers=[{"kind": "workload", "name": "a"}], segment="s")
    again = ClientError.from_dict(error.to_dict())
    assert isinstance(again, cutover.SegmentNotEmptyError)
    assert again.leftovers == [{"kind": "workload", "name": "a"}]
    assert again.details["segment"] == "s"


def test_only_what_passes_by_itself_is_transient() -> None:
    transient = {kind.__name__ for kind in KINDS if kind.transient}
    assert transient == {
        "SubmissionLostError", "DestinationNotRoutedError", "NotSettledError", "PortsRemainError",
        "TurnTakenError",
    }  # fmt: skip


def test_secrets_in_messages_are_blanked() -> None:
    assert "hunter2" not in str(cutover.CommandFailedError("failed: password=hunter2", hint="token=abc"))
