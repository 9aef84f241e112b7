"""One call of ``rescue``: look, show, ask, act, read back; each step in the audit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from hcx_waves.cli.output import print_rows
from hcx_waves.cutover.source import GatewayReading
from hcx_waves.model.formatting import MISSING, duration, instant
from hcx_waves.model.outside import shown, shown_values
from hcx_waves.rescue.acting import Acting
from hcx_waves.rescue.actions.table import ACTIONS, intents, strangers
from hcx_waves.rescue.audit import Audit
from hcx_waves.rescue.base import Intent, Look, RescueOutcome, Wanted
from hcx_waves.rescue.findings import record_look
from hcx_waves.rescue.menu import RescueAction
from hcx_waves.rescue.rescuer import Rescuer
from hcx_waves.rescue.segments import LABELS, SegmentFinding
from hcx_waves.run.rescues import RescueStep

_SEGMENT_HEADINGS = ("segment", "source", "destination", "extension", "off since")
_VM_HEADINGS = ("VM", "site", "power", "migration", "group", "press")


class RescueUnusableError(Exception):
    """The action cannot be carried out at all; the message says why."""


@dataclass
class RescueCall:
    """One call of the command.

    :param state: the state folder, in which turns are taken; None if this machine has none.
    """

    rescuer: Rescuer
    audit: Audit
    wanted: Wanted
    state: Path | None
    as_json: bool
    yes: bool

    def run(self) -> bool:
        """Carry it out; return whether everything is well afterwards.

        :raises RescueUnusableError: if an object is named that the wave has not.
        :raises OSError: if the audit cannot be written; nothing is sent after that.
        """
        look = self.rescuer.look()
        self._require_known(look)
        if self.wanted.action is RescueAction.LOOK:
            return self._only_look(look)
        record_look(self.audit, RescueStep.LOOKED, look)
        found = intents(self.rescuer, look, self.wanted)
        wanted = tuple(one for one in found if one.will)
        for one in found:
            if one.refused:
                self.audit.write(RescueStep.REFUSED, subject=one.subject, text=one.refused)
        if not self.as_json:
            self._show(look)
            self._show_intents(found)
        if not wanted:
            self._end(look, found, "", (), look)
            return bool(found) and all(one.needless for one in found)
        answer = self._ask(look)
        self.audit.write(RescueStep.ANSWERED, text=answer, found={"will": [str(one) for one in wanted]})
        if answer == "no":
            self._tell("Nothing was sent.")
            return False
        outcomes = Acting(self.rescuer, self.audit, self.state).act(self.wanted, wanted)
        after = self.rescuer.look()
        record_look(self.audit, RescueStep.READ_BACK, after)
        self._end(look, found, answer, outcomes, after)
        return (
            all(one.done for one in outcomes)
            and not any(one.refused for one in found)
            and ACTIONS[self.wanted.action].is_well(after, self.wanted.names)
        )

    def _only_look(self, look: Look) -> bool:
        try:
            record_look(self.audit, RescueStep.LOOKED, look)
        except OSError as error:
            # Looking is needed most when a disk is full.
            typer.echo(f"{self.audit.path}: cannot be written: {error.strerror}; an action would be refused", err=True)
        if self.as_json:
            self._print_json({**look.model_dump(mode="json"), "press": _presses(look)})
        else:
            self._show(look)
        return look.is_fine

    def _require_known(self, look: Look) -> None:
        strange = strangers(self.wanted, look)
        if strange:
            missing = f" {'; '.join(look.problems)}" if look.problems else ""
            raise RescueUnusableError(f"{', '.join(strange)}: not found in wave {look.wave}.{missing}")

    def _ask(self, look: Look) -> str:
        if self.yes:
            return "yes, by --yes"
        typer.echo("If a worker of Airflow may still be at work on this run, stop it first.")
        try:
            agreed = typer.confirm(f"Do this for wave {look.wave} now?", default=False)
        except typer.Abort:
            # Nobody is there to answer: no.
            agreed = False
        return "yes" if agreed else "no"

    def _end(
        self, look: Look, found: Sequence[Intent], answer: str, outcomes: Sequence[RescueOutcome], after: Look
    ) -> None:
        if self.as_json:
            self._print_json(
                {
                    "action": self.wanted.action.value,
                    "found": look.model_dump(mode="json"),
                    "intents": [one.model_dump(mode="json") for one in found],
                    "answer": answer,
                    "outcomes": [one.model_dump(mode="json") for one in outcomes],
                    "after": after.model_dump(mode="json"),
                    "press": _presses(after),
                }
            )
            return
        for one in outcomes:
            self._tell(f"{'done' if one.done else 'FAILED'}: {one.subject}: {one.text}")
        if outcomes:
            self._tell("Read back:")
            self._show(after)

    def _show(self, look: Look) -> None:
        self._tell(f"Wave {look.wave}, run {look.run_id or 'unknown'}, by {look.plan_from}; {instant(look.at)}")
        for note in look.notes:
            self._tell(note, indent=2)
        if look.segments:
            print_rows(_SEGMENT_HEADINGS, (self._cleaned(_segment_row(one, look.at)) for one in look.segments))
        for one in look.segments:
            for line in _details(one):
                self._tell(f"{one.name}: {line}", indent=2)
        print_rows(_VM_HEADINGS, (self._cleaned(row) for row in _vm_rows(look)))
        for problem in look.problems:
            self._tell(f"NOT READ: {problem}", indent=2)

    def _show_intents(self, found: Sequence[Intent]) -> None:
        if not found:
            self._tell(f"{self.wanted.action.value}: there is nothing that it would be for")
        for one in found:
            self._tell(str(one))

    def _tell(self, text: str, indent: int = 0) -> None:
        typer.echo(" " * indent + shown(self.audit.clean(text), 4000))

    def _cleaned(self, cells: Sequence[str]) -> list[str]:
        return [str(self.audit.clean(cell)) for cell in cells]

    def _print_json(self, body: dict[str, Any]) -> None:
        typer.echo(json.dumps(shown_values(self.audit.clean(body)), indent=2))


def _presses(look: Look) -> dict[str, str]:
    segments = {one.name: one.press for one in look.segments}
    return {**segments, **{vm.name: vm.press for vm in look.vms if vm.in_flight}}


def _segment_row(one: SegmentFinding, now: datetime) -> tuple[str, ...]:
    since = MISSING
    if one.off_since is not None:
        # A product's clock may be ahead of this machine's.
        length = max(0.0, (now - one.off_since).total_seconds())
        since = f"{one.off_since.astimezone(UTC):%H:%M} UTC, {duration(length)}"
    return (one.name, _gateway(one.source), _gateway(one.destination), one.extension, since)


def _gateway(reading: GatewayReading) -> str:
    word = {"connected": "on", "disconnected": "off"}.get(reading.state.value, reading.state.value)
    if reading.failure:
        return f"{word}, failed: {reading.failure}"
    return f"{word}, not in effect yet" if reading.pending else word


def _details(one: SegmentFinding) -> list[str]:
    lines = [LABELS[one.state]]
    if one.off_since is not None:
        lines.append(f"off since {instant(one.off_since, seconds=True)}, by the {one.off_since_by}")
    if one.unextend:
        lines.append(f"unextend {one.unextend}")
    if one.problem:
        lines.append(one.problem)
    return [*lines, f"press: {one.press}"]


def _vm_rows(look: Look) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for vm in look.vms:
        percent = "" if vm.percent is None or not vm.in_flight else f" ({vm.percent:.0f} %)"
        state = f"{vm.state}{percent}" if vm.state else MISSING
        rows.append((vm.name, vm.site.value, vm.power or MISSING, state, vm.group or MISSING, vm.press))
    return rows
