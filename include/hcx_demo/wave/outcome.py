"""The result of the demo: judged by the simulator's oracle, which knows what really happened, and printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hcx_airflow.names import WRITE_REPORT
from hcx_demo.airflow_api import AirflowApi
from hcx_demo.stack.state import read_json
from hcx_demo.terminal import plain
from hcx_demo.texts import duration, virtual
from hcx_demo.wave.observer import RunStatus
from hcx_demo.wave.sites import SegmentPair

_DESTINATION = "destination"
_REPORT_SUFFIXES = (".md", ".json", ".html")


@dataclass(frozen=True)
class VmHistory:
    """One VM before and after the wave.

    :param outage_seconds: how long it had no network, in virtual time.
    :param stun_seconds: how long switchovers stunned it, in virtual time.
    """

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    outage_seconds: float
    stun_seconds: float
    power_offs: int

    @classmethod
    def of(cls, name: str, record: Mapping[str, Any]) -> VmHistory:
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
        """Return the deviations from the plan."""
        found = []
        if self.after.get("site") != _DESTINATION:
            found.append(f"{self.name} is not at the destination")
        if self.after.get("power") != self.before.get("power"):
            found.append(f"{self.name} is {self.after.get('power')}")
        if self.power_offs:
            found.append(f"{self.name} was powered off")
        for key, noun in (("macs", "MAC addresses"), ("ips", "IP addresses"), ("instance_uuid", "instance UUIDs")):
            if self.after.get(key) != self.before.get(key):
                found.append(f"{self.name} has different {noun} than before")
        return tuple(found)


@dataclass(frozen=True)
class SegmentHistory:
    """What happened to one segment, in virtual seconds."""

    name: str
    outage_seconds: float
    outages: int
    two_gateways_seconds: float
    cut_too_early_seconds: float

    @classmethod
    def of(cls, name: str, record: Mapping[str, Any]) -> SegmentHistory:
        """Read the oracle's record of a segment."""
        return cls(
            name=name,
            outage_seconds=_total(record["outage"]),
            outages=len(record["outage"]),
            two_gateways_seconds=_total(record["two_gateways"]),
            cut_too_early_seconds=_total(record["source_cut"]),
        )

    def problems(self) -> tuple[str, ...]:
        """Return the deviations from the plan: more than one outage, two gateways, or a VM without a gateway."""
        found = []
        if self.outages > 1:
            found.append(f"{self.name} had {self.outages} outages instead of one")
        if self.two_gateways_seconds:
            found.append(f"{self.name} had two gateways for {self.two_gateways_seconds:.0f} s")
        if self.cut_too_early_seconds:
            found.append(f"{self.name} was disconnected while a VM was still on it")
        return tuple(found)


@dataclass(frozen=True)
class DemoResult:
    """The result of one run of the demo."""

    vms: tuple[VmHistory, ...]
    segments: tuple[SegmentHistory, ...]
    others: tuple[str, ...] = ()

    @classmethod
    def judge(
        cls, oracle: Mapping[str, Any], vms: Sequence[str], segments: Sequence[str], others: Sequence[str] = ()
    ) -> DemoResult:
        """Read the oracle's report.

        :param others: problems from elsewhere, such as a failed run.
        """
        missing = [f"{name} is unknown to the sites" for name in vms if name not in oracle["vms"]]
        return cls(
            vms=tuple(VmHistory.of(name, oracle["vms"][name]) for name in vms if name in oracle["vms"]),
            segments=tuple(
                SegmentHistory.of(name, oracle["segments"][name]) for name in segments if name in oracle["segments"]
            ),
            others=(*others, *missing),
        )

    def problems(self) -> tuple[str, ...]:
        """Return all deviations from the plan."""
        of_vms = [problem for vm in self.vms for problem in vm.problems()]
        of_segments = [problem for segment in self.segments for problem in segment.problems()]
        return (*self.others, *of_vms, *of_segments)


def report_paths(api: AirflowApi, run: RunStatus) -> tuple[str, ...]:
    """Return the files of the report of a run."""
    found = api.xcom(run.dag_id, run.run_id, WRITE_REPORT)
    return tuple(dict.fromkeys(text for text in _strings(found) if text.endswith(_REPORT_SUFFIXES)))


def measured_outages(paths: Sequence[str], speed: float) -> dict[str, str]:
    """Return the measured outage of each segment as text, from a report; segments without one are left out.

    :param paths: files of the report, including the JSON file.
    :param speed: of the sites' clock: the wave measures in wall time, the sites run in virtual time.
    """
    found: dict[str, str] = {}
    for path in paths:
        segments = read_json(Path(path)).get("segments") if path.endswith(".json") else None
        for segment in segments if isinstance(segments, list) else []:
            bounds = segment.get("outage") or {}
            lower, upper = bounds.get("lower_seconds"), bounds.get("upper_seconds")
            if lower is not None and upper is not None:
                name = str(segment.get("segment") or segment.get("name"))
                found[name] = (
                    f"; measured by the wave: between {lower:.1f} s and {upper:.1f} s wall, "
                    f"which is {duration(lower * speed)} to {duration(upper * speed)} (virtual)"
                )
    return found


def print_vms(console: Console, result: DemoResult) -> None:
    """Print every VM before and after the wave."""
    table = Table(title="VMs before → after (durations in virtual time)", title_justify="left")
    for heading in ("VM", "site", "power", "MAC", "IP", "outage", "stun"):
        table.add_column(heading, overflow="fold")
    for vm in result.vms:
        table.add_row(vm.name, *_facts(vm), duration(vm.outage_seconds), duration(vm.stun_seconds))
    console.print(table)


def print_segments(
    console: Console, result: DemoResult, states: Mapping[str, Sequence[SegmentPair]], measured: Mapping[str, str]
) -> None:
    """Print the states of every segment during the demo, and its outage.

    :param states: by moment, in order.
    :param measured: by segment, the outage that the wave itself measured.
    """
    for segment in result.segments:
        table = Table(title=f"Segment {plain(segment.name)}", title_justify="left")
        for heading in ("when", "at the source", "at the destination", "name at the destination"):
            table.add_column(heading)
        for moment, pairs in states.items():
            for pair in pairs:
                if pair.name == segment.name:
                    table.add_row(moment, pair.source, pair.destination, pair.destination_name)
        console.print(table)
        console.print(
            f"  outage {virtual(segment.outage_seconds)} according to the simulator{measured.get(segment.name, '')}; "
            f"two gateways {segment.two_gateways_seconds:.0f} s; "
            f"disconnected with a VM still on it {segment.cut_too_early_seconds:.0f} s",
            highlight=False,
            soft_wrap=True,
        )


def _facts(vm: VmHistory) -> tuple[str, ...]:
    return tuple(_change(vm.before, vm.after, key) for key in ("site", "power", "macs", "ips"))


def _change(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> str:
    old, new = _cell(before.get(key)), _cell(after.get(key))
    return old if old == new else f"{old} → {new}"


def _cell(value: Any) -> str:
    return "\n".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _strings(one)


def _total(spans: Sequence[Mapping[str, Any]]) -> float:
    return sum(float(span["seconds"]) for span in spans)
