"""The gate operator: a person reads the plan and answers; the decision is sealed, and a rejection fails the task."""

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

from hcx_airflow.documents import Arguments, Document
from hcx_airflow.errors import (
    AnswerRefusedError,
    BlockedError,
    DriftedError,
    RejectedError,
    RunRefusedError,
    UnansweredError,
)
from hcx_airflow.gates.approval import (
    CLEARED_UNDER_FOUR_EYES,
    codes_of_evidence,
    is_second_person,
    may_answer,
    quotes_reference,
)
from hcx_airflow.gates.asking import Asking, reference_param
from hcx_airflow.gates.recheck_view import with_recheck
from hcx_airflow.gates.rehearsed import REHEARSAL_APPROVER, seconds_to_answer
from hcx_airflow.gates.table import GATES
from hcx_airflow.gates.view import read_view
from hcx_airflow.results import ASSESSMENTS, decision_slot, refused_slot, shown_slot, to_json
from hcx_airflow.retries import retry_arguments
from hcx_airflow.signing import signing_key
from hcx_airflow.task import TaskRun
from hcx_airflow.tries import on_its_clock, says_why
from hcx_airflow.work import Work, read_work
from hcx_waves.model.digest import digest_of
from hcx_waves.model.formatting import counted, period
from hcx_waves.run.decisions import Choice, Decision
from hcx_waves.wavefile.gates import GateSettings, time_to_answer

TEXT_VERSION = 3
"""Version of the gate texts: a body that another release has shown is compared by digest and scope only."""
NO_ANSWER = "no answer in time"
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
                raise AnswerRefusedError(f"{name} must be text. The gate asks again")
            texts[name] = (text or "").strip()[:_LONGEST_TEXT] or None
        return cls(user.get("id"), user.get("name") or user.get("id"), **texts)


