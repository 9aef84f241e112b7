"""Run the checks of every endpoint of a document in parallel; one that is down does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat

from hcx_waves.clients.hcx import HcxClient
from hcx_waves.clients.identity import EndpointIdentity
from hcx_waves.clients.nsx import BasicAuth, NsxPolicyClient
from hcx_waves.clients.vmc import VmcClient
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.doctor import hcx, network, vcenter
from hcx_waves.doctor.connection import check_certificate, check_date_header, check_reachability
from hcx_waves.doctor.document import Endpoints, Login, Vmc
from hcx_waves.doctor.identity import check_agreement, show_identity
from hcx_waves.doctor.results import CheckResult, Result, failed, guarded
from hcx_waves.doctor.target import EndpointAddress, Means

_HIDDEN = "***"
_WORKERS = 8


@dataclass
class Notes:
    """What an endpoint's checks leave behind for checks over all endpoints."""

    identity: EndpointIdentity | None = None

    def take(self, identity: EndpointIdentity) -> CheckResult:
        """Keep the identity and show it."""
        self.identity = identity
        return show_identity(identity)


@dataclass(frozen=True)
class Case:
    """One examination of one endpoint."""

    address: EndpointAddress
    means: Means
    notes: Notes


Checks = Callable[[Case], Iterator[CheckResult]]


@dataclass(frozen=True)
class Examined:
    """One endpoint to examine: its name, its address, and the checks of its product, if it has any of its own."""

    name: str
    url: str
    checks: Checks | None = None


def examine(endpoints: Endpoints, means: Means) -> list[CheckResult]:
    """Examine all endpoints of a document.

    :returns: the findings in the document's order, those about all endpoints together last. No text in them
        holds a secret of the document.
    """
    wanted = endpoints_of(endpoints)
    notes = [Notes() for _ in wanted]
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        found = list(pool.map(_examine_one, wanted, notes, repeat(means)))
    findings = [finding for one in found for finding in one]
    identities = {
        endpoint.name: note.identity for endpoint, note in zip(wanted, notes, strict=True) if note.identity is not None
    }
    agreement = check_agreement(identities)
    if agreement is not None:
        findings.append(agreement.at("all"))
    if not wanted:
        findings.append(
            failed("document", "the endpoints document names no endpoint", "Add the products of both sites to it.").at(
                "all"
            )
        )
    secrets = endpoints.secrets()
    return [_without(finding, secrets) for finding in findings]


def endpoints_of(endpoints: Endpoints) -> list[Examined]:
    """List the endpoints of a document."""
    found: list[Examined] = []
    for site_name, site in (("source", endpoints.source), ("destination", endpoints.destination)):
        if site.hcx is not None:
            found.append(Examined(f"{site_name} hcx", site.hcx.url, partial(_hcx, site.hcx)))
        if site.vcenter is not None:
            found.append(Examined(f"{site_name} vcenter", site.vcenter.url, partial(_vcenter, site.vcenter)))
        if site.nsx is not None:
            found.append(Examined(f"{site_name} nsx", site.nsx.url, partial(_nsx, site.nsx)))
    if endpoints.vmc is not None:
        found.append(Examined("csp", endpoints.vmc.csp_url))
        found.append(Examined("vmc", endpoints.vmc.url, partial(_vmc, endpoints.vmc)))
    return found


def _examine_one(endpoint: Examined, notes: Notes, means: Means) -> list[CheckResult]:
    """Examine one endpoint from the bottom up; what stands on a failed check is not tried."""
    try:
        address = EndpointAddress.of_url(endpoint.url)
    except ValueError as error:
        return [failed("address", str(error), "Write https://host[:port][/path].").at(endpoint.name)]
    findings: list[CheckResult] = []
    for name, check in (("reachability", check_reachability), ("tls", check_certificate)):
        findings.extend(guarded(name, partial(check, address, means)))
        if findings[-1].result is Result.FAILED:
            break
    else:
        if endpoint.checks is not None:
            findings.extend(guarded("checks", partial(endpoint.checks, Case(address, means, notes))))
    return [finding.at(endpoint.name) for finding in findings]


