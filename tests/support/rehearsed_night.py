"""The seed wave from plan to record by the procedures alone, on a simulated twin with a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hcx_sim.world.timeline import KEY as TIMELINE
from hcx_waves.cutover.extension import unextend_network
from hcx_waves.cutover.gateway import disconnect_source_segment
from hcx_waves.cutover.outage import outage_bounds
from hcx_waves.cutover.routing import verify_destination_routed
from hcx_waves.cutover.source import nsx_source
from hcx_waves.migration.start import start_wave
from hcx_waves.migration.verify import verify_virtual_machines
from hcx_waves.rehearsals.build import Night, build_record, build_timeline
from hcx_waves.rehearsals.model import RehearsalRecord, SnapshotRef, Timeline
from hcx_waves.rehearsals.truth import truth_of, twin_events
from hcx_waves.report.model import WaveReport
from hcx_waves.run.results import SegmentResults
from support.procedures import Planner, await_unextended, patience_of, run_to_end, sites_of, window_in
from support.run_results import answer, report_of, routed, run_results
from support.site_pair import SitePair

VMS = ("web01", "web02", "app01", "db01")
SEGMENT = "seed-net"


@dataclass(frozen=True)
class Rehearsed:
    """One night, as everything that comes of it."""

    record: RehearsalRecord
    timeline: Timeline
    report: WaveReport
    night: Night


def rehearse_seed_wave(pair: SitePair, *, run_id: str = "backfill__1", cut: bool = True) -> Rehearsed:
    """Move four VMs in a window, cut their segment over, and record the night."""
    begun_at = pair.now
    with sites_of(pair) as clients:
        plan = Planner(clients).plan(pair, VMS, [SEGMENT], window=window_in(pair, 7200, 4 * 3600))
        started = start_wave(plan, clients)
        status = run_to_end(pair, clients, started)
        proofs = verify_virtual_machines(plan, status, clients)
        segment = SegmentResults(segment=SEGMENT)
        if cut:
            gateway = nsx_source(clients.source_nsx, plan.segment(SEGMENT))
            disconnect = disconnect_source_segment(plan, SEGMENT, clients, gateway, patience_of(pair))
            removal = unextend_network(plan, SEGMENT, clients, gateway, pair.now, connect=True)
            await_unextended(pair, clients, removal)
            asked = pair.now
            pair.advance(2)
            proof = verify_destination_routed(plan, SEGMENT, clients, gateway, pair.now)
            bounds = outage_bounds(
                connected_last=disconnect.last_not_at or disconnect.sent_at,
                disconnected_first=disconnect.seen_at or disconnect.sent_at,
                routed_not_last=asked,
                routed_first=proof.at,
            )
            segment = SegmentResults(
                segment=SEGMENT, disconnect=disconnect, removal=removal, routed=routed(proof, bounds)
            )
    approval = answer("approve_wave", "approve", by="rehearsal-approver", at=begun_at)
    results = run_results(
        wave=plan.wave, run_id=run_id, rehearsal=True, plan=plan, status=status, proofs=proofs, segments=(segment,),
        gates=(approval,), begun_at=datetime.now(begun_at.tzinfo), ended_at=pair.now,
    )  # fmt: skip
    report = report_of(results)
    night = Night(
        wave="test", night=begun_at.date(), time_zone="Europe/Berlin", seed=1, starts_at=begun_at,
        snapshot=SnapshotRef(snapshot_id="5" * 64), reactions={"approve_wave": 240.0}, params={"poll_seconds": 60},
    )  # fmt: skip
    truth = truth_of(pair.oracle(), pair.audit(kind="note"))
    history = twin_events(pair.run(lambda: pair.world.products[TIMELINE].export()).decode())
    timeline = build_timeline(night, report, truth, history)
    return Rehearsed(build_record(night, results, report, truth), timeline, report, night)
