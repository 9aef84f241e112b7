"""The command ``import``."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from hcx_waves.cli.app import main

RUN = CliRunner()


def _list(tmp_path: Path, content: str) -> str:
    (tmp_path / "vms.csv").write_text(content, encoding="utf-8")
    return str(tmp_path / "vms.csv")


def test_a_list_is_written_as_a_document(tmp_path: Path) -> None:
    path = _list(tmp_path, "VM,Team\nweb-01,blue\n")

    result = RUN.invoke(main, ["import", path, "--column", "owner=Team", "--json", "--out", str(tmp_path / "out.json")])

    assert result.exit_code == 0
    assert json.loads(result.stdout)["vms"] == [{"key": "web-01", "name": "web-01", "owner": "blue"}]
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == result.stdout


def test_a_summary_says_how_much_is_known(tmp_path: Path) -> None:
    result = RUN.invoke(main, ["import", _list(tmp_path, "VM,Application\nweb-01,Shop\nweb-02,\n")])

    assert result.exit_code == 0
    assert "2 VMs" in result.stdout
    assert "1 of 2" in result.stdout


def test_nothing_is_half_imported(tmp_path: Path) -> None:
    path = _list(tmp_path, "VM,NumCpu\nweb-01,four\n")

    result = RUN.invoke(main, ["import", path, "--out", str(tmp_path / "out.json")])

    assert result.exit_code == 1
    assert 'row 2, column "NumCpu": must be a number' in result.stderr
    assert "nothing was imported" in result.stderr
    assert not (tmp_path / "out.json").exists()


def test_a_role_that_is_none_is_refused(tmp_path: Path) -> None:
    result = RUN.invoke(main, ["import", _list(tmp_path, "VM\nweb-01\n"), "--column", "boss=Team"])

    assert result.exit_code == 2
    assert "application, owner" in result.stderr
