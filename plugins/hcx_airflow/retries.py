"""Which failures of a task are retried, and how soon.

The client has repeated what it may repeat already; what arrives here as transient lasts longer than a moment.
Everything else fails at once: a second try of a refused or half-known step can only do harm. Airflow itself retries a
task whose process or trigger was lost, which no policy sees; so every task has retries and is safe to run again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy
from typing_extensions import override

from hcx_airflow.documents import Arguments
from hcx_waves.clients.errors import ClientError

if TYPE_CHECKING:
    from airflow.sdk import Context

RETRIES = 5
RETRY_DELAY = timedelta(seconds=5)
AT_ONCE = timedelta(milliseconds=100)
_LONGEST = timedelta(minutes=1)


class TransientRetryPolicy(RetryPolicy):
    """Retry transient conditions after seconds, growing with each try; fail on anything else at once.

    :param delay: before the second try; doubles up to a minute.
    :param real_delay: what Airflow itself waits instead; a rehearsal's next try waits the delay by its own time.
    """

    def __init__(self, delay: timedelta = RETRY_DELAY, real_delay: timedelta | None = None) -> None:
        self.delay = delay
        self.real_delay = real_delay

    @staticmethod
    def may_pass(exception: BaseException) -> bool:
        """Whether an error may pass by itself, so that another try is worth it."""
        return isinstance(exception, ClientError) and exception.is_transient

    def delay_after(self, try_number: int) -> timedelta:
        """Return how long after a try the next one is due."""
        return min(self.delay * (1 << max(0, try_number - 1)), _LONGEST)

    @override
    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        if self.may_pass(exception):
            delay = self.delay_after(try_number)
            reason = f"{type(exception).__name__} is temporary; trying again in {delay.total_seconds():g} s"
            return RetryDecision.retry(delay=delay if self.real_delay is None else self.real_delay, reason=reason)
        return RetryDecision.fail(reason=f"{type(exception).__name__} is not temporary")

    @override
    def serialize(self) -> Arguments:
        real = {} if self.real_delay is None else {"real_delay": self.real_delay.total_seconds()}
        return {"__type": "TransientRetryPolicy", "delay": self.delay.total_seconds(), **real}

    @classmethod
    @override
    def deserialize(cls, data: Arguments) -> TransientRetryPolicy:
        real = data.get("real_delay")
        return cls(timedelta(seconds=data["delay"]), None if real is None else timedelta(seconds=real))


def retry_arguments(retries: int = RETRIES, delay: timedelta = RETRY_DELAY, *, rehearsal: bool = False) -> Arguments:
    """Return the operator arguments that every task of a wave has unless it says otherwise.

    :param rehearsal: whether Airflow is to try again at once, as the task waits by the rehearsal's time.
    """
    real = AT_ONCE if rehearsal else None
    return {
        "retries": retries,
        "retry_delay": real or delay,
        "retry_policy": TransientRetryPolicy(delay, real),
    }
