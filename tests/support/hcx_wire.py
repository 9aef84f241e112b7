"""Talking to a simulated HCX manager over its socket, without any client of the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from hcx_sim.world.model import SiteName
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS

API = "/hybridity/api"
TOKEN = "x-hm-authorization"
ACCEPT = {"Accept": "application/json", "Content-Type": "application/json"}


class Manager:
    """One manager with a session of its own; :meth:`call` returns answers as they came."""

    def __init__(self, pair: SitePair, site: SiteName | str = SiteName.SOURCE, *, log_in: bool = True) -> None:
        self.pair = pair
        self.site = SiteName(site)
        self.http = pair.http()
        self.http.headers.update(ACCEPT)
        if log_in:
            self.log_in()

    def log_in(self, **changes: Any) -> requests.Response:
        login = self.pair.login("hcx", self.site)
        answer = self.call("POST", "/sessions", {"username": login.username, "password": login.password, **changes})
        if TOKEN in answer.headers:
            self.http.headers[TOKEN] = answer.headers[TOKEN]
        return answer

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Send a request; ``body`` is JSON, or text that is sent as it is."""
        if isinstance(body, str):
            options["data"] = body.encode()
        elif body is not None:
            options["json"] = body
        return self.http.request(
            method, f"{self.pair.url('hcx', self.site)}{API}{path}", timeout=HANG_SECONDS, **options
        )

    def get(self, path: str, **query: Any) -> Any:
        """GET that must succeed; returns the JSON."""
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """POST that must be answered with ``status``; returns the JSON."""
        answer = self.call("POST", path, {} if body is None else body)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def inventory(self, path: str, body: Any = None) -> list[dict[str, Any]]:
        """Items of an inventory query."""
        items: list[dict[str, Any]] = self.post(f"/service/inventory/{path}", body)["data"]["items"]
        return items

    def extensions(self) -> list[dict[str, Any]]:
        """The listed network extensions."""
        items: list[dict[str, Any]] = self.get("/l2Extensions")["items"]
        return items

    def job(self, job_id: str) -> dict[str, Any]:
        """A job."""
        job: dict[str, Any] = self.get(f"/jobs/{job_id}")
        return job


def scenario(hcx: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A small scenario document: two sites, one mesh, the stretched segment ``net-a`` with VMs ``vm1`` and ``vm2``.

    ``hcx`` are HCX switches; ``changes`` replace whole members of the document.
    """
    fixed = {"kind": "fixed", "seconds": 60}
    settings = {"extend_seconds": fixed, "unextend_seconds": {"kind": "fixed", "seconds": 100}, **(hcx or {})}
    document = {
        "name": "hcx-test",
        "settings": {"hcx": settings},
        "meshes": [{"name": "mesh-1", "link_mbps": 800}],
        "networks": [
            {"name": "net-a", "subnet": "10.1.1.0/24", "stretched": True, "destination_name": "L2E_net-a"},
            {"name": "net-b", "subnet": "10.1.2.0/24"},
        ],
        "vms": [
            {"name": "vm1", "nics": [{"network": "net-a", "ips": ["10.1.1.11"]}]},
            {"name": "vm2", "nics": [{"network": "net-b", "ips": ["10.1.2.12"]}]},
        ],
    }
    return {**document, **changes}


def error_of(answer: requests.Response) -> tuple[int, str, str]:
    """Status, code and message of a newer-style error."""
    entry = answer.json()["errors"][0]
    return answer.status_code, entry["code"], entry["message"]
