"""Plan and preflight of 1,000 VMs in a vCenter of 10,000: time, and calls by product."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from hcx_waves.clients.bundle import ClientOptions, open_sites
from hcx_waves.preflight import run_preflight
from hcx_waves.resolve import resolve_plan
from support.large_preflight import by_product, large_site, large_wave
from support.measuring import say, served, timed

pytestmark = pytest.mark.bench
WAVE_VMS, INVENTORY_VMS, SEGMENTS, CUT_SEGMENTS = 1000, 10_000, 80, 12
MOST_SECONDS = 30.0


@pytest.mark.timeout(900)
def test_preflight_of_1000_among_10000(tmp_path: Path) -> None:
    scenario = large_site(INVENTORY_VMS, SEGMENTS)
    path = tmp_path / "big.json"
    path.write_text(json.dumps(scenario))
    wave = large_wave(scenario, WAVE_VMS, CUT_SEGMENTS)
    now = datetime.now(UTC)
    with (
        served(path, tmp_path) as (_, _, endpoints),
        open_sites(endpoints, options=ClientOptions.read_only()) as clients,
    ):
        plan_seconds, plan = timed(lambda: resolve_plan(wave, clients, now=now, started_at=now))
        planned = calls(endpoints)
        preflight_seconds, found = timed(lambda: run_preflight(plan, wave, clients, now=now))
        made = calls(endpoints)
    checked = {product: count - planned.get(product, 0) for product, count in made.items()}
    products = " | ".join(made)
    say(
        f"{WAVE_VMS} VMs on {CUT_SEGMENTS} segments, in a vCenter of {INVENTORY_VMS}: {len(found.items)} findings",
        "",
        f"| step | seconds | {products} |",
        f"|---|--:|{'--:|' * len(made)}",
        f"| plan | {plan_seconds:.1f} | {' | '.join(str(planned.get(one, 0)) for one in made)} |",
        f"| preflight | {preflight_seconds:.1f} | {' | '.join(map(str, checked.values()))} |",
    )
    assert preflight_seconds < MOST_SECONDS


def calls(endpoints: dict[str, Any]) -> dict[str, int]:
    """Return how many calls each product has had so far."""
    control = endpoints["control"]
    answer = requests.get(
        f"{control['url']}/worlds/default/audit",
        params={"kind": "call", "limit": "100000"},
        headers={"Authorization": f"Bearer {control['token']}"},
        verify=endpoints["ca_file"],
        timeout=60,
    )
    answer.raise_for_status()
    return by_product(answer.json()["entries"])
