"""Connecting, identity, log-in, log-out and idle expiry, with unmodified pyVmomi."""

from __future__ import annotations

import gc
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from pyVim.connect import SmartConnect
from pyVmomi import SoapStubAdapter, vim, vmodl

from support.site_pair import SitePair

Connect = Callable[..., Any]


def test_smart_connect_with_verification_picks_the_newest_common_version(connect: Connect) -> None:
    service = connect()
    assert service._stub.version == "vim.version.v8_0_3_1"
    assert service._stub.schemeArgs["context"].verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("site", ["source", "destination"])
def test_about_says_who_it_is_and_that_it_is_simulated(connect: Connect, site_pair: SitePair, site: str) -> None:
    about = connect(site).content.about
    identity = site_pair.world.sites[site]
    assert about.name == "VMware vCenter Server"
    assert about.apiType == "VirtualCenter"
    assert (about.version, about.build) == (identity.vcenter_version, identity.vcenter_build)
    assert about.instanceUuid == identity.vcenter_instance_uuid
    assert about.fullName.endswith(f" [hcx-sim world={site_pair.world_id} role=site]")


@pytest.mark.world(role="twin")
def test_a_twin_says_that_it_is_one(connect: Connect, site_pair: SitePair) -> None:
    assert connect().content.about.fullName.endswith(f"[hcx-sim world={site_pair.world_id} role=twin]")


def test_an_untrusted_certificate_is_refused_by_the_client(site_pair: SitePair) -> None:
    parts = urlsplit(site_pair.url("vcenter", "source"))
    with pytest.raises(ssl.SSLCertVerificationError):
        SmartConnect(
            host=parts.hostname, port=parts.port, path=f"{parts.path}/sdk", sslContext=ssl.create_default_context()
        )


# pyVmomi leaves its connection open after a failed log-in.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_wrong_password_is_invalid_login_and_no_secret_is_audited(connect: Connect, site_pair: SitePair) -> None:
    with pytest.raises(vim.fault.InvalidLogin) as caught:
        connect(password="not-the-password")
    assert caught.value.msg == "Cannot complete login due to an incorrect user name or password."
    call = site_pair.calls("Login")[-1]
    assert call["data"]["status"] == 500
    assert call["data"]["user"] == site_pair.login("vcenter").username
    assert "not-the-password" not in str(site_pair.audit())
    del caught
    gc.collect()


def test_domain_backslash_user_is_the_same_account(connect: Connect, site_pair: SitePair) -> None:
    service = connect(user="VSPHERE.LOCAL\\Administrator")
    assert service.content.sessionManager.currentSession.userName.lower() == "administrator@vsphere.local"


def test_without_session_only_content_can_be_read(site_pair: SitePair) -> None:
    parts = urlsplit(site_pair.url("vcenter", "source"))
    stub = SoapStubAdapter(
        parts.hostname,
        parts.port,
        path=f"{parts.path}/sdk",
        version="vim.version.v8_0_3_0",
        sslContext=ssl.create_default_context(cafile=site_pair.ca_file),
    )
    service = vim.ServiceInstance("ServiceInstance", stub)
    content = service.RetrieveContent()
    assert content.sessionManager.currentSession is None
    with pytest.raises(vim.fault.NotAuthenticated) as caught:
        service.CurrentTime()
    assert caught.value.msg == "The session is not authenticated."
    with pytest.raises(vim.fault.NotAuthenticated):
        content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    stub.DropConnections()


def test_current_time_is_virtual_time(service: Any, site_pair: SitePair) -> None:
    before = service.CurrentTime()
    assert before == site_pair.now
    site_pair.advance(90)
    assert (service.CurrentTime() - before).total_seconds() == 90


def test_session_ends_after_thirty_idle_minutes(service: Any, site_pair: SitePair) -> None:
    site_pair.advance(1799)
    service.CurrentTime()
    site_pair.advance(1799)
    service.CurrentTime()  # each call slides the expiry
    site_pair.advance(1801)
    with pytest.raises(vim.fault.NotAuthenticated):
        service.CurrentTime()
    call = site_pair.calls("CurrentTime")[-1]
    assert (call["data"]["status"], call["data"]["user"]) == (500, "")
    assert site_pair.audit("note", subject="vcenter-session")[-1]["data"]["expired"]


def test_logout_ends_the_session(service: Any, site_pair: SitePair) -> None:
    service.content.sessionManager.Logout()
    with pytest.raises(vim.fault.NotAuthenticated):
        service.CurrentTime()
    assert site_pair.calls("Logout")[-1]["data"]["status"] == 200


def test_session_is_active_and_terminate(connect: Connect) -> None:
    first, second = connect(), connect()
    session = second.content.sessionManager.currentSession
    manager = first.content.sessionManager
    assert manager.SessionIsActive(session.key, session.userName)
    assert len(manager.sessionList) == 2
    manager.TerminateSession([session.key])
    assert not manager.SessionIsActive(session.key, session.userName)
    with pytest.raises(vim.fault.NotAuthenticated):
        second.CurrentTime()
    with pytest.raises(vim.fault.NotFound):
        manager.TerminateSession([session.key])


def test_unknown_method_and_unoffered_method(service: Any, site_pair: SitePair) -> None:
    with pytest.raises(vmodl.fault.MethodNotFound) as caught:
        service.content.taskManager.CreateCollectorForTasks(vim.TaskFilterSpec())
    assert caught.value.method == "CreateCollectorForTasks"
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        '<NoSuchThing xmlns="urn:vim25"><_this type="SearchIndex">SearchIndex</_this></NoSuchThing>'
        "</soapenv:Body></soapenv:Envelope>"
    )
    headers = {"Cookie": service._stub.cookie, "SOAPAction": '"urn:vim25/8.0.3.0"'}
    answer = site_pair.http().post(f"{site_pair.url('vcenter')}/sdk", data=body, headers=headers)
    assert answer.status_code == 500
    assert "<MethodNotFoundFault" in answer.text
    assert site_pair.calls("NoSuchThing")[-1]["data"]["status"] == 500


@pytest.mark.parametrize(
    "body", ["", "<a>", "not xml", "<soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/'/>"]
)
def test_what_is_no_request_is_an_invalid_request(site_pair: SitePair, body: str) -> None:
    answer = site_pair.http().post(f"{site_pair.url('vcenter')}/sdk", data=body)
    assert answer.status_code == 500
    assert "<InvalidRequestFault" in answer.text
    assert answer.headers["X-Hcx-Sim"] == f"world={site_pair.world_id}; role=site"


def test_unknown_path_is_not_found(site_pair: SitePair) -> None:
    answer = site_pair.http().get(f"{site_pair.url('vcenter')}/nowhere")
    assert answer.status_code == 404


def test_injected_vendor_error_is_a_typed_fault(service: Any, site_pair: SitePair) -> None:
    site_pair.fault(product="vcenter", call="CurrentTime", behaviour="vendor_error", code="NotAuthenticated", count=1)
    with pytest.raises(vim.fault.NotAuthenticated):
        service.CurrentTime()
    assert service.CurrentTime() == site_pair.now
