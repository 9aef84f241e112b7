"""Which failures of a task are retried, and how soon.

The client has repeated what it may repeat already; what arrives here as transient lasts longer than a moment.
Everything else fails at once: a second try of a refused or half-known step can only do harm.

Airflow itself retries a task that it could not start or whose process or trigger was lost, which no policy sees; so
every task is safe to run again, and may be for hours. While the API server is away each start of a task fails after
seconds, and counts as a try: a run must not end by that, least of all with a gateway off. So the tries that a task
really began are counted by themselves, in the run's ledger, and these alone are few.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy
from typing_extensions import override

from hcx_airflow.documents import Arguments
from hcx_airflow.errors import AnswerRefusedError
from hcx_waves.clients.errors import ClientError

if TYPE_CHECKING:
    from airflow.sdk import Context

RETRIES = 5
LOST_STARTS = 10_000
"""How often Airflow itself may try again: a day of tries that never began, a few seconds apart."""
LOST_PROCESSES = 5
"""How many tries may be lost after they began, before a step is given up."""
TRIES_BEGUN = "hcx_waves_tries_begun"
"""In a task's context: how often it has begun, without the tries that never did."""
RETRY_DELAY = timedelta(seconds=5)
AT_ONCE = timedelta(milliseconds=100)
_LONGEST = timedelta(minutes=1)


class TransientRetryPolicy(RetryPolicy):
    """Retry transient conditions after seconds, growing with each try; fail on anything else at once.

    :param delay: before the second try; doubles up to a minute.
    :param real_delay: what Airflow itself waits instead; a rehearsal's next try waits the delay by its own time.
    :param tries: how often a task may begin; None if Airflow's own number decides.
    """

    def __init__(
        self, delay: timedelta = RETRY_DELAY, real_delay: timedelta | None = None, tries: int | None = None
    ) -> None:
        self.delay = delay
        self.real_delay = real_delay
        self.tries = tries

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
        known: Any = context or {}
        number = int(known.get(TRIES_BEGUN) or try_number)
        kind = type(exception).__name__
        if isinstance(exception, AnswerRefusedError):
            # Whoever may answer at all could end a gate otherwise. Its deadline stays, whoever answers meanwhile.
            return RetryDecision.retry(delay=AT_ONCE, reason="the answer does not count; asking again")
        if not self.may_pass(exception):
            return RetryDecision.fail(reason=f"{kind} is not temporary")
        if self.tries is not None and number >= self.tries:
            return RetryDecision.fail(reason=f"{kind} has not passed in {number} tries")
        delay = self.delay_after(number)
        reason = f"{kind} is temporary; trying again in {delay.total_seconds():g} s"
        return RetryDecision.retry(delay=delay if self.real_delay is None else self.real_delay, reason=reason)

    @override
    def serialize(self) -> Arguments:
        real = {} if self.real_delay is None else {"real_delay": self.real_delay.total_seconds()}
        tries = {} if self.tries is None else {"tries": self.tries}
        return {"__type": "TransientRetryPolicy", "delay": self.delay.total_seconds(), **real, **tries}

    @classmethod
    @override
    def deserialize(cls, data: Arguments) -> TransientRetryPolicy:
        delay, real = (timedelta(seconds=data[key]) if key in data else None for key in ("delay", "real_delay"))
        return cls(delay or RETRY_DELAY, real, data.get("tries"))


def retry_arguments(retries: int = RETRIES, delay: timedelta = RETRY_DELAY, *, rehearsal: bool = False) -> Arguments:
    """Return the operator arguments that every task of a wave has unless it says otherwise.

    :param retries: how often a task that began may begin again.
    :param rehearsal: whether Airflow is to try again at once, as the task waits by the rehearsal's time. A rehearsal
        has no ledger that counts, and nobody waits for it.
    """
    real = AT_ONCE if rehearsal else None
    return {
        "retries": retries if rehearsal else LOST_STARTS,
        "retry_delay": real or delay,
        "retry_policy": TransientRetryPolicy(delay, real, retries + 1),
    }
