"""``hcx-waves snapshot`` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hcx_snapshot import digest_of, load_snapshot
from hcx_waves.cli import main
from support.site_pair import SitePair
from support.waves import SHIPPED, nothing_changed, scenario


def run(
    folder: Path, document: dict[str, Any], *options: str, wave: str = "seed-wave", out: str = "s.json.gz"
) -> Result:
    path = folder / "endpoints.json"
    path.write_text(json.dumps(document))
    arguments = ["snapshot", str(SHIPPED / f"{wave}.yaml"), "--endpoints", str(path), "--out", str(folder / out)]
    return CliRunner().invoke(main, [*arguments, *options])


def secrets_of(pair: SitePair) -> set[str]:
    logins = [
        login
        for site in ("source", "destination")
        for login in pair.endpoints[site].values()
        if isinstance(login, dict)
    ]
    return {login["password"] for login in logins} | {pair.endpoints["vmc"]["refresh_token"]}


@pytest.mark.world(scenario="three-tier")
def test_a_snapshot_is_taken_and_says_how_it_knows(site_pair: SitePair, tmp_path: Path) -> None:
    mark = site_pair.mark()
    result = run(tmp_path, site_pair.endpoints, wave="three-tier-1")
    assert (result.exit_code, result.stderr) == (0, "")
    taken = load_snapshot(tmp_path / "s.json.gz")
    assert taken.waves == ("three-tier-1",)
    assert not taken.whole
    assert "26 VMs at the source, 2 at the destination" in result.stdout
    assert "change_rates: given for 0 of 23 VMs of the source; no product tells them" in result.stdout
    assert digest_of(taken) in result.stdout
    assert nothing_changed(site_pair, mark)


def test_neither_file_nor_output_holds_a_secret_or_an_account(site_pair: SitePair, tmp_path: Path) -> None:
    result = run(tmp_path, site_pair.endpoints, out="s.json")
    written = (tmp_path / "s.json").read_text()
    told = secrets_of(site_pair)
    assert len(told) >= 3
    for text in (written, result.output):
        assert not any(secret in text for secret in told)
        assert "administrator" not in text
        assert "127.0.0.1" not in text


NETWORKS = [
    {"name": "seed-net", "subnet": "192.168.1.0/24", "stretched": True},
    {"name": "other", "subnet": "10.9.0.0/24"},
]
ALONE = {"nics": [{"network": "other"}]}


@pytest.mark.world(scenario=scenario(networks=NETWORKS, vms={"alone": ALONE, "WEB01": ALONE}))
def test_the_whole_inventory_on_demand(site_pair: SitePair, tmp_path: Path) -> None:
    assert run(tmp_path, site_pair.endpoints, out="wave.json").exit_code == 0
    assert run(tmp_path, site_pair.endpoints, "--whole", out="whole.json").exit_code == 0
    part, whole = load_snapshot(tmp_path / "wave.json"), load_snapshot(tmp_path / "whole.json")
    everything = {vm.name for vm in site_pair.world.vms.values() if vm.site == "source"}
    assert {vm.name for vm in whole.source.vms} == everything
    # One that differs from a VM of the wave by case alone is a suggestion when that is not found.
    assert everything - {vm.name for vm in part.source.vms} == {"alone"}


def test_change_rates_come_from_a_file(site_pair: SitePair, tmp_path: Path) -> None:
    (tmp_path / "rates.json").write_text('{"db01": 80, "web01": 0}')
    result = run(tmp_path, site_pair.endpoints, "--change-rates", str(tmp_path / "rates.json"))
    assert "change_rates: given for 2 of 4 VMs of the source" in result.stdout
    rates = {vm.name: vm.change_bytes_per_second for vm in load_snapshot(tmp_path / "s.json.gz").source.vms}
    assert (rates["db01"], rates["web01"], rates["app01"]) == (10_000_000, 0, None)


@pytest.mark.parametrize("content", ['{"db01": "fast"}', '{"db01": -1}', "[1]", "{", '{"db01": true}'])
def test_change_rates_that_are_none(site_pair: SitePair, tmp_path: Path, content: str) -> None:
    (tmp_path / "rates.json").write_text(content)
    result = run(tmp_path, site_pair.endpoints, "--change-rates", str(tmp_path / "rates.json"))
    assert result.exit_code == 2
    assert "rates.json" in result.stderr
    assert not (tmp_path / "s.json.gz").exists()


def test_change_rates_of_nobody_and_everything_that_is_wrong(site_pair: SitePair, tmp_path: Path) -> None:
    rates = tmp_path / "rates.json"
    rates.write_text('{"db01": 80, "bd02": 5}')
    result = run(tmp_path, site_pair.endpoints, "--change-rates", str(rates))
    assert (result.exit_code, result.stderr) == (0, f"{rates}: contains VMs that are not in the snapshot: bd02\n")
    rates.write_text('{"db01": "fast", "web01": -1}')
    arguments = ["snapshot", "none.yaml", "--endpoints", "none.json", "--out", "o.json", "--change-rates", str(rates)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "none.yaml:1:1 wave: cannot be read: No such file or directory",
        "none.json: cannot be read: No such file or directory",
        f"{rates}: db01: must be a number of Mbit/s, at least 0",
        f"{rates}: web01: must be a number of Mbit/s, at least 0",
    ]


def test_inputs_that_cannot_be_used(site_pair: SitePair, tmp_path: Path) -> None:
    result = run(tmp_path, {"source": {"vcenter": {"url": "x"}}})
    assert result.exit_code == 2
    assert "source.vcenter.username: Field required" in result.stderr
    document = json.loads(json.dumps(site_pair.endpoints))
    del document["source"]["hcx"]
    result = run(tmp_path, document)
    assert (result.exit_code, result.stderr) == (2, "the endpoints document has no hcx at the source\n")
    broken = tmp_path / "w.yaml"
    broken.write_text("name: x\n")
    arguments = ["snapshot", str(broken), "--endpoints", str(tmp_path / "endpoints.json"), "--out", "o.json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "w.yaml" in result.stderr


def test_a_product_that_cannot_be_read(site_pair: SitePair, tmp_path: Path) -> None:
    document = json.loads(json.dumps(site_pair.endpoints))
    document["source"]["hcx"]["password"] = "wrong"
    result = run(tmp_path, document)
    assert result.exit_code == 1
    assert result.stderr
    assert "wrong" not in result.output
    assert not (tmp_path / "s.json.gz").exists()


def test_sites_that_hcx_does_not_pair(site_pair: SitePair, tmp_path: Path) -> None:
    document = json.loads(json.dumps(site_pair.endpoints))
    document["destination"]["vcenter"] = document["source"]["vcenter"]
    result = run(tmp_path, document)
    assert result.exit_code == 1
    assert result.stderr.startswith("destination site: ")


def test_a_place_that_cannot_be_written(site_pair: SitePair, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(tmp_path, site_pair.endpoints, out="file/s.json")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


@pytest.mark.world(scenario="physical")
def test_a_source_without_nsx(site_pair: SitePair, tmp_path: Path) -> None:
    document = json.loads(json.dumps(site_pair.endpoints))
    document["source"]["nsx"] = None
    document["vmc"] = {**document["vmc"], "source_sddc_id": None}
    result = run(tmp_path, document, "--whole")
    assert result.exit_code == 0, result.output
    taken = load_snapshot(tmp_path / "s.json.gz")
    assert (taken.source.nsx, taken.whole) == (None, True)
    assert "mac_owners: the destination's NSX manager" in result.stdout
