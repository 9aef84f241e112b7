"""The gateway's way from source to destination, with lost answers, failures and ways back; judged by the oracle."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_sim.world.model import SiteName
from hcx_sim.world.operations import create_segment
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import AuthenticationFailed, ConflictError, ValidationFailed
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.cutover.cleanup import delete_source_segment, rename_destination_segment
from hcx_waves.cutover.emptiness import prove_segment_empty
from hcx_waves.cutover.errors import (
    DestinationNotRoutedError,
    ExtensionPresentError,
    PortsRemainError,
    RealisationFailedError,
    SourceNotDisconnectedError,
)
from hcx_waves.cutover.extension import Removal, UnextendPhase, require_unextended
from hcx_waves.cutover.gateway import (
    DisconnectResult,
    Situation,
)
from hcx_waves.cutover.outage import outage_bounds
from hcx_waves.procedure_errors import NotSettledError, SubmissionLostError
from support.cuts import DELETE, SEED, Cut
from support.lookups import segment_named
from support.mobility import scenario
from support.procedures import Planner, await_unextended, move, sites_of
from support.site_pair import SitePair


def test_whole_cutover_and_cleanup(moved: Cut) -> None:
    disconnected = moved.disconnect()
    assert not disconnected.already
    removal = moved.unextend()
    routed_not_last = moved.pair.now
    status = await_unextended(moved.pair, moved.clients, removal)
    require_unextended(status, SEED)
    while True:
        try:
            asked = moved.pair.now
            proof = moved.verify()
            break
        except DestinationNotRoutedError:
            routed_not_last = asked
            moved.pair.advance(1)
    assert proof.gateway_macs is not None
    [[_only]] = proof.gateway_macs.values()

    assert disconnected.last_not_at is not None
    assert disconnected.seen_at is not None
    bounds = outage_bounds(
        connected_last=disconnected.last_not_at,
        disconnected_first=disconnected.seen_at,
        routed_not_last=routed_not_last,
        routed_first=proof.at,
    )
    facts = moved.facts()
    [outage] = facts["outage"]
    assert bounds.upper_seconds is not None
    assert bounds.lower_seconds <= outage["seconds"] <= bounds.upper_seconds
    assert bounds.width_seconds is not None
    assert bounds.width_seconds <= 2.0
    assert (facts["two_gateways"], facts["source_cut"]) == ([], [])

    assert not delete_source_segment(moved.plan, SEED, moved.clients).already_gone
    assert delete_source_segment(moved.plan, SEED, moved.clients).already_gone
    assert prove_segment_empty(moved.plan, SEED, moved.clients, moved.pair.now).is_gone
    renamed = rename_destination_segment(moved.plan, SEED, moved.clients, "seed-net-cloud")
    assert not renamed.already
    moved.pair.advance(5)
    again = rename_destination_segment(moved.plan, SEED, moved.clients, "seed-net-cloud")
    assert again.already
    assert again.shown_in_vcenter
    assert len(moved.pair.calls(DELETE)) == 1
    assert DisconnectResult.model_validate_json(disconnected.model_dump_json()) == disconnected


def test_second_disconnect_changes_nothing(moved: Cut) -> None:
    saved: list[dict[str, Any]] = []
    first = moved.disconnect(on_snapshot=saved.append)
    assert saved == [first.snapshot]
    assert first.snapshot["advanced_config"]["connectivity"] == "ON"
    revision = moved.revisions()
    second = moved.disconnect()
    assert second.already
    assert second.changed_at is not None
    assert moved.revisions() == revision


@pytest.mark.parametrize("behaviour", ["reset_after", "truncated", "timeout"])
def test_lost_answer_to_the_disconnect_changes_the_segment_once(moved: Cut, behaviour: str) -> None:
    revision = moved.revisions()
    acts = {"acts": True, "seconds": 0.1} if behaviour == "timeout" else {}
    moved.pair.fault(product="nsx", site="source", call="*segments.patch", behaviour=behaviour, **acts)
    assert not moved.disconnect().already
    assert moved.revisions() == revision + 1


@pytest.mark.parametrize("behaviour", ["reset_after", "malformed"])
def test_lost_answer_to_the_unextend_is_resolved_by_looking(moved: Cut, behaviour: str) -> None:
    moved.disconnect()
    moved.pair.fault(product="hcx", site="source", call=DELETE, behaviour=behaviour, count=1)
    removal = moved.unextend()
    assert removal.job_id is None
    again = moved.unextend(previous=removal)
    assert again.adopted
    assert moved.unextend().adopted
    assert await_unextended(moved.pair, moved.clients, removal).phase is UnextendPhase.DONE
    assert len(moved.pair.calls(DELETE)) == 1
    assert moved.unextend().already_gone
    moved.pair.advance(5)
    moved.verify()


@pytest.mark.world(scenario=scenario(["one"], {"extension_states": {"up": "LINKED", "down": "CUT", "busy": "LINKED"}}))
def test_unextend_whose_answer_and_words_tell_nothing(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one"], ["app"])
    move(site_pair, clients, plan)
    cut = Cut(site_pair, clients, plan, "app")
    cut.disconnect()
    site_pair.fault(product="hcx", site="source", call=DELETE, behaviour="reset_after", count=1)
    stored: list[Removal | None] = []
    with pytest.raises(SubmissionLostError, match="the extension is as it was"):
        cut.unextend(on_submission=stored.append)
    assert len(site_pair.calls(DELETE)) == 1
    [unconfirmed] = stored
    # Nobody can see that HCX is at work, so going back is not safe either.
    assert cut.situation(unconfirmed) is Situation.UNEXTENDING
    # The next try is refused by HCX, which is at work: then it is known.
    removal = cut.unextend(previous=unconfirmed, on_submission=stored.append)
    assert removal.adopted
    assert not removal.unconfirmed
    assert await_unextended(site_pair, clients, removal).phase is UnextendPhase.DONE


def test_refused_unextend_is_an_error_and_leaves_the_way_back(moved: Cut) -> None:
    moved.disconnect()
    moved.pair.fault(product="hcx", call=DELETE, behaviour="vendor_error", status=400, message="no licence", count=1)
    stored: list[Removal | None] = []
    with pytest.raises(ValidationFailed, match="no licence"):
        moved.unextend(on_submission=stored.append)
    assert stored[0] is not None
    assert stored[-1] is None
    assert moved.situation(stored[-1]) is Situation.RECONNECTABLE
    moved.reconnect()


def test_unextend_before_the_disconnect_is_refused(moved: Cut) -> None:
    with pytest.raises(SourceNotDisconnectedError, match="unextending would connect the destination too"):
        moved.unextend()
    assert moved.pair.calls(DELETE) == []


def test_unextend_waits_for_the_disconnect_to_be_in_effect(moved: Cut) -> None:
    nsx = moved.clients.source_nsx
    assert nsx is not None
    nsx.set_connectivity(segment_named(nsx, SEED), Connectivity.OFF)
    with pytest.raises(SourceNotDisconnectedError, match="disconnected, not in effect yet"):
        moved.unextend()
    moved.pair.advance(5)
    moved.unextend()
    assert moved.facts()["two_gateways"] == []


def test_realisation_that_fails_or_lags_is_an_error_of_its_own(moved: Cut) -> None:
    rule = moved.pair.fault(product="engine", call="segment.realise", behaviour="delay", seconds=300, count=1)
    with pytest.raises(NotSettledError, match="which is not in effect yet"):
        moved.disconnect()
    moved.pair.run(lambda: moved.pair.world.faults.remove(rule))
    moved.pair.advance(300)
    assert moved.disconnect().already
    moved.reconnect()
    moved.pair.fault(product="engine", call="segment.realise", behaviour="fail", count=1)
    with pytest.raises(RealisationFailedError, match="could not be realised"):
        moved.disconnect()
    # The change is stored, so the way back starts from OFF.
    moved.reconnect()
    assert moved.facts()["two_gateways"] == []


def test_refused_change_is_the_vendors_error_and_changes_nothing(moved: Cut) -> None:
    moved.pair.fault(product="nsx", site="source", call="*segments.patch", behaviour="vendor_error", status=403,
                     message="not yours")  # fmt: skip
    with pytest.raises(AuthenticationFailed, match="not yours"):
        moved.disconnect()
    assert moved.revisions() == 0


def test_cleanup_keeps_the_way_back_until_the_cutover_is_complete(moved: Cut) -> None:
    def delete() -> Any:
        return delete_source_segment(moved.plan, SEED, moved.clients)

    with pytest.raises(ExtensionPresentError, match="still extended"):
        delete()
    with pytest.raises(ExtensionPresentError, match="so it was not renamed"):
        rename_destination_segment(moved.plan, SEED, moved.clients, "other")
    moved.disconnect()
    await_unextended(moved.pair, moved.clients, moved.unextend(connect=False))
    with pytest.raises(DestinationNotRoutedError, match="so the source segment is still needed"):
        delete()
    moved.connect()
    site_nsx = moved.clients.source_nsx
    assert site_nsx is not None
    moved.pair.fault(product="nsx", site="source", call="*segments.delete", behaviour="reset_after", count=1)
    assert not delete().already_gone
    deletes = [one for one in moved.pair.calls() if one["data"]["operation"].endswith("segments.delete")]
    assert len(deletes) == 1


def test_rename_refuses_a_name_in_use(moved: Cut) -> None:
    moved.disconnect()
    await_unextended(moved.pair, moved.clients, moved.unextend())
    nsx = moved.clients.destination_nsx
    world = moved.pair.world
    moved.pair.run(
        lambda: create_segment(world, SiteName.DESTINATION, "taken", "taken", fixed=True, gateway_cidr="10.8.8.1/24")
    )
    assert "taken" in {one.display_name for one in nsx.segments()}
    with pytest.raises(ConflictError, match="another segment at the destination is named"):
        rename_destination_segment(moved.plan, SEED, moved.clients, "taken")


def test_late_port_release_blocks_the_deletion_and_not_the_cutover(site_server: Any) -> None:
    document = scenario(["one"], name="late")
    document["settings"]["nsx"] = {"port_release_seconds": 900}
    pair = site_server.make_world(scenario=document)
    with sites_of(pair) as clients:
        plan = Planner(clients).plan(pair, ["one"], ["app"])
        move(pair, clients, plan)
        cut = Cut(pair, clients, plan, "app")
        disconnected = cut.disconnect()
        assert [one.kind.value for one in disconnected.proof.excluded if one.name.startswith("one/")] == [
            "releasing_port"
        ]
        await_unextended(pair, clients, cut.unextend())
        pair.advance(5)
        cut.verify()
        with pytest.raises(PortsRemainError, match="still has") as remain:
            delete_source_segment(plan, "app", clients)
        assert remain.value.is_transient
        pair.advance(900)
        delete_source_segment(plan, "app", clients)
        assert "source/app" not in pair.world.segments
    site_server.drop(pair)
