"""Snapshots of simulated sites, twins made of them, and what a wave is judged to be on either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hcx_sim.scenario import scenario_from_snapshot
from hcx_snapshot import Snapshot, to_document
from hcx_waves.clients.bundle import ClientOptions, SiteClients, open_sites
from hcx_waves.clients.transport_retry import RetryPolicy
from hcx_waves.clients.transport_wire import Ambient, TransportSettings
from hcx_waves.model.plan import WavePlan
from hcx_waves.preflight.runner import run_preflight
from hcx_waves.resolve.resolver import resolve_plan
from hcx_waves.snapshot import take_snapshot
from hcx_waves.wavefile.wave import Wave
from support.site_pair import SitePair, SiteServer


@contextmanager
def reading(pair: SitePair, *, source_has_nsx: bool = True) -> Iterator[SiteClients]:
    """Open clients of a world that may change nothing."""
    options = ClientOptions(
        settings=TransportSettings(read_seconds=60.0, retry=RetryPolicy(attempts=2)),
        ambient=Ambient(sleep=lambda _seconds: None),
        allowed_roles=ClientOptions.read_only().allowed_roles,
    )
    with open_sites(pair.endpoints, options=options, source_has_nsx=source_has_nsx) as clients:
        yield clients


def taken(pair: SitePair, *wanted: Wave | str, source_has_nsx: bool = True, **options: Any) -> Snapshot:
    """Take a snapshot of a world at its own instant."""
    with reading(pair, source_has_nsx=source_has_nsx) as clients:
        return take_snapshot(clients, wanted, now=pair.now, **options)


def document_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as it is read from a file."""
    document: dict[str, Any] = json.loads(json.dumps(to_document(snapshot)))
    return document


def twin_of(server: SiteServer, snapshot: Snapshot) -> SitePair:
    """Make the twin world of a snapshot; it begins when the snapshot was taken."""
    scenario = scenario_from_snapshot(document_of(snapshot))
    return server.make_world(scenario=scenario, role="twin", mode="paused", start=snapshot.taken_at)


@dataclass(frozen=True)
class Judged:
    """What a wave comes to at a site pair: its plan, and the findings as ``(id, subject, severity, message)``."""

    plan: WavePlan
    findings: frozenset[tuple[str, str, str, str]]

    @property
    def finding_ids(self) -> set[str]:
        return {finding[0] for finding in self.findings}


def judged(pair: SitePair, wave: Wave, *, source_has_nsx: bool = True) -> Judged:
    """Resolve and check a wave at a site pair."""
    with reading(pair, source_has_nsx=source_has_nsx) as clients:
        plan = resolve_plan(wave, clients, now=pair.now)
        assessed = run_preflight(plan, wave, clients, now=pair.now)
    findings = [item.finding for item in assessed.items]
    return Judged(plan, frozenset((one.finding_id, one.subject, one.severity.value, one.message) for one in findings))
