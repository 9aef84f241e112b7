"""The generated authority is one that strict clients accept, and the only one they have to trust."""

from __future__ import annotations

import socket
import ssl
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from hcx_sim.tls import ensure_certificates
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS


def _handshake(pair: SitePair, context: ssl.SSLContext, name: str) -> str | None:
    parts = urlsplit(pair.url("nsx"))
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=HANG_SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=name) as sock,
    ):
        return sock.version()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_chain_passes_strict_verification(probe_pair: SitePair, name: str) -> None:
    context = ssl.create_default_context(cafile=probe_pair.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT

    assert _handshake(probe_pair, context, name) == "TLSv1.3"


def test_a_name_that_is_not_the_servers_is_refused(probe_pair: SitePair) -> None:
    context = ssl.create_default_context(cafile=probe_pair.ca_file)

    with pytest.raises(ssl.SSLCertVerificationError, match=r"[Hh]ostname mismatch"):
        _handshake(probe_pair, context, "hcx.example")


def test_requests_verifies_with_the_ca_file_and_refuses_without(probe_pair: SitePair) -> None:
    url = f"{probe_pair.url('hcx')}/thing"

    assert requests.get(url, verify=str(probe_pair.ca_file), timeout=HANG_SECONDS).status_code == 200
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.exceptions.SSLError, match="self-signed certificate"):
            session.get(url, timeout=HANG_SECONDS)


def test_certificates_are_kept_while_they_fit_and_renewed_when_not(tmp_path: Path) -> None:
    first = ensure_certificates(tmp_path, ("hcx.example",)).ca_file.read_bytes()

    assert ensure_certificates(tmp_path, ("hcx.example",)).ca_file.read_bytes() == first
    assert ensure_certificates(tmp_path).ca_file.read_bytes() == first
    assert ensure_certificates(tmp_path, ("other.example",)).ca_file.read_bytes() != first

    damaged = ensure_certificates(tmp_path)
    damaged.chain_file.write_text("nothing", encoding="ascii")
    ensure_certificates(tmp_path).server_context()


def test_the_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path)

    assert stat.S_IMODE(files.key_file.stat().st_mode) == 0o600
    assert b"PRIVATE" not in files.ca_file.read_bytes()
