"""Gates: a person reads the plan and answers. What is recorded is signed, and a no fails the task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context, Param
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import TaskAwaitingInput
from typing_extensions import override

from hcx_airflow.common.errors import AnswerRefusedError, DriftedError, RejectedError, UnansweredError
from hcx_airflow.common.signing import DECISION_KEY, Choice, Decision, sign, signing_key
from hcx_airflow.runs.approval import is_second_person, may_answer, quotes_reference
from hcx_airflow.runs.gates import GATES, body_of, gate_settings, gate_window, subject_of
from hcx_airflow.runs.pace import at_its_pace
from hcx_airflow.runs.rehearsed_answers import REHEARSAL_APPROVER, seconds_to_answer
from hcx_airflow.runs.task import TaskRun
from hcx_waves.model.digest import digest_of
from hcx_waves.wavefile.gates import WAIT_FOR_CLEANUP, WAIT_WITHOUT_WINDOW, Gate, time_to_answer

SHOWN_KEY = "shown"
_LONGEST_TEXT = 500
_SIMPLE_AUTH = "SimpleAuthManager"


class WaveGate(ApprovalOperator):
    """Ask a person. Approved: the signed decision is left for the steps after it. Anything else fails the task.

    It never skips, never retries and never asks twice about something else: so a no, silence, or somebody marking the
    task "success" lets nothing through, as each step that changes something verifies the decision itself.

    :param wave_id: the wave.
    :param gate: ``approve_wave``, ``approve_switchover``, ``approve_cutover`` or ``approve_cleanup``.
    :param segment: the segment's name, for ``approve_cutover``.
    :param rehearsal: whether nobody is asked, as nothing real is touched.
    :param four_eyes: demands that somebody else approves than has started the run, also where the wave file does not.
    """

    template_fields: Sequence[str] = ("wave_id",)
    ui_color = "#fdf3d8"

    def __init__(
        self,
        *,
        wave_id: str,
        gate: str,
        segment: str | None = None,
        rehearsal: bool = False,
        four_eyes: bool = False,
        **kwargs: Any,
    ) -> None:
        if gate not in GATES:
            raise ValueError(f'there is no gate "{gate}"; there are: {", ".join(GATES)}')
        params = {
            "change_reference": Param(None, type=["null", "string"], maxLength=_LONGEST_TEXT, title="Change reference"),
            "reason": Param(None, type=["null", "string"], maxLength=_LONGEST_TEXT, title="Reason"),
        }
        subject = subject_of(gate, wave_id, segment)
        fixed = {"retries": 0, "retry_policy": None, "pool": "default_pool", "params": params}
        super().__init__(subject=subject, body="", **{**kwargs, **fixed})
        self.wave_id = wave_id
        self.gate = gate
        self.segment = segment
        self.rehearsal = rehearsal
        self.four_eyes = four_eyes
        self._asked_at: str | None = None

    @override
    def execute(self, context: Context) -> Any:
        run = TaskRun(self.wave_id, self.rehearsal, context)
        signing_key()  # Without a key nobody could be believed afterwards; so nobody is asked.
        if self.rehearsal:
            with at_its_pace(run, self.retry_policy):
                return self.rehearse(run)
        gate = self._settings(run)
        self.body = body_of(run, self.gate, self.segment) + _four_eyes(gate, run.started_by)
        self._refuse_to_show_another(run)
        self.response_timeout = self._time_to_answer(run)
        self.assigned_users = _assigned(gate.approvers)
        if run.scope.change_reference:
            self.params["change_reference"] = run.scope.change_reference
        asked_at = run.now().isoformat()
        try:
            super().execute(context)
        except TaskAwaitingInput as parked:
            raise TaskAwaitingInput(
                method_name=parked.method_name,
                kwargs={"shown": _shown(run), "asked_at": asked_at},
                timeout=parked.timeout,
            ) from None

    def rehearse(self, run: TaskRun) -> Any:
        """Let the rehearsal approver react, by the rehearsal's time, and decide as a person would who is awake."""
        self._asked_at = run.now().isoformat()
        left = self._time_to_answer(run)
        seconds = seconds_to_answer(run, gate_window(run.plan, self.gate, self.segment), self.gate)
        run.pace.sleep(left.total_seconds() if seconds is None else min(seconds, left.total_seconds()))
        answer = {"user_name": REHEARSAL_APPROVER}
        if seconds is None or seconds >= left.total_seconds():
            self._record(run, Choice.UNANSWERED, {"reason": "nobody answered in time"})
            raise UnansweredError(f"nobody answered {self.gate} in time, which counts as no")
        self.before_rehearsed_yes(run)
        return self._record(run, Choice.APPROVED, answer)

    def before_rehearsed_yes(self, run: TaskRun) -> None:
        """Do at the twin what the one who says yes has done before."""

    def _refuse_to_show_another(self, run: TaskRun) -> None:
        """Fail on a later try that would ask about something else: Airflow keeps showing the first text."""
        store = run.context.get("task_state_store")
        if store is None:
            return
        shown = {**_shown(run), "body": digest_of(self.body)}
        before = store.get(SHOWN_KEY)
        if before is not None and before != shown:
            raise DriftedError(
                f"{run.task_id} has asked about something else before, and Airflow would show the old text; start a "
                "new run, which adopts what is under way and asks anew"
            )
        store.set(SHOWN_KEY, shown)

    def _time_to_answer(self, run: TaskRun) -> timedelta:
        gate, window = gate_settings(run.wave, self.gate), gate_window(run.plan, self.gate, self.segment)
        otherwise = WAIT_FOR_CLEANUP if self.gate == "approve_cleanup" else WAIT_WITHOUT_WINDOW
        left = time_to_answer(gate, run.now(), window, otherwise)
        if left <= timedelta():
            self._record(run, Choice.UNANSWERED, {"reason": "the window has closed"})
            raise UnansweredError(f"the window that {self.gate} is about has closed; give the wave a new one")
        return left

    @override
    def execute_complete(
        self,
        context: Context,
        event: dict[str, Any],
        shown: dict[str, Any] | None = None,
        asked_at: str | None = None,
    ) -> Any:
        run = TaskRun(self.wave_id, self.rehearsal, context)
        self._asked_at = asked_at
        if "error" in event:
            self._unanswered(run, event)
        chosen = list(event["chosen_options"])
        self.validate_chosen_options(chosen)
        answer = self._answer(event)
        self._check_person(run, answer)
        if chosen != [self.APPROVE]:
            self._record(run, Choice.REJECTED, answer)
            why = f": {answer['reason']}" if answer["reason"] else ""
            raise RejectedError(f"{answer['user_name']} said no to {self.gate}{why}")
        self._check_approval(run, answer, shown)
        return self._record(run, Choice.APPROVED, answer)

    def _unanswered(self, run: TaskRun, event: dict[str, Any]) -> NoReturn:
        if event.get("error_type") == "timeout":
            self._record(run, Choice.UNANSWERED, {"reason": "nobody answered in time"})
            raise UnansweredError(f"nobody answered {self.gate} in time, which counts as no")
        raise AnswerRefusedError(f"the answer to {self.gate} cannot be read: {event.get('error')}")

    def _answer(self, event: dict[str, Any]) -> dict[str, Any]:
        user = event.get("responded_by_user") or {}
        given = event.get("params_input") or {}
        answer: dict[str, Any] = {"user_id": user.get("id"), "user_name": user.get("name") or user.get("id")}
        for name in ("change_reference", "reason"):
            text = given.get(name)
            if text is not None and not isinstance(text, str):
                raise AnswerRefusedError(f"{name} must be text")
            answer[name] = (text or "").strip()[:_LONGEST_TEXT] or None
        return answer

    def _check_person(self, run: TaskRun, answer: dict[str, Any]) -> None:
        name = answer["user_name"]
        if not may_answer(gate_settings(run.wave, self.gate), name):
            raise AnswerRefusedError(
                f"{name or 'nobody'} is not one of the approvers of {self.gate}; clear it to ask again"
            )

    def _check_approval(self, run: TaskRun, answer: dict[str, Any], shown: dict[str, Any] | None) -> None:
        gate = self._settings(run)
        if not is_second_person(gate, answer["user_name"], run.started_by):
            raise AnswerRefusedError(
                f"{run.started_by} has started the run, so another person must approve it; clear to ask again"
            )
        if not quotes_reference(gate, answer["change_reference"]):
            raise AnswerRefusedError(
                f'"{answer["change_reference"] or ""}" is not the change reference that {self.gate} demands '
                f"({gate.change_reference_pattern}); clear it to ask again"
            )
        if shown != _shown(run):
            raise DriftedError(f"what {self.gate} has shown is not what would be done now; start a new run")

    def _settings(self, run: TaskRun) -> Gate:
        settings = gate_settings(run.wave, self.gate)
        return settings.model_copy(update={"four_eyes": True}) if self.four_eyes else settings

    def _record(self, run: TaskRun, choice: Choice, answer: dict[str, Any] | None = None) -> dict[str, Any]:
        decision = Decision(
            wave=self.wave_id,
            dag_id=str(run.ti.dag_id),
            run_id=str(run.ti.run_id),
            task_id=run.task_id,
            try_number=int(run.ti.try_number),
            clear_number=run.clear_number,
            started_by=run.started_by,
            gate=self.gate,
            segment=self.segment,
            **_shown(run),
            choice=choice,
            rehearsal=self.rehearsal,
            at=run.now(),
            asked_at=None if self._asked_at is None else datetime.fromisoformat(self._asked_at),
            **(answer or {}),
        )
        document = sign(decision, signing_key())
        run.ti.xcom_push(key=DECISION_KEY, value=document)
        self.log.info("%s: %s", self.gate, decision.spoken)
        return document


def _shown(run: TaskRun) -> dict[str, Any]:
    """Return what an answer is about."""
    return {"digest": run.plan.digest(), "scope": run.scope.meaning()}


def _four_eyes(gate: Gate, started_by: str | None) -> str:
    """Say who cannot approve, for the body."""
    if not gate.four_eyes or started_by is None:
        return ""
    name = started_by.replace("`", "'")
    return f"\n\nFour eyes: `{name}` has started this run, so somebody else has to approve it."


def _assigned(approvers: Sequence[str] | None) -> Any:
    """Return the users that Airflow lets answer, where its user ids are user names; else the gate checks by name."""
    if approvers is None or not conf.get("core", "auth_manager", fallback="").endswith(_SIMPLE_AUTH):
        return None
    return [{"id": name, "name": name} for name in approvers]
