"""The control API as a client sees it."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from support.site_pair import SitePair


class ControlClient:
    """Calls the control API with its token."""

    def __init__(self, pair: SitePair) -> None:
        control = pair.endpoints["control"]
        self.base = control["url"]
        self.world = f"{self.base}/worlds/{pair.world_id}"
        self.session = pair.http()
        self.session.headers["Authorization"] = f"Bearer {control['token']}"

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(self._url(path), params=query, timeout=20)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self.session.post(self._url(path), json=body, timeout=20)

    def put(self, path: str, body: Any = None) -> requests.Response:
        return self.session.put(self._url(path), json=body, timeout=20)

    def delete(self, path: str) -> requests.Response:
        return self.session.delete(self._url(path), timeout=20)

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
