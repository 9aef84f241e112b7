"""The tables at the end of the demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hcx_demo.outcome import Outcome, VmOutcome
from hcx_demo.sites import SegmentPair
from hcx_demo.words import duration, virtual


def print_vms(console: Console, outcome: Outcome) -> None:
    """Print every VM before and after."""
    table = Table(title="VMs before → after (durations are the sites' virtual time)", title_justify="left")
    for heading in ("VM", "site", "power", "MAC", "IP", "down", "stunned"):
        table.add_column(heading, overflow="fold")
    for vm in outcome.vms:
        table.add_row(vm.name, *_facts(vm), duration(vm.outage_seconds), duration(vm.stun_seconds))
    console.print(table)


def print_segments(
    console: Console, outcome: Outcome, states: Mapping[str, Sequence[SegmentPair]], measured: Mapping[str, str]
) -> None:
    """Print the states of every segment along the way and what its move cost.

    :param states: by moment, in order.
    :param measured: by segment, what the wave itself measured of the outage.
    """
    for segment in outcome.segments:
        table = Table(title=f"Segment {escape(segment.name)}", title_justify="left")
        for heading in ("when", "at the source", "at the destination", "name there"):
            table.add_column(heading)
        for moment, pairs in states.items():
            for pair in pairs:
                if pair.name == segment.name:
                    table.add_row(moment, pair.source, pair.destination, pair.destination_name)
        console.print(table)
        console.print(
            f"  outage {virtual(segment.outage_seconds)} by the oracle{measured.get(segment.name, '')}; "
            f"two gateways {segment.two_gateways_seconds:.0f} s; "
            f"disconnected with a VM still there {segment.cut_too_early_seconds:.0f} s",
            highlight=False,
            soft_wrap=True,
        )


def _facts(vm: VmOutcome) -> tuple[str, ...]:
    return tuple(_change(vm.before, vm.after, key) for key in ("site", "power", "macs", "ips"))


def _change(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> str:
    old, new = _text(before.get(key)), _text(after.get(key))
    return old if old == new else f"{old} → {new}"


def _text(value: Any) -> str:
    return "\n".join(str(one) for one in value) if isinstance(value, list) else str(value)
