"""Sites that a probe finds something of every kind at, and ways to plant differences in what they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from hcx_waves.clients.bundle import ClientOptions, open_sites
from hcx_waves.clients.transport_retry import RetryPolicy
from hcx_waves.clients.transport_wire import Ambient, TransportSettings
from hcx_waves.probe import Outcome, Probe, ProbeRow, probe_sites
from support.live_runs import run_live
from support.mobility import BASE, vm_spec
from support.procedures import sites_of
from support.rewriting_proxy import RewritingProxy, running_proxy
from support.site_pair import SitePair
from support.waves import scenario

Planted = Callable[[str, Any], Any]
NINE = scenario(settings={"hcx": {"version": "9.1.0", "build": "1"}})
OPAQUE = scenario(settings={"vcenter": {"opaque_networks": True}})
# The segments of an NSX manager in a data centre lie directly below infra.
ON_PREMISES: dict[str, Any] = {
    **BASE,
    "sites": {"source": {"nsx": "onprem"}, "destination": {"nsx": "onprem"}},
    "networks": [
        {"name": "app", "subnet": "10.9.1.0/24", "stretched": True, "mesh": "mesh-1"},
        {"name": "db", "subnet": "10.9.2.0/24"},
        {"name": "log", "subnet": "10.9.3.0/24"},
    ],
    "vms": [vm_spec("vm01", 11), vm_spec("vm02", 12)],
}


def moved(pair: SitePair) -> SitePair:
    """Have two VMs moved, so that there are migrations and a mobility group to read."""
    run_live(pair, vms=2, segments=0)
    return pair


def probed(pair: SitePair, *, source_has_nsx: bool = True) -> Probe:
    """Probe a simulated pair."""
    return probe_sites(sites_of(pair, source_has_nsx=source_has_nsx), now=lambda: pair.now)


def rows_of(probe: Probe, outcome: Outcome) -> list[ProbeRow]:
    """The rows with an outcome."""
    return [row for row in probe.rows if row.outcome is outcome]


def found_differences(probe: Probe) -> set[tuple[str, str, str]]:
    """What differs: endpoint, call, and the difference as it is shown."""
    return {(row.endpoint.name, row.facts.key, str(one)) for row, one in probe.differences}


@contextmanager
def behind_proxies(
    pair: SitePair, planted: Mapping[tuple[str, str], Planted], lost_headers: frozenset[str] = frozenset()
) -> Iterator[tuple[dict[str, Any], dict[tuple[str, str], RewritingProxy]]]:
    """An endpoints document whose products are behind proxies that change answers.

    NSX is reached directly: what leads to VMware Cloud is left out.

    :param planted: what to do to answers, by site and product.
    """
    document = {name: dict(part) for name, part in pair.endpoints.items() if name in ("source", "destination")}
    document["ca_file"] = pair.endpoints["ca_file"]
    proxies = {}
    with ExitStack() as stack:
        for (site, product), rewrite in planted.items():
            options = {"rewrite": rewrite, "lost_headers": lost_headers}
            proxy = stack.enter_context(running_proxy(document[site][product]["url"], pair.ca_file, **options))
            document[site][product] = {**document[site][product], "url": proxy.url}
            proxies[site, product] = proxy
        yield document, proxies


def probe_of(document: Mapping[str, Any], pair: SitePair) -> Probe:
    """Probe the endpoints of a document; no time passes between repeats."""
    options = ClientOptions(
        settings=TransportSettings(retry=RetryPolicy(attempts=2)),
        ambient=Ambient(sleep=lambda _seconds: None),
        allowed_roles=frozenset(),
    )
    return probe_sites(open_sites(document, options=options), now=lambda: pair.now)
