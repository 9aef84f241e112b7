"""The console script, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from hcx_sim.scenario import load_scenario
from support.waiting import HANG_SECONDS

_COMMAND = [sys.executable, "-c", "from hcx_sim.cli import main; main()"]


class _Served:
    """A running ``hcx-sim serve``."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.file = folder / "hcx-sim-endpoints.json"
        command = [*_COMMAND, "serve", "--port-base", "0", *arguments]
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        try:
            self.first_line = self.process.stdout.readline()
        except BaseException:
            self.process.kill()  # interrupted: nobody else knows of it yet
            raise

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return document

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=HANG_SECONDS)
        return self.process.returncode, out, err


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., _Served]]:
    running: list[_Served] = []

    def start(*arguments: str) -> _Served:
        running.append(_Served(tmp_path, *arguments))
        return running[-1]

    yield start
    for served in running:
        if served.process.poll() is None:
            served.process.kill()
        served.process.communicate()


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [*_COMMAND, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "200"},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_ready_once_it_answers_and_stops_cleanly(serve: Callable[..., _Served], number: int) -> None:
    served = serve("--speed", "60")

    assert served.first_line.startswith("hcx-sim: ready; endpoints in hcx-sim-endpoints.json")
    document = served.document()
    assert document["speed"] == 60.0
    health = requests.get(f"{document['control']['url']}/health", verify=str(document["ca_file"]), timeout=HANG_SECONDS)
    assert health.json() == {"status": "up", "worlds": ["default"], "twins_only": False}
    code, out, err = served.end(number)
    assert (code, out, err) == (0, "hcx-sim: stopped\n", "")
    assert not served.file.exists()


def test_serve_stops_although_a_long_poll_is_open(serve: Callable[..., _Served]) -> None:
    served = serve("--no-tls", "--clock", "stepped")
    control = served.document()["control"]
    head = {"Authorization": f"Bearer {control['token']}"}
    for name in ("a", "b"):
        requests.post(
            f"{control['url']}/worlds/default/waiters", json={"name": name}, headers=head, timeout=HANG_SECONDS
        )
    host, _, port = control["url"].removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_SECONDS) as sock:
        request = f"POST /worlds/default/waiters/a/wait HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer "
        body = b'{"seconds": 5}'
        head_bytes = f"{request}{control['token']}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        sock.sendall(head_bytes.encode() + b"\r\n\r\n" + body)

        code, _, err = served.end()

    assert (code, err) == (0, "")


def test_a_server_of_twins_holds_no_site_and_so_many_worlds(serve: Callable[..., _Served]) -> None:
    served = serve("--no-tls", "--twins-only", "--max-worlds", "2", "--idle-seconds", "600")
    document = served.document()
    control = document["control"]
    http = requests.Session()
    http.headers["Authorization"] = f"Bearer {control['token']}"
    worlds = f"{control['url']}/worlds"

    default = http.get(f"{worlds}/default", timeout=HANG_SECONDS).json()
    site = http.post(worlds, json={"world_id": "a", "scenario": "seed", "role": "site"}, timeout=HANG_SECONDS)
    twin = http.post(worlds, json={"world_id": "a", "scenario": "seed"}, timeout=HANG_SECONDS)
    more = http.post(worlds, json={"world_id": "b", "scenario": "seed"}, timeout=HANG_SECONDS)

    assert http.get(f"{control['url']}/health", timeout=HANG_SECONDS).json()["twins_only"] is True
    assert (default["identity"], default["clock"]["mode"]) == ("world=default; role=twin", "paused")
    answer = requests.get(document["source"]["hcx"]["url"], timeout=HANG_SECONDS)
    assert answer.headers["X-Hcx-Sim"] == "world=default; role=twin"
    assert (site.status_code, site.json()["error"]) == (403, "this server holds twins only, no world that plays a site")
    assert (twin.status_code, twin.json()["world"]["idle_seconds"]) == (201, 600)
    assert (more.status_code, more.json()["error"]) == (
        429,
        "there are 2 worlds, which is as many as this server holds",
    )
    assert served.end()[0] == 0


def test_a_server_of_twins_cannot_be_told_to_play_a_site(tmp_path: Path) -> None:
    done = _run(tmp_path, "serve", "--port-base", "0", "--twins-only", "--role", "site")

    assert (done.returncode, done.stderr) == (
        2,
        "hcx-sim: this server holds twins only, no world that plays a site\n",
    )


def test_secrets_and_authority_outlive_a_restart_with_a_state_dir(
    serve: Callable[..., _Served], tmp_path: Path
) -> None:
    first = serve("--state-dir", "state")
    before = first.document()
    ca = Path(str(before["ca_file"])).read_bytes()
    first.end()

    again = serve("--state-dir", "state")
    after = again.document()

    assert after["control"]["token"] == before["control"]["token"]
    assert after["source"]["hcx"]["password"] == before["source"]["hcx"]["password"]
    assert Path(str(after["ca_file"])).read_bytes() == ca
    other = serve()
    assert other.document()["control"]["token"] != before["control"]["token"]


def test_printed_endpoints_are_nothing_but_json_on_standard_output(serve: Callable[..., _Served]) -> None:
    served = serve("--endpoints-file", "-", "--no-tls", "--role", "twin")
    assert served.process.stderr is not None

    assert served.process.stderr.readline().startswith("hcx-sim: ready; control API at http://127.0.0.1:")
    assert served.process.stdout is not None
    rest = "".join(iter(served.process.stdout.readline, "}\n"))
    code, more, err = served.end()

    assert (code, more, err) == (0, "", "hcx-sim: stopped\n")
    assert json.loads(served.first_line + rest + "}")["ca_file"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scenario", "nothing"), "hcx-sim: nothing: no such file, and no shipped scenario of that name"),
        (("--role", "king"), "hcx-sim: a world plays a site or a twin, not 'king'"),
        (("--speed", "0"), "hcx-sim: speed must be greater than 0, not 0.0"),
        (("--endpoints-file", "missing/folder.json"), "hcx-sim: [Errno 2] No such file or directory"),
        (("--host", "203.0.113.7"), "hcx-sim: source hcx: cannot listen on 203.0.113.7 port 0: "),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = _run(tmp_path, "serve", "--port-base", "0", *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_generate_is_repeatable_and_loads(tmp_path: Path) -> None:
    size = ("--vms", "12", "--segments", "3", "--meshes", "2", "--seed", "5")
    printed = _run(tmp_path, "generate", *size)
    _run(tmp_path, "generate", *size, "--out", "made.yaml")

    assert printed.returncode == 0
    assert (tmp_path / "made.yaml").read_text(encoding="utf-8") == printed.stdout
    scenario = load_scenario(yaml.safe_load(printed.stdout))
    assert (len(scenario.vms), len(scenario.networks), len(scenario.meshes), scenario.seed) == (12, 3, 2, 5)


def test_scenarios_lists_what_ships(tmp_path: Path) -> None:
    done = _run(tmp_path, "scenarios")

    assert done.returncode == 0
    assert {"seed", "three-tier", "physical"} <= {line.split()[0] for line in done.stdout.splitlines()}
