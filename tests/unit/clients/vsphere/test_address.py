"""Where a vCenter is, and how its certificate is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hcx_waves.clients.errors import MalformedResponse, TlsError
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.address import parse_address
from support.certificates import Authority, make_authority
from support.scripted_vcenter import ScriptedVcenter, running_vcenter

MakeClient = Callable[..., VsphereClient]


@pytest.mark.parametrize(
    ("given", "url", "stub_port"),
    [
        ("https://vc.example.com", "https://vc.example.com:443/sdk", 443),
        ("https://vc.example.com/", "https://vc.example.com:443/sdk", 443),
        ("https://vc.example.com:9443/w/one/sdk", "https://vc.example.com:9443/w/one/sdk", 9443),
        ("https://vc.example.com:9443/w/one/", "https://vc.example.com:9443/w/one/sdk", 9443),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/sdk", -8080),
        ("https://[::1]:9443", "https://[::1]:9443/sdk", 9443),
    ],
)
def test_an_address_is_taken_apart(given: str, url: str, stub_port: int) -> None:
    address = parse_address(given)
    assert (address.url, address.stub_port) == (url, stub_port)


@pytest.mark.parametrize("given", ["vc.example.com", "ftp://vc.example.com", "https:///sdk", ""])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="https://host"):
        parse_address(given)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("vcenter"))


@pytest.fixture
def tls_vcenter(certificate: Authority) -> Iterator[ScriptedVcenter]:
    with running_vcenter(certificate.server_context()) as book:
        yield book


def test_a_loopback_host_is_verified_like_any_other(tls_vcenter: ScriptedVcenter, make_client: MakeClient) -> None:
    client = make_client(tls_vcenter.url)
    with pytest.raises(TlsError, match="the certificate is not trusted: unable to get local issuer") as caught:
        client.about()
    assert caught.value.system == "vcenter"
    assert tls_vcenter.calls == []


def test_a_trusted_authority_is_enough(
    tls_vcenter: ScriptedVcenter, make_client: MakeClient, certificate: Authority
) -> None:
    assert make_client(tls_vcenter.url, tls=TlsSettings(ca_file=certificate.ca_file)).about().version == "8.0.3"


def test_a_pinned_certificate_is_accepted_and_another_one_is_not(
    tls_vcenter: ScriptedVcenter, make_client: MakeClient, certificate: Authority, tmp_path: Path
) -> None:
    right = make_client(tls_vcenter.url, tls=TlsSettings(pinned_pem=certificate.server_pem))
    assert right.about().version == "8.0.3"
    logins = tls_vcenter.logins
    wrong = make_client(tls_vcenter.url, tls=TlsSettings(pinned_pem=make_authority(tmp_path / "other").server_pem))
    with pytest.raises(TlsError, match="not trusted"):
        wrong.about()
    assert tls_vcenter.logins == logins


def test_a_certificate_of_another_name_is_refused_unless_pinned(make_client: MakeClient, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "elsewhere", address="127.0.0.2")
    with running_vcenter(other.server_context()) as book:
        with pytest.raises(TlsError, match="IP address mismatch"):
            make_client(book.url, tls=TlsSettings(ca_pem=other.ca_pem)).about()
        assert make_client(book.url, tls=TlsSettings(pinned_pem=other.server_pem)).about().version == "8.0.3"


def test_the_environment_cannot_switch_verification(
    tls_vcenter: ScriptedVcenter, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    with pytest.raises(TlsError):
        make_client(tls_vcenter.url).about()


def test_a_plain_server_behind_https_is_a_tls_error(vcenter: ScriptedVcenter, make_client: MakeClient) -> None:
    with pytest.raises(TlsError, match="no TLS connection"):
        make_client(vcenter.url.replace("http://", "https://")).about()


def test_a_server_without_a_common_version_is_no_vsphere_service(
    vcenter: ScriptedVcenter, make_client: MakeClient
) -> None:
    vcenter.version = "1.0.0.99"
    with pytest.raises(MalformedResponse, match=r"no common API version; the server offers 1\.0\.0\.99"):
        make_client(vcenter.url).about()
    assert vcenter.calls == []
