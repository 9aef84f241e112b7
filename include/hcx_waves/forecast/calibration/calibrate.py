"""Correct the model's parameters by what finished runs have shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hcx_waves.forecast.calibration.evidence import Evidence, Switchover, Tally, evidence_of
from hcx_waves.forecast.calibration.line_width import Link, width_of
from hcx_waves.forecast.calibration.shrinkage import shrunk_chance, shrunk_duration, shrunk_rate
from hcx_waves.forecast.model.durations import Duration
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.model.base import DomainModel
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.formatting import bit_rate, counted
from hcx_waves.report.model import WaveReport

_MOST_PER_RUN = 20
"""So many VMs of one run tell all that can be told of a line that night."""
_FEWEST_NIGHTS = 3


class Change(DomainModel):
    """One parameter, before and after."""

    name: str
    before: str
    after: str
    samples: int
    note: str = ""

    @property
    def is_change(self) -> bool:
        """Whether it became another."""
        return self.before != self.after


class Calibration(DomainModel):
    """What came of it."""

    parameters: ModelParameters
    runs: int
    changes: tuple[Change, ...]
    """Every parameter that was looked at, changed or not."""
    notes: tuple[str, ...] = ()


def calibrate(reports: Iterable[WaveReport], parameters: ModelParameters | None = None) -> Calibration:
    """Correct parameters by the reports of live runs.

    Few samples move a figure little: what was assumed counts for five of them, for chances to fail for twenty.
    A report that has been calibrated with before must not be given again, unless one begins from the defaults.

    :param parameters: to begin with; the defaults unless given.
    """
    evidence = evidence_of(reports)
    fitting = _Fitting(evidence, parameters or ModelParameters())
    fitting.run()
    return Calibration(
        parameters=fitting.parameters.model_copy(update={"source": _source(evidence, parameters)}),
        runs=evidence.runs,
        changes=tuple(fitting.changes),
        notes=tuple(evidence.notes),
    )


def _source(evidence: Evidence, given: ModelParameters | None) -> str:
    text = f"calibrated from {counted(evidence.runs, 'run')}"
    before = "" if given is None else given.source
    return text if not before else f"{before}; {text}"


@dataclass
class _Fitting:
    """One calibration under way."""

    evidence: Evidence
    parameters: ModelParameters
    changes: list[Change] = field(default_factory=list)

    def run(self) -> None:
        self._lines()
        self._change_rate()
        self._switchovers()
        self._segments()
        self._gates()
        self._failures()

    def _lines(self) -> None:
        transfer = self.parameters.transfer
        by_mesh: dict[str, list[tuple[Link, int]]] = {}
        for mesh, flows in self.evidence.flows:
            link = width_of(flows, transfer.migration_bits_per_second, transfer.appliance_bits_per_second)
            by_mesh.setdefault(mesh, []).append((link, len(flows)))
        widths = dict(transfer.mesh_link_bits_per_second)
        for mesh, found in sorted(by_mesh.items()):
            assumed = widths.get(mesh, transfer.link_bits_per_second)
            width, note = _width(assumed, found)
            widths[mesh] = width
            samples = sum(count for _, count in found)
            name = f"transfer.mesh_link_bits_per_second.{mesh}" if mesh else "transfer.link_bits_per_second"
            self._note(name, bit_rate(assumed), bit_rate(width), samples, note)
        unnamed = widths.pop("", None)
        update: dict[str, object] = {"mesh_link_bits_per_second": widths}
        if unnamed is not None:
            update["link_bits_per_second"] = unnamed
        sigma = _night_sigma(by_mesh)
        if sigma is not None:
            self._note("transfer.bandwidth_sigma", f"{transfer.bandwidth_sigma:g}", f"{sigma:g}", len(by_mesh))
            update["bandwidth_sigma"] = sigma
        self._set("transfer", **update)

    def _change_rate(self) -> None:
        evidence, transfer = self.evidence, self.parameters.transfer
        if not evidence.change_samples or transfer.change_bytes_per_second <= 0:
            return
        seen = evidence.changed_bytes / evidence.changed_seconds
        rate = round(shrunk_rate(transfer.change_bytes_per_second, seen, evidence.change_samples))
        before, after = (f"{one / 1e3:.0f} kB/s" for one in (transfer.change_bytes_per_second, rate))
        self._note("transfer.change_bytes_per_second", before, after, evidence.change_samples)
        self._set("transfer", change_bytes_per_second=float(rate))

    def _switchovers(self) -> None:
        migration = self.parameters.migration
        kinds = ((MigrationType.RAV, "rav_switchover"), (MigrationType.BULK, "bulk_switchover"))
        for kind, name in kinds:
            samples = [
                max(0.0, one.seconds - self._last_delta_seconds(one))
                for one in self.evidence.switchovers
                if one.migration == kind.value
            ]
            self._duration("migration", name, getattr(migration, name), samples)

    def _last_delta_seconds(self, switchover: Switchover) -> float:
        """Return how long the last delta took: what was written since the last regular one."""
        transfer = self.parameters.transfer
        rate = switchover.change_bytes_per_second
        rate = transfer.change_bytes_per_second if rate is None else rate
        line = min(transfer.migration_bits_per_second, transfer.appliance_bits_per_second)
        return rate * (switchover.waited_seconds % transfer.rpo_seconds) * 8 / line

    def _segments(self) -> None:
        network = self.parameters.network
        samples = [max(0.0, one - network.realisation_seconds) for one in self.evidence.unextends]
        self._duration("network", "unextend", network.unextend, samples)

    def _gates(self) -> None:
        for name, samples in self.evidence.reactions.items():
            self._duration("gates", name, getattr(self.parameters.gates, name), samples)

    def _failures(self) -> None:
        tallies: dict[str, Tally] = {
            "base_sync": self.evidence.base_syncs,
            "switchover": self.evidence.switched,
            "unextend": self.evidence.unextended,
        }
        for name, tally in tallies.items():
            if tally.total:
                before = getattr(self.parameters.failures, name)
                after = round(shrunk_chance(before, tally.failed, tally.total), 5)
                self._note(f"failures.{name}", f"{before:.2%}", f"{after:.2%}", tally.total, f"{tally.failed} failed")
                self._set("failures", **{name: after})

    def _duration(self, group: str, name: str, assumed: Duration, samples: Sequence[float]) -> None:
        if samples:
            fitted = shrunk_duration(assumed, samples)
            self._note(f"{group}.{name}", str(assumed), str(fitted), len(samples))
            self._set(group, **{name: fitted})

    def _note(self, name: str, before: str, after: str, samples: int, note: str = "") -> None:
        self.changes.append(Change(name=name, before=before, after=after, samples=samples, note=note))

    def _set(self, group: str, **values: object) -> None:
        changed = getattr(self.parameters, group).model_copy(update=values)
        self.parameters = self.parameters.model_copy(update={group: changed})


def _width(assumed: float, found: Sequence[tuple[Link, int]]) -> tuple[float, str]:
    """Return a line's width between the assumed one and those that were seen."""
    bound = [(link, count) for link, count in found if link.is_bound]
    if not bound:
        least = max(link.bits_per_second for link, _ in found)
        return max(assumed, round(least)), "never what held transfers up: at least what was seen"
    weights = [min(count, _MOST_PER_RUN) for _, count in bound]
    logs = (math.log(link.bits_per_second) * weight for (link, _), weight in zip(bound, weights, strict=True))
    seen = math.exp(sum(logs) / sum(weights))
    return float(round(shrunk_rate(assumed, seen, sum(weights)))), ""


def _night_sigma(by_mesh: dict[str, list[tuple[Link, int]]]) -> float | None:
    """Return how much the lines varied from night to night; None unless one was seen on some nights."""
    deviations: list[float] = []
    for found in by_mesh.values():
        logs = [math.log(link.bits_per_second) for link, _ in found if link.is_bound]
        if len(logs) >= _FEWEST_NIGHTS:
            mean = sum(logs) / len(logs)
            deviations.append(sum((one - mean) ** 2 for one in logs) / (len(logs) - 1))
    return round(math.sqrt(sum(deviations) / len(deviations)), 4) if deviations else None
