"""The report of a run, however far it came; its files hold no secret."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hcx_waves.cutover.emptiness import EmptyProof
from hcx_waves.cutover.errors import UnextendFailedError
from hcx_waves.cutover.extension import Removal
from hcx_waves.cutover.gateway import DisconnectResult
from hcx_waves.cutover.outage import outage_bounds
from hcx_waves.gateway_users.model import Found, FoundKind
from hcx_waves.migration.verify import VmProof, facts_before
from hcx_waves.model.choices import CutoverPolicy, Disconnect, MigrationType
from hcx_waves.model.files import file_name
from hcx_waves.model.findings import Finding, Severity, Waiver, assess
from hcx_waves.model.plan import NetworkRef, PlannedNic, PlannedSegment, PlannedSite, PlannedVm, WavePlan
from hcx_waves.model.schedule import SegmentWindow, TimeWindow, WaveClock
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.report.files import read_report, write_report
from hcx_waves.report.markdown import render_markdown
from hcx_waves.report.model import WaveReport
from hcx_waves.run.results import Evaluation, SegmentResults
from hcx_waves.run.scope import Scope
from support.run_results import answer, report_of, routed, run_results

ZERO = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
RUN = "manual__2026-03-01T22:00:00+00:00"


def at(minutes: float) -> datetime:
    return ZERO + timedelta(minutes=minutes)


def network(name: str) -> NetworkRef:
    return NetworkRef(network_id=f"/infra/segments/{name}", name=name, network_type="NsxtSegment")


def vm(name: str, number: int) -> PlannedVm:
    nic = PlannedNic(
        label="Network adapter 1",
        mac_address=f"00:50:56:00:00:{number:02x}",
        source=network("app"),
        destination=network("app-there"),
        segment="app",
        ip_addresses=(f"10.0.0.{number}",),
    )
    return PlannedVm(
        name=name, vm_id=f"vm-{number}", instance_uuid=f"uuid-{number}", powered_on=True,
        migration=MigrationType.RAV, nics=(nic,),
    )  # fmt: skip


def segment(name: str, cutover: CutoverPolicy = CutoverPolicy.NOW) -> PlannedSegment:
    return PlannedSegment(
        name=name, key=name, cutover=cutover, disconnect=Disconnect.NSX, source=network(name),
        source_segment_path=f"/infra/segments/{name}", destination=network(name),
        destination_segment_path=f"/infra/segments/{name}", extension_id=f"ext-{name}",
    )  # fmt: skip


SITE = PlannedSite(endpoint_id="e", endpoint_name="hcx", compute_resource_id="c")
PLAN = WavePlan(
    wave="wave-7",
    wave_hash="a" * 64,
    resolved_at=ZERO,
    mobility_group="wave-7",
    source=SITE,
    destination=SITE,
    clock=WaveClock(
        time_zone="UTC", starts_at=ZERO, latest_start=None,
        switchover=TimeWindow(opens=at(60), closes=at(120)),
        cutovers=(SegmentWindow(segment="app", window=TimeWindow(opens=at(120), closes=at(180))),),
    ),
    vms=(vm("web|01", 1), vm("web02", 2)),
    segments=(segment("app"), segment("dmz", CutoverPolicy.LATER)),
)  # fmt: skip


def proof(name: str, outcome: VmOutcome = VmOutcome.MIGRATED, reasons: tuple[str, ...] = ()) -> VmProof:
    before = facts_before(PLAN.vm(name))
    after = before.model_copy(update={"site": "destination", "vm_id": f"{before.vm_id}0"})
    return VmProof(name=name, outcome=outcome, before=before, after=None if reasons else after, reasons=reasons)


def cut(sent_minutes: float = 130) -> SegmentResults:
    router = Found(kind=FoundKind.STAYING, name="edge", object_id="vm-9", reason="the wave file declares that it stays")
    empty = EmptyProof(segment="app", at=at(sent_minutes), vcenter_networks=("app (net-1)",), nsx_port_count=2,
                       migrations_read=2, excluded=(router,))  # fmt: skip
    disconnect = DisconnectResult(
        segment="app", sent_at=at(sent_minutes), last_not_at=at(sent_minutes), seen_at=at(sent_minutes + 0.01),
        means=Disconnect.NSX, snapshot={"display_name": "app"}, proof=empty,
    )  # fmt: skip
    bounds = outage_bounds(
        connected_last=at(sent_minutes), disconnected_first=at(sent_minutes + 0.01),
        routed_not_last=at(sent_minutes + 3), routed_first=at(sent_minutes + 3.01),
    )  # fmt: skip
    return SegmentResults(segment="app", proof=empty, disconnect=disconnect, routed=routed(None, bounds))


DMZ = SegmentResults(segment="dmz")


def report(**changes: Any) -> WaveReport:
    facts: dict[str, Any] = {
        "run_id": RUN,
        "plan": PLAN,
        "proofs": (proof("web|01"), proof("web02")),
        "segments": (cut(), DMZ),
        "begun_at": ZERO,
        "ended_at": at(200),
        "gates": (
            answer("approve_wave", "approve", by="ada", at=at(5), change_reference="CHG-1", digest=PLAN.digest()),
        ),
    }  # fmt: skip
    return report_of(run_results(**{**facts, **changes}))


def test_wave_that_went_as_planned() -> None:
    made = report()
    assert made.outcome is WaveOutcome.AS_PLANNED
    assert made.deviations == ()
    assert [one.outcome for one in made.segments] == [SegmentOutcome.CUT_OVER, SegmentOutcome.STRETCHED]
    text = render_markdown(made)
    assert "# Wave wave-7" in text
    assert "**As planned**: Everything went as planned." in text
    assert "- Longest outage: between 179.4 s and 180.6 s" in text
    assert "| web\\|01 | Migrated | RAV | source → destination | poweredOn | 00:50:56:00:00:01 | 10.0.0.1 |" in text
    assert "edge (staying: the wave file declares that it stays)" in text
    assert f"| `approve_wave` | Approved | ada | 2026-03-01 22:05:00 UTC | CHG-1 | {PLAN.digest()[:12]} |" in text
    assert [event.what for event in made.timeline][:2] == ["run started", "approve_wave: approved"]


def test_what_was_left_behind_is_said() -> None:
    left = proof("web02", VmOutcome.FAILED, ("HCX: failed",))
    blocked = {"app": "web02 is still at the source"}
    error = UnextendFailedError("the unextend failed", vendor_detail="x").to_dict()
    untouched = (SegmentResults(segment="app"), DMZ)
    made = report(proofs=(proof("web|01"), left), segments=untouched, blocked=blocked, error=error)
    assert made.outcome is WaveOutcome.INCOMPLETE
    assert {(one.subject, one.planned, one.actual) for one in made.deviations} == {
        ("web02", "migrated", "failed"), ("app", "cut over", "blocked"),
    }  # fmt: skip
    text = render_markdown(made)
    assert "web02 is still at the source" in text
    assert "UnextendFailedError: the unextend failed. If the extension still exists in HCX, clear task" in text


def test_outage_that_is_left_open_is_the_gravest() -> None:
    removal = Removal(segment="app", extension_id="ext-app", connect=True, accepted_at=at(131))
    made = report(segments=(cut().model_copy(update={"routed": None, "removal": removal}), DMZ))
    assert made.outcome is WaveOutcome.STRANDED
    assert "A person has to act now" in render_markdown(made)


def test_cut_outside_its_window_is_a_deviation() -> None:
    [late] = report(segments=(cut(190), DMZ)).deviations
    assert late.subject == "app"
    assert late.planned == "disconnected in the window 2026-03-02 00:00 to 01:00 UTC"
    assert late.actual == "disconnected at 2026-03-02 01:10 UTC"


def test_run_that_was_rejected_or_never_resolved() -> None:
    rejected = answer("approve_wave", "reject", by="ada", at=at(5), note="not tonight")
    made = report(proofs=(), segments=(), gates=(rejected,))
    assert made.outcome is WaveOutcome.REJECTED
    assert {one.outcome for one in made.vms} == {VmOutcome.PLANNED}
    assert "- ada rejected approve_wave (not tonight)" in render_markdown(made)
    nothing = report_of(run_results(ended_at=ZERO, plan_missing="no such VM: x"))
    assert nothing.outcome is WaveOutcome.BLOCKED
    assert "no such VM: x" in render_markdown(nothing)


def test_left_out_vms_are_as_planned() -> None:
    made = report(
        proofs=(proof("web|01"),),
        evaluated=Evaluation(outcomes={"web02": VmOutcome.LEFT_OUT}),
        segments=(SegmentResults(segment="app"), DMZ),
        scope=Scope(stop_before_cutover=True),
    )
    assert made.outcome is WaveOutcome.AS_PLANNED
    assert [(one.subject, one.actual) for one in made.deviations] == [("app", "stretched")]


def test_findings_with_their_waivers() -> None:
    finding = Finding(finding_id="vm-has-snapshots", severity=Severity.BLOCKING, subject="web02", message="2 snapshots")
    waiver = Waiver(finding="vm-has-snapshots", subject="*", reason="small", approved_by="bob", expires="2026-04-01")
    made = report(assessments=assess([finding], [waiver], ZERO.date()))
    link = "[vm-has-snapshots](docs/guide/findings.md#vm-has-snapshots)"
    row = f"| Blocking | {link} | web02 | 2 snapshots | bob, until 2026-04-01: small |"
    assert row in render_markdown(made)


def test_files_are_whole_private_and_without_secrets(tmp_path: Path) -> None:
    note = "log in with geheim-123 or ?token=abcdef"
    refused = answer("approve_wave", "reject", by="ada", at=at(5), note="<b>bold</b> `x`")
    made = report(notes=(note,), gates=(refused,))
    paths = write_report(made, tmp_path, secrets=["geheim-123", ""])
    assert paths["json"] == tmp_path / "wave-7" / f"{file_name(RUN)}.json"
    for path in paths.values():
        text = path.read_text(encoding="utf-8")
        assert "geheim" not in text
        assert "abcdef" not in text
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "&lt;b&gt;bold" in paths["markdown"].read_text(encoding="utf-8")
    again = read_report(paths["json"])
    assert again.model_dump() == {**made.model_dump(), "notes": again.notes}
    assert json.loads(paths["json"].read_text())["report_version"] == 1
    assert write_report(made, tmp_path) == paths
    assert sorted(path.suffix for path in (tmp_path / "wave-7").iterdir()) == [".json", ".md"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "", "x:y+z"])
def test_file_names_stay_in_their_folder(name: str) -> None:
    made = file_name(name)
    assert made
    assert Path(made).name == made
    assert not made.startswith(".")
