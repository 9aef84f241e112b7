"""The error tree survives a process boundary and shows no secret."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from hcx_waves.clients import errors
from hcx_waves.clients.errors import ClientError, Lookup, error_classes

CONTEXT: dict[str, Any] = {
    "system": "hcx",
    "endpoint": "https://hcx.example",
    "method": "POST",
    "path": "/hybridity/api/mobility/migrations/start",
    "status": 500,
    "vendor_code": "E1",
    "vendor_message": "it broke",
    "request_id": "req-7",
    "hint": "look at it",
}
LOOKUP = Lookup("hcx", "find_group_by_name", {"name": "wave-1"}, "a group: it acted")
SPECIAL: dict[str, dict[str, Any]] = {
    "ConnectionFailed": {"request_sent": True},
    "TimedOut": {"phase": "read", "timeout_seconds": 60.0},
    "MalformedResponse": {"snippet": "<html>"},
    "ValidationFailed": {"items": [{"entity_id": "vm-1", "errors": []}], "messages": ["no network"]},
    "RateLimited": {"retry_after_seconds": 2.0},
    "ServiceUnavailable": {"retry_after_seconds": None},
    "OutcomeUnknownError": {"lookup": LOOKUP, "cause": errors.TimedOut("late", phase="read", system="hcx")},
    "EndpointMismatch": {"expected": "twin", "found": "site"},
}


def _example(kind: type[ClientError]) -> ClientError:
    return kind("something went wrong", **SPECIAL.get(kind.__name__, {}), **CONTEXT)


OWN_CLASSES = [kind for kind in error_classes() if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", OWN_CLASSES, ids=lambda kind: kind.__name__)
def test_error_survives_json_and_pickle(kind: type[ClientError]) -> None:
    error = _example(kind)
    through_json = ClientError.from_dict(json.loads(json.dumps(error.to_dict())))
    through_pickle = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own bytes)
    for copy in (through_json, through_pickle):
        assert type(copy) is kind
        assert copy.to_dict() == error.to_dict()
        assert str(copy) == str(error)
        assert copy.is_transient is error.is_transient
    for name in SPECIAL.get(kind.__name__, {}):
        if name != "cause":
            assert getattr(through_json, name) == getattr(error, name)


def test_every_class_of_the_module_is_in_the_drawn_tree() -> None:
    drawn = str(errors.__doc__)
    assert [kind.__name__ for kind in OWN_CLASSES if kind.__name__ not in drawn] == []


def test_transient_is_what_may_pass_by_itself() -> None:
    transient = {kind.__name__ for kind in OWN_CLASSES if _example(kind).is_transient}
    assert transient == {"ConnectionFailed", "TimedOut", "RateLimited", "ServiceUnavailable", "GatewayTimeout"}


def test_text_names_call_status_vendor_words_request_and_next_step() -> None:
    assert str(_example(errors.ServerError)) == (
        "hcx POST /hybridity/api/mobility/migrations/start at https://hcx.example (HTTP 500): something went wrong; "
        "vendor says: it broke; vendor code E1; request id req-7. look at it"
    )


def test_error_without_hint_says_what_its_class_advises() -> None:
    assert "read it again" in errors.StaleRevisionError("changed").hint


def test_unknown_type_becomes_the_base_and_names_it() -> None:
    error = ClientError.from_dict({"type": "FromTheFuture", "message": "m", "status": 418})
    assert type(error) is ClientError
    assert (error.details["original_type"], error.status, error.message) == ("FromTheFuture", 418, "m")


def test_outcome_unknown_offers_lookup_and_cause() -> None:
    error = _example(errors.OutcomeUnknownError)
    assert isinstance(error, errors.OutcomeUnknownError)
    assert error.lookup == LOOKUP
    assert isinstance(error.cause, errors.TimedOut)
    assert error.cause.phase == "read"
    assert not error.is_transient


def test_secrets_in_urls_and_parameters_are_dropped() -> None:
    error = errors.MalformedResponse(
        "bad answer to refresh_token=s3cr3t",
        snippet="api_token=s3cr3t&x=1",
        endpoint="https://admin:s3cr3t@host:8443/x",
        path="/authorize?refresh_token=s3cr3t&x=1",
        vendor_message="password=s3cr3t refused",
    )
    assert "s3cr3t" not in json.dumps(error.to_dict()) + str(error) + repr(error)
    assert error.endpoint == "https://host:8443/x"
    assert error.path == "/authorize?refresh_token=***&x=1"


def test_context_can_be_passed_on_to_another_error() -> None:
    first = _example(errors.NotFound)
    second = errors.ConflictError("another view", **first.context)
    assert second.context == first.context
