"""What makes an action: whom it is for, what it would do and why not, and how it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hcx_waves.clients.errors import ClientError
from hcx_waves.cutover.gateway import GatewayChange
from hcx_waves.rescue.base import Choices, Intent, Look, RescueOutcome
from hcx_waves.rescue.menu import MenuItem
from hcx_waves.rescue.rescuer import Rescuer


@dataclass(frozen=True)
class WayBack:
    """One row of the table of actions.

    :param item: what people read of it.
    :param concerns: the names of those that it is for if nobody names any.
    :param intend: what it comes to for one object as it was found; changes nothing.
    :param perform: does it for the objects of which :attr:`intend` has said that it will, with the guards of its
        procedure, and reads back; an object's failure is its outcome, not an error.
    :param is_well: whether the objects are afterwards as the person wanted.
    :param voids: what the live run must not do by an old approval any more once this was done to a segment: a name in
        :mod:`hcx_waves.rescue.ledgers`.
    """

    item: MenuItem
    concerns: Callable[[Look], Sequence[str]]
    intend: Callable[[Rescuer, Look, str, Choices], Intent]
    perform: Callable[[Rescuer, Look, Sequence[str], Choices], Sequence[RescueOutcome]]
    is_well: Callable[[Look, Sequence[str]], bool]
    voids: str = ""


def each(
    names: Sequence[str], change: Callable[[str], GatewayChange], done: Callable[[GatewayChange], str]
) -> tuple[RescueOutcome, ...]:
    """Change the gateways of segments one after the other; what fails is told, and the next one is done.

    :param done: what there is to say of a change.
    """
    outcomes = []
    for name in names:
        try:
            outcomes.append(RescueOutcome(subject=name, done=True, text=done(change(name))))
        except ClientError as error:
            outcomes.append(RescueOutcome(subject=name, done=False, text=why(error)))
    return tuple(outcomes)


def why(error: ClientError) -> str:
    """Return why something failed, with what a person has to do by hand."""
    instructions = error.details.get("instructions")
    return f"{error.message}{f'. Do this: {instructions}' if instructions else ''}"
