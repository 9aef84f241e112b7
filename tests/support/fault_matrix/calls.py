"""Which calls a play makes: recorded by a clean run, so that new calls enter the matrix by themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hcx_airflow.gates.operator import WaveGate
from support.fault_matrix.plays import PLAYS, Play
from support.fault_matrix.stage import stage
from support.site_pair import SitePair, SiteServer

_CHANGING = frozenset({"PATCH", "PUT", "DELETE"})
_CHANGING_POSTS = frozenset({"mobility.groups.create", "mobility.groups.start"})
_SESSIONS = frozenset({"sessions.create", "sessions.delete", "Login", "Logout"})


@dataclass(frozen=True)
class Call:
    """A call of a kind of its own within a task.

    :param site: empty for what both sites share.
    :param nth: the occurrence of this operation in the task, from 1.
    :param position: the number of the request in the task, from 0.
    :param after_changes: how many changing calls the task has made before.
    :param is_first: whether no such call comes before, in no play and at neither site.
    """

    play: str
    task_id: str
    site: str
    product: str
    method: str
    operation: str
    nth: int
    position: int
    after_changes: int
    is_first: bool

    @property
    def changes(self) -> bool:
        """Whether it changes something at a site."""
        if self.operation in _SESSIONS or self.product == "vcenter":
            return False
        return self.method in _CHANGING or self.operation in _CHANGING_POSTS

    @property
    def place(self) -> str:
        """Where it goes, and what it asks."""
        where = f"{self.site}.{self.product}" if self.site else self.product
        return f"{where}.{self.operation}"

    @property
    def name(self) -> str:
        """The same in every recording."""
        return f"{self.play}:{self.task_id.rpartition('.')[2]}:{self.place}#{self.nth}"


@dataclass(frozen=True)
class TaskSeen:
    """A task of a clean run.

    :param calls: those of a kind of their own, in order.
    :param requests: how many requests it makes in all.
    """

    play: str
    task_id: str
    calls: tuple[Call, ...]
    requests: int
    is_gate: bool

    @property
    def name(self) -> str:
        """The same in every recording."""
        return f"{self.play}:{self.task_id.rpartition('.')[2]}"


def record_all(server: SiteServer, folder: Path) -> dict[str, list[TaskSeen]]:
    """Record every play, and return the tasks of each by its name."""
    known: set[tuple[str, str]] = set()
    return {name: record(server, play, folder / f"record-{name}", known) for name, play in PLAYS.items()}


def record(server: SiteServer, play: Play, folder: Path, known: set[tuple[str, str]]) -> list[TaskSeen]:
    """Play without any fault, and return every task with its calls.

    :param known: the products and operations of earlier plays; those of this one are added.

    :raises AssertionError: if the play does not end as planned.
    """
    with stage(server, folder) as found:
        played = play.cast(found, play.before(found))
        marks: dict[str, int] = {}
        ends: dict[str, int] = {}
        played.before_try = lambda task_id, _number: marks.setdefault(task_id, found.pair.mark())
        played.after_try = lambda task_id, _number: ends.update({task_id: found.pair.mark()})
        played.play()
        assert not played.failed, {one: str(error) for one, error in played.errors.items()}
        assert not play.missing(found)
        order = sorted(marks, key=lambda task_id: (marks[task_id], ends[task_id]))
        return [_seen(play, played.dag, found.pair, one, marks[one], ends[one], known) for one in order]


def _seen(
    play: Play, dag: object, pair: SitePair, task_id: str, begun: int, ended: int, known: set[tuple[str, str]]
) -> TaskSeen:
    entries = pair.audit(after=begun)[: ended - begun]
    entries = [one for one in entries if one["kind"] == "call"]
    counts: Counter[tuple[str, str, str]] = Counter()
    kinds: set[tuple[str, str, str, int]] = set()
    calls: list[Call] = []
    changes = 0
    for position, entry in enumerate(entries):
        site, _, product = entry["subject"].rpartition("/")
        data = entry["data"]
        what = (site, product, data["operation"])
        counts[what] += 1
        one = Call(
            play.name, task_id, site, product, data["method"], data["operation"], counts[what], position, changes,
            is_first=what[1:] not in known,
        )  # fmt: skip
        # The same question again between the same two changes is no other kind of call.
        if one.changes or (*what, changes) not in kinds:
            calls.append(one)
        kinds.add((*what, changes))
        known.add(what[1:])
        changes += one.changes
    gate = isinstance(dag.get_task(task_id), WaveGate)  # type: ignore[attr-defined]
    return TaskSeen(play.name, task_id, tuple(calls), len(entries), gate)
