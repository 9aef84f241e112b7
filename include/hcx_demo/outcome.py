"""What became of the wave: judged by the simulator's oracle, which knows what was true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DESTINATION = "destination"


@dataclass(frozen=True)
class VmOutcome:
    """One VM before and after.

    :param outage_seconds: how long it reached nothing, virtual.
    :param stun_seconds: how long switchovers stunned it, virtual.
    """

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    outage_seconds: float
    stun_seconds: float
    power_offs: int

    @classmethod
    def of(cls, name: str, record: Mapping[str, Any]) -> VmOutcome:
        """Read the oracle's record of a VM."""
        return cls(
            name=name,
            before=record["before"],
            after=record["now"] or {},
            outage_seconds=_total(record["outage"]),
            stun_seconds=sum(float(stun["seconds"]) for stun in record["stuns"]),
            power_offs=len(record["power_off"]),
        )

    def problems(self) -> tuple[str, ...]:
        """Return what is not as planned."""
        found = []
        if self.after.get("site") != _DESTINATION:
            found.append(f"{self.name} is not at the destination")
        if self.after.get("power") != self.before.get("power"):
            found.append(f"{self.name} is {self.after.get('power')}")
        if self.power_offs:
            found.append(f"{self.name} was powered off")
        for key, words in (("macs", "MAC addresses"), ("ips", "IP addresses"), ("instance_uuid", "identity")):
            if self.after.get(key) != self.before.get(key):
                found.append(f"{self.name} has other {words} than before")
        return tuple(found)


@dataclass(frozen=True)
class SegmentOutcome:
    """What happened to a segment, all in virtual seconds."""

    name: str
    outage_seconds: float
    outages: int
    two_gateways_seconds: float
    cut_too_early_seconds: float

    @classmethod
    def of(cls, name: str, record: Mapping[str, Any]) -> SegmentOutcome:
        """Read the oracle's record of a segment."""
        return cls(
            name=name,
            outage_seconds=_total(record["outage"]),
            outages=len(record["outage"]),
            two_gateways_seconds=_total(record["two_gateways"]),
            cut_too_early_seconds=_total(record["source_cut"]),
        )

    def problems(self) -> tuple[str, ...]:
        """Return what is not as planned: one outage, and never two gateways nor a VM left without one."""
        found = []
        if self.outages > 1:
            found.append(f"{self.name} had {self.outages} outages instead of one")
        if self.two_gateways_seconds:
            found.append(f"{self.name} had two gateways for {self.two_gateways_seconds:.0f} s")
        if self.cut_too_early_seconds:
            found.append(f"{self.name} was disconnected while a VM was still there")
        return tuple(found)


@dataclass(frozen=True)
class Outcome:
    """The whole wave."""

    vms: tuple[VmOutcome, ...]
    segments: tuple[SegmentOutcome, ...]
    others: tuple[str, ...] = ()

    @classmethod
    def judge(
        cls, oracle: Mapping[str, Any], vms: Sequence[str], segments: Sequence[str], others: Sequence[str] = ()
    ) -> Outcome:
        """Read the oracle's report.

        :param others: problems that are known already, such as a run that failed.
        """
        missing = [f"{name} is unknown to the sites" for name in vms if name not in oracle["vms"]]
        return cls(
            vms=tuple(VmOutcome.of(name, oracle["vms"][name]) for name in vms if name in oracle["vms"]),
            segments=tuple(
                SegmentOutcome.of(name, oracle["segments"][name]) for name in segments if name in oracle["segments"]
            ),
            others=(*others, *missing),
        )

    def problems(self) -> tuple[str, ...]:
        """Return everything that is not as planned."""
        of_vms = [problem for vm in self.vms for problem in vm.problems()]
        of_segments = [problem for segment in self.segments for problem in segment.problems()]
        return (*self.others, *of_vms, *of_segments)


def _total(spans: Sequence[Mapping[str, Any]]) -> float:
    return sum(float(span["seconds"]) for span in spans)
