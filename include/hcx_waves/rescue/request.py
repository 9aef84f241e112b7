"""What a form or a call of the API asks for: checked as a whole, and every problem told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from hcx_waves.model.formatting import listed
from hcx_waves.model.outside import shown
from hcx_waves.model.spelling import MOST_NAMES, KnownNames
from hcx_waves.rescue.base import Choices, Wanted
from hcx_waves.rescue.menu import MENU, MOST_LETTERS, MenuItem, RescueAction, RescueChoice, Subjects
from hcx_waves.wavefile.wave import Wave


class RequestError(ValueError):
    """What was asked for makes no sense.

    :param problems: all of them, one sentence each.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def read_request(params: Mapping[str, Any], wave: Wave, now: datetime) -> tuple[Wanted, str]:
    """Return what is asked for, and the run that it is about, empty for the newest one.

    :param params: as Airflow hands them over; its form has not checked all of it, and its API next to nothing.
    :raises RequestError: with every problem.
    """
    problems: list[str] = []
    row = _row(params.get("action"), problems)
    run_id = _text(params, "run", problems)
    names = _names(params.get("objects"), problems)
    choices = _choices(params, problems)
    if choices.deadline is not None and choices.deadline <= now:
        problems.append("deadline has passed already")
    if row is not None:
        problems += _not_of(names, row, wave)
        problems += _without_meaning(choices, row)
    if problems or row is None:
        raise RequestError(tuple(problems))
    return Wanted(action=row.action, choices=choices, names=names), run_id


def _row(given: Any, problems: list[str]) -> MenuItem | None:
    try:
        return MENU[RescueAction(given)]
    except (KeyError, ValueError):
        known = ", ".join(one.value for one in MENU)
        problems.append(f"action must be one of {known}" + (f", not {shown(str(given))!r}" if given else ""))
        return None


def _text(params: Mapping[str, Any], name: str, problems: list[str]) -> str:
    given = params.get(name)
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > MOST_LETTERS or given != shown(given):
        problems.append(f"{name} must be a text of one line and {MOST_LETTERS} letters at most")
        return ""
    return given.strip()


def _names(given: Any, problems: list[str]) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        problems.append("objects must be a list of names")
        return ()
    return tuple(dict.fromkeys(one.strip() for one in given if one.strip()))


def _choices(params: Mapping[str, Any], problems: list[str]) -> Choices:
    made: dict[str, Any] = {RescueChoice.DECIDED_BY.value: _text(params, RescueChoice.DECIDED_BY.value, problems)}
    for flag in (RescueChoice.WHILE_EXTENDED.value, RescueChoice.FORCE.value):
        given = params.get(flag)
        if given not in (None, True, False) or isinstance(given, int) is not isinstance(given, bool):
            problems.append(f"{flag} must be true or false")
        else:
            made[flag] = bool(given)
    deadline = _text(params, RescueChoice.DEADLINE.value, problems)
    try:
        made[RescueChoice.DEADLINE.value] = datetime.fromisoformat(deadline) if deadline else None
    except ValueError:
        problems.append("deadline must be an instant such as 2026-03-14T05:10:00+01:00")
    else:
        if made[RescueChoice.DEADLINE.value] is not None and made[RescueChoice.DEADLINE.value].tzinfo is None:
            made.pop(RescueChoice.DEADLINE.value)
            problems.append("deadline must say its time zone, as in 2026-03-14T05:10:00+01:00")
    return Choices(**made)


def _not_of(names: tuple[str, ...], row: MenuItem, wave: Wave) -> Iterator[str]:
    """Yield that names are not those of the wave's VMs or segments, whichever the action is for."""
    is_of_vms = row.subjects is Subjects.VMS
    known = [one.name for one in (wave.vms if is_of_vms else wave.segments)]
    strange = sorted(set(names) - set(known))
    if strange:
        near = KnownNames(known).nearest(strange[0])
        meant = f" (did you mean {' or '.join(near)}?)" if near else ""
        listing = listed([shown(one, MOST_LETTERS) for one in strange], MOST_NAMES)
        what = f"{row.phrase} is for {row.subjects}"
        yield f"objects: {what}, and wave {wave.name} has none named {listing}{meant}"


def _without_meaning(choices: Choices, row: MenuItem) -> Iterator[str]:
    for choice in choices.made:
        if choice not in row.takes:
            yield f"{choice.value} means nothing for {row.phrase}; leave it empty"
