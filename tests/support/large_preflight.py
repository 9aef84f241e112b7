"""The preflight of a large wave in a larger vCenter: the wave, and the calls that planning and checking it make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from hcx_sim.scenario.generate import generate
from hcx_waves.wavefile.wave import Wave
from support.waves import wave_of

CONNECTIONS = {
    "source": {"hcx": "hcx_source", "nsx": "nsx_source", "vcenter": "vcenter_source"},
    "destination": {"vmc": "vmc_destination", "vcenter": "vcenter_destination"},
}
WINDOW = {"opens": "+1h", "lasts": "30h"}


def large_site(vms: int, segments: int, meshes: int = 4) -> dict[str, Any]:
    """Return a scenario with so many VMs on so many stretched segments."""
    return generate(vms, segments, meshes, 1).model_dump(mode="json", exclude_defaults=True)


def large_wave(scenario: Mapping[str, Any], vms: int, segments: int) -> Wave:
    """Return a wave that moves VMs of the first segments and cuts these over."""
    names = [network["name"] for network in scenario["networks"] if network.get("stretched")][:segments]
    moved = [
        vm["name"] for vm in scenario["vms"] if {nic["network"] for nic in vm["nics"]} <= set(names) and vm["nics"]
    ]
    assert len(moved) >= vms
    cut = [{"name": name, "cutover": "now", "cutover_window": dict(WINDOW)} for name in names]
    return wave_of(moved[:vms], segments=cut, connections=CONNECTIONS)


def by_product(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many calls each product was sent, as ``source vcenter`` and the like, without log-ins and -outs."""
    counts: Counter[str] = Counter()
    for entry in entries:
        operation = entry["data"]["operation"]
        if not any(word in operation for word in ("session", "Login", "Logout", "authorize", "auth.", "proxy")):
            counts[entry["subject"]] += 1
    return dict(sorted(counts.items()))
