"""Whether all tasks of a run are waiting, by Airflow's states of them.

Time may move only when each task has ended, or is there and waits, or cannot begin before one of those has ended.
Whatever is in between (scheduled, queued, to be tried again, or with nothing left to wait for and not begun) is work
of Airflow's that takes real time, which must not show in the rehearsed night.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hcx_waves.twin.clock import Busy, Quiet

ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
THERE = frozenset({"running", "deferred"})
WITHOUT_SLOT = frozenset({"scheduled", "queued"})
_MOST_NAMED = 6


def judge(states: Mapping[str, str | None], upstream: Mapping[str, Sequence[str]]) -> Quiet | Busy:
    """Return whether no task is starting; the running ones must also wait at the world, which the world itself knows.

    :param states: Airflow's state of every task of the run, None for one that has not been looked at yet.
    :param upstream: the tasks right before each task.
    """
    on_its_way = {name: state for name, state in states.items() if _is_on_its_way(name, state, states, upstream)}
    if not on_its_way:
        return Quiet(tuple(sorted(name for name, state in states.items() if state in THERE)))
    named = [f"{name} is {state or 'due'}" for name, state in sorted(on_its_way.items())]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    starved = not WITHOUT_SLOT.isdisjoint(str(state) for state in on_its_way.values())
    return Busy(", ".join(named[:_MOST_NAMED]) + more, is_starved=starved)


def _is_on_its_way(
    name: str, state: str | None, states: Mapping[str, str | None], upstream: Mapping[str, Sequence[str]]
) -> bool:
    if state is None:
        return all(states.get(one) in ENDED for one in upstream.get(name, ()))
    return state not in ENDED and state not in THERE
