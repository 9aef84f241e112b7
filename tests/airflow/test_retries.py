"""Which failures are worth another try: transient ones, and no others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk import DAG
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.serialization.serialized_objects import DagSerialization

from hcx_airflow.errors import BlockedError, LostTooOftenError, NotApprovedError, RejectedError
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.retries import AT_ONCE, LOST_PROCESSES, LOST_STARTS, RETRIES, TransientRetryPolicy, retry_arguments
from hcx_airflow.task import TaskRun
from hcx_waves.clients import errors
from hcx_waves.cutover.errors import DestinationNotRoutedError, TwoGatewaysError
from hcx_waves.procedure_errors import NotSettledError
from support.airflow_tasks import AirflowRun
from support.wave_tasks import SEGMENT_TASKS, WAVE_TASKS, WaveTasks

GATES = ("approve_wave", "approve_switchover", "approve_cutover", "confirm_disconnected", "approve_cleanup")
TRANSIENT = [
    errors.ConnectionFailed("down"),
    errors.TimedOut("slow", phase="read"),
    errors.RateLimited("too many"),
    errors.ServiceUnavailable("busy"),
    errors.GatewayTimeout("proxy"),
    NotSettledError("not yet"),
    DestinationNotRoutedError("not yet"),
]
FINAL = [
    errors.AuthenticationFailed("wrong password"),
    errors.PermissionDenied("no right"),
    errors.ValidationFailed("refused"),
    errors.OutcomeUnknownError("lost"),
    errors.TlsError("certificate"),
    errors.EndpointMismatch("twin"),
    errors.ServerError("500"),
    TwoGatewaysError("both"),
    BlockedError("blocked"),
    NotApprovedError("no"),
    RejectedError("no"),
    ValueError("bug"),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_what_may_pass_is_tried_again_within_seconds(error: Exception) -> None:
    policy = TransientRetryPolicy(timedelta(seconds=5))
    delays = [policy.evaluate(error, number, 5).retry_delay for number in (1, 2, 3, 9)]
    assert policy.evaluate(error, 1, 5).action is RetryAction.RETRY
    assert delays == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 60)]


@pytest.mark.parametrize("error", FINAL, ids=lambda error: type(error).__name__)
def test_anything_else_fails_at_once(error: Exception) -> None:
    decision = TransientRetryPolicy().evaluate(error, 1, 5)
    assert decision.action is RetryAction.FAIL
    assert type(error).__name__ in str(decision.reason)


def test_a_policy_survives_being_stored() -> None:
    policy = TransientRetryPolicy(timedelta(seconds=2))
    assert TransientRetryPolicy.deserialize(policy.serialize()).delay == timedelta(seconds=2)


def test_a_rehearsals_airflow_tries_again_at_once_and_keeps_the_delay_for_the_nights_own_time() -> None:
    arguments = retry_arguments(delay=timedelta(seconds=5), rehearsal=True)
    policy = TransientRetryPolicy.deserialize(arguments["retry_policy"].serialize())
    assert [policy.evaluate(TRANSIENT[0], number, 5).retry_delay for number in (1, 3)] == [AT_ONCE] * 2
    assert [policy.delay_after(number) for number in (1, 2, 3)] == [timedelta(seconds=one) for one in (5, 10, 20)]
    assert arguments["retry_delay"] == AT_ONCE
    assert timedelta() < AT_ONCE < timedelta(seconds=1)
    live = retry_arguments(delay=timedelta(seconds=5))
    assert live["retry_policy"].serialize() == {"__type": "TransientRetryPolicy", "delay": 5.0, "tries": RETRIES + 1}
    assert (arguments["retries"], live["retries"]) == (RETRIES, LOST_STARTS)


class TestTriesThatNeverBegan:
    """While Airflow's API server is away each start of a task fails, and is a try by Airflow's own count."""

    def test_they_end_no_step(self, airflow_run: AirflowRun) -> None:
        step = Away(task_id="unextend_network", wave_id="seed-wave")
        airflow_run.tries[step.task_id] = 150
        with pytest.raises(errors.ServiceUnavailable):
            airflow_run.execute(step)
        assert step.times == RETRIES + 1

    def test_a_clear_counts_from_the_start(self, airflow_run: AirflowRun) -> None:
        step = Away(task_id="unextend_network", wave_id="seed-wave")
        for times in (1, 2):
            with pytest.raises(errors.ServiceUnavailable):
                airflow_run.execute(step)
            assert step.times == times * (RETRIES + 1)
            airflow_run.clear(step.task_id)

    def test_a_step_whose_process_is_lost_each_time_gives_up(self, airflow_run: AirflowRun) -> None:
        step = Away(task_id="unextend_network", wave_id="seed-wave")
        for number in range(1, RETRIES + LOST_PROCESSES + 2):
            airflow_run.tries[step.task_id] = number
            airflow_run.make_begin(step.task_id)
        with pytest.raises(LostTooOftenError, match="unextend_network has begun 11 times without coming to an end"):
            airflow_run.execute(step)
        assert step.times == 0

    def test_the_way_back_is_tried_for_longer(self, airflow_run: AirflowRun) -> None:
        step = WaveTasks(airflow_run).make("reconnect_source_segment")
        tries = step.retry_policy.tries
        minutes = sum((step.retry_policy.delay_after(number) for number in range(1, tries)), timedelta())
        assert timedelta(minutes=20) < minutes < timedelta(minutes=40)


class Away(WaveOperator):
    """A step that cannot reach a product."""

    times = 0

    def act(self, run: TaskRun) -> None:
        self.times += 1
        raise errors.ServiceUnavailable("away")


def test_every_task_retries_and_is_serialised(airflow_run: object) -> None:
    names = [*WAVE_TASKS, *SEGMENT_TASKS, *GATES]
    with DAG("all-tasks", schedule=None) as dag:
        tasks = WaveTasks(None)  # type: ignore[arg-type]
        for name in names:
            tasks.make(name, task_id=f"x_{name}")
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    for name in names:
        task, stored = dag.get_task(f"x_{name}"), again.get_task(f"x_{name}")
        # Gates as well: Airflow may lose them; the policy fails them at once on whatever they raise themselves.
        assert stored.retries >= 1, name
        assert stored.retry_delay <= timedelta(seconds=60), name
        assert isinstance(task.retry_policy, TransientRetryPolicy), name
        assert stored.pool == "default_pool"
        assert stored.start_from_trigger is name.startswith("await")
