"""How many calls the plan and the preflight of a wave send to each product, as docs/preflight.md states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from hcx_waves.preflight import run_preflight
from hcx_waves.preflight.checks.segment_address_duplicates import MOST_PORTS_ASKED
from hcx_waves.resolve import resolve_plan
from support.large_preflight import by_product, large_site, large_wave
from support.site_pair import SiteServer
from support.waves import opened

PAGE = (Path(__file__).parents[3] / "docs" / "preflight.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (HCX Manager|source \w+|destination \w+) \| (\d+) \| (\d+)", re.MULTILINE)
NAMES = {
    "source/hcx": "HCX Manager", "source/vcenter": "source vCenter", "destination/vcenter": "destination vCenter",
    "source/nsx": "source NSX", "destination/nsx": "destination NSX",
}  # fmt: skip


def calls(server: SiteServer, vms: int, segments: int) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return the calls of plan and of preflight."""
    scenario = large_site(vms * 3, segments)
    pair = server.make_world(scenario=scenario)
    try:
        wave = large_wave(scenario, vms, segments)
        with opened(pair) as clients:
            mark = pair.mark()
            plan = resolve_plan(wave, clients, now=pair.now, started_at=pair.now)
            planned = by_product(pair.calls(after=mark))
            mark = pair.mark()
            run_preflight(plan, wave, clients, now=pair.now)
            return planned, by_product(pair.calls(after=mark))
    finally:
        server.drop(pair)


def test_the_calls_are_those_that_the_page_states_whatever_the_size(site_server: SiteServer) -> None:
    stated = {row[1]: (int(row[2]), int(row[3])) for row in ROW.finditer(PAGE)}
    assert len(stated) == 5
    for vms, segments in ((10, 2), (60, 2), (60, 6)):
        planned, checked = calls(site_server, vms, segments)
        found = {NAMES[one]: (planned[one], checked[one]) for one in checked}
        plan, fixed = stated["source NSX"]
        ports = found.pop("source NSX")
        assert {**stated, "source NSX": None} == {**found, "source NSX": None}, (vms, segments)
        # Four per segment that is cut over, and the states of ports whose guests report nothing.
        assert ports[0] == plan
        assert fixed + 4 * segments <= ports[1] <= fixed + 4 * segments + MOST_PORTS_ASKED * segments
