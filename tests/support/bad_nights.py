"""Nights in which things go wrong at random: faults, rejections, marks, repairs by hand; in memory, by virtual time.

The run's clock is the world's, so that what its report says can be held against the oracle, instant by instant.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hcx_airflow.errors import RejectedError, UnansweredError
from hcx_sim.world.model import SiteName
from hcx_waves.report.files import read_report
from hcx_waves.report.model import WaveReport
from support.airflow_tasks import AirflowRun
from support.site_pair import SitePair
from support.wave_tasks import CUTOVER, WaveTasks

VMS = ("web01", "web02", "app01", "db01")
SEGMENT = "seed-net"
_BEFORE = ("resolve_plan", "approve_wave", "start_migrations", "await_migrations", "evaluate_migrations")
_MIGRATION = (*_BEFORE, "verify_virtual_machines")
_GATES = ("approve_wave", "approve_cutover")
_TEARDOWN = "reconnect_source_segment"
_ENGINE = (
    {"call": "migration.switchover", "behaviour": "fail", "message": "Relocating the virtual machine failed."},
    {"call": "migration.base_sync", "behaviour": "fail"},
    {"call": "extension.unextend", "behaviour": "fail", "message": "the appliance did not answer"},
    {"call": "extension.connect", "behaviour": "fail", "message": "edge busy"},
    {"call": "extension.connect", "behaviour": "delay", "seconds": 400.0},
)
_SOCKET = (
    {"product": "hcx", "call": "l2_extensions.delete", "behaviour": "reset_after", "count": 1},
    {"product": "hcx", "call": "l2_extensions.delete", "behaviour": "status", "status": 500},
    {"product": "hcx", "call": "mobility.groups.start", "behaviour": "reset_after", "count": 1},
    {"product": "nsx", "call": "fixed_segments.patch", "behaviour": "status", "status": 500, "count": 1},
    {"product": "nsx", "call": "fixed_segments.patch", "behaviour": "reset_after", "count": 1},
    {"product": "nsx", "call": "fixed_segments.get", "behaviour": "status", "status": 403, "skip": 2, "count": 3},
    {"product": "hcx", "call": "jobs.get", "behaviour": "status", "status": 401, "count": 2},
    {"product": "hcx", "call": "migrations.query", "behaviour": "status", "status": 500, "count": 1},
    {
        "product": "vcenter",
        "call": "RetrievePropertiesEx",
        "behaviour": "status",
        "status": 500,
        "skip": 12,
        "count": 2,
    },
)


@dataclass
class BadNight:
    """One random night on one world.

    :param seed: what happens follows from it.
    :param run: the first of its runs.
    """

    seed: int
    run: AirflowRun
    pair: SitePair
    happened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311  (which faults)

    def reports(self) -> list[tuple[WaveReport, str, int, int]]:
        """Play the night; return each run's report, as model and as Markdown, and the audit's marks around the run."""
        found = []
        for number in range(1 + (self.chance.random() < 0.3)):
            run = self.run
            if number:
                run = AirflowRun(self.run.bundle, run_id="manual__2", run_after=self.pair.now)
            run.run_after = self.pair.now
            run.params = self._params()
            begun = self.pair.mark()
            written = self._play(WaveTasks(run))
            text = Path(written["markdown"]).read_text(encoding="utf-8")
            found.append((read_report(Path(written["json"])), text, begun, self.pair.mark()))
            self.pair.run(lambda: self.pair.world.faults.clear())
        return found

    def _params(self) -> dict[str, Any]:
        params: dict[str, Any] = {"poll_interval_seconds": self.chance.choice((30, 120))}
        kind = self.chance.random()
        if kind < 0.15:
            params["vms"] = self.chance.sample(VMS, 2)
        elif kind < 0.22:
            params["cutover_only"] = True
        elif kind < 0.3:
            params["stop_before_cutover"] = True
        self._note(f"params {params}")
        return params

    def _note(self, text: str) -> None:
        self.happened.append(text)

    def _play(self, tasks: WaveTasks) -> dict[str, str]:
        self._faults()
        # Most nights reach the cutover, since that is where most can be said wrongly.
        stop = self.chance.choice((None, None, None, *_MIGRATION, *CUTOVER[:-1], *CUTOVER[1:-1]))
        ended = self._migrate(tasks, stop)
        if ended:
            self._cut(tasks, stop)
        self._wait(600)
        if self.chance.random() < 0.1:
            self._repair()
        if stop is None:
            self._do(tasks, "conclude_wave")
        written: dict[str, str] = tasks.do("write_report")
        return written

    def _faults(self) -> None:
        if self.chance.random() < 0.6:
            rule: dict[str, Any] = dict(self.chance.choice(_ENGINE))
            if rule["call"].startswith("migration"):
                rule |= {"object": self.chance.choice(VMS), "exact": True}
            self.pair.fault(product="engine", **rule)
            self._note(f"engine {rule}")
        if self.chance.random() < 0.3:
            rule = dict(self.chance.choice(_SOCKET))
            self.pair.fault(**rule)
            self._note(f"socket {rule}")

    def _migrate(self, tasks: WaveTasks, stop: str | None) -> bool:
        return all(self._step(tasks, name, stop) for name in _MIGRATION)

    def _cut(self, tasks: WaveTasks, stop: str | None) -> None:
        done: set[str] = set()
        for name in CUTOVER[:-1]:
            if not self._step(tasks, name, stop):
                break
            done.add(name)
        if self.chance.random() < 0.05:
            self._repair()
        if done & {"prove_segment_empty", "disconnect_source_segment"}:
            self._do(tasks, _TEARDOWN)

    def _step(self, tasks: WaveTasks, name: str, stop: str | None) -> bool:
        """Do one task; return whether the next one follows."""
        self._wait(40)
        if name == stop:
            self._note(f"marked failed at {name}")
            if self.chance.random() < 0.5:
                # Marked while it waited: what it had begun to wait for goes on, and it leaves nothing.
                self._wait(2000)
            return False
        return self._do(tasks, name)

    def _do(self, tasks: WaveTasks, name: str) -> bool:
        try:
            if name in _GATES and self.chance.random() < 0.08:
                self._refuse(tasks, name)
            tasks.do(name)
        except Exception as error:  # noqa: BLE001  (whatever fails, the night goes on)
            self._note(f"{name} failed: {type(error).__name__}: {error}")
            return False
        return True

    def _refuse(self, tasks: WaveTasks, name: str) -> None:
        gate = tasks.make(name)
        if self.chance.random() < 0.5:
            tasks.run.time_out(gate)
            raise UnansweredError(name)
        tasks.run.answer(gate, "Reject", "bob", reason="not tonight")
        raise RejectedError(name)

    def _repair(self) -> None:
        """Do what a person does who finds no gateway on: switch the destination's on, if that is safe."""
        world = self.pair.world
        sites = [world.segments[f"{site}/{SEGMENT}"] for site in SiteName]
        if not world.bridges and not any(one.gateway_up for one in sites):
            self.pair.run(lambda: world.update(sites[1], connectivity="ON", gateway_up=True))
            self._note("a person switched the destination on")

    def _wait(self, most_seconds: float) -> None:
        self.pair.advance(self.chance.uniform(0, most_seconds))
