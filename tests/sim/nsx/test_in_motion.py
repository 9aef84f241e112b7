"""A port of a VM that HCX switches over reads ATTACHED_IN_MOTION."""

from __future__ import annotations

import pytest

from support.mobility import Manager as HcxManager
from support.mobility import phases, scenario
from support.nsx_wire import FIXED, FLEXIBLE, Manager
from support.site_pair import SitePair


def _attachment_state(nsx: Manager, segment: str) -> str:
    ports = nsx.read(f"{segment}/ports")["results"]
    port = next(each for each in ports if each["display_name"].startswith("web/"))
    return str(nsx.read(port["path"] + "/state")["attachment"]["state"])


@pytest.mark.world(scenario=scenario(["web"]))
def test_in_motion_during_a_live_switchover_only(
    site_pair: SitePair, source_nsx: Manager, destination_nsx: Manager
) -> None:
    hcx = HcxManager(site_pair)
    source = f"{FLEXIBLE}/app"
    (migration_id,) = hcx.start(hcx.intent("web"))
    seen = {"before": _attachment_state(source_nsx, source)}
    for _ in range(500):
        site_pair.advance(10)
        if any(phase == "switchover" for _, phase in phases(site_pair, "web")):
            break
    seen["during"] = _attachment_state(source_nsx, source)
    hcx.run(migration_id, step_seconds=5)
    seen["after"] = _attachment_state(destination_nsx, f"{FIXED}/app")
    assert seen == {"before": "ATTACHED", "during": "ATTACHED_IN_MOTION", "after": "ATTACHED"}
