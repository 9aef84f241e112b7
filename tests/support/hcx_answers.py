"""Answers of an HCX manager, for a scripted server."""

from __future__ import annotations

from typing import Any

from support.scripted_server import Answer, ScriptedServer

API = "/hybridity/api"
PASSWORD = "Sup3r-geheim"
TOKEN = "aa:bb:cc:dd"
LOGIN = Answer(200, {"success": True, "data": {"endpointInfo": {"uuid": "ep-local"}}}, {"x-hm-authorization": TOKEN})
XML = Answer(
    503,
    "<entry><string>message</string><string>'Trusted root certificates' value should not be empty</string></entry>",
    {"Content-Type": "application/xml"},
)


def on(server: ScriptedServer, method: str, path: str, body: Any, status: int = 200) -> None:
    """Let the server answer a path of the API."""
    server.on(method, f"{API}{path}", Answer(status, body))
