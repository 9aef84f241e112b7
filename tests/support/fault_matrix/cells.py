"""One cell of the matrix: a play in which one call fails in one way, or one task's process dies at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from support.fault_matrix.calls import Call, TaskSeen
from support.fault_matrix.faults import FAULTS, STALLS, Struck
from support.fault_matrix.judging import falsehoods, harm, leaks, open_outage, silent
from support.fault_matrix.killing import Killer, Moment, install
from support.fault_matrix.playing import Played
from support.fault_matrix.plays import PLAYS
from support.fault_matrix.pressing import Presser, said
from support.fault_matrix.stage import Stage, stage
from support.site_pair import SiteServer

ONCE, ALWAYS = "once", "always"
MOST_TRIES = 4
"""Of a task while a fault lasts: more of them show nothing else."""
SHARE = 5
"""One in so many faults strikes a call that an earlier task makes as well; which, follows from the call's name."""
_CLOSE = frozenset(
    {"disconnect_source_segment", "unextend_network", "await_unextended", "verify_destination_routed"}
    | {"reconnect_source_segment"}
)
"""Tasks of an outage: what they change is struck by every fault, what they read by a larger share."""


PREFLIGHT = "run_preflight"
ONLY_READ = frozenset({"resolve_plan", PREFLIGHT})
"""Tasks of a wave that change nothing; their cells end with the second, as what follows depends on nothing else."""


@dataclass(frozen=True)
class Cell:
    """What is to happen.

    :param call: the call that fails; None if a process is killed.
    :param kill: at which request of which try, with the moment; None where a call fails.
    """

    name: str
    play: str
    task_id: str
    lasting: bool
    call: Call | None = None
    fault: str = ""
    kill: tuple[int | None, Moment] | None = None


@dataclass
class Ending:
    """How a cell has ended."""

    cell: str
    kind: str
    """``as planned``, ``stopped`` or ``defect``."""
    says: str = ""
    pressed: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def word(self) -> str:
        """For the table."""
        return {"as planned": "ok", "stopped": "stop"}.get(self.kind, "DEFECT")


def cells_of(seen: Sequence[TaskSeen]) -> Iterator[Cell]:
    """Yield every cell of a play."""
    for task in seen:
        for call in task.calls:
            yield from _faults_of(call)
        yield from _kills_of(task)


def _faults_of(call: Call) -> Iterator[Cell]:
    share = 3 if call.task_id.rpartition(".")[2] in _CLOSE else SHARE
    for number, (name, fault) in enumerate(FAULTS.items()):
        if fault.rule(call) is None:
            continue
        for column in (ONCE, ALWAYS):
            drawn = (crc32(call.name.encode()) + number * 2 + (column == ALWAYS)) % (share * 2 - 1)
            every = call.changes or (call.is_first and (column == ALWAYS or number % 2 == 0))
            if every or drawn == 0:
                yield _cell(call, name, column)


def _cell(call: Call, fault: str, column: str) -> Cell:
    lasting = column == ALWAYS
    return Cell(f"{call.name}:{fault}:{column}", call.play, call.task_id, lasting, call, fault)


def cell_named(seen: Sequence[TaskSeen], name: str) -> Cell | None:
    """Return a cell by its whole name, also one that is left out of the matrix; None if there is no such cell."""
    for task in seen:
        for call in task.calls:
            for fault, one in FAULTS.items():
                for column in (ONCE, ALWAYS):
                    if name == f"{call.name}:{fault}:{column}" and one.rule(call) is not None:
                        return _cell(call, fault, column)
        for cell in _kills_of(task):
            if cell.name == name:
                return cell
    return None


