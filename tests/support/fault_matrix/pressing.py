"""Take the way back that a run names: read what it says, press that, and look whether it helps."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from hcx_sim.world.model import SiteName
from support.fault_matrix.playing import Played
from support.fault_matrix.stage import SEGMENT, Stage

MOST_PRESSES = 6
_CLEAR = re.compile(r"\b[Cc]lear (?:task |the task )?`?(?:[\w-]+\.)?([a-z]+(?:_[a-z]+)+)")
_NEW_RUN = re.compile(r"\b(?:[Ss]tart|by|needs) a new run|; new run|start the wave again")
_CONNECT = re.compile(r"destination's NSX|connect (?:the segment's gateway|it) in the destination")
_JUDGES = ("conclude_wave", "confirm_outcome", "write_report")
_WAY_BACK = "reconnect_source_segment"


@dataclass
class Presser:
    """A person who does what the run says.

    :param new_run: starts another run of the same DAG, and returns it when it has ended.
    :param pressed: what has been pressed.
    """

    stage: Stage
    new_run: Callable[[], Played]
    pressed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What the run has named and nobody must do."""

    def press(self, played: Played, is_reached: Callable[[], bool]) -> Played:
        """Press until what was wanted is reached; return the run that was the last."""
        while len(self.pressed) < MOST_PRESSES and (played.failed or not is_reached()):
            step = self._next(played)
            again = step in self.pressed
            if step == "new run" or again:
                self.pressed.append("new run")
                played = self.new_run()
                continue
            self.pressed.append(step)
            if step.startswith("connect"):
                self._connect_destination()
                step = "clear verify_destination_routed"
            task_id = played.find(step.removeprefix("clear "), next(iter(played.failed), ""))
            assert task_id is not None, step
            played.clear(task_id)
        return played

    def _next(self, played: Played) -> str:
        failed = [one for one in played.failed if one.rpartition(".")[2] not in _JUDGES]
        # Where the way back has failed the outage goes on; that comes first.
        failed.sort(key=lambda one: not one.endswith(_WAY_BACK))
        if not failed:
            last = [one for one in played.failed if one == "write_report"]
            return "clear write_report" if last else "new run"
        task_id = failed[0]
        return named(played, task_id, said(played, task_id))

    def _connect_destination(self) -> None:
        """Do what a person does in the destination's NSX, if that is safe."""
        world = self.stage.pair.world
        segment = world.segments[f"{SiteName.DESTINATION}/{SEGMENT}"]
        source = world.segments.get(f"{SiteName.SOURCE}/{SEGMENT}")
        if source is not None and source.gateway_up:
            self.problems.append("it says to connect the destination while the source gateway is on")
            return
        self.stage.pair.run(lambda: world.update(segment, connectivity="ON", gateway_up=True))


def said(played: Played, task_id: str) -> str:
    """Return what a failed task has said: its error, the hint, and what a person can do."""
    error = played.errors.get(task_id)
    if error is None:
        return ""
    parts = [str(error), str(getattr(error, "hint", "") or ""), *getattr(error, "options", ())]
    return "\n".join(parts)


def named(played: Played, task_id: str, text: str) -> str:
    """Return what a text says to press; Airflow's own button of the failed task, if it names none."""
    found = _CLEAR.search(text)
    new_run = _NEW_RUN.search(text)
    if new_run and (found is None or new_run.start() < found.start()):
        return "new run"
    if _CONNECT.search(text) and found is not None and found.group(1) == "verify_destination_routed":
        return "connect destination"
    if found is not None and played.find(found.group(1), task_id) is not None:
        return f"clear {found.group(1)}"
    return f"clear {task_id.rpartition('.')[2]}"
