"""Records of rehearsed nights, made up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hcx_waves.cutover.outage import outage_bounds
from hcx_waves.model.findings import Severity
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.rehearsals.model import (
    RehearsalRecord,
    RehearsedFinding,
    RehearsedGate,
    RehearsedSegment,
    RehearsedVm,
    SnapshotRef,
)

FIRST_NIGHT = date(2026, 11, 1)
SNAPSHOT = SnapshotRef(snapshot_id="5" * 64, taken_at=datetime(2026, 11, 1, 6, 0, tzinfo=UTC))


def start_of(night: date) -> datetime:
    """The wave's start on a night: 20:00 UTC."""
    return datetime(night.year, night.month, night.day, 20, tzinfo=UTC)


def finding(finding_id: str, subject: str, severity: Severity = Severity.WARNING, **more: Any) -> RehearsedFinding:
    """Return a finding."""
    return RehearsedFinding(finding_id=finding_id, subject=subject, severity=severity, **more)


def a_record(
    night: date = FIRST_NIGHT,
    *,
    wave: str = "three-tier-1",
    transfer_minutes: float = 120,
    end_minutes: float = 300,
    outage_seconds: float = 150,
    **more: Any,
) -> RehearsalRecord:
    """Return the record of a night as planned, with two VMs and one segment that is cut over.

    Transfers end ``transfer_minutes`` after the start, the switchovers begin at 180 minutes, and everything is over
    after ``end_minutes``; the windows close at 360 minutes.
    """
    start = start_of(night)

    def at(minutes: float) -> datetime:
        return start + timedelta(minutes=minutes)

    over, cut = at(end_minutes), at(end_minutes) - timedelta(seconds=outage_seconds + 5)
    outage = outage_bounds(
        connected_last=cut,
        disconnected_first=cut + timedelta(seconds=3),
        routed_not_last=over - timedelta(seconds=4),
        routed_first=over,
    )
    vms = [
        RehearsedVm(
            name=name, outcome=VmOutcome.MIGRATED, migration="RAV", disk_bytes=2**30 * 50, service_mesh_id="mesh-1",
            transfer_ended_at=at(transfer_minutes - index), switchover_began_at=at(180 + index * 10),
            switchover_ended_at=at(188 + index * 10), stun_seconds=0.4,
        )
        for index, name in enumerate(("web01", "web02"))
    ]  # fmt: skip
    fields: dict[str, Any] = {
        "wave": wave,
        "night": night,
        "time_zone": "Europe/Berlin",
        "seed": 7,
        "snapshot": SNAPSHOT,
        "outcome": WaveOutcome.AS_PLANNED,
        "verdict": "Everything as planned.",
        "starts_at": start,
        "switchover_window": TimeWindow(opens=at(180), closes=at(300)),
        "closes_at": at(360),
        "vms": tuple(vms),
        "segments": (
            RehearsedSegment(
                segment="web", outcome=SegmentOutcome.CUT_OVER, cutover_began_at=cut, ended_at=over, outage=outage,
                outage_seconds=outage_seconds,
            ),
        ),
        "gates": (RehearsedGate(gate="approve_wave", decision="approve", by="rehearsal-approver", at=start),),
        "transfer_ended_at": at(transfer_minutes),
        "switchover_queue_seconds": 18 * 60.0,
        "cutover_began_at": cut,
        "ended_at": over,
    }  # fmt: skip
    return RehearsalRecord(**{**fields, **more})
