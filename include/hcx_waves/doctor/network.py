"""Checks of NSX and of VMware Cloud on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.nsx import NsxPolicyClient
from hcx_waves.clients.vmc import Sddc, VmcClient
from hcx_waves.doctor.document import Vmc
from hcx_waves.doctor.results import CheckResult, failed, guarded, ok, warning


def check_segments(client: NsxPolicyClient, username: str) -> Iterator[CheckResult]:
    """Log in and read both kinds of segments; whether they may be changed shows only when one is."""
    fixed = len(client.fixed_segments())
    flexible = len(client.flexible_segments())
    yield ok("login", f"logged in as {username}")
    yield ok("rights", f"the account may read {fixed} fixed and {flexible} flexible segments")


def check_version(client: NsxPolicyClient) -> CheckResult:
    """Read the manager's version; the clients do not depend on it."""
    try:
        version = client.product_version()
    except NotFound:
        version = None
    return ok("version", f"NSX {version}" if version else "version not reported")


def check_token(client: VmcClient) -> CheckResult:
    """Exchange the refresh token."""
    client.login()
    return ok("login", "the token was exchanged")


def check_sddcs(client: VmcClient, vmc: Vmc) -> Iterator[CheckResult]:
    """Look at the SDDCs that the document names."""
    wanted = {"source": vmc.source_sddc_id, "destination": vmc.destination_sddc_id}
    known = {sddc.sddc_id: sddc for sddc in client.sddcs()}
    for site, sddc_id in wanted.items():
        if sddc_id is None:
            continue
        sddc = known.get(sddc_id)
        if sddc is None:
            yield failed(
                f"sddc {site}",
                f"the organisation has no SDDC {sddc_id}",
                "Correct the id of the SDDC or of the organisation in the endpoints document.",
            )
            continue
        yield judge_sddc(site, sddc)
        yield from guarded(f"nsx proxy {site}", partial(check_proxy, client, site, sddc))


def judge_sddc(site: str, sddc: Sddc) -> CheckResult:
    """Judge an SDDC's state."""
    detail = f"{sddc.name}, state {sddc.state}, version {sddc.version or 'unknown'}"
    if sddc.state == "READY":
        return ok(f"sddc {site}", detail)
    return warning(f"sddc {site}", detail, "Wait until the SDDC is ready.")


def check_proxy(client: VmcClient, site: str, sddc: Sddc) -> CheckResult:
    """Read segments through the reverse proxy."""
    with client.nsx_client(sddc.sddc_id) as nsx:
        return ok(f"nsx proxy {site}", f"the account may read {len(nsx.segments())} segments")
