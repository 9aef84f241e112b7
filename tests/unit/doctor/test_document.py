"""Reading the endpoints document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hcx_waves.doctor.document import DocumentError, load_endpoints

LOGIN = {"url": "https://hcx.example.com", "username": "admin", "password": "correct-horse"}


def write(folder: Path, body: Any) -> Path:
    path = folder / "endpoints.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    return path


def test_a_real_pair_needs_neither_control_nor_speed(tmp_path: Path) -> None:
    path = write(tmp_path, {"ca_file": "ca.pem", "source": {"hcx": LOGIN}, "later": {"added": 1}})
    endpoints = load_endpoints(path)
    assert endpoints.source.hcx is not None
    assert endpoints.source.vcenter is None
    assert endpoints.ca_file == tmp_path / "ca.pem"
    assert endpoints.speed is None
    assert endpoints.secrets() == ("correct-horse",)
    assert "correct-horse" not in repr(endpoints)


def test_every_problem_is_named_at_once_and_no_value_is_shown(tmp_path: Path) -> None:
    body = {
        "source": {"hcx": {"url": "https://x", "password": ["correct-horse"]}},
        "vmc": {"url": "https://vmc", "refresh_token": "very-secret"},
    }
    with pytest.raises(DocumentError) as caught:
        load_endpoints(write(tmp_path, body))
    message = str(caught.value)
    for place in ("source.hcx.username", "source.hcx.password", "vmc.csp_url"):
        assert place in message
    assert "correct-horse" not in message
    assert "very-secret" not in message
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"source": "pass\nword"', "not valid JSON: Invalid control character at at line 1"),
        ("[]", "valid dictionary"),
    ],
)
def test_what_is_no_document_is_refused(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        load_endpoints(write(tmp_path, body))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        load_endpoints(tmp_path / "none.json")
