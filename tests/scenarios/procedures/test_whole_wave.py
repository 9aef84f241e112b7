"""The seed wave from plan to report by the procedures alone, judged by the oracle; and no secret in its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hcx_waves.cutover.cleanup import delete_source_segment, rename_destination_segment
from hcx_waves.cutover.emptiness import prove_segment_empty
from hcx_waves.cutover.extension import unextend_network
from hcx_waves.cutover.gateway import disconnect_source_segment
from hcx_waves.cutover.outage import outage_bounds
from hcx_waves.cutover.routing import verify_destination_routed
from hcx_waves.cutover.source import nsx_source
from hcx_waves.migration.start import start_wave
from hcx_waves.migration.verify import verify_virtual_machines
from hcx_waves.model.states import WaveOutcome
from hcx_waves.report.files import read_report, write_report
from hcx_waves.run.results import RunResults, SegmentResults
from support import run_results
from support.procedures import Planner, await_unextended, patience_of, run_to_end, sites_of
from support.site_pair import SitePair

FOUR = ("web01", "web02", "app01", "db01")
SEED = "seed-net"


def secrets_in(value: Any) -> set[str]:
    """Return every password and token of an endpoints document."""
    if isinstance(value, dict):
        named = {str(value[key]) for key in ("password", "token", "refresh_token") if value.get(key)}
        return named.union(*(secrets_in(member) for member in value.values()))
    return set()


def test_seed_wave_from_plan_to_report(site_pair: SitePair, tmp_path: Path) -> None:
    begun_at = site_pair.now
    with sites_of(site_pair) as clients:
        plan = Planner(clients).plan(site_pair, FOUR, [SEED])
        started = start_wave(plan, clients)
        status = run_to_end(site_pair, clients, started)
        proofs = verify_virtual_machines(plan, status, clients)
        site_pair.advance(60)
        gateway = nsx_source(clients.source_nsx, plan.segment(SEED))
        patience = patience_of(site_pair)
        proof = prove_segment_empty(plan, SEED, clients, site_pair.now)
        disconnect = disconnect_source_segment(plan, SEED, clients, gateway, patience)
        removal = unextend_network(plan, SEED, clients, gateway, site_pair.now, connect=True)
        await_unextended(site_pair, clients, removal)
        asked = site_pair.now
        site_pair.advance(2)
        routed = verify_destination_routed(plan, SEED, clients, gateway, site_pair.now)
        assert disconnect.last_not_at is not None
        assert disconnect.seen_at is not None
        bounds = outage_bounds(
            connected_last=disconnect.last_not_at,
            disconnected_first=disconnect.seen_at,
            routed_not_last=asked,
            routed_first=routed.at,
        )
        deletion = delete_source_segment(plan, SEED, clients)
        renaming = rename_destination_segment(plan, SEED, clients, "seed-net-cloud")

    cut = SegmentResults(
        segment=SEED, proof=proof, disconnect=disconnect, removal=removal, routed=run_results.routed(routed, bounds),
        deletion=deletion, renaming=renaming,
    )  # fmt: skip
    approval = run_results.answer("approve_wave", "approve", by="demo", at=begun_at, digest=plan.digest())
    found = run_results.run_results(
        wave=plan.wave, plan=plan, status=status, proofs=proofs, segments=(cut,), gates=(approval,), begun_at=begun_at,
        ended_at=site_pair.now,
    )  # fmt: skip
    report = run_results.report_of(RunResults.model_validate_json(found.model_dump_json()))
    assert report.outcome is WaveOutcome.AS_PLANNED
    assert report.deviations == ()

    truth = site_pair.oracle()
    facts = truth["segments"][SEED]
    [outage] = facts["outage"]
    assert bounds.upper_seconds is not None
    assert bounds.lower_seconds <= outage["seconds"] <= bounds.upper_seconds
    assert (facts["two_gateways"], facts["source_cut"]) == ([], [])
    for name in FOUR:
        vm = truth["vms"][name]
        assert vm["power_off"] == []
        assert vm["now"]["macs"] == vm["before"]["macs"]
        assert vm["gateways"] == {SEED: "destination"}

    secrets = secrets_in(site_pair.endpoints)
    assert len(secrets) >= 5
    for path in write_report(report, tmp_path).values():
        text = path.read_text(encoding="utf-8")
        assert not [secret for secret in secrets if secret in text]
        assert "seed-net-cloud" in text
    assert read_report(tmp_path / "test" / "manual__1.json").model_dump() == report.model_dump()
