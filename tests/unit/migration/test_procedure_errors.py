"""The procedures' errors survive a process boundary and say what to do next."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from hcx_waves.clients.errors import ClientError
from hcx_waves.migration import errors


def kinds() -> Iterator[type[errors.ProcedureError]]:
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, errors.ProcedureError):
            yield value


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: str(kind.__name__))
def test_round_trip(kind: type[errors.ProcedureError]) -> None:
    error = kind("it is so", evidence={"path": "/infra/segments/a", "number": 3})
    for again in (ClientError.from_dict(error.to_dict()), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert type(again) is kind
        assert again.to_dict() == error.to_dict()
        assert again.is_transient is error.is_transient
    assert error.hint
    assert str(error) == f"it is so. {error.hint}"


def test_leftovers_are_kept() -> None:
    error = errors.SegmentNotEmptyError("not empty", leftovers=[{"kind": "workload", "name": "a"}], segment="s")
    again = ClientError.from_dict(error.to_dict())
    assert isinstance(again, errors.SegmentNotEmptyError)
    assert again.leftovers == [{"kind": "workload", "name": "a"}]
    assert again.details["segment"] == "s"


def test_only_what_passes_by_itself_is_transient() -> None:
    transient = {kind.__name__ for kind in kinds() if kind.transient}
    assert transient == {
        "SubmissionLostError", "DestinationNotRoutedError", "NotSettledError", "PortsRemainError",
    }  # fmt: skip


def test_secrets_in_messages_are_blanked() -> None:
    assert "hunter2" not in str(errors.HookError("failed: password=hunter2", hint="token=abc"))
