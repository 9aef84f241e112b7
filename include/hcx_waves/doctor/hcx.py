"""Checks of an HCX Manager: login, version, rights, pairing, and the health of its meshes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.hcx import Appliance, HcxClient, MeshHealth, ServiceMesh, UplinkMetric
from hcx_waves.doctor.results import CheckResult, failed, ok, warning

# Underlay minimum of vMotion and RAV. [D hcx 8.2]
RAV_MINIMUM_KBPS = 150_000
# The same table, a later edition [C hcx 8.2]
MAXIMUM_LATENCY_MS = 150.0
MAXIMUM_LOSS_PERCENT = 0.1

# The words are published nowhere [? hcx 9.6]; these are the ones whose meaning leaves no doubt.
_GOOD_WORDS = frozenset({"up", "ok", "green", "healthy", "normal", "connected", "success", "running", "good"})
_BAD_WORDS = frozenset({"down", "red", "failed", "error", "critical", "unreachable", "disconnected", "not_ok"})

_MESH_STEP = "Look at the mesh under Interconnect in HCX; do not start a wave before it is healthy."


def check_login(client: HcxClient) -> CheckResult:
    """Open a session."""
    client.login()
    return ok("login", f"logged in as {client.username}")


def check_version(client: HcxClient) -> CheckResult:
    """Read the manager's version."""
    version = client.version()
    how = "" if version.source == "metainfo" else f" (by its {version.source})"
    if version.major in (4, 9):
        return ok("version", f"HCX {version.text}{how}")
    return warning(
        "version",
        f"HCX {version.text}{how}",
        "Supported are HCX 4.x and 9.x; rehearse with this version first.",
    )


def check_rights(client: HcxClient) -> CheckResult:
    """Read what every wave reads first."""
    count = len(client.resource_containers())
    return ok("rights", f"the account may read the inventory ({count} resource containers)")


def check_pairing(client: HcxClient) -> CheckResult:
    """Look for a paired site."""
    pairs = client.cloud_configs()
    if not pairs:
        return warning(
            "pairing",
            "no remote site is paired",
            "If this is the source's HCX Manager, pair the sites (Infrastructure > Site Pairing).",
        )
    return ok("pairing", f"{len(pairs)} remote site(s)")


def check_meshes(client: HcxClient) -> Iterator[CheckResult]:
    """Look at every service mesh, its appliances and its underlay."""
    vc_guid = client.metainfo().vc_guid
    meshes = client.service_meshes(vc_guid)
    if not meshes:
        yield failed(
            "mesh", "there is no service mesh", "Create a service mesh between the sites (Interconnect > Service Mesh)."
        )
        return
    for mesh in meshes:
        yield judge_mesh(mesh)
    yield from (judge_appliance(appliance) for appliance in client.appliances(vc_guid=vc_guid))
    yield from _check_underlay(client, vc_guid)


def judge_mesh(mesh: ServiceMesh) -> CheckResult:
    """Judge a mesh by its services. The last task's status is not looked at: it can be stale for weeks [C hcx 7]."""
    name = f"mesh {mesh.name or mesh.service_mesh_id}"
    down = [f"{service.service_name} {service.status}{_reasons(service.reason)}" for service in _ailing(mesh)]
    if down:
        return failed(name, "; ".join(down), _MESH_STEP)
    if (mesh.state or "").upper().endswith("FAILED"):
        return failed(name, f"state {mesh.state}", _MESH_STEP)
    if not mesh.status.services:
        return warning(name, f"state {mesh.state}, no service reports its status", _MESH_STEP)
    return ok(name, f"state {mesh.state}, {len(mesh.status.services)} services up")


def judge_appliance(appliance: Appliance) -> CheckResult:
    """Judge an appliance by its overall status."""
    name = f"appliance {appliance.appliance_name or appliance.appliance_id}"
    summary = appliance.status.summary
    word = summary.overall_status
    detail = f"{appliance.appliance_type} {appliance.version_text} {word}{_reasons(summary.reasons)}".replace("  ", " ")
    if word.lower() in _GOOD_WORDS:
        return ok(name, detail)
    if word.lower() in _BAD_WORDS:
        return failed(name, detail, "Look at the appliance under Interconnect in HCX; redeploy it if it stays down.")
    return warning(
        name,
        detail.strip() or "status not reported",
        "Look at the appliance under Interconnect in HCX; the meaning of this status is not documented.",
    )


def judge_uplink(uplink: UplinkMetric) -> CheckResult:
    """Judge a measured uplink by the minimum of live migration."""
    name = f"underlay {uplink.uplink_name}"
    rates = [rate for rate in (uplink.upload_kbps, uplink.download_kbps) if rate is not None]
    detail = ", ".join(_measurements(uplink)) or "not measured"
    short = []
    if rates and min(rates) < RAV_MINIMUM_KBPS:
        short.append(f"live migration needs {RAV_MINIMUM_KBPS // 1000} Mbit/s")
    if (uplink.latency or 0.0) > MAXIMUM_LATENCY_MS:
        short.append(f"latency should be {MAXIMUM_LATENCY_MS:g} ms at most")
    if (uplink.loss_rate or 0.0) > MAXIMUM_LOSS_PERCENT:
        short.append(f"loss should be {MAXIMUM_LOSS_PERCENT:g} % at most")
    bad = [service.service_type for service in uplink.services if service.status.lower() in _BAD_WORDS]
    if bad:
        short.append(f"not good enough for {', '.join(bad)}")
    if short:
        return warning(name, detail, "; ".join(short).capitalize() + ".")
    return ok(name, detail)


def _check_underlay(client: HcxClient, vc_guid: str | None) -> Iterable[CheckResult]:
    try:
        health: tuple[MeshHealth, ...] = client.underlay_health(vc_guid)
    except NotFound:
        return [ok("underlay", "this HCX version does not measure it")]
    return [judge_uplink(uplink) for mesh in health for uplink in mesh.uplinks]


def _ailing(mesh: ServiceMesh) -> list[Any]:
    return [service for service in mesh.status.services if not service.is_up]


def _measurements(uplink: UplinkMetric) -> list[str]:
    found = []
    if uplink.upload_kbps is not None:
        found.append(f"{uplink.upload_kbps / 1000:.0f} Mbit/s up")
    if uplink.download_kbps is not None:
        found.append(f"{uplink.download_kbps / 1000:.0f} Mbit/s down")
    if uplink.latency is not None:
        found.append(f"{uplink.latency:g} ms")
    if uplink.loss_rate is not None:
        found.append(f"{uplink.loss_rate:g} % loss")
    return found


def _reasons(reasons: Iterable[Any]) -> str:
    texts = [str(reason.get("message", reason)) if isinstance(reason, dict) else str(reason) for reason in reasons]
    return f" ({'; '.join(texts)})" if texts else ""
