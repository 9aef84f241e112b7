"""HCX answers the unextend with a status of success and with an error inside, and does nothing: that is a refusal."""

from __future__ import annotations

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ValidationFailed
from hcx_waves.cutover.extension import Removal
from hcx_waves.cutover.gateway import Situation
from hcx_waves.migration.start import start_wave
from support.cuts import DELETE, FOUR, SEED, Cut
from support.procedures import Planner
from support.site_pair import SitePair
from support.waves import scenario

NEWER_DELETE = "network_extensions.delete"
NEWER = scenario(settings={"hcx": {"version": "9.0.1"}})
WORDS = ("The extension cannot be removed.", "Another operation is in progress on the appliance.")


def refused_unextend(cut: Cut) -> None:
    """Ask for the unextend, see it refused, and go back."""
    stored: list[Removal | None] = []
    with pytest.raises(ValidationFailed, match="the product refused the call"):
        cut.unextend(on_submission=stored.append)
    assert stored[-1] is None
    assert cut.situation(stored[-1]) is Situation.RECONNECTABLE
    cut.reconnect()
    facts = cut.facts()
    assert (facts["two_gateways"], len(facts["outage"])) == ([], 1)
    assert facts["outage"][0]["to"] is not None


@pytest.mark.world(scenario=NEWER)
@pytest.mark.parametrize("message", WORDS)
@pytest.mark.parametrize("status", [200, 202, 207])
@pytest.mark.parametrize("behaviour", ["vendor_error", "item_error"])
def test_a_newer_manager_that_accepts_with_an_error_has_refused(
    moved: Cut, behaviour: str, status: int, message: str
) -> None:
    moved.disconnect()
    moved.pair.fault(product="hcx", call=NEWER_DELETE, behaviour=behaviour, status=status, message=message)
    refused_unextend(moved)
    assert len(moved.pair.calls(NEWER_DELETE)) == 1


@pytest.mark.parametrize("behaviour", ["vendor_error", "item_error"])
def test_an_older_manager_that_accepts_with_an_error_has_refused(moved: Cut, behaviour: str) -> None:
    moved.disconnect()
    moved.pair.fault(product="hcx", call=DELETE, behaviour=behaviour, status=200, message=WORDS[1])
    refused_unextend(moved)


@pytest.mark.world(scenario=NEWER)
def test_a_refusal_because_the_unextend_is_under_way_is_no_refusal(moved: Cut) -> None:
    moved.disconnect()
    moved.unextend()
    moved.pair.advance(5)
    assert moved.unextend().adopted
    assert len(moved.pair.calls(NEWER_DELETE)) == 1


def test_a_list_with_an_error_does_not_say_that_the_extension_is_gone(moved: Cut) -> None:
    moved.disconnect()
    moved.pair.fault(
        product="hcx", call="l2_extensions.list", behaviour="vendor_error", status=200, message="no database"
    )
    with pytest.raises(ValidationFailed, match="no database"):
        moved.unextend()
    assert moved.pair.calls(DELETE) == []


@pytest.mark.parametrize("behaviour", ["vendor_error", "item_error"])
def test_a_group_that_is_not_started_by_an_accepted_answer_is_an_error(
    site_pair: SitePair, clients: SiteClients, behaviour: str
) -> None:
    plan = Planner(clients).plan(site_pair, FOUR, [SEED])
    call = "mobility.groups.start"
    site_pair.fault(product="hcx", call=call, behaviour=behaviour, status=202, message="no licence", count=1)
    with pytest.raises(ValidationFailed, match="no licence"):
        start_wave(plan, clients)
    assert not start_wave(plan, clients).vms[0].refused
