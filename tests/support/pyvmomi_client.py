"""Unmodified pyVmomi, over TLS with verification on, against the simulated vCenters."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

from pyVim.connect import SmartConnect
from pyVmomi import vim, vmodl

from support.site_pair import SitePair

PC = vmodl.query.PropertyCollector


def log_in(pair: SitePair, site: str = "source", user: str | None = None, password: str | None = None) -> Any:
    """Log in at a vCenter and return the service instance; whoever calls this disconnects it."""
    parts = urlsplit(pair.url("vcenter", site))
    login = pair.login("vcenter", site)
    path = parts.path.rstrip("/")
    return SmartConnect(
        host=parts.hostname,
        port=parts.port,
        path=path if path.endswith("/sdk") else f"{path}/sdk",
        user=user or login.username,
        pwd=password or login.password,
        sslContext=ssl.create_default_context(cafile=pair.ca_file),
        httpConnectionTimeout=30,
    )


class Client:
    """Short forms of what the tests do over and over."""

    def __init__(self, pair: SitePair, service: Any) -> None:
        self.pair = pair
        self.service = service
        self.content = service.content
        self.collector = self.content.propertyCollector

    def view(self, *types: Any, container: Any = None, recursive: bool = True) -> Any:
        root = container or self.content.rootFolder
        return self.content.viewManager.CreateContainerView(root, list(types), recursive)

    def vm(self, name: str) -> Any:
        return vim.VirtualMachine(self.pair.vm(name).moref, self.service._stub)

    def named(self, kind: Any, name: str) -> Any:
        return next(each for each in self.view(kind).view if each.name == name)

    def spec(self, view: Any, kind: Any, *paths: str) -> Any:
        walk = PC.TraversalSpec(name="view", type=type(view), path="view", skip=False)
        return PC.FilterSpec(
            objectSet=[PC.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
            propSet=[PC.PropertySpec(type=kind, pathSet=list(paths))],
        )

    def spec_of(self, target: Any, *paths: str) -> Any:
        return PC.FilterSpec(
            objectSet=[PC.ObjectSpec(obj=target)], propSet=[PC.PropertySpec(type=type(target), pathSet=list(paths))]
        )

    def read(self, target: Any, *paths: str) -> dict[str, Any]:
        """Read leaf paths of one object; absent is absent."""
        result = self.collector.RetrievePropertiesEx([self.spec_of(target, *paths)], PC.RetrieveOptions())
        assert len(result.objects) == 1
        return {each.name: each.val for each in result.objects[0].propSet}

    def read_all(self, spec: Any, page_size: int | None = None) -> list[Any]:
        """Read everything a spec selects, following the tokens."""
        result = self.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=page_size))
        objects = []
        while result is not None:
            objects += result.objects
            result = self.collector.ContinueRetrievePropertiesEx(result.token) if result.token else None
        return objects

    def settle(self, task: Any) -> dict[str, Any]:
        """Let a task end in virtual time and return its leaves."""
        self.pair.run_until_idle(limit_seconds=120)
        return self.read(task, "info.state", "info.error", "info.result", "info.progress")

    def succeed(self, task: Any) -> Any:
        """Let a task end; it must have succeeded."""
        info = self.settle(task)
        assert info["info.state"] == "success", info
        return info.get("info.result")

    def fail(self, task: Any) -> Any:
        """Let a task end; it must have failed. Returns the typed fault."""
        info = self.settle(task)
        assert info["info.state"] == "error", info
        return info["info.error"]
