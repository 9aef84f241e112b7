"""Hooks: what a connection may say, who may be worked on, and errors that name the connection and no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import ConnectionSettingsError, UnusableConnectionsError
from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.nsx_policy import NsxPolicyHook
from hcx_airflow.hooks.roles import allowed_roles, connection_id_for
from hcx_airflow.hooks.sites import open_sites
from hcx_airflow.hooks.vmc import VmcHook
from hcx_airflow.hooks.vsphere import VsphereHook
from hcx_waves.clients.errors import AuthenticationFailed, ConnectionFailed, EndpointMismatch, TlsError
from hcx_waves.procedure_errors import NotSettledError
from hcx_waves.wavefile.loader import load_wave
from support.airflow_tasks import connection, set_connections

HOOKS = {
    "hcx_source": (HcxHook, "HCX 4"),
    "vcenter_destination": (VsphereHook, "vCenter"),
    "vmc_source": (VmcHook, "SDDC"),
}


@pytest.mark.parametrize("conn_id", sorted(HOOKS))
def test_the_test_button_says_who_is_there(connections: Any, conn_id: str) -> None:
    hook, words = HOOKS[conn_id]
    worked, message = hook(conn_id).test_connection()
    assert worked, message
    assert words in message
    assert "simulated site" in message


def test_the_test_button_of_nsx(connections: Any, site_pair: Any) -> None:
    login = site_pair.login("nsx", "source")
    for session in (True, False):
        document = {
            "conn_type": "nsx_policy",
            "host": site_pair.url("nsx", "source"),
            "login": login.username,
            "password": login.password,
            "extra": {"ca_file": str(site_pair.ca_file), "session_login": session},
        }
        worked, message = NsxPolicyHook("nsx_source", connection=connection("nsx_source", document)).test_connection()
        assert worked, message
        assert 'live waves refuse it unless its extra has "simulated": true' in message


def test_the_test_button_promises_nothing_about_a_twin(site_server: Any) -> None:
    twin = site_server.make_world(world_id="t", mode="paused", role="twin")
    login = twin.login("hcx", "source")
    document = {
        "conn_type": "hcx",
        "host": twin.url("hcx", "source"),
        "login": login.username,
        "password": login.password,
        "extra": {"ca_file": str(twin.ca_file)},
    }
    worked, message = HcxHook("h", connection=connection("h", document)).test_connection()
    site_server.drop(twin)
    assert worked, message
    assert "(simulated twin (world t)); live waves never use it" in message


@pytest.mark.parametrize("conn_id", sorted(HOOKS))
def test_a_wrong_password_names_the_connection(connections: Any, conn_id: str) -> None:
    document = {**connections[conn_id], "password": "wrong-secret-0815"}
    hook = HOOKS[conn_id][0](conn_id, connection=connection(conn_id, document))
    worked, message = hook.test_connection()
    assert not worked
    assert f'connection "{conn_id}"' in message
    assert "wrong-secret-0815" not in message


def test_errors_of_each_kind_name_the_connection(connections: Any) -> None:
    extra = connections["hcx_source"]["extra"]
    system_trust = {**extra, "ca_file": None}
    cases: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"password": "wrong"}, AuthenticationFailed),
        ({"host": "https://127.0.0.1:9", "extra": {**extra, "attempts": 1}}, ConnectionFailed),
        ({"extra": system_trust}, TlsError),
    ]
    for changes, kind in cases:
        hook = HcxHook("hcx_source", connection=connection("hcx_source", {**connections["hcx_source"], **changes}))
        with pytest.raises(kind, match='connection "hcx_source": '), hook.client() as client:
            client.login()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"conn_type": "http"}, 'has type "http"; change it to "hcx"'),
        ({"host": ""}, "has no host"),
        ({"login": None}, "has no login"),
        ({"password": None}, "has no password"),
        ({"extra": {"simulatd": True}}, r"unknown field simulatd \(known fields: attempts, ca_file"),
        ({"extra": {"verify": "perhaps"}}, "verify: "),
        ({"extra": {"ca_file": "/x", "verify": False}}, "verify=False would ignore ca_file"),
        ({"extra": {"version": "one"}}, "not an HCX version"),
        ({"extra": {"ca_file": "/nowhere/ca.pem"}}, "No such file"),
        ({"extra": {"attempts": 0}}, "attempts: "),
    ],
)
def test_a_connection_that_cannot_be_used(connections: Any, changes: dict[str, Any], words: str) -> None:
    hook = HcxHook("hcx_x", connection=connection("hcx_x", {**connections["hcx_source"], **changes}))
    with pytest.raises(ConnectionSettingsError, match=words) as caught:
        hook.get_conn()
    assert 'connection "hcx_x": ' in str(caught.value)
    assert connections["hcx_source"]["password"] not in str(caught.value)


def test_all_connections_that_cannot_be_used_are_named_at_once(
    waves: Path, connections: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for conn_id in ("hcx_source", "vmc_destination"):
        monkeypatch.delenv(f"AIRFLOW_CONN_{conn_id.upper()}")
    set_connections(monkeypatch, {"vcenter_source": {**connections["vcenter_source"], "conn_type": "http"}})
    raised = pytest.raises(UnusableConnectionsError)
    with raised as caught, open_sites(load_wave(waves / "seed-wave.yaml"), rehearsal=False):
        pass
    assert set(caught.value.conn_ids) == {"vmc_destination", "hcx_source", "vcenter_source"}
    assert 'connection "hcx_source": Airflow has none of this id; add it, with type "hcx"' in str(caught.value)


def test_what_a_form_leaves_blank_is_not_set(connections: Any) -> None:
    extra = {**connections["hcx_source"]["extra"], "ca_pem": "", "pinned_pem": None, "read_seconds": ""}
    hook = HcxHook("hcx_x", connection=connection("hcx_x", {**connections["hcx_source"], "extra": extra}))
    assert hook.extras.settings().read_seconds == 60.0
    hook.get_conn().close()


def test_host_and_port_make_an_address(connections: Any) -> None:
    document = {**connections["hcx_source"], "host": "hcx.example.org", "port": 8443}
    assert HcxHook("hcx_x", connection=connection("hcx_x", document)).url == "https://hcx.example.org:8443"


@pytest.mark.parametrize(
    ("rehearsal", "simulated", "roles"),
    [(False, False, {"real"}), (False, True, {"site"}), (True, False, {"twin"}), (True, True, {"twin"})],
)
def test_who_may_be_worked_on(rehearsal: bool, simulated: bool, roles: set[str]) -> None:
    assert allowed_roles(rehearsal=rehearsal, simulated=simulated) == roles


def test_ids_of_rehearsals() -> None:
    assert connection_id_for("hcx_source", rehearsal=True) == "twin_hcx_source"
    assert connection_id_for("hcx_source", rehearsal=False) == "hcx_source"
    with pytest.raises(ConnectionSettingsError, match="live waves never work on twins"):
        connection_id_for("twin_hcx_source", rehearsal=False)


def test_a_simulated_site_must_say_so(
    connections: Any, site_pair: Any, monkeypatch: pytest.MonkeyPatch, waves: Any
) -> None:
    silent = {**connections["hcx_source"], "extra": {**connections["hcx_source"]["extra"], "simulated": False}}
    set_connections(monkeypatch, {"hcx_source": silent})
    mark = site_pair.mark()
    raised = pytest.raises(EndpointMismatch, match='connection "hcx_source": leads to a simulated site')
    with raised as caught, open_sites(load_wave(waves / "seed-wave.yaml"), rehearsal=False):
        pass
    assert '"simulated": true' in caught.value.hint
    assert not [
        call
        for call in site_pair.calls(after=mark)
        if call["data"]["method"] in ("PUT", "PATCH", "DELETE") and "session" not in call["data"]["path"]
    ]


def test_a_rehearsal_without_a_world_reaches_nothing(
    connections: Any, monkeypatch: pytest.MonkeyPatch, waves: Any, site_pair: Any
) -> None:
    set_connections(monkeypatch, connections, prefix="twin_")
    mark = site_pair.mark()
    raised = pytest.raises(ConnectionSettingsError, match='"twin_vmc_destination": is used in a rehearsal that has no')
    with raised, open_sites(load_wave(waves / "seed-wave.yaml"), rehearsal=True):
        pass
    assert site_pair.calls(after=mark) == []


@pytest.mark.world(role="twin")
def test_a_live_run_never_works_on_a_twin(connections: Any, waves: Any) -> None:
    raised = pytest.raises(EndpointMismatch, match="leads to a simulated twin")
    with raised, open_sites(load_wave(waves / "seed-wave.yaml"), rehearsal=False):
        pass


def test_an_error_that_no_product_has_caused_names_none(connections: Any, waves: Any) -> None:
    raised = pytest.raises(NotSettledError, match=r"^not yet\.")
    with raised, open_sites(load_wave(waves / "seed-wave.yaml"), rehearsal=False, check=False):
        raise NotSettledError("not yet")


def test_errors_of_site_clients_name_the_connection(
    connections: Any, monkeypatch: pytest.MonkeyPatch, waves: Any
) -> None:
    broken = {**connections["vcenter_destination"], "password": "wrong"}
    set_connections(monkeypatch, {"vcenter_destination": broken})
    raised = pytest.raises(AuthenticationFailed, match='connection "vcenter_destination": ')
    with raised, open_sites(load_wave(waves / "seed-wave.yaml"), rehearsal=False, check=False) as clients:
        clients.destination_vcenter.server_time()
