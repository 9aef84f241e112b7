"""Commands of the user: no shell, a clean environment, a time-out that reaches everything they started."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from hcx_waves.cutover.commands import CommandRunner
from support.waiting import HANG_SECONDS


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_no_shell_reads_the_arguments() -> None:
    result = CommandRunner().run((*python("import sys; print(sys.argv[1:])"), "$HOME; echo x", "*"), 10)
    assert result.output == "['$HOME; echo x', '*']"
    assert result.exit_code == 0


def test_environment_is_an_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HCX", "hcx://user:geheim@host")
    monkeypatch.setenv("ROUTER_HOST", "core-1")
    show = python("import os; print('\\n'.join(sorted(os.environ)))")
    seen = CommandRunner({"HCX_WAVES_SEGMENT": "app"}, ["ROUTER_HOST"]).run(show, 10).output.splitlines()
    assert {"HCX_WAVES_SEGMENT", "ROUTER_HOST", "PATH"} <= set(seen)
    assert "AIRFLOW_CONN_HCX" not in seen


def test_output_is_redacted_and_cut() -> None:
    code = (
        "import sys; print('x' * 9000, flush=True); print('key geheim!', flush=True);"
        "print('password=abc', file=sys.stderr)"
    )
    result = CommandRunner(secrets=("geheim!", "ge", "")).run(python(code), 10)
    assert result.output.startswith("[...] xxx")
    assert result.output.endswith("key ***\npassword=***")
    assert len(result.output) < 4100


def test_time_out_stops_the_command_and_its_children(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    began = time.monotonic()
    script = f"sleep 600 & echo $! > '{file}'; echo begun; sleep 600"
    result = CommandRunner().run(("/bin/sh", "-c", script), 3.0)
    assert time.monotonic() - began < HANG_SECONDS
    assert result.timed_out
    assert result.output == "begun"
    state = Path(f"/proc/{file.read_text()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] in ("Z", "X")


def test_program_that_does_not_exist() -> None:
    with pytest.raises(FileNotFoundError):
        CommandRunner().run(("/no/such/program",), 1)
