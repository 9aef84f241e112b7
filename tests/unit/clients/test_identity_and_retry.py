"""The identity header, and the two questions of a retry as pure functions."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from hcx_waves.clients.errors import (
    ClientError,
    ConnectionFailed,
    NotFound,
    OutcomeUnknownError,
    ServiceUnavailable,
    TimedOut,
)
from hcx_waves.clients.identity import EndpointIdentity
from hcx_waves.clients.transport_faults import parse_retry_after
from hcx_waves.clients.transport_retry import CallKind, RetryPolicy, is_repeatable

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "simulated", "world", "role"),
    [
        (None, False, None, "real"),
        ("world=w1; role=site", True, "w1", "site"),
        ("role=twin;world=rehearsal-7", True, "rehearsal-7", "twin"),
        ("World=w1; Role=SITE", True, "w1", "site"),
        ("world=w1", True, "w1", "twin"),
        ("world=w1; role=real", True, "w1", "twin"),
        ("", True, None, "twin"),
    ],
)
def test_identity_is_read_from_the_header(header: str | None, simulated: bool, world: str | None, role: str) -> None:
    found = EndpointIdentity.of_header(header)
    assert (found.simulated, found.world_id, found.role) == (simulated, world, role)


def test_identity_header_is_found_in_any_case() -> None:
    assert EndpointIdentity.of_headers({"x-hcx-sim": "world=a; role=site"}).role == "site"
    assert str(EndpointIdentity.of_headers({"Server": "x"})) == "real product"


SENT = ConnectionFailed("reset", request_sent=True)
NOT_SENT = ConnectionFailed("refused")
NO_CONNECTION = TimedOut("slow", phase="connect")
NO_ANSWER = TimedOut("slow", phase="read")
BUSY = ServiceUnavailable("busy")


@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        (SENT, "read idempotent"),
        (NOT_SENT, "read idempotent mutating"),
        (NO_CONNECTION, "read idempotent mutating"),
        (NO_ANSWER, "read idempotent"),
        (BUSY, "read idempotent"),
        (NotFound("gone"), ""),
        (OutcomeUnknownError("?"), ""),
        (KeyError("bug"), ""),
    ],
)
def test_what_may_be_repeated(error: BaseException, kinds: str) -> None:
    assert {kind.value for kind in CallKind if is_repeatable(kind, error)} == set(kinds.split())


def test_waits_stay_between_half_and_the_whole_of_a_capped_ceiling() -> None:
    policy = RetryPolicy(base_seconds=1, cap_seconds=4)
    rng = random.Random(1)  # noqa: S311  (jitter)
    for attempt, ceiling in enumerate([1, 2, 4, 4, 4], start=1):
        waits = [policy.wait_seconds(attempt, SENT, rng) for _ in range(200)]
        assert ceiling / 2 <= min(waits)
        assert max(waits) <= ceiling
        assert max(waits) - min(waits) > ceiling / 4


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, lambda: NOON) == seconds


def test_repeatable_is_decided_by_class_not_by_text() -> None:
    assert not is_repeatable(CallKind.READ, ClientError("connection reset"))
