"""Waves for tests of what a wave is resolved and checked against: short to write, valid, against simulated sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

import hcx_sim
from hcx_waves.clients.bundle import ClientOptions, SiteClients, open_sites
from hcx_waves.clients.transport_retry import RetryPolicy
from hcx_waves.clients.transport_wire import Ambient, TransportSettings
from hcx_waves.wavefile.loader import load_wave, read_wave
from hcx_waves.wavefile.wave import Wave
from support.site_pair import SitePair

SHIPPED = Path(__file__).parents[2] / "dags" / "waves"
CONNECTIONS = {
    "source": {"hcx": "hcx_source", "vmc": "vmc_source", "vcenter": "vcenter_source"},
    "destination": {"vmc": "vmc_destination", "vcenter": "vcenter_destination"},
}
DEFAULTS = {
    "migration": "RAV",
    "resource_pool": "Compute-ResourcePool",
    "folder": "Workloads",
    "datastore": "WorkloadDatastore",
}
SEED_SEGMENT = {"name": "seed-net", "cutover": "now", "cutover_window": {"opens": "+0m", "lasts": "12h"}}
SCENARIOS = Path(hcx_sim.__file__).parent / "scenario" / "scenarios"


def shipped(name: str) -> Wave:
    """Read one of the project's own wave files."""
    return load_wave(SHIPPED / f"{name}.yaml")


def seed_wave(**changes: Any) -> Wave:
    """Return a wave of the seed scenario; ``changes`` replace whole fields, ``defaults`` is merged."""
    return wave_of(["web01", "web02", "app01", "db01"], segments=[SEED_SEGMENT], **changes)


def wave_of(vms: list[Any], *, defaults: Mapping[str, Any] | None = None, **fields: Any) -> Wave:
    """Return a wave of these VMs."""
    document = {
        "name": "test-wave",
        "description": "For a test.",
        "time_zone": "UTC",
        "connections": CONNECTIONS,
        "defaults": {**DEFAULTS, **(defaults or {})},
        "vms": vms,
        **fields,
    }
    return read_wave(yaml.safe_dump(document))


@contextmanager
def opened(pair: SitePair, *, source_has_nsx: bool = True) -> Iterator[SiteClients]:
    """Open the clients of a world; between repeats of a read no real time passes."""
    options = ClientOptions(
        settings=TransportSettings(retry=RetryPolicy(attempts=2)),
        ambient=Ambient(sleep=lambda _seconds: None),
    )
    with open_sites(pair.endpoints, options=options, source_has_nsx=source_has_nsx) as clients:
        yield clients


def scenario(base: str = "seed", *, vms: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a shipped scenario with changes: fields of VMs by name, further VMs under their names, whole fields."""
    document: dict[str, Any] = yaml.safe_load((SCENARIOS / f"{base}.yaml").read_text())
    known = {vm["name"]: vm for vm in document["vms"]}
    for name, fields in (vms or {}).items():
        if name in known:
            known[name].update(fields)
        else:
            document["vms"].append({"name": name, **fields})
    return {**document, **changes}


def nothing_changed(pair: SitePair, after: int) -> bool:
    """Whether the world was only read since a mark: the audit holds calls, and besides at most ends of sessions."""
    entries = [entry for entry in pair.audit(after=after) if not entry["subject"].startswith("vcenter-session:")]
    return {entry["kind"] for entry in entries} == {"call"}
