"""The control API as a client sees it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from support.site_pair import SitePair
from support.waiting import HANG_SECONDS, wait_until


class ControlClient:
    """Calls the control API with its token."""

    def __init__(self, pair: SitePair) -> None:
        control = pair.endpoints["control"]
        self.base = control["url"]
        self.world = f"{self.base}/worlds/{pair.world_id}"
        self.session = pair.http()
        self.session.headers["Authorization"] = f"Bearer {control['token']}"

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(self._url(path), params=query, timeout=HANG_SECONDS)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self.session.post(self._url(path), json=body, timeout=HANG_SECONDS)

    def put(self, path: str, body: Any = None) -> requests.Response:
        return self.session.put(self._url(path), json=body, timeout=HANG_SECONDS)

    def delete(self, path: str) -> requests.Response:
        return self.session.delete(self._url(path), timeout=HANG_SECONDS)

    def hang_up(self, path: str, body: Any, once: Callable[[], object]) -> None:
        """Post, and close the connection as soon as something is the case, without an answer."""
        parts = urlsplit(self._url(path))
        trust = ssl.create_default_context(cafile=str(self.session.verify))
        connection = HTTPSConnection(str(parts.hostname), parts.port, context=trust, timeout=HANG_SECONDS)
        headers = {"Content-Type": "application/json", "Authorization": str(self.session.headers["Authorization"])}
        connection.request("POST", parts.path, json.dumps(body), headers)
        wait_until(once)
        connection.close()

    def _url(self, path: str) -> str:
        return (
            self.base + path
            if path.startswith(("/worlds", "/health", "/snapshots", "/fault-scenarios"))
            else self.world + path
        )


@pytest.fixture
def control(probe_pair: SitePair) -> ControlClient:
    """The control API over a world of probes."""
    return ControlClient(probe_pair)
