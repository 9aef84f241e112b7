"""``hcx-waves probe`` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hcx_waves.cli import main
from hcx_waves.probe import KeptProbes
from support.probed import behind_proxies
from support.site_pair import SitePair
from support.untouched import assert_only_read


def run(folder: Path, document: dict[str, Any], *options: str) -> Result:
    path = folder / "endpoints.json"
    path.write_text(json.dumps(document))
    return CliRunner().invoke(main, ["probe", "--endpoints", str(path), *options], env={"COLUMNS": "250"})


def secrets_of(pair: SitePair) -> set[str]:
    logins = [login for site in ("source", "destination") for login in pair.endpoints[site].values()]
    found = {login["password"] for login in logins if isinstance(login, dict)}
    return found | {pair.endpoints["vmc"]["refresh_token"]}


def test_nothing_differs_at_a_simulated_pair(site_pair: SitePair, tmp_path: Path) -> None:
    mark = site_pair.mark()

    result = run(tmp_path, site_pair.endpoints, "--out", str(tmp_path / "record.json"), "--reports", str(tmp_path))

    assert (result.exit_code, result.stderr) == (0, "")
    assert_only_read(site_pair, mark)
    assert "0 differences" in result.stdout
    assert " confirmed " in result.stdout
    assert "needs a change" not in result.stdout.replace("needs a change: only an unextend leaves a job", "")
    assert "calls not shown, as they change something" in result.stdout
    record = (tmp_path / "record.json").read_text()
    assert (tmp_path / "record.json").stat().st_mode & 0o077 == 0
    told = secrets_of(site_pair)
    assert len(told) >= 3
    assert [secret for secret in told if secret in record or secret in result.output] == []
    assert KeptProbes(tmp_path).read(site_pair.url("hcx", "source")) is not None


def without_names(path: str, body: Any) -> Any:
    """Meshes without a name, and a word in place of another."""
    if path.partition("?")[0].endswith("/interconnect/serviceMesh"):
        for mesh in body["items"]:
            del mesh["name"]
            mesh["state"] = "REBALANCING"
    return body


def test_what_differs_is_shown_by_member(site_pair: SitePair, tmp_path: Path) -> None:
    with behind_proxies(site_pair, {("source", "hcx"): without_names}) as (document, _):
        result = run(tmp_path, document)
        whole = run(tmp_path, document, "--all", "--json")

    assert result.exit_code == 1
    [state, name] = [line for line in result.stdout.splitlines() if "differs" in line and "hcx." in line]
    assert "hcx.service_meshes.list" in name
    assert "confirmed [hcx 6]" in name
    assert "items[].name: missing" in name
    assert 'items[].state: unknown word "REBALANCING"' in state
    assert "plan, preflight" in state
    assert "2 differences" in result.stdout
    body = json.loads(whole.stdout)
    assert body["differences"] == 2
    assert [row["call"] for row in body["rows"] if row["outcome"] == "differs"] == ["hcx.service_meshes.list"]


@pytest.mark.parametrize(
    ("document", "code", "said"),
    [
        ({}, 2, "the endpoints document has no hcx at the source"),
        ({"source": {"hcx": {"url": "x"}}}, 2, "source.hcx.username: Field required"),
    ],
)
def test_a_document_that_cannot_be_used(tmp_path: Path, document: dict[str, Any], code: int, said: str) -> None:
    result = run(tmp_path, document)

    assert result.exit_code == code
    assert said in result.stderr


def test_a_site_that_does_not_answer(site_pair: SitePair, tmp_path: Path) -> None:
    document = {**site_pair.endpoints, "vmc": {**site_pair.endpoints["vmc"], "csp_url": "http://127.0.0.1:9"}}

    result = run(tmp_path, document)

    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.stderr
    assert [secret for secret in secrets_of(site_pair) if secret in result.output] == []
