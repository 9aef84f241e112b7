"""A test that hangs ends at its limit, with its threads and waits, and the next one runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.waiting import HANG_SECONDS

ROOT = Path(__file__).parents[2]
NIGHT = ROOT / "tests" / "airflow" / "rehearsal" / "hanging_night.py"
CONFTEST = """
import pytest
from support.time_limits import TimeLimits

def pytest_configure(config):
    config.pluginmanager.register(TimeLimits())
"""
NEXT = """

def test_the_next_one():
    pass
"""


def outcomes(*arguments: str, folder: Path = ROOT) -> tuple[set[str], str]:
    """Run pytest by itself; return the outcomes by test, and all that it printed."""
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", "-rA"]
    pythonpath = os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": pythonpath, "PYTEST_ADDOPTS": ""}
    done = subprocess.run(  # noqa: S603  (our own arguments)
        [*command, f"--rootdir={folder}", *arguments], cwd=folder, env=environment, timeout=HANG_SECONDS,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S+::(\w+)", printed, re.MULTILINE)
    assert found, printed
    return {f"{name} {outcome.lower()}" for outcome, name in found}, printed


def of(tmp_path: Path, text: str, *arguments: str, limit_seconds: int = 2) -> tuple[set[str], str]:
    """Run a file with these tests and one more.

    :param limit_seconds: of each test; a test that works needs one that no slow machine meets.
    """
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text("import threading, time\nimport pytest\n" + text + NEXT)
    return outcomes(f"--timeout={limit_seconds}", *arguments, str(tmp_path / "test_it.py"), folder=tmp_path)


def test_a_night_whose_time_stands_ends_at_its_limit() -> None:
    """Its player waits for the thread of a trigger, which would wait for half an hour."""
    found, printed = outcomes("-n", "0", str(NIGHT))
    assert found == {"test_time_stands failed", "test_the_next_one passed"}, printed
    assert "Timeout: the test is over its limit of 15 s" in printed
    assert "_fire" in printed, "the stack of the trigger's thread"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            """
def test_hangs():
    threading.Event().wait()
""",
            {"test_hangs failed"},
            id="in the test",
        ),
        pytest.param(
            """
@pytest.fixture
def held():
    yield
    threading.Event().wait()

def test_hangs(held):
    raise KeyError("failed before")
""",
            {"test_hangs failed", "test_hangs error"},
            id="in the teardown of a failed test",
        ),
        pytest.param(
            """
from concurrent.futures import ThreadPoolExecutor

def test_hangs():
    with ThreadPoolExecutor() as pool:
        pool.submit(threading.Event().wait)
""",
            {"test_hangs failed", "test_hangs error"},
            id="in a pool that waits for its threads",
        ),
        pytest.param(
            """
def test_hangs():
    while True:
        try:
            threading.Event().wait()
        except BaseException:
            if time.monotonic() > began + 4:
                raise

began = time.monotonic()
""",
            {"test_hangs failed"},
            id="although the first interruption is swallowed",
        ),
    ],
)
def test_it_ends_wherever_it_hangs(tmp_path: Path, text: str, expected: set[str]) -> None:
    found, printed = of(tmp_path, text, "-n", "0")
    assert found == {*expected, "test_the_next_one passed"}, printed
    assert "over its limit of 2 s" in printed


def test_a_thread_that_outlives_its_test_is_named(tmp_path: Path) -> None:
    text = """
def test_leaves_a_thread():
    threading.Thread(target=threading.Event().wait, name="the forgotten one").start()
"""
    found, printed = of(tmp_path, text, "-n", "0", limit_seconds=300)
    assert found == {"test_leaves_a_thread passed", "test_leaves_a_thread error", "test_the_next_one passed"}, printed
    assert "the test has left behind: thread 'the forgotten one'" in printed


def test_a_wait_that_outlives_its_test_is_named_and_let_go(tmp_path: Path) -> None:
    text = """
import asyncio
from support import site_servers
from support.site_pair import SiteServer

@pytest.fixture(scope="module")
def server():
    server = SiteServer()
    yield server
    server.stop()

def test_leaves_a_wait(server):
    pair = server.make_world(world_id="left", mode="stepped")
    pair.run(lambda: [pair.world.waiters.register(name) for name in ("ann", "bob")])
    asyncio.run_coroutine_threadsafe(pair.world.waiters.wait("ann", pair.world.now_us + 1), server.server._loop)

def test_it_was_let_go(server):
    assert site_servers.open_waits() == []
"""
    found, printed = of(tmp_path, text, "-n", "0", limit_seconds=300)
    passed = {f"{name} passed" for name in ("test_leaves_a_wait", "test_it_was_let_go", "test_the_next_one")}
    assert found == {*passed, "test_leaves_a_wait error"}, printed
    assert "the test has left behind: wait of 'ann' in world 'left'" in printed


def test_code_that_cannot_be_interrupted_costs_one_worker_and_no_other_test(tmp_path: Path) -> None:
    text = """
import ctypes

def test_hangs():
    ctypes.PyDLL(None).sleep(3600)  # holds the interpreter's lock
"""
    found, printed = of(tmp_path, text, "-n", "1")
    assert found == {"test_hangs failed", "test_the_next_one passed"}, printed
    assert "crashed while running 'test_it.py::test_hangs'" in printed