def _hcx(login: Login, case: Case) -> Iterator[CheckResult]:
    means, password = case.means, login.password.get_secret_value()
    with HcxClient(
        login.url, login.username, password, tls=means.tls, settings=means.settings, ambient=means.ambient
    ) as client:
        entry = list(guarded("login", lambda: hcx.check_login(client)))
        yield from entry
        if _has_failed(entry):
            return
        yield from guarded("identity", lambda: case.notes.take(client.identity()))
        yield from guarded("version", lambda: hcx.check_version(client))
        yield from guarded("rights", lambda: hcx.check_rights(client))
        yield from guarded("clock", lambda: _clock(case))
        yield from guarded("pairing", lambda: hcx.check_pairing(client))
        yield from guarded("mesh", lambda: hcx.check_meshes(client))


def _vcenter(login: Login, case: Case) -> Iterator[CheckResult]:
    means, password = case.means, login.password.get_secret_value()
    with VsphereClient(
        login.url, login.username, password, tls=means.tls, settings=means.settings, ambient=means.ambient
    ) as client:
        entry = list(guarded("login", lambda: vcenter.check_login(client)))
        yield from entry
        if _has_failed(entry):
            return
        yield from guarded("identity", lambda: case.notes.take(client.identity()))
        yield from guarded("version", lambda: vcenter.check_version(client))
        yield from guarded("rights", lambda: vcenter.check_rights(client))
        yield from guarded("clock", lambda: vcenter.check_clock(client, case.means))
        yield from guarded("inventory", lambda: vcenter.check_inventory(client))


def _nsx(login: Login, case: Case) -> Iterator[CheckResult]:
    means, auth = case.means, BasicAuth(login.username, login.password.get_secret_value())
    with NsxPolicyClient(login.url, auth, tls=means.tls, settings=means.settings, ambient=means.ambient) as client:
        entry = list(guarded("login", lambda: network.check_segments(client, login.username)))
        yield from entry
        if _has_failed(entry):
            return
        yield from guarded("identity", lambda: case.notes.take(client.identity()))
        yield from guarded("version", lambda: network.check_version(client))
        yield from guarded("clock", lambda: _clock(case))


def _vmc(vmc: Vmc, case: Case) -> Iterator[CheckResult]:
    means = case.means
    with VmcClient(
        vmc.refresh_token.get_secret_value(),
        vmc_url=vmc.url,
        csp_url=vmc.csp_url,
        org_id=vmc.org_id,
        tls=means.tls,
        settings=means.settings,
        ambient=means.ambient,
    ) as client:
        entry = list(guarded("login", lambda: network.check_token(client)))
        yield from entry
        if _has_failed(entry):
            return
        yield from guarded("identity", lambda: case.notes.take(client.identity()))
        yield from guarded("clock", lambda: _clock(case))
        yield from guarded("sddc", lambda: network.check_sddcs(client, vmc))


def _clock(case: Case) -> CheckResult:
    identity = case.notes.identity
    return check_date_header(case.address, case.means, simulated=identity is not None and identity.simulated)


def _has_failed(findings: Iterable[CheckResult]) -> bool:
    """Whether the way in is closed; a lack of rights at the login closes it, too."""
    return any(finding.result is not Result.OK for finding in findings)


def _without(finding: CheckResult, secrets: Iterable[str]) -> CheckResult:
    """Blank every secret in a finding, wherever it may have come from."""
    detail, next_step = finding.detail, finding.next_step
    for secret in secrets:
        detail, next_step = detail.replace(secret, _HIDDEN), next_step.replace(secret, _HIDDEN)
    return replace(finding, detail=detail, next_step=next_step)
