"""A recovery: what a person has asked for in Airflow, what was found, and what became of it."""

from __future__ import annotations

from pydantic import AwareDatetime

from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import WavePlan
from hcx_waves.rescue.base import Intent, Look, RescueOutcome, Wanted
from hcx_waves.rescue.menu import MENU, MenuItem
from hcx_waves.wavefile.gates import GatedStep


class Recovery(DomainModel):
    """What the first task of a recovery leaves; the approval holds for exactly this. Fields are added, never renamed.

    :param run_id: the wave's run that it is about.
    """

    run_id: str
    wanted: Wanted
    plan: WavePlan
    look: Look
    intents: tuple[Intent, ...]

    @property
    def item(self) -> MenuItem:
        """What people read of the action."""
        return MENU[self.wanted.action]

    @property
    def title(self) -> str:
        """What people call the action."""
        return self.item.title

    @property
    def does(self) -> str:
        """What the action does."""
        return self.item.does

    @property
    def undoes(self) -> GatedStep:
        """The step of the wave that it undoes or replaces."""
        return self.item.undoes

    @property
    def agreed(self) -> tuple[Intent, ...]:
        """What will be done."""
        return tuple(one for one in self.intents if one.will)

    @property
    def chosen(self) -> str:
        """The choices that were made, as a sentence."""
        choices = self.wanted.choices
        said = (f"{one.value.replace('_', ' ')}: {_said(getattr(choices, one.value))}" for one in choices.made)
        return "; ".join(said)


def _said(value: object) -> str:
    return "yes" if value is True else str(value)


class RecoveryResult(DomainModel):
    """What became of a recovery. Fields are added, never renamed."""

    run_id: str
    approved_by: str = ""
    began_at: AwareDatetime
    outcomes: tuple[RescueOutcome, ...] = ()
    after: Look | None = None
    is_well: bool = False
