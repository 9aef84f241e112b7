"""Reports of live runs, made by the procedures on simulated sites whose parameters are known."""

from __future__ import annotations

from datetime import datetime, timedelta

from hcx_sim.world.model import VmRole
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.extension import unextend_network, unextend_status
from hcx_waves.cutover.gateway import disconnect_source_segment
from hcx_waves.cutover.outage import outage_bounds
from hcx_waves.cutover.routing import verify_destination_routed
from hcx_waves.cutover.source import nsx_source
from hcx_waves.migration.course import CourseKeeper
from hcx_waves.migration.start import start_wave
from hcx_waves.migration.status import VmPhase, read_status
from hcx_waves.migration.verify import verify_virtual_machines
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.expectation import Expectation, ExpectedVm, Spread
from hcx_waves.model.plan import WavePlan
from hcx_waves.report.model import WaveReport
from hcx_waves.run.results import SegmentResults
from support.procedures import Planner, patience_of, sites_of, window_in
from support.run_results import answer, report_of, routed, run_results
from support.site_pair import SitePair

_UNEXTEND_POLL_SECONDS = 8.0


def run_live(
    pair: SitePair,
    *,
    vms: int,
    segments: int,
    opens_seconds: float = 3 * 3600,
    poll_seconds: float = 30,
    reactions: tuple[float, ...] = (),
    bulk: frozenset[str] = frozenset(),
    run_id: str = "manual__1",
    mesh: str | None = None,
) -> WaveReport:
    """Move the first VMs, cut segments over, and return the report of a live run.

    :param reactions: how long each of so many people took at ``approve_cutover``.
    :param bulk: VMs that move by Bulk instead of RAV.
    :param mesh: the name of the mesh, as a forecast would have it.
    """
    with sites_of(pair) as clients:
        planner = Planner(clients)
        workloads = (vm for vm in pair.world.vms.values() if vm.role is VmRole.WORKLOAD and not vm.template)
        names = [vm.name for vm in workloads if vm.name in planner.morefs][:vms]
        cut = sorted(planner.extensions)[:segments]
        types = dict.fromkeys(bulk, MigrationType.BULK)
        window = window_in(pair, opens_seconds, 40 * 3600)
        plan = planner.plan(pair, names, sorted(planner.extensions), types=types, window=window)
        begun_at = pair.now
        started = start_wave(plan, clients)
        keeper = CourseKeeper()
        while True:
            status = read_status(clients.hcx, started, pair.now)
            keeper.see(status)
            if status.is_terminal or pair.now > begun_at + timedelta(days=3):
                break
            # Transfers last for hours, and a few queries tell as much about them.
            syncing = any(vm.phase in (VmPhase.QUEUED, VmPhase.BASE_SYNC) for vm in status.vms)
            pair.advance(8 * poll_seconds if syncing else poll_seconds)
        proofs = verify_virtual_machines(plan, status, clients)
        steps = tuple(_cut(pair, plan, clients, name) for name in cut)
    asked = begun_at
    approvals = tuple(
        answer(
            f"cutover_{number}.approve_cutover", "approve", by="alice", asked_at=asked,
            at=asked + timedelta(seconds=seconds),
        )
        for number, seconds in enumerate(reactions)
    )  # fmt: skip
    return report_of(
        run_results(
            run_id=run_id, plan=plan, status=status, courses=keeper.courses.values(), proofs=proofs, segments=steps,
            gates=approvals, begun_at=begun_at, ended_at=pair.now,
            forecast=None if mesh is None else _forecast(plan, begun_at, mesh),
        )
    )  # fmt: skip


def _forecast(plan: WavePlan, begun_at: datetime, mesh: str) -> Expectation:
    vms = tuple(ExpectedVm(name=vm.name, switchover_seconds=100, mesh=mesh) for vm in plan.vms)
    end = Spread(p50_seconds=3600, p90_seconds=7200, p95_seconds=8000)
    return Expectation(starts_at=begun_at, nights=1, end=end, vms=vms)


def _cut(pair: SitePair, plan: WavePlan, clients: SiteClients, name: str) -> SegmentResults:
    gateway = nsx_source(clients.source_nsx, plan.segment(name))
    disconnect = disconnect_source_segment(plan, name, clients, gateway, patience_of(pair))
    removal = unextend_network(plan, name, clients, gateway, pair.now, connect=True)
    looked = pair.now
    while not unextend_status(clients.hcx, removal).is_terminal:
        looked = pair.now
        pair.advance(_UNEXTEND_POLL_SECONDS)
    pair.advance(2)
    proof = verify_destination_routed(plan, name, clients, gateway, pair.now)
    bounds = outage_bounds(
        connected_last=disconnect.last_not_at or disconnect.sent_at,
        disconnected_first=disconnect.seen_at or disconnect.sent_at,
        routed_not_last=looked,
        routed_first=proof.at,
    )
    return SegmentResults(segment=name, disconnect=disconnect, removal=removal, routed=routed(proof, bounds))
