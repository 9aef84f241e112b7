"""``hcx-waves doctor`` as a person runs it, against what is there and what is not."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hcx_waves.cli import main
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport_wire import TransportSettings
from hcx_waves.doctor.document import Endpoints
from hcx_waves.doctor.examination import examine
from hcx_waves.doctor.target import Means
from support.certificates import make_authority
from support.scripted_vcenter import PASSWORD, USERNAME, ScriptedVcenter, running_vcenter
from support.site_pair import SitePair, SiteServer

CLOSED = "https://127.0.0.1:1"


def run(folder: Path, document: dict[str, Any], *options: str) -> Result:
    path = folder / "endpoints.json"
    path.write_text(json.dumps(document))
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, ["doctor", "--endpoints", str(path), *options])


def findings(result: Result) -> dict[tuple[str, str], tuple[str, str]]:
    """``(endpoint, check)`` to ``(result, detail)``."""
    body = json.loads(result.stdout)
    return {(one["endpoint"], one["check"]): (one["result"], one["detail"]) for one in body["findings"]}


def results_of(result: Result, endpoint: str) -> dict[str, str]:
    return {check: found for (name, check), (found, _) in findings(result).items() if name == endpoint}


def test_a_sound_site_pair_is_healthy(site_pair: SitePair, tmp_path: Path) -> None:
    result = run(tmp_path, site_pair.endpoints, "--json")
    assert result.exit_code == 0, result.stdout
    body = json.loads(result.stdout)
    assert body["healthy"] is True
    assert body["counts"]["failed"] == 0
    found = findings(result)
    for endpoint in ("source hcx", "source vcenter", "source nsx", "destination hcx", "vmc"):
        assert {"reachability", "tls", "login", "identity", "clock"} <= set(results_of(result, endpoint))
    assert found["source hcx", "mesh seed-mesh"][0] == "ok"
    assert found["source vcenter", "clock"] == (
        "ok",
        "virtual time 2026-01-05 08:00:00 UTC, running at speed 1",
    )
    assert found["all", "identity"] == (
        "ok",
        f"every endpoint is a simulated site (world {site_pair.world_id})",
    )
    assert found["source nsx", "version"] == ("ok", "NSX 4.1.2.0.1.22596744")
    assert found["source nsx", "rights"] == ("ok", "the account may read 1 fixed and 0 flexible segments")
    assert found["vmc", "nsx proxy destination"][0] == "ok"


def lacking(*privileges: str) -> Any:
    settings = {"vcenter": {"denied_privileges": list(privileges)}}
    return pytest.mark.world(scenario={"name": "limited", "settings": settings, "vms": [{"name": "web01"}]})


@lacking("VirtualMachine.Interact.PowerOff", "VirtualMachine.Config.Rename", "DVPortgroup.Modify", "Network.Config")
def test_rights_that_no_wave_uses_are_not_asked_for(site_pair: SitePair, tmp_path: Path) -> None:
    found = findings(run(tmp_path, site_pair.endpoints, "--json"))
    assert found["source vcenter", "rights"] == ("ok", "the account may read the inventory (System.View, System.Read)")


@lacking("System.Read")
def test_an_account_that_may_not_read_is_told_which_right_it_lacks(site_pair: SitePair, tmp_path: Path) -> None:
    found = findings(run(tmp_path, site_pair.endpoints, "--json"))
    assert found["source vcenter", "rights"] == ("warning", "the account lacks System.Read on the root folder")


@pytest.mark.world(scenario="physical")
def test_a_data_centre_without_an_sddc_is_healthy(site_pair: SitePair, tmp_path: Path) -> None:
    result = run(tmp_path, site_pair.endpoints, "--json")
    assert result.exit_code == 0, result.stdout
    assert ("vmc", "sddc source") not in findings(result)
    assert findings(result)["vmc", "sddc destination"][0] == "ok"


def test_the_table_shows_endpoint_check_result_and_next_step(site_pair: SitePair, tmp_path: Path) -> None:
    document = {**site_pair.endpoints, "destination": {}, "vmc": None}
    document["source"]["nsx"]["url"] = CLOSED
    result = run(tmp_path, document)
    assert result.exit_code == 1
    assert "next step" in result.stdout
    row = next(line for line in result.stdout.splitlines() if "source nsx" in line)
    assert "reachability" in row
    assert "failed" in row
    assert "127.0.0.1:1 cannot be reached (Connection refused)" in row
    assert "Check that the product is running" in row
    assert result.stdout.splitlines()[-1].endswith("1 failed")


def test_every_problem_is_found_at_once_and_no_secret_is_shown(site_pair: SitePair, tmp_path: Path) -> None:
    document = copy.deepcopy(site_pair.endpoints)
    document["source"]["nsx"]["url"] = CLOSED
    document["source"]["hcx"]["password"] = "hunter2-hcx"
    document["destination"]["vcenter"]["password"] = "hunter2-vcenter"
    document["destination"]["nsx"]["password"] = "hunter2-nsx"
    document["destination"]["hcx"]["url"] = "nonsense"
    document["vmc"]["refresh_token"] = "hunter2-vmc"
    result = run(tmp_path, document, "--json")
    assert result.exit_code == 1
    assert results_of(result, "source hcx") == {"reachability": "ok", "tls": "ok", "login": "failed"}
    assert results_of(result, "source nsx") == {"reachability": "failed"}
    assert results_of(result, "destination hcx") == {"address": "failed"}
    assert results_of(result, "destination vcenter")["login"] == "failed"
    assert results_of(result, "destination nsx")["login"] == "failed"
    assert results_of(result, "vmc")["login"] == "failed"
    assert set(results_of(result, "source vcenter").values()) == {"ok"}
    assert findings(result)["destination vcenter", "login"][1].startswith("vCenter answers InvalidLogin")
    assert "hunter2" not in result.stdout
    assert site_pair.endpoints["source"]["vcenter"]["password"] not in result.stdout


def test_a_pair_of_two_worlds_is_refused(site_server: SiteServer, site_pair: SitePair, tmp_path: Path) -> None:
    twin = site_server.make_world(role="twin")
    try:
        document = {
            "ca_file": site_pair.ca_file,
            "source": {"vcenter": site_pair.endpoints["source"]["vcenter"]},
            "destination": {"vcenter": twin.endpoints["destination"]["vcenter"]},
        }
        result = run(tmp_path, document, "--json")
    finally:
        site_server.drop(twin)
    assert result.exit_code == 1
    outcome, detail = findings(result)["all", "identity"]
    assert outcome == "failed"
    assert f"simulated site (world {site_pair.world_id}): source vcenter" in detail
    assert f"simulated twin (world {twin.world_id}): destination vcenter" in detail


def test_an_unknown_authority_is_refused_with_what_the_certificate_says(site_pair: SitePair, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other")
    document = {"ca_file": str(other.ca_file), "source": {"hcx": site_pair.endpoints["source"]["hcx"]}}
    before = site_pair.mark()
    result = run(tmp_path, document, "--json")
    assert result.exit_code == 1
    outcome, detail = findings(result)["source hcx", "tls"]
    assert outcome == "failed"
    assert "not trusted: self-signed certificate in certificate chain (subject CN=" in detail
    assert "valid until" in detail
    assert site_pair.calls(after=before) == []


def test_a_ca_file_that_is_missing_is_said_for_each_endpoint(site_pair: SitePair, tmp_path: Path) -> None:
    document = {**site_pair.endpoints, "ca_file": str(tmp_path / "none.pem")}
    result = run(tmp_path, document, "--json")
    assert result.exit_code == 1
    assert findings(result)["source nsx", "tls"] == (
        "failed",
        "the file of trusted certificate authorities cannot be read (No such file or directory)",
    )
    assert findings(result)["vmc", "tls"][0] == "failed"


@pytest.fixture
def vcenter() -> Iterator[ScriptedVcenter]:
    with running_vcenter() as book:
        yield book


def only(vcenter: ScriptedVcenter) -> dict[str, Any]:
    return {"source": {"vcenter": {"url": vcenter.url, "username": USERNAME, "password": PASSWORD}}}


def test_a_real_vcenter_without_tls_and_with_a_wrong_clock_is_told_so(vcenter: ScriptedVcenter, tmp_path: Path) -> None:
    vcenter.on("CurrentTime", lambda call: datetime.now(UTC) - timedelta(hours=1))
    vcenter.on("RetrievePropertiesEx", lambda call: None)
    result = run(tmp_path, only(vcenter), "--json")
    assert result.exit_code == 1
    found = findings(result)
    assert found["source vcenter", "tls"][0] == "warning"
    assert found["source vcenter", "identity"] == ("ok", "real product")
    assert found["source vcenter", "clock"][0] == "failed"
    assert found["source vcenter", "rights"] == (
        "warning",
        "this vCenter does not report the account's privileges",
    )
    assert found["source vcenter", "inventory"] == ("warning", "no virtual machine is visible")
    assert vcenter.sessions == set()


def test_warnings_alone_do_not_fail(vcenter: ScriptedVcenter, tmp_path: Path) -> None:
    vcenter.on("CurrentTime", lambda call: datetime.now(UTC))
    vcenter.on("RetrievePropertiesEx", lambda call: None)
    result = run(tmp_path, only(vcenter))
    assert result.exit_code == 0
    assert "0 failed" in result.stdout


def test_a_server_that_accepts_and_stays_silent_does_not_hold_the_doctor() -> None:
    means = Means(settings=TransportSettings(connect_seconds=0.1, read_seconds=0.1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        login = {
            "url": f"https://127.0.0.1:{listener.getsockname()[1]}",
            "username": "u",
            "password": "p-p-p-p",
        }
        reachability, tls = examine(Endpoints.model_validate({"source": {"nsx": login}}), means)
    assert reachability.result == "ok"
    assert (tls.endpoint, tls.result, tls.detail) == (
        "source nsx",
        "failed",
        "no TLS handshake (TimeoutError)",
    )


@pytest.mark.parametrize(
    ("days_left", "result"),
    [(20, "warning"), (60, "ok")],
)
def test_a_certificate_that_ends_soon_is_a_warning(days_left: int, result: str, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)  # its certificates are valid for one day from now on
    now = datetime.now(UTC) + timedelta(days=1) - timedelta(days=days_left)
    means = Means(tls=TlsSettings(ca_file=authority.ca_file), now=lambda: now)
    with running_vcenter(authority.server_context()) as book:
        findings_made = examine(Endpoints.model_validate(only(book)), means)
    tls = next(finding for finding in findings_made if finding.check == "tls")
    assert tls.result == result
    assert tls.detail.startswith("TLSv1.3, trusted, valid until ")
    assert tls.detail.endswith(f"({days_left} days)") or tls.detail.endswith(f"({days_left - 1} days)")


def test_an_empty_document_fails(tmp_path: Path) -> None:
    result = run(tmp_path, {}, "--json")
    assert result.exit_code == 1
    assert findings(result)["all", "document"] == ("failed", "the endpoints document names no endpoint")


def test_an_unusable_document_ends_with_its_own_code(tmp_path: Path) -> None:
    result = run(tmp_path, {"source": {"hcx": {}}})
    assert result.exit_code == 2
    assert "source.hcx.url: Field required" in result.stderr
    assert result.stdout == ""


def test_the_version_is_shown() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.startswith("hcx-waves ")
