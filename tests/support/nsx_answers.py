"""Answers of an NSX Policy manager, for a scripted server."""

from __future__ import annotations

from typing import Any

from support.scripted_server import Answer, ScriptedServer

P = "/policy/api/v1"
FIXED_PATH = "/infra/tier-1s/cgw/segments/app-net"
FLEX_PATH = "/infra/segments/db-net"
FIXED = {
    "type": "ROUTED",
    "subnets": [{"gateway_address": "10.1.1.1/24", "dhcp_ranges": ["10.1.1.50-10.1.1.99"], "network": "10.1.1.0/24"}],
    "connectivity_path": "/infra/tier-1s/cgw",
    "advanced_config": {"local_egress": False, "hybrid": False, "connectivity": "ON"},
    "resource_type": "Segment",
    "id": "app-net",
    "display_name": "app-net",
    "path": FIXED_PATH,
    "_revision": 3,
}
FLEX = {
    "id": "db-net",
    "display_name": "db-net",
    "path": FLEX_PATH,
    "type": "DISCONNECTED",
    "connectivity_path": "/infra/tier-1s/t1",
    "advanced_config": {"connectivity": "OFF"},
    "subnets": [{"gateway_address": "10.2.1.1/24"}],
    "_revision": 0,
}


def on(server: ScriptedServer, path: str, body: Any, status: int = 200, method: str = "GET") -> None:
    """Let the server answer a path of the policy API."""
    server.on(method, P + path, Answer(status, body))


def refusal(code: int, message: str = "no", related: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return an error body of NSX."""
    body: dict[str, Any] = {
        "httpStatus": "BAD_REQUEST",
        "error_code": code,
        "module_name": "policy",
        "error_message": message,
    }
    return body if related is None else {**body, "related_errors": related}
