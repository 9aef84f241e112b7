"""Gates: a person reads the plan and answers. What is recorded is signed, and a no fails the task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context, Param
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import TaskAwaitingInput
from typing_extensions import override

from hcx_airflow import names
from hcx_airflow.documents import Arguments, Document
from hcx_airflow.errors import AnswerRefusedError, DriftedError, RejectedError, UnansweredError
from hcx_airflow.gates.approval import is_second_person, may_answer, quotes_reference
from hcx_airflow.gates.rehearsed import REHEARSAL_APPROVER, seconds_to_answer
from hcx_airflow.gates.table import GATES
from hcx_airflow.gates.view import read_view
from hcx_airflow.results import decision_slot
from hcx_airflow.signing import sign, signing_key
from hcx_airflow.task import TaskRun
from hcx_airflow.tries import on_its_clock
from hcx_airflow.work import Work, read_work
from hcx_waves.model.digest import digest_of
from hcx_waves.report.markup import Markdown, code, document
from hcx_waves.run.decisions import Choice, Decision
from hcx_waves.wavefile.gates import GateSettings, time_to_answer

TEXT_VERSION = 2
"""Of the words in gates: what an older release has shown cannot be compared with them, only what it was about."""
_LONGEST_TEXT = 500
_SIMPLE_AUTH = "SimpleAuthManager"


@dataclass(frozen=True)
class Answer:
    """What a person answered, beside yes or no."""

    user_id: str | None = None
    user_name: str | None = None
    change_reference: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, event: Arguments) -> Answer:
        """Read it from Airflow's event.

        :raises AnswerRefusedError: if a text is none.
        """
        user = event.get("responded_by_user") or {}
        given = event.get("params_input") or {}
        texts: dict[str, str | None] = {}
        for name in ("change_reference", "reason"):
            text = given.get(name)
            if text is not None and not isinstance(text, str):
                raise AnswerRefusedError(f"{name} must be text")
            texts[name] = (text or "").strip()[:_LONGEST_TEXT] or None
        return cls(user.get("id"), user.get("name") or user.get("id"), **texts)


class WaveGate(ApprovalOperator):
    """Ask a person. Approved: the signed decision is left for the steps after it. Anything else fails the task.

    It never skips, never retries and never asks twice about something else: so a no, silence, or somebody marking the
    task "success" lets nothing through, as each step that changes something verifies the decision itself.

    :param wave_id: the wave.
    :param gate: the name of a gate in :mod:`hcx_airflow.gates.table`.
    :param segment: the segment's name, for a gate that each segment has.
    :param rehearsal: whether nobody is asked, as nothing real is touched.
    :param four_eyes: demands an approver other than the user who has started the run, also where the wave file does
        not.
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
        subject = GATES[gate].title.format(wave=wave_id, segment=segment)
        fixed = {"retries": 0, "retry_policy": None, "pool": "default_pool", "params": params}
        super().__init__(subject=subject, body="", **{**kwargs, **fixed})
        self.wave_id = wave_id
        self.gate = GATES[gate]
        self.segment = segment
        self.rehearsal = rehearsal
        self.four_eyes = four_eyes
        self._asked_at: str | None = None

    @override
    def execute(self, context: Context) -> Any:
        run = TaskRun(self.wave_id, self.rehearsal, context)
        signing_key()  # Without a key nobody could be believed afterwards; so nobody is asked.
        if self.rehearsal:
            with on_its_clock(run, self.retry_policy):
                return self.rehearse(run, read_work(run))
        work = read_work(run)
        settings = self._settings(work)
        self.body = document(self.gate.body(read_view(run, work, self.segment)), _four_eyes(settings, run.started_by))
        self._refuse_to_show_another(run, work)
        self.response_timeout = self._time_to_answer(run, work)
        self.assigned_users = _assigned(settings.approvers)
        if work.scope.change_reference:
            self.params["change_reference"] = work.scope.change_reference
        asked_at = run.now().isoformat()
        try:
            super().execute(context)
        except TaskAwaitingInput as parked:
            raise TaskAwaitingInput(
                method_name=parked.method_name,
                kwargs={"shown": work.shown(), "asked_at": asked_at},
                timeout=parked.timeout,
            ) from None

    def rehearse(self, run: TaskRun, work: Work) -> Any:
        """Let the rehearsal approver react, by the rehearsal's clock, and decide as a person would who is awake."""
        self._asked_at = run.now().isoformat()
        left = self._time_to_answer(run, work)
        seconds = seconds_to_answer(run, self.gate, self.gate.window(work.plan, self.segment))
        run.clock.sleep(left.total_seconds() if seconds is None else min(seconds, left.total_seconds()))
        if seconds is None or seconds >= left.total_seconds():
            self._record(run, work, Choice.UNANSWERED, Answer(reason="nobody answered in time"))
            raise UnansweredError(f"nobody answered {self.gate.name} in time, which counts as no")
        self.before_rehearsed_yes(run, work)
        return self._record(run, work, Choice.APPROVED, Answer(user_name=REHEARSAL_APPROVER))

    def before_rehearsed_yes(self, run: TaskRun, work: Work) -> None:
        """Do at the twin what the person who says yes has done before."""

    def _refuse_to_show_another(self, run: TaskRun, work: Work) -> None:
        """Fail on a later try that would ask about something else: Airflow keeps showing the first text."""
        shown = {**work.shown(), "body": digest_of(self.body), "text_version": TEXT_VERSION}
        before = run.results.noted(names.SHOWN)
        compared = shown if (before or {}).get("text_version") == TEXT_VERSION else work.shown()
        if before is not None and any(before.get(name) != value for name, value in compared.items()):
            raise DriftedError(
                f"{run.task_id} has asked about something else before, and Airflow would show the old text; start a "
                "new run, which adopts what is under way and asks anew"
            )
        run.results.note(names.SHOWN, shown)

    def _time_to_answer(self, run: TaskRun, work: Work) -> timedelta:
        window = self.gate.window(work.plan, self.segment)
        left = time_to_answer(self.gate.settings(work.wave), run.now(), window, self.gate.wait)
        if left <= timedelta():
            self._record(run, work, Choice.UNANSWERED, Answer(reason="the window has closed"))
            raise UnansweredError(f"the window for the step after {self.gate.name} has closed; give the wave a new one")
        return left

    @override
    def execute_complete(
        self,
        context: Context,
        event: Arguments,
        shown: Document | None = None,
        asked_at: str | None = None,
    ) -> Any:
        run = TaskRun(self.wave_id, self.rehearsal, context)
        work = read_work(run)
        self._asked_at = asked_at
        if "error" in event:
            self._unanswered(run, work, event)
        chosen = list(event["chosen_options"])
        self.validate_chosen_options(chosen)
        answer = Answer.of(event)
        self._check_person(work, answer)
        if chosen != [self.APPROVE]:
            self._record(run, work, Choice.REJECTED, answer)
            why = f": {answer.reason}" if answer.reason else ""
            raise RejectedError(f"{answer.user_name} said no to {self.gate.name}{why}")
        self._check_approval(run, work, answer, shown)
        return self._record(run, work, Choice.APPROVED, answer)

    def _unanswered(self, run: TaskRun, work: Work, event: Arguments) -> NoReturn:
        if event.get("error_type") == "timeout":
            self._record(run, work, Choice.UNANSWERED, Answer(reason="nobody answered in time"))
            raise UnansweredError(f"nobody answered {self.gate.name} in time, which counts as no")
        raise AnswerRefusedError(f"the answer to {self.gate.name} cannot be read: {event.get('error')}")

    def _check_person(self, work: Work, answer: Answer) -> None:
        name = answer.user_name
        if not may_answer(self.gate.settings(work.wave), name):
            raise AnswerRefusedError(
                f"{name or 'nobody'} is not one of the approvers of {self.gate.name}; clear it to ask again"
            )

    def _check_approval(self, run: TaskRun, work: Work, answer: Answer, shown: Document | None) -> None:
        settings = self._settings(work)
        if not is_second_person(settings, answer.user_name, run.started_by):
            raise AnswerRefusedError(
                f"{run.started_by} has started the run, so another person must approve it; clear to ask again"
            )
        if not quotes_reference(settings, answer.change_reference):
            raise AnswerRefusedError(
                f'"{answer.change_reference or ""}" is not the change reference that {self.gate.name} demands '
                f"({settings.change_reference_pattern}); clear it to ask again"
            )
        if shown != work.shown():
            raise DriftedError(f"what {self.gate.name} has shown is not what would be done now; start a new run")

    def _settings(self, work: Work) -> GateSettings:
        settings = self.gate.settings(work.wave)
        return settings.model_copy(update={"four_eyes": True}) if self.four_eyes else settings

    def _record(self, run: TaskRun, work: Work, choice: Choice, answer: Answer) -> Document:
        decision = Decision(
            wave=self.wave_id,
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=run.task_id,
            try_number=int(run.ti.try_number),
            clear_number=run.clear_number,
            started_by=run.started_by,
            gate=self.gate.name,
            segment=self.segment,
            **work.shown(),
            choice=choice,
            rehearsal=self.rehearsal,
            at=run.now(),
            asked_at=None if self._asked_at is None else datetime.fromisoformat(self._asked_at),
            **asdict(answer),
        )
        document = sign(decision, signing_key())
        run.results.leave(decision_slot(self.gate.name), document)
        self.log.info("%s: %s", self.gate.name, decision.spoken)
        return document


def _four_eyes(gate: GateSettings, started_by: str | None) -> Markdown:
    """Say who cannot approve, for the body."""
    if not gate.four_eyes or started_by is None:
        return Markdown()
    return Markdown(f"Four eyes: {code(started_by)} has started this run, so another person has to approve it.")


def _assigned(approvers: Sequence[str] | None) -> Any:
    """Return the users that Airflow lets answer, where its user ids are user names; else the gate checks by name."""
    if approvers is None or not conf.get("core", "auth_manager", fallback="").endswith(_SIMPLE_AUTH):
        return None
    return [{"id": name, "name": name} for name in approvers]
