"""Which failures of a task are worth another try, and how soon.

The client has repeated what it may repeat already; what arrives here as transient lasts longer than a moment.
Everything else fails at once: a second try of a refused or half-known step can only do harm. Airflow itself retries a
task whose process or trigger was lost, which no policy sees; so every task has retries and is safe to run again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryPolicy
from airflow.sdk.definitions.retry_policy import RetryDecision
from typing_extensions import override

from hcx_waves.clients.errors import ClientError

if TYPE_CHECKING:
    from airflow.sdk import Context

RETRIES = 5
RETRY_DELAY = timedelta(seconds=5)
_LONGEST = timedelta(minutes=1)


class TransientRetryPolicy(RetryPolicy):
    """Retry transient conditions after seconds, growing with each try; fail on anything else at once.

    :param delay: before the second try; doubles up to a minute.
    """

    def __init__(self, delay: timedelta = RETRY_DELAY) -> None:
        self.delay = delay

    @override
    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        if isinstance(exception, ClientError) and exception.is_transient:
            delay = min(self.delay * 2 ** max(0, try_number - 1), _LONGEST)
            reason = f"{type(exception).__name__} may pass; trying again in {delay.total_seconds():g} s"
            return RetryDecision.retry(delay=delay, reason=reason)
        return RetryDecision.fail(reason=f"{type(exception).__name__} does not pass by itself")

    @override
    def serialize(self) -> dict[str, Any]:
        return {"__type": "TransientRetryPolicy", "delay": self.delay.total_seconds()}

    @classmethod
    @override
    def deserialize(cls, data: dict[str, Any]) -> TransientRetryPolicy:
        return cls(timedelta(seconds=data["delay"]))


def retry_arguments(retries: int = RETRIES, delay: timedelta = RETRY_DELAY) -> dict[str, Any]:
    """Return the operator arguments that every task of a wave has unless it says otherwise."""
    return {"retries": retries, "retry_delay": delay, "retry_policy": TransientRetryPolicy(delay)}
