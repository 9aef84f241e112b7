"""The record of a night against what the twin itself knows, and the same night twice."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from hcx_sim.engine.clock import to_datetime
from hcx_sim.hcx.mobility.mobility import mobility_of
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.rehearsals.build import build_timeline
from hcx_waves.rehearsals.truth import truth_of
from support.rehearsed_night import SEGMENT, VMS, rehearse_seed_wave
from support.site_pair import SitePair, SiteServer


def migrations_of(pair: SitePair) -> dict[str, Any]:
    """Return the simulator's own records of all migrations, by VM."""
    return {one.entity_name: one for one in mobility_of(pair.world).store.migrations.values()}


def instant(moment_us: int | None) -> datetime | None:
    """Return an instant as the audit writes it: in milliseconds."""
    return None if moment_us is None else to_datetime(moment_us // 1000 * 1000)


def test_a_record_says_what_the_twin_knows(site_pair: SitePair) -> None:
    record = rehearse_seed_wave(site_pair).record
    assert (record.outcome, record.fits) == (WaveOutcome.AS_PLANNED, True)
    known = migrations_of(site_pair)
    oracle = site_pair.oracle()
    assert [vm.name for vm in record.vms] == list(VMS)
    for vm in record.vms:
        truth = known[vm.name]
        assert vm.outcome is VmOutcome.MIGRATED
        assert vm.transfer_ended_at == instant(truth.sync.base_done_us)
        assert vm.switchover_began_at == instant(truth.switching_us)
        assert vm.switchover_ended_at is not None
        assert vm.switchover_ended_at >= (instant(truth.switchover_ended_us) or vm.switchover_ended_at)
        assert vm.stun_seconds == oracle["vms"][vm.name]["stuns"][0]["seconds"]
        assert vm.service_mesh_id
    (segment,) = record.segments
    assert segment.outcome is SegmentOutcome.CUT_OVER
    assert segment.outage_seconds == oracle["segments"][SEGMENT]["outage"][0]["seconds"]
    assert segment.outage is not None
    assert segment.outage.lower_seconds <= segment.outage_seconds <= (segment.outage.upper_seconds or 0)


def test_the_totals_are_those_of_the_parts(site_pair: SitePair) -> None:
    record = rehearse_seed_wave(site_pair).record
    begun = [vm.switchover_began_at for vm in record.vms if vm.switchover_began_at]
    ended = [vm.switchover_ended_at for vm in record.vms if vm.switchover_ended_at]
    assert record.transfer_ended_at == max(vm.transfer_ended_at for vm in record.vms if vm.transfer_ended_at)
    assert record.switchover_queue_seconds == (max(ended) - min(begun)).total_seconds()
    assert record.switchover_window is not None
    assert min(begun) >= record.switchover_window.opens
    assert record.ended_at == record.segments[0].ended_at
    assert record.cutover_began_at == record.segments[0].cutover_began_at
    assert [(gate.gate, gate.by, gate.reaction_seconds) for gate in record.gates] == [
        ("approve_wave", "rehearsal-approver", 240.0)
    ]
    assert record.verdict.startswith("Everything went as planned, ended at ")


def test_what_is_left_behind_is_in_the_verdict(site_pair: SitePair) -> None:
    site_pair.run(lambda: _fail_switchover_of(site_pair, "web02"))
    record = rehearse_seed_wave(site_pair, cut=False).record
    assert record.outcome is WaveOutcome.INCOMPLETE
    assert record.fits is False
    failed = next(vm for vm in record.vms if vm.name == "web02")
    assert (failed.outcome, failed.switchover_began_at is not None) == (VmOutcome.FAILED, True)
    assert failed.reasons
    assert record.verdict.startswith("Something was left behind: segment seed-net not started, web02 failed, ended at ")


def _fail_switchover_of(pair: SitePair, name: str) -> None:
    settings = pair.world.settings
    pair.world.settings = settings.model_copy(
        update={"hcx": settings.hcx.model_copy(update={"failing_switchovers": [name]})}
    )


@pytest.mark.parametrize("cut", [True, False])
def test_the_same_night_twice_is_the_same_timeline_byte_by_byte(site_server: SiteServer, cut: bool) -> None:
    exports = []
    for number in range(2):
        pair = site_server.make_world(scenario="seed", seed=11)
        try:
            exports.append(rehearse_seed_wave(pair, run_id=f"backfill__{number}", cut=cut).timeline.export())
        finally:
            site_server.drop(pair)
    assert exports[0] == exports[1]
    assert b"backfill__" not in exports[0]
    events = json.loads(exports[0])["events"]
    assert sum(one["what"] == "twin: migration" for one in events) >= 6 * len(VMS)
    assert {one["subject"] for one in events if one["what"] == "twin: stun"} == set(VMS)
    changes = [
        one["detail"] for one in events if one["what"] == "twin: segment" and one["detail"]["change"] == "changed"
    ]
    assert (len(changes) >= 2) is cut, "both gateways, if the segment was cut over"
    assert [one["at"] for one in events] == sorted(one["at"] for one in events)


def test_without_the_twins_history_the_phases_stand_in(site_pair: SitePair) -> None:
    night = rehearse_seed_wave(site_pair, cut=False)
    truth = truth_of(site_pair.oracle(), site_pair.audit(kind="note"))
    timeline = build_timeline(night.night, night.report, truth)
    assert sum(one.what == "phase" for one in timeline.events) >= 6 * len(VMS)
