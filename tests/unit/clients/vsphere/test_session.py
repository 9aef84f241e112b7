"""Sessions and retries of the vSphere client, over a socket."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MalformedResponse,
    NotFound,
    PermissionDenied,
    ServerError,
    ServiceUnavailable,
    SessionExpired,
)
from hcx_waves.clients.vsphere import VsphereClient
from support.scripted_vcenter import PASSWORD, USERNAME, ScriptedVcenter, SoapCall, running_vcenter

MakeClient = Callable[..., VsphereClient]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def raising(fault: BaseException) -> Callable[[SoapCall], Any]:
    def answer(call: SoapCall) -> Any:
        raise fault

    return answer


def test_client_logs_in_late_and_logs_out_at_the_end(vcenter: ScriptedVcenter, make_client: MakeClient) -> None:
    vcenter.on("CurrentTime", lambda call: NOW)
    with make_client(vcenter.url) as client:
        assert vcenter.calls == []
        assert client.server_time() == NOW
        assert client.server_time().utcoffset() == timedelta(0)
        assert len(vcenter.sessions) == 1
    assert vcenter.logins == 1
    assert vcenter.sessions == set()


def test_logs_out_also_when_the_block_fails(vcenter: ScriptedVcenter, make_client: MakeClient) -> None:
    def fail() -> None:
        with make_client(vcenter.url) as client:
            client.about()
            raise KeyError("inside")

    with pytest.raises(KeyError):
        fail()
    assert vcenter.sessions == set()


def test_closing_a_dead_vcenter_raises_nothing(make_client: MakeClient) -> None:
    with running_vcenter() as book:
        client = make_client(book.url)
        client.about()
    client.close()
    client.close()


def test_an_expired_session_is_renewed_once_and_the_log_says_so(
    vcenter: ScriptedVcenter, client: VsphereClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    vcenter.on("CurrentTime", lambda call: NOW)
    client.server_time()
    vcenter.expire_sessions()
    assert client.server_time() == NOW
    assert vcenter.logins == 2
    assert [record.getMessage() for record in caplog.records] == [
        f"the vcenter session at {vcenter.url} has ended, logging in again"
    ]


def test_a_session_that_is_refused_again_and_again_ends_in_an_error(
    vcenter: ScriptedVcenter, client: VsphereClient
) -> None:
    vcenter.on("CurrentTime", raising(vim.fault.NotAuthenticated(msg="no")))
    with pytest.raises(SessionExpired, match="the session has ended") as caught:
        client.server_time()
    assert caught.value.vendor_code == "NotAuthenticated"
    assert vcenter.count("CurrentTime") == 2


def test_wrong_password_fails_at_once_and_is_not_shown(vcenter: ScriptedVcenter, make_client: MakeClient) -> None:
    client = make_client(vcenter.url, password="hunter2-hunter2")
    with pytest.raises(AuthenticationFailed, match="incorrect user name or password") as caught:
        client.about()
    assert vcenter.logins == 1
    assert caught.value.vendor_code == "InvalidLogin"
    assert caught.value.system == "vcenter"
    assert caught.value.endpoint == vcenter.url
    shown = repr(caught.value) + repr(client) + repr(client._session) + str(caught.value.to_dict())
    assert "hunter2" not in shown
    assert USERNAME in repr(client)


def test_faults_keep_their_class_over_a_process_boundary(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    fault = vim.fault.NoPermission(
        msg="Permission to perform this operation was denied.",
        object=vim.Folder("group-d1"),
        privilegeId="System.Read",
    )
    vcenter.on("CurrentTime", raising(fault))
    with pytest.raises(PermissionDenied) as caught:
        client.server_time()
    restored = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  (made on the line itself)
    assert type(restored) is PermissionDenied
    assert restored.vendor_code == "NoPermission"
    assert "privilegeId System.Read" in str(restored.vendor_message)


@pytest.mark.parametrize("behaviour", ["reset_before", "reset_after", "http_503", "http_429"])
def test_a_read_survives_a_transient_failure(
    behaviour: Any,
    vcenter: ScriptedVcenter,
    client: VsphereClient,
    fake_time: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    vcenter.on("CurrentTime", lambda call: NOW)
    vcenter.misbehave("CurrentTime", behaviour, behaviour)
    assert client.server_time() == NOW
    assert vcenter.count("CurrentTime") == 3
    assert len(fake_time.slept) == 2
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert all(line.startswith("vcenter CurrentTime ServiceInstance at ") for line in lines), lines


def test_a_read_gives_up_after_the_agreed_attempts(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    vcenter.misbehave("CurrentTime", *["http_503"] * 9)
    with pytest.raises(ServiceUnavailable, match="HTTP 503") as caught:
        client.server_time()
    assert caught.value.status == 503
    assert vcenter.count("CurrentTime") == 4


@pytest.mark.parametrize("behaviour", ["garbage", "truncate"])
def test_an_unreadable_answer_is_malformed_and_not_repeated(
    behaviour: Any, vcenter: ScriptedVcenter, client: VsphereClient
) -> None:
    vcenter.on("CurrentTime", lambda call: NOW)
    client.about()
    vcenter.misbehave("CurrentTime", behaviour)
    with pytest.raises(MalformedResponse):
        client.server_time()
    assert vcenter.count("CurrentTime") == 1


def test_nothing_is_sent_on_a_connection_that_the_server_has_closed(
    vcenter: ScriptedVcenter, client: VsphereClient, fake_time: Any
) -> None:
    vcenter.on("CurrentTime", lambda call: NOW)
    client.server_time()
    pooled = client._session.live().stub.pool[0][0]
    vcenter.close_idle_connections()
    client.server_time()
    assert vcenter.count("CurrentTime") == 2
    assert fake_time.slept == []  # the call went through at once
    assert pooled.sock is None


def test_no_connection_is_said_with_nothing_sent(make_client: MakeClient) -> None:
    with running_vcenter() as book:
        url = book.url
    client = make_client(url)
    with pytest.raises(ConnectionFailed, match="no connection") as caught:
        client.about()
    assert caught.value.request_sent is False


def test_another_service_is_named_as_such(vcenter: ScriptedVcenter, make_client: MakeClient) -> None:
    client = make_client(vcenter.url.replace("/sdk", "/elsewhere"))
    with pytest.raises(NotFound, match="HTTP 404"):
        client.about()


def test_a_prefixed_path_is_used_as_given(make_client: MakeClient) -> None:
    with running_vcenter(path="/w/rehearsal-1/sdk") as book:
        assert make_client(book.url).about().version == "8.0.3"
        assert make_client(book.url.removesuffix("/sdk")).about().version == "8.0.3"


def test_identity_is_read_from_the_full_name(vcenter: ScriptedVcenter, make_client: MakeClient) -> None:
    assert make_client(vcenter.url).identity().role == "real"
    vcenter.full_name += " [hcx-sim world=rehearsal-1 role=twin]"
    found = make_client(vcenter.url).identity()
    assert (found.simulated, found.world_id, found.role) == (True, "rehearsal-1", "twin")


def test_session_info_shows_no_key(vcenter: ScriptedVcenter, client: VsphereClient) -> None:
    info = client.session_info()
    assert info.user_name == "VSPHERE.LOCAL\\Administrator"
    assert info.api_version.startswith("v8_0_3")
    assert vcenter.sessions
    assert not any(key in repr(info) for key in vcenter.sessions)
    assert PASSWORD not in repr(info)


def test_privileges_are_asked_by_session_then_by_user_then_unknown(
    vcenter: ScriptedVcenter, client: VsphereClient
) -> None:
    assert client.held_privileges(["System.Read"]) is None

    def by_user(call: SoapCall) -> Any:
        manager = vim.AuthorizationManager
        granted = [
            manager.PrivilegeAvailability(privId=privilege, isGranted=privilege == "System.Read")
            for privilege in call.all("privId")
        ]
        return [manager.EntityPrivilege(entity=vim.Folder("group-d1"), privAvailability=granted)]

    vcenter.on("HasUserPrivilegeOnEntities", by_user)
    held = client.held_privileges(["System.Read", "DVPortgroup.Modify"])
    assert held == {"System.Read": True, "DVPortgroup.Modify": False}
    vcenter.on("HasPrivilegeOnEntities", raising(vmodl.fault.SystemError(msg="down")))
    with pytest.raises(ServerError, match="SystemError"):
        client.held_privileges(["System.Read"])


def test_a_mistake_in_the_arguments_is_not_taken_for_a_lost_answer(
    vcenter: ScriptedVcenter, client: VsphereClient
) -> None:
    client.about()
    with pytest.raises(TypeError):
        client.held_privileges([7])  # type: ignore[list-item]
    assert vcenter.count("HasPrivilegeOnEntities") == 0