def _kills_of(task: TaskSeen) -> Iterator[Cell]:
    moments: list[tuple[str, int | None, Moment]] = [("before", 0 if task.requests else None, "unsent")]
    changing = [one for one in task.calls if one.changes]
    for one in changing:
        moments.append((f"during-{one.operation}-unsent", one.position, "unsent"))
        moments.append((f"during-{one.operation}-acted", one.position, "acted"))
    if task.requests and not changing:
        moments.append(("during", task.requests // 2, "acted"))
    moments.append(("after", None, "acted"))
    for words, at, moment in moments:
        for column in (ONCE, ALWAYS) if at is not None else (ONCE,):
            name = f"{task.name}:killed-{words}:{column}"
            yield Cell(name, task.play, task.task_id, column == ALWAYS, kill=(at, moment), fault=f"killed-{words}")


def play_cell(server: SiteServer, cell: Cell, folder: Path, change: object = None) -> Ending:
    """Play a cell and judge it.

    :param folder: for its files; must not exist.
    :param change: what breaks the product on purpose: is called with the patches of the stage.
    """
    with stage(server, folder, short_reads=cell.fault in STALLS) as found:
        if callable(change):
            change(found.patches)
        return _Night(found, cell).play()


class _Night:
    """A cell while it is played."""

    def __init__(self, found: Stage, cell: Cell) -> None:
        self.stage, self.cell = found, cell
        self.play_of = PLAYS[cell.play]
        self.killer = Killer()
        install(self.killer, found.patches)
        self.struck: Struck | None = None
        self.runs: list[Played] = []
        self.problems: list[str] = []
        self.ends_early = cell.task_id in ONLY_READ

    def play(self) -> Ending:
        self.earlier = self.play_of.before(self.stage)
        played = self._cast()
        begun = self.stage.pair.mark()
        if self.cell.lasting and self.cell.kill is None:
            played.most_tries = MOST_TRIES
        played.before_try, played.after_try = self._before_try, self._after_try
        played.play()
        self._judge(played, begun)
        if not self._has_happened():
            self.problems.append("it did not strike: the call was not made")
        if self.struck is not None:
            self.struck.end()
        played.before_try = played.after_try = lambda _task_id, _number: None
        played.most_tries = None
        if not played.failed and self._is_reached():
            return self._end("as planned")
        says = next((line for one in played.failed for line in said(played, one).splitlines() if line.strip()), "")
        return self._way_back(played, says)

    def _cast(self) -> Played:
        played = self.play_of.cast(self.stage, self.earlier, len(self.runs) + 1)
        played.until = PREFLIGHT if self.ends_early else None
        self.runs.append(played)
        return played

    def _new_run(self) -> Played:
        self.earlier = {**self.earlier, **{one.run.run_id: one.run for one in self.runs}}
        played = self._cast()
        played.play()
        return played

    def _way_back(self, played: Played, says: str) -> Ending:
        presser = Presser(self.stage, self._new_run)
        begun = self.stage.pair.mark()
        last = presser.press(played, self._is_reached)
        self.problems += presser.problems
        if not self._is_reached():
            self.problems.append(f"the way back does not work: {'; '.join(self.play_of.missing(self.stage))}")
            self.problems += [f"{one}: {said(last, one)}" for one in last.failed]
        self._judge(last, 0 if last is played else begun, is_first=False)
        return self._end("stopped", says, tuple(presser.pressed))

    def _judge(self, played: Played, begun: int, *, is_first: bool = True) -> None:
        self.problems += harm(self.stage, self.struck)
        if is_first or not played.failed:
            self.problems += falsehoods(self.stage, played, begun, self.struck)
        self.problems += silent(played)

    def _end(self, kind: str, says: str = "", pressed: tuple[str, ...] = ()) -> Ending:
        if open_outage(self.stage):
            self.problems.append("the outage goes on")
        self.problems += leaks(self.stage, self.runs)
        problems = tuple(dict.fromkeys(self.problems))
        return Ending(self.cell.name, "defect" if problems else kind, says, pressed, problems)

    def _is_reached(self) -> bool:
        if self.ends_early:
            return self.runs[-1].states[PREFLIGHT] == "success"
        return not self.play_of.missing(self.stage)

    def _has_happened(self) -> bool:
        if self.struck is not None:
            return self.struck.times > 0
        return self.killer.has_killed or self.cell.kill in ((None, "unsent"), (None, "acted"))

    def _before_try(self, task_id: str, number: int) -> None:
        if task_id != self.cell.task_id:
            self.killer.begin_try(None)
            return
        if self.cell.call is not None and number == 1 and self.struck is None:
            self.struck = Struck(self.stage.pair, self.cell.call, FAULTS[self.cell.fault], lasting=self.cell.lasting)
            self.struck.begin()
        if self.cell.kill is not None:
            at, self.killer.moment = self.cell.kill
            self.killer.begin_try(at if number == 1 or self.cell.lasting else None)

    def _after_try(self, task_id: str, _number: int) -> None:
        self.killer.begin_try(None)
        if task_id == self.cell.task_id and self.struck is not None:
            self.struck.end_try()
