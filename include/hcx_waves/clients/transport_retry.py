"""When a call is repeated, and how long to wait before.

Two questions, kept apart: *whether* (``is_repeatable``: what failed and what kind of call it was) and *how
long* (:class:`RetryPolicy`: exponential, jittered, bounded; a ``Retry-After`` is obeyed up to a bound).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from hcx_waves.clients.errors import ClientError, ConnectionFailed, RateLimited, ServiceUnavailable, TimedOut

logger = logging.getLogger(__name__)


class CallKind(StrEnum):
    """What repeating a call would do.

    ``READ`` changes nothing. ``IDEMPOTENT`` sets a state that a second call sets again (an NSX PATCH).
    ``MUTATING`` acts anew each time, or answers differently the second time (start, create, delete).
    """

    READ = "read"
    IDEMPOTENT = "idempotent"
    MUTATING = "mutating"


@dataclass(frozen=True)
class RetryPolicy:
    """How often, and how long between.

    :param attempts: calls in all, the first included.
    :param base_seconds: ceiling of the first wait; it doubles with each attempt.
    :param cap_seconds: ceiling of any wait.
    :param max_retry_after_seconds: the longest ``Retry-After`` that is waited for; a longer one ends the
        retries at once, since a caller should not be held that long.
    """

    attempts: int = 4
    base_seconds: float = 0.5
    cap_seconds: float = 8.0
    max_retry_after_seconds: float = 30.0

    def wait_seconds(self, attempt: int, error: BaseException | None, rng: random.Random) -> float:
        """Return the wait after attempt number ``attempt`` (1-based) that ended in ``error``.

        Half of the exponential ceiling is fixed and half random, so that many clients do not return in
        step and none returns at once.
        """
        ceiling = min(self.cap_seconds, self.base_seconds * 2.0 ** (attempt - 1))
        backoff = ceiling / 2 + rng.uniform(0, ceiling / 2)
        return max(backoff, retry_after(error) or 0.0)

    def allows(self, error: BaseException) -> bool:
        """Whether the wait that the product asks for is short enough."""
        return (retry_after(error) or 0.0) <= self.max_retry_after_seconds

    def retrying(
        self,
        kind: CallKind,
        *,
        sleep: Callable[[float], None],
        rng: random.Random,
    ) -> Retrying:
        """Build the loop that calls with this policy and logs each repetition; the last error is raised as it was."""

        def wait(state: RetryCallState) -> float:
            outcome = state.outcome
            error = outcome.exception() if outcome is not None else None
            return self.wait_seconds(state.attempt_number, error, rng)

        return Retrying(
            sleep=sleep,
            stop=stop_after_attempt(self.attempts),
            wait=wait,
            retry=retry_if_exception(lambda error: is_repeatable(kind, error) and self.allows(error)),
            before_sleep=_log_repetition,
            reraise=True,
        )


def retry_after(error: BaseException | None) -> float | None:
    """Return the wait in seconds that the product asked for, or None."""
    if isinstance(error, RateLimited | ServiceUnavailable):
        return error.retry_after_seconds
    return None


def is_repeatable(kind: CallKind, error: BaseException) -> bool:
    """Whether a call that ended in ``error`` may be sent again by itself.

    Reads and idempotent calls: whenever the condition is transient. Mutating calls: only when the request
    certainly never reached the product.
    """
    if not isinstance(error, ClientError):
        return False
    if kind is CallKind.MUTATING:
        return was_never_sent(error) and error.is_transient
    return error.is_transient


def was_never_sent(error: ClientError) -> bool:
    """Whether the request certainly did not reach the product."""
    if isinstance(error, ConnectionFailed):
        return not error.request_sent
    return isinstance(error, TimedOut) and error.phase == "connect"


def _log_repetition(state: RetryCallState) -> None:
    """Say which call is repeated, why and when; not the product's words, which may echo a secret."""
    error = state.outcome.exception() if state.outcome is not None else None
    if not isinstance(error, ClientError):
        return
    wait_seconds = state.next_action.sleep if state.next_action is not None else 0.0
    status = "" if error.status is None else f" (HTTP {error.status})"
    logger.info(
        "%s %s %s at %s: attempt %d ended in %s%s, the next follows in %.1f s",
        error.system,
        error.method,
        error.path,
        error.endpoint,
        state.attempt_number,
        type(error).__name__,
        status,
        wait_seconds,
    )
