"""Probes the endpoints of a site pair: makes the reads, and makes rows of what was seen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError, MalformedResponse, NotFound
from hcx_waves.clients.hcx import HcxClient
from hcx_waves.clients.nsx import NsxPolicyClient
from hcx_waves.clients.onlooker import watched_by
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.probe.compare import Difference
from hcx_waves.probe.contract import CallFacts, Contract, load_contract
from hcx_waves.probe.reads import Reads, read_hcx, read_nsx, read_vcenter
from hcx_waves.probe.recorder import Recorder, Seen
from hcx_waves.probe.results import Endpoint, Outcome, Probe, ProbeRow, sorted_rows
from hcx_waves.probe.stages import NEEDS_MORE, keys_of, unused_at
from hcx_waves.probe.vsphere import facts_of_type

_log = logging.getLogger(__name__)
_NEEDS_A_CHANGE = "needs a change"
_NOTHING_THERE = "nothing of this kind is there to look at"


def probe_sites(sites: AbstractContextManager[SiteClients], *, now: Callable[[], datetime]) -> Probe:
    """Make every read that the product relies on, and compare the answers with the contract. Changes nothing.

    :param sites: opens the clients, which has to be looked on at as well: the way to a cloud's NSX is asked for then.
    :raises ClientError: if an endpoint cannot be opened; one that fails later makes rows of what could not be tried.
    """
    contract = load_contract()
    recorder = Recorder(contract)
    found: list[tuple[Endpoint, Any, Reads]] = []
    with watched_by(recorder), sites as clients:
        for name, client, read in _endpoints(clients):
            reads = Reads()
            read(client, reads)
            found.append((_endpoint(name, client), client, reads))
        rows = [row for one in found for row in _rows(*one, recorder, contract)]
    rows += _rows_of_others(recorder, {endpoint.address for endpoint, _, _ in found})
    exchanges = tuple(
        (row.endpoint, seen.exchange)
        for row in sorted_rows(rows)
        if (seen := recorder.seen.get((row.endpoint.address, row.facts.key))) is not None and seen.exchange is not None
    )
    return Probe(now(), tuple(endpoint for endpoint, _, _ in found), sorted_rows(rows), exchanges)


def _endpoints(clients: SiteClients) -> Iterator[tuple[str, Any, Callable[[Any, Reads], None]]]:
    yield "source HCX Manager", clients.hcx, read_hcx
    yield "source vCenter", clients.source_vcenter, read_vcenter
    yield "destination vCenter", clients.destination_vcenter, read_vcenter
    if clients.source_nsx is not None:
        yield "source NSX", clients.source_nsx, read_nsx
    yield "destination NSX", clients.destination_nsx, read_nsx


def _endpoint(name: str, client: Any) -> Endpoint:
    system = {HcxClient: "hcx", NsxPolicyClient: "nsx", VsphereClient: "vcenter"}[type(client)]
    return Endpoint(name, system, client.base_url, _version(client))


def _version(client: Any) -> str:
    """Return the product's version; nothing if it says none."""
    try:
        if isinstance(client, HcxClient):
            return client.version().text
        if isinstance(client, VsphereClient):
            about = client.about()
            return f"{about.version} build {about.build}"
        return str(client.product_version() or "")
    except ClientError as error:
        _log.info("The version of %s is not known: %s", client.base_url, error)
        return ""


def _rows(endpoint: Endpoint, client: Any, reads: Reads, recorder: Recorder, contract: Contract) -> Iterator[ProbeRow]:
    """Yield a row for each call that the product makes at an endpoint."""
    seen = {key: one for (address, key), one in recorder.seen.items() if address == endpoint.address}
    for key, problem in reads.paging.items():
        if key in seen:
            seen[key].comparison.add(Difference("paging", problem))
    for unreadable, error in _unreadable(endpoint, reads, contract):
        if endpoint.system != "vcenter" and unreadable.key not in seen:
            continue  # it was the log-in whose answer could not be read
        own = recorder.of(endpoint.address, unreadable)
        if not own.comparison.differences():
            own.comparison.add(Difference("", f"the answer cannot be read: {error.message}"))
        seen[unreadable.key] = own
    for one in seen.values():
        yield _row_of_seen(endpoint, one.comparison.facts, one)
    for key in keys_of(endpoint.system, _unused(client)):
        facts = contract.calls.get(key)
        if key not in seen and facts is not None:
            yield _row_of_unseen(endpoint, facts, reads)


def _unreadable(endpoint: Endpoint, reads: Reads, contract: Contract) -> Iterator[tuple[CallFacts, ClientError]]:
    """Yield the calls whose answers the client could not read at all, with its error.

    pyvmomi reads no answer with a word that an enumeration does not have.
    """
    for name, error in reads.failures.items():
        if not isinstance(error, MalformedResponse):
            continue
        facts = contract.calls.get(name)
        if endpoint.system == "vcenter" and error.path.isalpha():
            facts = facts_of_type(error.path, contract)
        if facts is not None:
            yield facts, error


def _unused(client: Any) -> tuple[str, ...]:
    """Return the calls that the product does not make at an endpoint: a cloud's NSX has no sessions."""
    if isinstance(client, NsxPolicyClient):
        return ("nsx.session.create",)
    try:
        return unused_at(client.version().has_network_extensions) if isinstance(client, HcxClient) else ()
    except ClientError:
        return ()


def _rows_of_others(recorder: Recorder, known: set[str]) -> Iterator[ProbeRow]:
    """Yield rows of what was asked on the way: of VMware Cloud and its log-in."""
    for (address, key), seen in recorder.seen.items():
        if address not in known:
            name = "VMware Cloud log-in" if key.startswith("csp.") else "VMware Cloud"
            yield _row_of_seen(Endpoint(name, "vmc", address), seen.comparison.facts, seen)


def _row_of_seen(endpoint: Endpoint, facts: CallFacts, seen: Seen) -> ProbeRow:
    differences = tuple(seen.comparison.differences())
    if differences:
        return ProbeRow(endpoint, facts, Outcome.DIFFERS, differences)
    if seen.is_not_offered:
        return ProbeRow(endpoint, facts, Outcome.NOT_OFFERED, reason=f"HTTP {seen.statuses[-1]}")
    if seen.exchange is None and seen.statuses[-1] >= 400:
        status = seen.statuses[-1]
        reason = f"the account may not read it (HTTP {status})" if status in (401, 403) else f"HTTP {status}"
        return ProbeRow(endpoint, facts, Outcome.NOT_TRIED, reason=reason)
    if seen.exchange is None or not seen.comparison.has_seen_elements:
        return ProbeRow(endpoint, facts, Outcome.NOT_TRIED, reason=_NOTHING_THERE)
    return ProbeRow(endpoint, facts, Outcome.CONFIRMED)


def _row_of_unseen(endpoint: Endpoint, facts: CallFacts, reads: Reads) -> ProbeRow:
    if facts.effect == "change":
        reason = _NEEDS_A_CHANGE
    elif facts.key in NEEDS_MORE:
        reason = NEEDS_MORE[facts.key]
    else:
        failed = next(((name, one) for name, one in reads.failures.items() if not isinstance(one, NotFound)), None)
        reason = _NOTHING_THERE if failed is None else f"not reached; {failed[0]}: {failed[1].message}"
    return ProbeRow(endpoint, facts, Outcome.NOT_TRIED, reason=reason)
