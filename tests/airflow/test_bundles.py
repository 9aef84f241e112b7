"""``hcx-waves bundle`` of a run: what is in it, and that it names nobody and holds no secret."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hcx_airflow.errors import BlockedError
from hcx_waves.cli import main
from support.airflow_tasks import AirflowRun
from support.site_pair import SitePair
from support.wave_tasks import WaveTasks
from support.waves import scenario

RUN = "manual__2026-03-01T22:00:00+00:00"
PLANTED = ("t0psecret-in-a-log", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJh.c2ln", "MIIEvQIBADAN")
FOREIGN = {"foreign-vm": {"nics": [{"network": "seed-net"}]}}


@pytest.fixture
def finished(airflow_run: AirflowRun, site_pair: SitePair, tmp_path: Path) -> Path:
    """The folder of a run that has ended after its preflight, with logs as Airflow keeps them."""
    airflow_run.run_id = RUN
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan")
    with pytest.raises(BlockedError, match="blocking finding") as blocked:
        tasks.do("run_preflight")
    tasks.do("write_report")
    place = tmp_path / "logs" / "dag_id=seed-wave" / f"run_id={RUN}"
    vm = site_pair.vm("web01")
    hcx, login = site_pair.url("hcx", "source"), site_pair.login("hcx", "source")
    lines = [
        _line("hcx_waves.clients.transport", f"hcx POST {hcx}/hybridity/api/mobility/groups: 202 in 0.1 s"),
        _line("task", str(blocked.value)),
        f"log-in of {login.username} with password={login.password}",
        f"Authorization: Bearer {PLANTED[1]}",
        f"-----BEGIN PRIVATE KEY-----\\n{PLANTED[2]}\\n-----END PRIVATE KEY-----",
        f"JSESSIONID={PLANTED[0]}; {vm.name} has {vm.instance_uuid} and {vm.nics[0].mac} at 192.168.1.11",
    ]  # fmt: skip
    _write(place / "task_id=run_preflight" / "attempt=1.log", "\n".join(lines))
    _write(place / "task_id=cutover_seed_net.prove_segment_empty" / "attempt=2.log", f"{vm.name} is gone")
    _write(tmp_path / "logs" / "dag_id=cleanup__seed-wave" / f"run_id={RUN}" / "task_id=x" / "attempt=1.log", "cleanup")
    _write(tmp_path / "logs" / "dag_id=other" / f"run_id={RUN}" / "task_id=x" / "attempt=1.log", "another wave")
    return tmp_path


def _line(logger: str, event: str) -> str:
    return json.dumps({"timestamp": "t", "level": "info", "logger": logger, "event": event})


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


def bundle(folder: Path, *options: str, run: str = RUN) -> Result:
    arguments = ["bundle", run, "--reports", str(folder / "reports"), "--out", str(folder / "b.zip"), *options]
    return CliRunner().invoke(main, arguments)


def files_of(folder: Path) -> dict[str, str]:
    with zipfile.ZipFile(folder / "b.zip") as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.mark.world(scenario=scenario(vms=FOREIGN))
def test_a_bundle_has_everything_about_a_run(finished: Path, site_pair: SitePair) -> None:
    result = bundle(finished, "--logs", str(finished / "logs"))

    assert (result.exit_code, result.stderr) == (0, "")
    assert "Look through it before you hand it on" in result.stdout
    assert (finished / "b.zip").stat().st_mode & 0o077 == 0
    files = files_of(finished)
    assert set(files) == {
        "report.json", "report.md", "plan.json", "findings.json", "calls.txt", "contents.json",
        *(name for name in files if name.startswith("logs/")),
    }  # fmt: skip
    assert len([name for name in files if name.startswith("logs/")]) == 3
    assert "another wave" not in "".join(files.values())
    plan, report, contents = (json.loads(files[name]) for name in ("plan.json", "report.json", "contents.json"))
    assert [vm["migration"] for vm in plan["vms"]] == ["RAV"] * 4
    assert {vm["name"] for vm in report["vms"]} == {vm["name"] for vm in plan["vms"]}
    assert contents["versions"]["hcx-waves"]
    assert contents["versions"]["apache-airflow"].startswith("3.")
    assert "hcx POST https://127.0.0.1" in files["calls.txt"]
    assert "/hybridity/api/mobility/groups: 202 in 0.1 s" in files["calls.txt"]
    assert "segment-vms-left-behind" in files["findings.json"]


@pytest.mark.world(scenario=scenario(vms=FOREIGN))
@pytest.mark.parametrize("known", [True, False], ids=["with passwords", "without"])
def test_a_bundle_names_nobody_and_holds_no_secret(finished: Path, site_pair: SitePair, known: bool) -> None:
    document = finished / "endpoints.json"
    document.write_text(json.dumps(site_pair.endpoints))
    options = ["--endpoints", str(document)] if known else []

    assert bundle(finished, "--logs", str(finished / "logs"), *options).exit_code == 0

    text = "\n".join([*files_of(finished), *files_of(finished).values()])
    world = site_pair.world
    told = {vm.name for vm in world.vms.values() if vm.name in ("web01", "web02", "app01", "db01", "foreign-vm")}
    told |= {vm.instance_uuid for vm in world.vms.values()} | {nic.mac for vm in world.vms.values() for nic in vm.nics}
    told |= {"seed-net", "seed-wave", "192.168.1.", "WorkloadDatastore", "vsphere.local", "Compute-ResourcePool"}
    secrets = {*PLANTED, site_pair.login("hcx", "source").password}
    assert len(told) > 15
    assert [one for one in sorted(told | secrets) if one.lower() in text.lower()] == []


@pytest.mark.world(scenario=scenario(vms=FOREIGN))
def test_without_logs_there_are_no_calls(finished: Path) -> None:
    assert bundle(finished).exit_code == 0

    assert not [name for name in files_of(finished) if name.startswith("logs/") or name == "calls.txt"]


@pytest.mark.world(scenario=scenario(vms=FOREIGN))
def test_a_run_is_named_by_its_report_as_well(finished: Path) -> None:
    [report] = [one for one in (finished / "reports" / "seed-wave").glob("*.json") if ".plan." not in one.name]

    assert bundle(finished, run=str(report)).exit_code == 0


def test_a_run_that_nobody_knows(tmp_path: Path) -> None:
    result = bundle(tmp_path, run="manual__1")

    assert result.exit_code == 2
    assert "no report of the run manual__1" in result.stderr
    assert not (tmp_path / "b.zip").exists()


def test_runs_of_several_waves(tmp_path: Path) -> None:
    report: dict[str, Any] = {"run_id": "manual__1", "wave": "one"}
    for wave in ("one", "two"):
        _write(tmp_path / "reports" / wave / "manual__1.json", json.dumps({**report, "wave": wave}))

    assert "choose one with --wave" in bundle(tmp_path, run="manual__1").stderr
    assert bundle(tmp_path, "--wave", "two", run="manual__1").exit_code == 0
    assert json.loads(files_of(tmp_path)["report.json"])["run_id"] == "manual__1"


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "reports" / "one" / "manual__1.json", "[1]")

    result = bundle(tmp_path, run="manual__1")

    assert (result.exit_code, "it is not the report of a run" in result.stderr) == (2, True)
