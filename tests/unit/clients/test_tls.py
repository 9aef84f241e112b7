"""Only the settings decide what is trusted; the environment and requests have no say."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from hcx_waves.clients.errors import ClientError, TlsError
from hcx_waves.clients.hcx import HcxClient
from hcx_waves.clients.hcx.wire import HcxDialect
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Call
from support.certificates import Authority, make_authority
from support.scripted_server import Answer, FakeTime, ScriptedServer, running_server

PING = Call("GET", "/ping", CallKind.READ)


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[ScriptedServer]:
    """A server with the right certificate."""
    with running_server(authority.server_context()) as running:
        running.on("GET", "/ping", Answer(200, {"pong": True}))
        yield running


def ping(server: ScriptedServer, settings: TlsSettings, url: str | None = None) -> object:
    transport = RestTransport(HcxDialect(), url or server.url, tls=settings, ambient=FakeTime().ambient())
    try:
        return transport.send(PING).body
    finally:
        transport.close()


def test_the_given_authority_is_trusted(tls_server: ScriptedServer, authority: Authority) -> None:
    assert ping(tls_server, TlsSettings(ca_file=authority.ca_file)) == {"pong": True}
    assert ping(tls_server, TlsSettings(ca_pem=authority.ca_pem)) == {"pong": True}


def test_a_wrong_authority_is_refused_before_anything_is_sent(
    tls_server: ScriptedServer, other_authority: Authority
) -> None:
    with pytest.raises(TlsError, match="the certificate was refused: unable to get local issuer") as caught:
        ping(tls_server, TlsSettings(ca_file=other_authority.ca_file))
    assert tls_server.received == []
    assert "ca_file" in caught.value.hint
    assert not caught.value.is_transient


def test_verification_is_on_by_default(tls_server: ScriptedServer) -> None:
    with pytest.raises(TlsError, match="the certificate was refused"):
        ping(tls_server, TlsSettings())
    assert tls_server.received == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_bundle_variables_cannot_add_trust(
    tls_server: ScriptedServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(authority.ca_file))
    with pytest.raises(TlsError, match="the certificate was refused"):
        ping(tls_server, TlsSettings())


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_bundle_variables_cannot_take_trust_away(
    tls_server: ScriptedServer,
    authority: Authority,
    other_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, str(other_authority.ca_file))
    assert ping(tls_server, TlsSettings(ca_file=authority.ca_file)) == {"pong": True}


def test_bundle_variables_cannot_widen_a_pin(
    tls_server: ScriptedServer,
    authority: Authority,
    other_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_file))
    with pytest.raises(TlsError, match="the certificate was refused"):
        ping(tls_server, TlsSettings(pinned_pem=other_authority.server_pem))


def test_the_bundle_of_requests_cannot_widen_a_pin(
    tls_server: ScriptedServer,
    authority: Authority,
    other_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(authority.ca_file))
    with pytest.raises(TlsError, match="the certificate was refused"):
        ping(tls_server, TlsSettings(pinned_pem=other_authority.server_pem))


def test_a_pinned_leaf_is_accepted_under_any_name(tls_server: ScriptedServer, authority: Authority) -> None:
    by_name = tls_server.url.replace("127.0.0.1", "localhost")
    assert ping(tls_server, TlsSettings(pinned_pem=authority.server_pem), by_name) == {"pong": True}


def test_the_name_is_checked_without_a_pin(tls_server: ScriptedServer, authority: Authority) -> None:
    by_name = tls_server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(TlsError, match="Hostname mismatch"):
        ping(tls_server, TlsSettings(ca_file=authority.ca_file), by_name)


def test_a_pin_refuses_another_certificate_of_the_same_authority(tmp_path: Path, authority: Authority) -> None:
    with running_server(make_authority(tmp_path).server_context()) as other:
        other.on("GET", "/ping", Answer(200, {}))
        with pytest.raises(TlsError, match="the certificate was refused"):
            ping(other, TlsSettings(pinned_pem=authority.server_pem))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_verification_can_be_switched_off_by_name_only(
    tls_server: ScriptedServer, other_authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other_authority.ca_file))
    assert ping(tls_server, TlsSettings(verify=False)) == {"pong": True}


def test_plain_http_works(server: ScriptedServer) -> None:
    server.on("GET", "/ping", Answer(200, {"pong": 1}))
    assert ping(server, TlsSettings()) == {"pong": 1}


def test_https_to_a_plain_port_is_a_tls_error(server: ScriptedServer) -> None:
    with pytest.raises(TlsError, match="the TLS handshake failed"):
        ping(server, TlsSettings(), server.url.replace("http://", "https://"))


def test_process_wide_defaults_stay_untouched(authority: Authority) -> None:
    before = ssl.create_default_context().verify_mode, ssl._create_default_https_context
    TlsSettings(pinned_pem=authority.server_pem).ssl_context()
    TlsSettings(verify=False).ssl_context()
    assert (ssl.create_default_context().verify_mode, ssl._create_default_https_context) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ca_file": Path("a"), "ca_pem": "b"}, "give only one of ca_file, ca_pem and pinned_pem"),
        ({"verify": False, "pinned_pem": "x"}, "verify=False would ignore pinned_pem"),
        ({"pinned_pem": ""}, "pinned_pem is empty"),
        ({"ca_pem": "  \n"}, "ca_pem is empty"),
    ],
)
def test_contradictory_settings_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TlsSettings(**arguments)  # type: ignore[arg-type]


def test_a_whole_client_works_over_tls(tls_server: ScriptedServer, authority: Authority) -> None:
    tls_server.on("POST", "/hybridity/api/sessions", Answer(200, {}, {"x-hm-authorization": "aa:bb"}))
    tls_server.on("GET", "/hybridity/api/cloudConfigs", Answer(200, {"data": {"items": []}}))
    with HcxClient(tls_server.url, "u", "p", tls=TlsSettings(ca_file=authority.ca_file)) as client:
        assert client.cloud_configs() == ()


def test_tls_error_survives_json(tls_server: ScriptedServer) -> None:
    with pytest.raises(TlsError) as caught:
        ping(tls_server, TlsSettings())
    assert type(ClientError.from_dict(caught.value.to_dict())) is TlsError
