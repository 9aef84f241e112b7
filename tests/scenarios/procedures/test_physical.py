"""A source gateway outside NSX: by commands, and by a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import NotFound
from hcx_waves.cutover.cleanup import delete_source_segment
from hcx_waves.cutover.commands import CommandRunner
from hcx_waves.cutover.errors import CommandFailedError, ManualStepOutstandingError, SegmentNotEmptyError
from hcx_waves.cutover.extension import unextend_network
from hcx_waves.cutover.gateway import disconnect_source_segment, reconnect_source_segment
from hcx_waves.cutover.physical import ManualSource, source_gateway
from hcx_waves.cutover.routing import verify_destination_routed
from hcx_waves.cutover.source import GatewayState, SourceGateway
from hcx_waves.model.choices import CutoverPolicy, Disconnect
from hcx_waves.model.plan import WavePlan
from hcx_waves.wavefile.segments import Hook, Manual, Segment
from hcx_waves.wavefile.windows import Window
from support import router_command
from support.procedures import Planner, await_unextended, move, patience_of, sites_of
from support.site_pair import SitePair

VLAN = "vlan-120"
pytestmark = pytest.mark.world(scenario="physical")


@dataclass
class Case:
    """The ERP wave with its VMs at the destination."""

    pair: SitePair
    clients: SiteClients
    plan: WavePlan
    file: Path

    def command(self, action: str) -> tuple[str, ...]:
        return (sys.executable, str(Path(router_command.__file__)), action, str(self.file))

    def hook(self, **changes: Any) -> Hook:
        commands = {name: self.command(name) for name in ("act", "check", "undo")}
        return Hook(**{**commands, "timeout": "30s", **changes})

    def gateway(self, **means: Any) -> SourceGateway:
        kind = Disconnect.HOOK if "hook" in means else Disconnect.MANUAL
        window = Window(opens="+2h", lasts="1h")
        segment = Segment(name=VLAN, cutover=CutoverPolicy.NOW, cutover_window=window, disconnect=kind, **means)
        runner = CommandRunner(secrets=(self.pair.endpoints["control"]["token"],))
        return source_gateway(segment, self.plan.segment(VLAN), self.clients.source_nsx, runner)

    def disconnect(self, gateway: SourceGateway) -> Any:
        return disconnect_source_segment(self.plan, VLAN, self.clients, gateway, patience_of(self.pair, 2))

    def facts(self) -> dict[str, Any]:
        report: dict[str, Any] = self.pair.oracle()["segments"][VLAN]
        return report


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    """The clients of this test's world; the workload network at the source is not NSX's."""
    with sites_of(site_pair, source_has_nsx=False) as opened:
        yield opened


@pytest.fixture
def case(site_pair: SitePair, clients: SiteClients, tmp_path: Path) -> Case:
    """The wave of the two ERP VMs, not started."""
    plan = Planner(clients).plan(site_pair, ["erp01", "erp02"], [VLAN])
    control = site_pair.endpoints["control"]
    facts = {**control, "ca_file": site_pair.ca_file, "world": site_pair.world_id, "network": VLAN}
    file = tmp_path / "router.json"
    file.write_text(json.dumps(facts))
    return Case(site_pair, clients, plan, file)


def test_hook_cuts_the_segment_over(case: Case) -> None:
    gateway = case.gateway(hook=case.hook())
    with pytest.raises(SegmentNotEmptyError, match=r"erp01 \(workload.*erp02 \(workload"):
        case.disconnect(gateway)
    assert move(case.pair, case.clients, case.plan).migrated == ("erp01", "erp02")
    result = case.disconnect(gateway)
    assert (result.means, result.already, result.snapshot) == (Disconnect.HOOK, False, {})
    assert result.proof.nsx_port_count is None
    assert case.disconnect(gateway).already
    removal = unextend_network(case.plan, VLAN, case.clients, gateway, case.pair.now, connect=True)
    await_unextended(case.pair, case.clients, removal)
    case.pair.advance(5)
    verify_destination_routed(case.plan, VLAN, case.clients, gateway, case.pair.now)
    facts = case.facts()
    assert len(facts["outage"]) == 1
    assert facts["outage"][0]["to"] is not None
    assert (facts["two_gateways"], facts["source_cut"]) == ([], [])
    with pytest.raises(NotFound, match="is not an NSX segment at the source") as by_hand:
        delete_source_segment(case.plan, VLAN, case.clients)
    assert "by hand" in by_hand.value.hint


def test_hook_leads_back(case: Case) -> None:
    gateway = case.gateway(hook=case.hook())
    move(case.pair, case.clients, case.plan)
    result = case.disconnect(gateway)
    case.pair.advance(7)
    back = reconnect_source_segment(
        case.plan, VLAN, case.clients, gateway, patience_of(case.pair), snapshot=result.snapshot
    )
    assert not back.already
    assert [span["seconds"] for span in case.facts()["outage"]] == [7.0]


def test_act_that_fails_or_hangs_is_judged_by_the_check(case: Case) -> None:
    move(case.pair, case.clients, case.plan)
    failing = ("/bin/sh", "-c", "echo password=hunter2; echo no such interface; exit 3")
    with pytest.raises(CommandFailedError, match="ended with exit code 3: no such interface") as failed:
        case.disconnect(case.gateway(hook=case.hook(act=failing)))
    assert failed.value.details["output"] == "password=***\nno such interface"
    assert failed.value.details["exit_code"] == 3
    with pytest.raises(CommandFailedError, match="cannot be run: No such file"):
        case.disconnect(case.gateway(hook=case.hook(act=("/no/such/program",))))

    act = " ".join(case.command("act"))
    slow = ("/bin/sh", "-c", f"{act} && exec sleep 60")
    result = case.disconnect(case.gateway(hook=case.hook(act=slow, timeout="5s")))
    assert not result.already
    case.pair.advance(1)
    assert len(case.facts()["outage"]) == 1


@pytest.mark.parametrize("check", [("/bin/sh", "-c", "exit 2"), ("/no/such/program",)])
def test_check_without_an_answer_stops_before_anything_is_changed(case: Case, check: tuple[str, ...]) -> None:
    move(case.pair, case.clients, case.plan)
    gateway = case.gateway(hook=case.hook(check=check))
    assert gateway.look().state is GatewayState.UNKNOWN
    with pytest.raises(CommandFailedError, match="it is not known whether the source gateway") as unknown:
        case.disconnect(gateway)
    assert "exit with 0 (disconnected) or 1 (connected)" in unknown.value.hint
    assert case.facts()["outage"] == []


def test_person_disconnects_by_instructions(case: Case) -> None:
    manual = Manual(
        instructions="Shut interface Vlan120 on core-1",
        undo_instructions="No shut interface Vlan120 on core-1",
        check=case.command("check"),
    )
    gateway = case.gateway(manual=manual)
    assert isinstance(gateway, ManualSource)
    assert gateway.instructions == "Shut interface Vlan120 on core-1"
    move(case.pair, case.clients, case.plan)
    with pytest.raises(
        ManualStepOutstandingError, match="still connected, according to its check command"
    ) as outstanding:
        case.disconnect(gateway)
    assert "Shut interface Vlan120 on core-1" in outstanding.value.hint
    router_command.main("act", str(case.file))
    result = case.disconnect(gateway)
    assert result.already
    assert result.snapshot == {"undo_instructions": "No shut interface Vlan120 on core-1"}
    with pytest.raises(ManualStepOutstandingError, match="still disconnected") as back:
        reconnect_source_segment(case.plan, VLAN, case.clients, gateway, patience_of(case.pair))
    assert "No shut interface" in back.value.hint
    router_command.main("undo", str(case.file))
    assert reconnect_source_segment(case.plan, VLAN, case.clients, gateway, patience_of(case.pair)).already
