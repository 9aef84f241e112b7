"""NSX managers as tests of the simulator's wire see them: bare HTTP, no client of ours in between."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from hcx_sim.world.model import SiteName
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS

POLICY = "/policy/api/v1"
FIXED = "/infra/tier-1s/cgw/segments"
FLEXIBLE = "/infra/segments"


def world_of(*, source: str = "vmc", destination: str = "vmc", **nsx_settings: Any) -> pytest.MarkDecorator:
    """Return the marker of a world with two VMs on ``app-net`` (stretched), one on ``db-net``, and ``spare-net``.

    ``app-net`` and ``spare-net`` are of the site's default kind, ``flex-net`` is flexible; ``spare-net`` and
    ``flex-net`` have no VM. ``source`` and ``destination`` are ``vmc`` or ``onprem``; the rest are NSX settings.
    """
    document = {
        "name": "nsx-wire",
        "sites": {"source": {"nsx": source}, "destination": {"nsx": destination}},
        "settings": {"nsx": nsx_settings},
        "networks": [
            {"name": "app-net", "subnet": "10.1.1.0/24", "stretched": True, "dhcp_ranges": ["10.1.1.100-10.1.1.120"]},
            {"name": "db-net", "subnet": "10.1.2.0/24"},
            {"name": "spare-net", "subnet": "10.1.3.0/24"},
            {"name": "flex-net", "subnet": "10.1.4.0/24", "kind": "flexible"},
        ],
        "vms": [
            {"name": "app01", "nics": [{"network": "app-net", "ips": ["10.1.1.11"]}]},
            {"name": "app02", "nics": [{"network": "app-net", "ips": ["10.1.1.12"]}], "power": "poweredOff"},
            {"name": "db01", "nics": [{"network": "db-net", "ips": ["10.1.2.11"]}]},
        ],
    }
    return pytest.mark.world(scenario=document)


class Manager:
    """One manager with a log-in; paths are policy paths unless they start with ``/api``."""

    def __init__(self, pair: SitePair, site: SiteName | str) -> None:
        self.pair = pair
        self.site = SiteName(site)
        login = pair.login("nsx", self.site)
        self.http = pair.http()
        self.http.auth = (login.username, login.password)
        self.base = pair.url("nsx", self.site)

    def url(self, path: str) -> str:
        return self.base + (path if path.startswith("/api") else POLICY + path)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.http.request(method, self.url(path), timeout=HANG_SECONDS, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def read(self, path: str, **params: Any) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def patch(self, path: str, body: Any, **params: Any) -> requests.Response:
        return self.call("PATCH", path, json=body, params=params)

    def put(self, path: str, body: Any, **params: Any) -> requests.Response:
        return self.call("PUT", path, json=body, params=params)

    def delete(self, path: str, **params: Any) -> requests.Response:
        return self.call("DELETE", path, params=params)

    def ids(self, path: str, **params: Any) -> list[str]:
        return [each["id"] for each in self.read(path, **params)["results"]]


def connectivity_patch(body: dict[str, Any], connectivity: str) -> dict[str, Any]:
    """Return the PATCH body that works: what was read, with another connectivity and without ``type``."""
    patch = {name: body[name] for name in ("resource_type", "id", "display_name", "connectivity_path", "subnets")}
    return {**patch, "advanced_config": {**body["advanced_config"], "connectivity": connectivity}}


def refused(answer: requests.Response, status: int, code: int | None = None) -> dict[str, Any]:
    """Assert a refusal in the vendor's shape and return its body."""
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status, answer.text
    assert {"httpStatus", "error_code", "module_name", "error_message"} <= set(body), body
    if code is not None:
        assert body["error_code"] == code, body
    return body


def related(body: dict[str, Any]) -> str:
    """Return the messages of the related errors as one text."""
    return " | ".join(error["error_message"] for error in body["related_errors"])
