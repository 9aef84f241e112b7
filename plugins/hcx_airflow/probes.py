"""Probes of the sites that waves work on: made by the watchdog, and read by preflight."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hcx_airflow.errors import ConnectionSettingsError, UnusableConnectionsError
from hcx_airflow.folders import reports_folder
from hcx_airflow.hooks.sites import open_sites_for_probe
from hcx_waves.clients.errors import ClientError
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.probe import KeptProbes
    from hcx_waves.probe.kept import KeptProbe

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=24)
_UNREACHABLE = (ClientError, ConnectionSettingsError, UnusableConnectionsError, OSError)


def kept_probes(clients: SiteClients) -> tuple[KeptProbe, ...]:
    """Return what probes have last seen at the endpoints of a wave; nothing, with a warning, if it cannot be read."""
    from hcx_waves.probe.kept import KeptProbeError, KeptProbes

    try:
        return KeptProbes(reports_folder()).read_all(_addresses(clients))
    except KeptProbeError as error:
        logger.warning("Cannot read what the last probe has seen: %s", error)
        return ()


def probe_where_due(waves: Sequence[Wave], now: datetime) -> list[str]:
    """Probe the sites of waves that were not probed for a day; return what differs and was not known to.

    A site that cannot be probed is a warning in the log: the waves themselves say so when it matters.
    """
    from hcx_waves.probe import KeptProbes

    kept, news = KeptProbes(reports_folder()), list[str]()
    for wave in {str(wave.connections): wave for wave in waves}.values():
        try:
            news += _probe_if_due(wave, kept, now)
        except _UNREACHABLE as error:
            logger.warning("Cannot probe the sites of %s: %s", wave.name, error)
    return list(dict.fromkeys(news))


def _probe_if_due(wave: Wave, kept: KeptProbes, now: datetime) -> list[str]:
    from hcx_waves.probe import probe_sites

    with open_sites_for_probe(wave) as clients:
        latest = kept.latest(_addresses(clients))
    if latest is not None and now - latest < EVERY:
        return []
    found = probe_sites(open_sites_for_probe(wave), now=lambda: now)
    logger.info("Probed the sites of %s: %d calls, %d differences", wave.name, len(found.rows), len(found.differences))
    return [f"{one.call}: {one.member}: {one.problem}" for one in kept.write(found)]


def _addresses(clients: SiteClients) -> list[str]:
    every = (
        clients.hcx,
        clients.source_vcenter,
        clients.destination_vcenter,
        clients.source_nsx,
        clients.destination_nsx,
    )
    return [one.base_url for one in every if one is not None]
