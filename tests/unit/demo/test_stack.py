"""What a start does before anything of its own runs. In a process of its own: a stack ends whatever is below it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hcx_demo.stack.processes import MARKER
from hcx_demo.stack.state import StateFolder
from support.threads import Threads
from support.waiting import HANG_SECONDS

PROJECT = Path(__file__).parents[3]
HOLDER = (
    "import socket, time\n"
    "server = socket.create_server(('127.0.0.1', 0))\n"
    "print(server.getsockname()[1], flush=True)\n"
    "time.sleep(600)\n"
)
START = """
import sys
from pathlib import Path
from hcx_demo.errors import DemoError
from hcx_demo.stack import Stack, StackOptions
from hcx_waves.wavefile.loader import load_wave

project, state, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
connections = load_wave(project / "dags" / "waves" / "seed-wave.yaml").connections
options = StackOptions(project, state, connections, project / "dags", scenario="no-such-scenario", port=port)
try:
    with Stack(options, print):
        pass
except DemoError as error:
    print(error)
"""


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """A state folder that a demo has used before."""
    folder = StateFolder(tmp_path / "state")
    folder.open()
    folder.secrets()
    folder.close()
    return folder


@pytest.fixture
def holder(request: pytest.FixtureRequest, state: StateFolder) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that listens on a port: left by a demo in that state folder, or somebody else's."""
    marker = {MARKER: state.secrets().marker} if request.param == "ours" else {}
    process = subprocess.Popen(  # noqa: S603 - our own arguments
        [sys.executable, "-c", HOLDER],
        env={**os.environ, **marker},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    # As init does with what has lost its parent.
    with process, Threads("burial", process.kill) as threads:
        threads.submit(process.wait)
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
        process.kill()


def start(state: StateFolder, port: int) -> str:
    """Start a stack whose sites cannot start; return what it says."""
    arguments = [sys.executable, "-c", START, str(PROJECT), str(state.root), str(port)]
    return subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=HANG_SECONDS).stdout  # noqa: S603


@pytest.mark.parametrize("holder", ["ours"], indirect=True)
def test_a_port_that_a_killed_demo_still_holds_is_free_for_the_next(
    state: StateFolder, holder: tuple[subprocess.Popen[str], int]
) -> None:
    process, port = holder
    said = start(state, port)
    assert "ended processes that an earlier demo left behind: 1" in said
    assert process.poll() is not None
    assert "the simulated site pair exited with" in said
    assert "is in use" not in said


@pytest.mark.parametrize("holder", ["somebody's"], indirect=True)
def test_a_port_that_somebody_else_holds_is_refused(
    state: StateFolder, holder: tuple[subprocess.Popen[str], int]
) -> None:
    process, port = holder
    said = start(state, port)
    assert f"port {port} is in use" in said
    assert process.poll() is None
    assert "PostgreSQL" not in said
