"""Act as a person has agreed to: take the turn, look again, note it, send, read back; each step in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hcx_waves.cutover.errors import TurnTakenError
from hcx_waves.cutover.turns import MIGRATIONS, taking_turn
from hcx_waves.rescue.actions.definition import WayBack
from hcx_waves.rescue.actions.table import ACTIONS
from hcx_waves.rescue.audit import Audit
from hcx_waves.rescue.base import Intent, Look, RescueOutcome, Wanted
from hcx_waves.rescue.ledgers import GROUP_PREFIX, note_recovery
from hcx_waves.rescue.menu import Subjects
from hcx_waves.rescue.rescuer import Rescuer
from hcx_waves.run.rescues import RescueStep


@dataclass
class Acting:
    """Does what was agreed to.

    :param audit: where each step is written before and after.
    :param state: the state folder, in which turns are taken; None where no run has one.
    """

    rescuer: Rescuer
    audit: Audit
    state: Path | None

    def act(self, wanted: Wanted, agreed: Sequence[Intent]) -> tuple[RescueOutcome, ...]:
        """Do it for each object for which it is still as it was when the person agreed; tell why not for the others.

        :param agreed: what will be done, as it was shown.
        :raises OSError: if audit or ledger cannot be written; nothing is sent after that.
        """
        row, outcomes = ACTIONS[wanted.action], []
        with ExitStack() as stack:
            mine, turns = [], _Turns(stack, self.state, self.rescuer.plan.wave, f"{row.item.title} ({self.audit.who})")
            for one in agreed:
                try:
                    turns.take(self._turn_at(row, one.subject))
                except TurnTakenError as error:
                    outcomes.append(RescueOutcome(subject=one.subject, done=False, text=error.message))
                else:
                    mine.append(one)
            outcomes += self._act(row, wanted, mine) if mine else []
        for done in outcomes:
            step = RescueStep.DONE if done.done else RescueStep.FAILED
            self.audit.write(step, subject=done.subject, text=done.text)
        return tuple(outcomes)

    def _turn_at(self, row: WayBack, subject: str) -> str:
        return self.rescuer.plan.segment(subject).key if row.item.subjects is Subjects.SEGMENTS else MIGRATIONS

    def _act(self, row: WayBack, wanted: Wanted, agreed: Sequence[Intent]) -> list[RescueOutcome]:
        look, outcomes, still = self.rescuer.look(), [], []
        for one in agreed:
            now = row.intend(self.rescuer, look, one.subject, wanted.choices)
            if one.stands(now):
                still.append(one)
                self.audit.write(RescueStep.ACTING, subject=one.subject, text=now.will)
            else:
                outcomes.append(_not_any_more(one, now))
        if still:
            outcomes += self._perform(row, look, [one.subject for one in still], wanted)
        return outcomes

    def _perform(self, row: WayBack, look: Look, names: Sequence[str], wanted: Wanted) -> Sequence[RescueOutcome]:
        if row.voids:
            for name in names:
                self._note(f"{GROUP_PREFIX}{self.rescuer.plan.segment(name).key}", row.voids)
        outcomes = row.perform(self.rescuer, look, names, wanted.choices)
        for one in outcomes:
            if one.kept is not None:
                self._note(one.subject, row.item.action.value, one)
        return outcomes

    def _note(self, subject: str, key: str, outcome: RescueOutcome | None = None) -> None:
        """Note it in the ledger of the run it is about, if one is known."""
        records = self.rescuer.records
        if records.ledgers:
            kept = None if outcome is None else outcome.kept
            now = self.rescuer.patience.now()
            note_recovery(records.ledgers[0], self.rescuer.plan.wave, subject, key, now, kept)


@dataclass
class _Turns:
    stack: ExitStack
    state: Path | None
    wave: str
    who: str
    held: set[str] = field(default_factory=set)

    def take(self, key: str) -> None:
        if self.state is not None and key not in self.held:
            self.stack.enter_context(taking_turn(self.state, self.wave, key, self.who))
            self.held.add(key)


def _not_any_more(agreed: Intent, now: Intent) -> RescueOutcome:
    if now.needless:
        return RescueOutcome(subject=agreed.subject, done=True, text=f"nothing to do any more: {now.needless}")
    found = now.refused or now.will
    return RescueOutcome(subject=agreed.subject, done=False, text=f"the situation has changed: {found}")
