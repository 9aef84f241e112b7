"""The simulated site pair as a process, and its control API."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from hcx_demo.errors import DemoError
from hcx_demo.stack.processes import Command, ManagedProcess, wait_until
from hcx_waves.clients.tls import TlsAdapter, TlsSettings

_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_WORLD = "default"


class ControlApi:
    """The control API of the simulator: its clock and its oracle.

    :param endpoints: the endpoints document.
    """

    def __init__(self, endpoints: Mapping[str, Any]) -> None:
        control = endpoints["control"]
        self._base_url = str(control["url"])
        self._session = requests.Session()
        self._session.trust_env = False
        ca_file = endpoints.get("ca_file")
        adapter: HTTPAdapter = TlsAdapter(TlsSettings(ca_file=Path(ca_file))) if ca_file else HTTPAdapter()
        self._session.mount(self._base_url, adapter)
        self._session.headers["Authorization"] = f"Bearer {control['token']}"

    def now(self) -> datetime:
        """Return the virtual time of the sites."""
        return datetime.fromisoformat(self._call("GET", "/clock")["now"])

    def oracle(self) -> dict[str, Any]:
        """Return what really happened to each VM and segment."""
        return self._call("GET", "/oracle")

    def reset(self, faults: Sequence[Mapping[str, Any]] = ()) -> None:
        """Reset the sites to their initial state.

        :param faults: fault scenarios that are in force from then on.
        :raises DemoError: if the simulator does not answer, or does not know one of them.
        """
        self._call("POST", "/reset", {"faults": list(faults)})

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        url = f"{self._base_url}/worlds/{_WORLD}{path}"
        try:
            reply = self._session.request(method, url, json=body, timeout=_ANSWER_SECONDS)
            reply.raise_for_status()
            found: dict[str, Any] = reply.json() if reply.content else {}
        except (requests.RequestException, ValueError) as error:
            raise DemoError(f"the simulator's control API does not answer {method} {path}: {error}") from error
        return found


@dataclass(frozen=True)
class SimulatorOptions:
    """What a simulator serves.

    :param speed: virtual seconds per real second.
    :param port_base: the first of its nine ports; 0 chooses free ones.
    :param twins_only: serve no site, only the twins that rehearsals create.
    """

    scenario: str = "seed"
    speed: float = 20.0
    port_base: int = 0
    twins_only: bool = False


class Simulator:
    """``hcx-sim serve`` as a process, with its endpoints document in a folder of the state folder.

    :param name: for messages.
    :param folder: for its certificates and logins.
    :param log_file: for its output.
    """

    def __init__(
        self, name: str, folder: Path, log_file: Path, environment: dict[str, str], options: SimulatorOptions
    ) -> None:
        self.endpoints_file = folder / "endpoints.json"
        self._name = name
        arguments_by_name = {
            "--scenario": options.scenario,
            "--speed": str(options.speed),
            "--port-base": str(options.port_base),
            "--endpoints-file": str(self.endpoints_file),
            "--state-dir": str(folder),
        }
        arguments = [sys.executable, "-m", "hcx_sim", "serve"]
        for option, value in arguments_by_name.items():
            arguments += [option, value]
        if options.twins_only:
            arguments.append("--twins-only")
        self._command = Command(name, arguments, environment, log_file)
        self._process: ManagedProcess | None = None

    def begin(self) -> None:
        """Start it; do not wait until it is ready."""
        self.endpoints_file.parent.mkdir(mode=0o700, exist_ok=True)
        # The document of an earlier demo must not be mistaken for the new one.
        self.endpoints_file.unlink(missing_ok=True)
        self._process = ManagedProcess(self._command)

    def wait(self) -> dict[str, Any]:
        """Wait until every port answers; return the endpoints document, which holds secrets.

        :raises DemoError: if it ends by itself, for example because a port is in use.
        """
        if self._process is None:
            raise DemoError(f"{self._name}: not started")
        document: dict[str, Any] = wait_until(self._name, self._document, self._process, _START_SECONDS)
        return document

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def check(self) -> None:
        """Raise :class:`DemoError` if it has ended by itself."""
        if self._process is not None:
            self._process.check()

    def _document(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self.endpoints_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None
