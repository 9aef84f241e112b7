"""Site pairing: ``cloudConfigs``, ``endpointPairing`` and the certificates it needs. [C hcx 3.1]

Both sites are paired when a world begins. A new pairing needs the peer's certificate to be imported first, and reports
its errors in the legacy style under HTTP 200.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.addresses import manager_certificate, manager_url
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_text, body_of, section
from hcx_sim.hcx.jobs import end_job, find_job, start_job
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.state import state_of
from hcx_sim.hcx.wire import HcxError, Style, json_response, legacy, legacy_error, legacy_items
from hcx_sim.http.context import Call, call_of
from hcx_sim.world.credentials import credentials_of
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

PAIRED = "hcx.paired"
PAIRING_SECONDS = 30.0
FAULT_POINT = "pairing.create"

coverage.fields(
    "site pairing",
    ("endpointId", "url", "username", "cloudName", "cloudType", "version", "buildNumber", "name"),
    Confidence.CONFIRMED, "TF LAMW AVS",
)  # fmt: skip
coverage.fields(
    "legacy error", ("errors[].error", "errors[].text", "errors[].data[].certificate"), Confidence.CONFIRMED, "TF L911",
    "under HTTP 200: Login failure, untrusted certificate, remoteSystemInfo of a flat body; other wording is ours",
)  # fmt: skip
coverage.fields("fault points of pairing", (FAULT_POINT,), Confidence.INFERRED, "TF", "fail: the job fails")


def install(world: World) -> None:
    """Register the event handlers of this module in a new world."""
    world.engine.on(PAIRED, lambda site, job_id: _paired(world, SiteName(site), job_id))


def _paired(world: World, site: SiteName, job_id: str) -> None:
    job = find_job(world, job_id)
    rule = world.faults.strike_engine(FAULT_POINT, world.site(site.other).hcx_endpoint_name, site.value)
    if rule is not None:
        end_job(world, job, rule.message or "The remote site did not answer.")
        return
    state_of(world).paired = True
    far = world.site(site.other)
    job.data = {"endpoint": {"endpointId": far.hcx_endpoint_id, "name": far.hcx_endpoint_name}}
    end_job(world, job)


def fingerprint(certificate: str) -> str:
    """Return the SHA-256 of a certificate in PEM form; raises :class:`ValueError` when it is none."""
    return x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA256()).hex()


@coverage.route(app, "GET", f"{API}/cloudConfigs", "cloud_configs.list", Confidence.CONFIRMED, "TF LAMW AVS")
async def list_pairings(request: Request) -> Response:
    """List the paired sites: the other one, or none."""
    authenticated(request)
    call = call_of(request)
    world = call.world
    if not state_of(world).paired:
        return legacy_items(world, [])
    far = world.site(call.here.other)
    item = {
        "endpointId": far.hcx_endpoint_id,
        "url": manager_url(world, far.name),
        "username": credentials_of(world.products).login("hcx", far.name).username,
        "cloudName": far.hcx_endpoint_name,
        "cloudType": far.hcx_type,
        "version": world.settings.hcx.version,
        "buildNumber": world.settings.hcx.build,
        "name": far.hcx_endpoint_name,
    }
    return legacy_items(world, [item])


@coverage.route(app, "POST", f"{API}/cloudConfigs", "cloud_configs.create", Confidence.CONFIRMED, "TF LAMW L911")
async def create_pairing(request: Request) -> Response:
    """Pair with the other site; errors come under HTTP 200."""
    session = authenticated(request)
    call = call_of(request)
    refusal = _refusal(call, body_of(call, Style.LEGACY))
    if refusal is not None:
        return refusal
    job = start_job(call.world, call.here, "CreateSitePairing", session.username, PAIRING_SECONDS)
    name = call.world.site(call.here).hcx_endpoint_name
    call.world.engine.schedule(PAIRING_SECONDS, PAIRED, name, site=call.here.value, job_id=job.job_id)
    return legacy(call.world, {"jobId": job.job_id})


def _refusal(call: Call, body: dict[str, Any]) -> Response | None:
    """Return the error of a pairing that cannot be, None when it can."""
    world, here = call.world, call.here
    remote = section(body, "remote")
    if not remote:
        message = "java.lang.NullPointerException: remoteSystemInfo"
        return legacy_error(world, 200, "NullPointerException", message)
    url, username = as_text(remote.get("url")), as_text(remote.get("username"))
    call.summary = {"url": url, "username": username}
    if not _is_peer(call, url):
        return legacy_error(world, 200, "Connection failure", f"Cannot connect to {url or 'the remote site'}.")
    state = state_of(world)
    certificate = manager_certificate(world)
    # A site that is paired is trusted.
    if not state.paired and fingerprint(certificate) not in state.trusted_certificates[here]:
        text = "The certificate of the remote site is not trusted."
        return legacy_error(world, 200, "Untrusted certificate", text, [{"certificate": certificate}])
    password = as_text(remote.get("password"))
    if not credentials_of(world.products).accepts("hcx", here.other, username, password):
        return legacy_error(world, 200, "Login failure", "The user name or password of the remote site is wrong.")
    if state.paired:
        return legacy_error(world, 200, "Already paired", "The site is paired with this remote site already.")
    return None


def _is_peer(call: Call, url: str) -> bool:
    """Tell whether a URL leads to the other manager, by its address or by its name."""
    far = call.here.other
    name = call.world.site(far).hcx_endpoint_name
    return url.rstrip("/") == manager_url(call.world, far).rstrip("/") or urlsplit(url).hostname == name


@coverage.route(
    app, "DELETE", f"{API}/endpointPairing/{{endpoint_id}}", "endpoint_pairing.delete", Confidence.CONFIRMED, "TF",
    "refused with 409 while meshes or extensions exist [I hcx 3.1]",
)  # fmt: skip
async def delete_pairing(request: Request) -> Response:
    """Take the pairing back; clients then poll cloudConfigs until it is gone."""
    authenticated(request)
    call = call_of(request)
    world, state = call.world, state_of(call.world)
    far = world.site(call.here.other)
    if request.path_params["endpoint_id"] != far.hcx_endpoint_id or not state.paired:
        raise HcxError(404, "The endpoint is not paired with this site.", code="Not found", style=Style.LEGACY)
    if world.meshes or world.bridges:
        text = "The site pairing is in use by service meshes or network extensions."
        raise HcxError(409, text, code="Pairing in use", style=Style.LEGACY)
    call.summary = {"endpoint": far.hcx_endpoint_name}
    state.paired = False
    state.trusted_certificates[call.here].clear()
    return legacy(world)


@coverage.route(
    app, "POST", f"{API}/admin/certificates", "certificates.import", Confidence.CONFIRMED, "TF L911",
    "what it answers was not seen",
)  # fmt: skip
async def import_certificate(request: Request) -> Response:
    """Trust a certificate."""
    authenticated(request)
    call = call_of(request)
    certificate = as_text(body_of(call, Style.LEGACY).get("certificate")).strip()
    try:
        trusted = fingerprint(certificate)
    except ValueError:
        text = "The certificate is not an X.509 certificate in PEM form."
        raise HcxError(400, text, code="Invalid certificate", style=Style.LEGACY) from None
    state_of(call.world).trusted_certificates[call.here].add(trusted)
    return json_response({"success": True, "completed": True, "time": call.world.now_us // 1000})
