"""Site pairing: legacy errors under HTTP 200, certificate import, jobs with ``jobData``."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509

from support.hcx_wire import Manager, scenario
from support.site_pair import SitePair

UNUSED = scenario(networks=[], vms=[], meshes=[])


def unpair(manager: Manager) -> None:
    endpoint = manager.pair.world.site(manager.site.other).hcx_endpoint_id
    assert manager.call("DELETE", f"/endpointPairing/{endpoint}").json()["success"] is True


def pair_with(manager: Manager, **remote: Any) -> dict[str, Any]:
    login = manager.pair.login("hcx", manager.site.other)
    url = manager.pair.url("hcx", manager.site.other)
    body = {"remote": {"url": url, "username": login.username, "password": login.password, **remote}}
    answer: dict[str, Any] = manager.post("/cloudConfigs", body)
    return answer


def import_certificate(manager: Manager) -> None:
    certificate = pair_with(manager)["errors"][0]["data"][0]["certificate"]
    assert manager.post("/admin/certificates", {"certificate": certificate})["success"] is True


def test_cloud_configs_lists_the_other_site(site_pair: SitePair) -> None:
    body = Manager(site_pair).get("/cloudConfigs")
    assert (body["success"], body["completed"], body["version"]) == (True, True, "1.0")
    (item,) = body["data"]["items"]
    assert item == {
        "endpointId": site_pair.world.site(Manager(site_pair).site.other).hcx_endpoint_id,
        "url": site_pair.url("hcx", "destination"),
        "username": "administrator@vsphere.local",
        "cloudName": "hcx-destination",
        "cloudType": "VC",
        "version": "4.11.3",
        "buildNumber": "24862413",
        "name": "hcx-destination",
    }


def test_flat_body_fails_inside_under_200(site_pair: SitePair) -> None:
    body = Manager(site_pair).post("/cloudConfigs", {"url": "https://x", "username": "a", "password": "b"})
    assert body["success"] is False
    assert "NullPointerException" in body["errors"][0]["text"]
    assert "remoteSystemInfo" in body["errors"][0]["text"]


@pytest.mark.world(scenario=UNUSED)
def test_untrusted_certificate_then_import_then_login_failure(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    unpair(manager)
    refused = pair_with(manager)["errors"][0]
    shown = x509.load_pem_x509_certificate(refused["data"][0]["certificate"].encode())
    far = urlsplit(site_pair.url("hcx", manager.site.other))
    served = ssl.get_server_certificate((str(far.hostname), int(far.port or 443)))
    assert shown == x509.load_pem_x509_certificate(served.encode()), "the remote manager's real certificate"
    import_certificate(manager)
    failure = pair_with(manager, password="wrong")
    assert failure["success"] is False
    assert failure["errors"][0]["error"] == "Login failure"
    assert failure["errors"][0]["text"]
    assert pair_with(manager)["data"]["jobId"]
    assert "wrong" not in str(site_pair.audit())


def test_unreachable_site_is_a_legacy_error(site_pair: SitePair) -> None:
    body = pair_with(Manager(site_pair), url="https://elsewhere.example")
    assert body["errors"][0]["error"] == "Connection failure"


def test_a_paired_site_is_trusted(site_pair: SitePair) -> None:
    assert pair_with(Manager(site_pair))["errors"][0]["error"] == "Already paired"


@pytest.mark.parametrize(
    "certificate",
    ["", "MIIB", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----"],
)
def test_bad_certificate_is_refused(site_pair: SitePair, certificate: str) -> None:
    answer = Manager(site_pair).call("POST", "/admin/certificates", {"certificate": certificate})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["error"] == "Invalid certificate"


@pytest.mark.world(scenario=UNUSED)
def test_pairing_again_is_a_job_whose_data_names_the_endpoint(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    unpair(manager)
    assert manager.get("/cloudConfigs")["data"]["items"] == []
    assert manager.inventory("cloud/list", {"filter": {"remote": True}}) == []
    import_certificate(manager)
    job_id = pair_with(manager)["data"]["jobId"]
    site_pair.advance(15)
    running = manager.job(job_id)
    assert (running["isDone"], running["percentComplete"], running["jobData"]) == (False, 50, {})
    site_pair.advance(15)
    done = manager.job(job_id)
    far = site_pair.world.site(manager.site.other).hcx_endpoint_id
    assert (done["isDone"], done["didFail"], done["percentComplete"]) == (True, False, 100)
    assert done["jobData"]["endpoint"]["endpointId"] == far
    assert manager.get("/cloudConfigs")["data"]["items"][0]["endpointId"] == far


@pytest.mark.world(scenario=UNUSED)
def test_pairing_job_may_fail(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    unpair(manager)
    import_certificate(manager)
    site_pair.fault(product="engine", call="pairing.create", behaviour="fail", message="no route")
    job_id = pair_with(manager)["data"]["jobId"]
    site_pair.run_until_idle()
    failed = manager.job(job_id)
    assert (failed["isDone"], failed["didFail"], failed["errorMessage"]) == (True, True, "no route")
    assert manager.get("/cloudConfigs")["data"]["items"] == []


def test_pairing_in_use_is_not_taken_back(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    far = site_pair.world.site(manager.site.other).hcx_endpoint_id
    answer = manager.call("DELETE", f"/endpointPairing/{far}")
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["error"] == "Pairing in use"
    assert manager.call("DELETE", "/endpointPairing/unknown").status_code == 404
    assert len(manager.get("/cloudConfigs")["data"]["items"]) == 1
