"""A cutover that fails, hangs or was forgotten in part, and the ways back; judged by the oracle."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.cutover.errors import (
    DestinationNotRoutedError,
    ExtensionPresentError,
    ReconnectRefusedError,
    TwoGatewaysError,
    UnextendFailedError,
)
from hcx_waves.cutover.extension import Removal, UnextendPhase, require_unextended
from hcx_waves.cutover.gateway import (
    Situation,
)
from hcx_waves.procedure_errors import SubmissionLostError
from support.cuts import DELETE, SEED, Cut
from support.lookups import segment_named
from support.mobility import scenario
from support.procedures import Planner, await_unextended, move, sites_of
from support.site_pair import SitePair


def test_failed_unextend_leads_back_to_the_source(moved: Cut) -> None:
    disconnected = moved.disconnect()
    moved.pair.fault(product="engine", call="extension.unextend", behaviour="fail", message="NE appliance is down")
    removal = moved.unextend()
    assert moved.situation(removal) is Situation.UNEXTENDING
    with pytest.raises(ReconnectRefusedError, match="HCX has accepted the unextend") as refused:
        moved.reconnect(snapshot=disconnected.snapshot, removal=removal)
    assert refused.value.details["situation"] == "unextending"

    status = await_unextended(moved.pair, moved.clients, removal)
    assert status.phase is UnextendPhase.FAILED
    with pytest.raises(UnextendFailedError, match="NE appliance is down") as failed:
        require_unextended(status, SEED)
    assert failed.value.details["extension_listed"] is True
    back = moved.reconnect(snapshot=disconnected.snapshot, removal=removal)
    assert not back.already
    assert moved.reconnect(snapshot=disconnected.snapshot, removal=removal).already
    facts = moved.facts()
    [outage] = facts["outage"]
    assert outage["to"] is not None
    assert (facts["two_gateways"], facts["source_cut"]) == ([], [])
    assert moved.clients.source_nsx is not None
    segment = segment_named(moved.clients.source_nsx, SEED)
    assert segment.raw["subnets"] == disconnected.snapshot["subnets"]


@pytest.mark.world(scenario=scenario(["one"], {"failed_job_is_done": False}))
def test_failed_job_that_never_says_done_is_noticed(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one"], ["app"])
    move(site_pair, clients, plan)
    cut = Cut(site_pair, clients, plan, "app")
    cut.disconnect()
    site_pair.fault(product="engine", call="extension.unextend", behaviour="fail")
    assert await_unextended(site_pair, clients, cut.unextend()).phase is UnextendPhase.FAILED


def test_segment_without_subnets_gets_them_back(site_server: Any) -> None:
    pair = site_server.make_world(scenario={
        **scenario(["one"]), "settings": {"hcx": {}, "nsx": {"disconnected_lacks_subnets": True}},
        "networks": [{"name": "app", "subnet": "10.9.1.0/24", "stretched": True, "mesh": "mesh-1",
                      "dhcp_ranges": ["10.9.1.200-10.9.1.210"]}],
    })  # fmt: skip
    with sites_of(pair) as clients:
        plan = Planner(clients).plan(pair, ["one"], ["app"])
        move(pair, clients, plan)
        cut = Cut(pair, clients, plan, "app")
        disconnected = cut.disconnect()
        assert clients.source_nsx is not None
        assert "subnets" not in segment_named(clients.source_nsx, "app").raw
        cut.reconnect(snapshot=disconnected.snapshot)
        [subnet] = segment_named(clients.source_nsx, "app").raw["subnets"]
        assert subnet["dhcp_ranges"] == ["10.9.1.200-10.9.1.210"]
    site_server.drop(pair)


def test_failed_connect_is_repaired_at_the_destination(moved: Cut) -> None:
    disconnected = moved.disconnect()
    moved.pair.fault(product="engine", call="extension.connect", behaviour="fail", message="edge says no")
    removal = moved.unextend()
    status = await_unextended(moved.pair, moved.clients, removal)
    assert status.phase is UnextendPhase.FAILED_AFTER_REMOVAL
    with pytest.raises(ReconnectRefusedError, match="no longer reaches the VMs"):
        moved.reconnect(snapshot=disconnected.snapshot, removal=removal)
    change = moved.connect()
    assert not change.already
    assert moved.connect().already
    moved.verify()
    facts = moved.facts()
    assert len(facts["outage"]) == 1
    assert facts["outage"][0]["to"] is not None
    assert facts["two_gateways"] == []


def test_forgotten_connect_is_noticed_and_repaired(moved: Cut) -> None:
    moved.disconnect()
    await_unextended(moved.pair, moved.clients, moved.unextend(connect=False))
    with pytest.raises(DestinationNotRoutedError, match="connectivity OFF") as not_yet:
        moved.verify()
    assert not_yet.value.is_transient
    assert moved.situation() is Situation.ISOLATED
    moved.connect()
    moved.verify()
    assert moved.situation() is Situation.CUT_OVER
    with pytest.raises(ReconnectRefusedError, match="the destination routes the segment"):
        moved.reconnect()
    assert moved.facts()["two_gateways"] == []


def test_connecting_the_destination_too_early_is_refused(moved: Cut) -> None:
    with pytest.raises(TwoGatewaysError, match="not proven off"):
        moved.connect()
    moved.disconnect()
    with pytest.raises(ExtensionPresentError, match="still extended"):
        moved.connect()
    assert moved.revisions("destination") == 0
    moved.connect(while_extended=True)
    assert moved.facts()["two_gateways"] == []


def test_two_gateways_stop_everything(moved: Cut) -> None:
    destination = moved.plan.segment(SEED).destination_segment_path
    nsx = moved.clients.destination_nsx
    nsx.set_connectivity(nsx.segment(destination), Connectivity.ON)
    moved.pair.advance(5)
    revision = moved.revisions()
    with pytest.raises(TwoGatewaysError, match="both gateways") as both:
        moved.disconnect()
    assert "connectivity ON" in both.value.details["source"]
    assert ClientError.from_dict(both.value.to_dict()).to_dict() == both.value.to_dict()
    with pytest.raises(TwoGatewaysError, match="both gateways"):
        moved.unextend()
    with pytest.raises(TwoGatewaysError, match="not certainly off"):
        moved.verify()
    assert moved.situation() is Situation.CONNECTED
    with pytest.raises(TwoGatewaysError, match="would make two gateways"):
        moved.reconnect()
    assert moved.revisions() == revision
    assert moved.pair.calls(DELETE) == []


def test_person_may_decide_to_go_back_from_an_unextend_that_hangs(moved: Cut) -> None:
    disconnected = moved.disconnect()
    moved.pair.fault(product="engine", call="extension.unextend", behaviour="stall")
    removal = moved.unextend()
    status = await_unextended(moved.pair, moved.clients, removal, limit_seconds=600)
    assert status.phase is UnextendPhase.RUNNING
    with pytest.raises(UnextendFailedError, match="has not ended"):
        require_unextended(status, SEED)
    moved.reconnect(snapshot=disconnected.snapshot, removal=removal, decided_by="operator-on-duty")
    assert moved.facts()["outage"][0]["to"] is not None


@pytest.mark.world(scenario=scenario(["one"], {"version": "9.1.0"}))
def test_nine_one_has_no_job(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one"], ["app"])
    move(site_pair, clients, plan)
    cut = Cut(site_pair, clients, plan, "app")
    cut.disconnect()
    removal = cut.unextend()
    assert removal.job_id is None
    assert cut.unextend(previous=removal).adopted
    assert await_unextended(site_pair, clients, removal).phase is UnextendPhase.DONE
    site_pair.advance(5)
    cut.verify()
    assert len(site_pair.calls("network_extensions.delete")) == 1


def test_who_does_not_know_whether_hcx_was_asked_is_told_to_ask_again(moved: Cut) -> None:
    moved.disconnect()
    moved.pair.fault(product="hcx", site="source", call=DELETE, behaviour="reset_before")
    stored: list[Removal | None] = []
    with pytest.raises(SubmissionLostError):
        moved.unextend(on_submission=stored.append)
    with pytest.raises(ReconnectRefusedError, match="HCX may have been asked to unextend") as refused:
        moved.reconnect(removal=stored[0])
    assert "clear task unextend_network" in refused.value.options[0]
    assert moved.facts()["two_gateways"] == []