class WaveGate(ApprovalOperator):
    """Ask a person. An approval stores the sealed decision for the steps after the gate; anything else fails the task.

    A gate never skips and never asks about a different plan on a later try. It asks again if an answer does not count,
    or if Airflow loses it, such as by a late event of its executor. A no is kept, and fails any later try at once.
    Each step that changes something verifies the decision itself, so marking the task "success" lets nothing through.

    :param wave_id: the wave.
    :param gate: the name of a gate in :mod:`hcx_airflow.gates.table`.
    :param segment: the segment's name, for a gate that each segment has.
    :param rehearsal: whether the rehearsal approver answers instead of a person.
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
            raise ValueError(f'unknown gate "{gate}"; known gates: {", ".join(GATES)}')
        params = {
            "change_reference": reference_param(GateSettings()),
            "reason": Param(None, type=["null", "string"], maxLength=_LONGEST_TEXT, title="Reason"),
        }
        subject = GATES[gate].title.format(wave=wave_id, segment=segment)
        # Airflow may lose a gate, or be unable to start it. What a person answers, and what we refuse, is not retried.
        fixed = {**retry_arguments(rehearsal=rehearsal), "pool": "default_pool", "params": params}
        super().__init__(subject=subject, body="", **{**kwargs, **fixed})
        self.wave_id = wave_id
        self.gate = GATES[gate]
        self.segment = segment
        self.rehearsal = rehearsal
        self.four_eyes = four_eyes
        self._asked_at: str | None = None

    @override
    @says_why
    def execute(self, context: Context) -> Any:
        run = TaskRun(self.wave_id, self.rehearsal, context)
        signing_key()  # Without a key the decision could not be sealed, so fail before asking.
        run.begin()  # From now on no earlier decision of this gate counts.
        if self.rehearsal:
            with on_its_clock(run, self.retry_policy):
                return self.rehearse(run, read_work(run))
        self._keep_to_a_no(run)
        work = read_work(run)
        settings, now = self._settings(work), run.now()
        self._refuse_cleared(run, settings)
        self._require_evidence(run)
        before = run.results.recall(shown_slot(self.gate.name))
        asking = Asking.make(work.wave, settings, now + self._longest_wait(work, now), run.started_by, before)
        self.subject = self.gate.headline(work.plan, work.scope, self.segment)
        view = with_recheck(read_view(run, work, self.segment, asking), run, work)
        self.body = self.gate.body(view)
        self._refuse_to_show_another(run, work, asking, before)
        self.response_timeout = self._time_to_answer(run, work, now, asking.answer_by)
        self.assigned_users = _assigned(settings.approvers)
        given = work.scope.change_reference
        acceptable = given if quotes_reference(settings, given) else None
        self.params["change_reference"] = reference_param(settings, acceptable)
        asked_at = now.isoformat()
        try:
            super().execute(context)
        except TaskAwaitingInput as parked:
            raise TaskAwaitingInput(
                method_name=parked.method_name,
                kwargs={
                    "shown": work.shown(),
                    "asked_at": asked_at,
                    "evidence": codes_of_evidence(run, self.gate, work.plan),
                },
                timeout=parked.timeout,
            ) from None

    def rehearse(self, run: TaskRun, work: Work) -> Any:
        """Let the rehearsal approver answer after its reaction time, by the rehearsal's clock."""
        now = run.now()
        self._asked_at = now.isoformat()
        left = self._time_to_answer(run, work, now)
        seconds = seconds_to_answer(run, self.gate, self.gate.window(work.plan, self.segment))
        run.clock.sleep(left.total_seconds() if seconds is None else min(seconds, left.total_seconds()))
        if seconds is None or seconds >= left.total_seconds():
            self._record(run, work, Choice.UNANSWERED, Answer(reason=NO_ANSWER))
            raise UnansweredError(_unanswered(self.gate.name))
        self.before_rehearsed_yes(run, work)
        return self._record(run, work, Choice.APPROVED, Answer(user_name=REHEARSAL_APPROVER))

    def before_rehearsed_yes(self, run: TaskRun, work: Work) -> None:
        """Do at the twin what a person does before approving."""

    def _keep_to_a_no(self, run: TaskRun) -> None:
        """Fail on a try after one that recorded a no and was lost before it had failed; a clear asks again."""
        before = run.results.recall(refused_slot(self.gate.name))
        if before is not None and before.clear_number == run.clear_number:
            raise RejectedError(f"{self.gate.name} was {before.spoken}. Start a new run to be asked again")

    def _refuse_cleared(self, run: TaskRun, settings: GateSettings) -> None:
        """Refuse to ask for a second person in a run that somebody has cleared: it may have been that very person."""
        if settings.four_eyes and run.clear_number:
            raise RunRefusedError(
                f"{CLEARED_UNDER_FOUR_EYES}. Start a new run: it adopts what is under way and asks for approval again"
            )

    def _require_evidence(self, run: TaskRun) -> None:
        """Refuse to ask if a task before the gate has not left what the gate shows: it did not succeed by itself.

        :raises BlockedError: naming the task, or the findings that block.
        """
        group = self.task_id.rpartition(".")[0]
        dag = self.get_dag()
        known = set() if dag is None else set(dag.task_ids)
        for slot in self.gate.evidence:
            task_ids = known & {slot.task, f"{group}.{slot.task}"}
            if task_ids and run.results.sealed_beside(slot) is None:
                raise BlockedError(
                    f"{min(task_ids)} has left no result, so it did not succeed by itself. Clear it and all tasks "
                    "after it, or start a new run"
                )
        found = run.results.beside(ASSESSMENTS) if ASSESSMENTS in self.gate.evidence else None
        if found is not None and found.blocking:
            raise BlockedError(
                f"{counted(len(found.blocking), 'finding')} of {ASSESSMENTS.task} that nobody has waived blocks this "
                "wave. Resolve or waive it, then start a new run"
            )

    def _refuse_to_show_another(self, run: TaskRun, work: Work, asking: Asking, before: Document | None) -> None:
        """Fail on a later try that would show something else: Airflow keeps showing the first text."""
        shown: Document = {**work.shown(), "body": digest_of(self.body), "text_version": TEXT_VERSION}
        compared = shown if (before or {}).get("text_version") == TEXT_VERSION else work.shown()
        if before is not None and any(before.get(name) != value for name, value in compared.items()):
            raise DriftedError(
                f"{run.task_id} asked about a different plan or text on an earlier try, and Airflow would show that "
                "one again. Start a new run: it adopts what is under way and asks again"
            )
        run.results.keep(shown_slot(self.gate.name), {**shown, **asking.note()})

    def _longest_wait(self, work: Work, now: datetime) -> timedelta:
        window = self.gate.window(work.plan, self.segment)
        return time_to_answer(self.gate.settings_of(work), now, window, self.gate.wait)

    def _time_to_answer(self, run: TaskRun, work: Work, now: datetime, until: datetime | None = None) -> timedelta:
        """Return how long a question may wait.

        :param now: the instant of the question.
        :param until: the deadline that the text shows.
        """
        window = self.gate.window(work.plan, self.segment)
        longest = self._longest_wait(work, now)
        left = longest if until is None else min(longest, until - now)
        if longest > timedelta() >= left:
            self._record(run, work, Choice.UNANSWERED, Answer(reason=NO_ANSWER))
            raise UnansweredError(_unanswered(self.gate.name))
        if left <= timedelta():
            self._record(run, work, Choice.UNANSWERED, Answer(reason="the window has closed"))
            closed = (
                "" if window is None else f" (it was {period(window.opens, window.closes, work.plan.clock.time_zone)})"
            )
            raise UnansweredError(
                f"the window for the step after {self.gate.name} has closed{closed}. Set a new window in the wave "
                "file, then start a new run"
            )
        return left

    @override
    @says_why
    def execute_complete(
        self,
        context: Context,
        event: Arguments,
        shown: Document | None = None,
        asked_at: str | None = None,
        evidence: dict[str, str] | None = None,
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
            raise RejectedError(f"{answer.user_name} rejected {self.gate.name}{why}. Start a new run to be asked again")
        self._check_approval(run, work, answer, shown)
        if evidence != codes_of_evidence(run, self.gate, work.plan):
            raise DriftedError(
                f"the findings or proofs have changed since {self.gate.name} showed them. Start a new run to be asked "
                "again"
            )
        return self._record(run, work, Choice.APPROVED, answer)

    def _unanswered(self, run: TaskRun, work: Work, event: Arguments) -> NoReturn:
        if event.get("error_type") == "timeout":
            self._record(run, work, Choice.UNANSWERED, Answer(reason=NO_ANSWER))
            raise UnansweredError(_unanswered(self.gate.name))
        raise AnswerRefusedError(f"the answer to {self.gate.name} cannot be read: {event.get('error')}. It asks again")

    def _check_person(self, work: Work, answer: Answer) -> None:
        name = answer.user_name
        if not may_answer(self.gate.settings_of(work), name):
            raise AnswerRefusedError(
                f"{name or 'an unknown user'} is not one of the approvers of {self.gate.name}, so the answer does not "
                "count. The gate asks again"
            )

    def _check_approval(self, run: TaskRun, work: Work, answer: Answer, shown: Document | None) -> None:
        settings = self._settings(work)
        self._refuse_cleared(run, settings)
        if not is_second_person(settings, answer.user_name, run.started_by):
            raise AnswerRefusedError(
                f"{run.started_by} started the run, so another person must approve it. {self.gate.name} asks again"
            )
        if not quotes_reference(settings, answer.change_reference):
            raise AnswerRefusedError(
                f'"{answer.change_reference or ""}" is not a change reference that {self.gate.name} accepts '
                f"(pattern {settings.change_reference_pattern}). It asks again"
            )
        if shown != work.shown():
            raise DriftedError(
                f"the plan or the run's params have changed since {self.gate.name} showed them. Start a new run to be "
                "asked again"
            )

    def _settings(self, work: Work) -> GateSettings:
        settings = self.gate.settings_of(work)
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
            evidence=codes_of_evidence(run, self.gate, work.plan),
            **asdict(answer),
        )
        slot = decision_slot(self.gate.name)
        run.results.leave(slot, decision)
        if choice.is_no:
            run.results.keep(refused_slot(self.gate.name), decision)
        self.log.info("%s: %s", self.gate.name, decision.spoken)
        return run.results.sealed(to_json(slot, decision))


def _unanswered(gate: str) -> str:
    return f"{gate} was not answered in time, which counts as a rejection. Start a new run to be asked again"


def _assigned(approvers: Sequence[str] | None) -> Any:
    """Return the users who may answer if Airflow's user ids are user names; else None, and the gate checks the name."""
    if approvers is None or not conf.get("core", "auth_manager", fallback="").endswith(_SIMPLE_AUTH):
        return None
    return [{"id": name, "name": name} for name in approvers]
