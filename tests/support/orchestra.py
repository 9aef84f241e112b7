"""An orchestrator in miniature over a guarded clock: it starts tasks behind each other, with latency of its own.

Its tasks are threads that register, wait, act and leave; whoever is asked looks at the states of all tasks and
settles when none is on its way, as the real participants do.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from support.site_pair import SitePair
from support.threads import Threads
from support.waiting import HANG_SECONDS

_PAUSE = threading.Event()


@dataclass(frozen=True)
class Part:
    """A task: what it waits for, and how long it waits before each of its acts (virtual seconds).

    With ``at_once`` it also acts (as step -1) before its first wait, beside whoever else has just begun.
    """

    after: Sequence[str] = ()
    steps: Sequence[float] = ()
    at_once: bool = False


class Orchestra:
    """Plays parts in a guarded world; ``disorder`` seeds the latencies of the orchestrator and of its tasks."""

    def __init__(
        self,
        pair: SitePair,
        parts: Mapping[str, Part],
        disorder: int,
        act: Callable[[str, int], None] = lambda _name, _step: None,
    ) -> None:
        self._pair = pair
        self._parts = parts
        self._act = act
        self._jitter = random.Random(disorder)  # noqa: S311 - not a secret
        self._states: dict[str, str | None] = dict.fromkeys(parts)
        self.log: list[tuple[str, str]] = []

    def play(self) -> list[tuple[str, str]]:
        """Play all parts; return who woke at which instant, in the order of waking."""
        running: dict[Future[None], str] = {}
        with Threads("orchestra", self._pair.let_go) as threads:
            while True:
                ready = [name for name in self._parts if self._ready(name)]
                self._jitter.shuffle(ready)
                for name in ready:
                    self._states[name] = "queued"
                    running[threads.submit(self._task, name, self._jitter.random())] = name
                if not running:
                    return self.log
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[done]
                    done.result(timeout=0)

    def _ready(self, name: str) -> bool:
        return self._states[name] is None and all(self._states[each] == "done" for each in self._parts[name].after)

    def _quiet(self) -> bool:
        states = dict(self._states)
        return "queued" not in states.values() and not any(
            state is None and all(states[each] == "done" for each in self._parts[name].after)
            for name, state in states.items()
        )

    def _task(self, name: str, latency: float) -> None:
        _PAUSE.wait(latency * 0.02)
        with _Participant(self._pair, name) as participant:
            self._states[name] = "running"
            if self._parts[name].at_once:
                self._act(name, -1)
            for number, step in enumerate(self._parts[name].steps):
                self.log.append((name, participant.wait(step, self._live)))
                self._act(name, number)
            self._states[name] = "done"

    def _live(self) -> list[str] | None:
        return [name for name, state in self._states.items() if state == "running"] if self._quiet() else None


class _Participant:
    def __init__(self, pair: SitePair, name: str) -> None:
        control = pair.endpoints["control"]
        self._name = name
        self._http = pair.http()
        self._http.headers["Authorization"] = f"Bearer {control['token']}"
        self._waiters = f"{control['url']}/worlds/{pair.world_id}/waiters"

    def __enter__(self) -> _Participant:
        self._http.post(self._waiters, json={"name": self._name}, timeout=HANG_SECONDS).raise_for_status()
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.delete(f"{self._waiters}/{self._name}", timeout=HANG_SECONDS).raise_for_status()

    def wait(self, seconds: float, live: Callable[[], list[str] | None]) -> str:
        wish: dict[str, Any] = {"seconds": seconds}
        while True:
            answer = self._http.post(f"{self._waiters}/{self._name}/wait", json=wish, timeout=HANG_SECONDS)
            answer.raise_for_status()
            woken = answer.json()
            if woken["reached"]:
                return str(woken["now"])
            names = live()
            if names is None:
                _PAUSE.wait(0.005)
            else:
                settled = self._http.post(
                    f"{self._waiters}/settle", json={"epoch": woken["epoch"], "live": names}, timeout=HANG_SECONDS
                )
                assert settled.status_code in (200, 409), settled.text
            wish = {"until": woken["until"]}
