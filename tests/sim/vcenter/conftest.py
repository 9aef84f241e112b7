"""A real pyVmomi client, over TLS with verification on, against the simulated vCenters."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

from support.site_pair import SitePair

Connect = Callable[..., Any]
PC = vmodl.query.PropertyCollector


@pytest.fixture
def connect(site_pair: SitePair) -> Iterator[Connect]:
    """``connect(site="source", user=, password=)``: a logged-in service instance."""
    made: list[Any] = []

    def open_session(site: str = "source", user: str | None = None, password: str | None = None) -> Any:
        parts = urlsplit(site_pair.url("vcenter", site))
        login = site_pair.login("vcenter", site)
        path = parts.path.rstrip("/")
        service = SmartConnect(
            host=parts.hostname,
            port=parts.port,
            path=path if path.endswith("/sdk") else f"{path}/sdk",
            user=user or login.username,
            pwd=password or login.password,
            sslContext=ssl.create_default_context(cafile=site_pair.ca_file),
            httpConnectionTimeout=30,
        )
        made.append(service)
        return service

    yield open_session
    for service in made:
        Disconnect(service)


@pytest.fixture
def service(connect: Connect) -> Any:
    """A session at the source."""
    return connect()


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


@pytest.fixture
def client(site_pair: SitePair, service: Any) -> Client:
    """A session at the source with short forms."""
    return Client(site_pair, service)


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """A thread for calls that wait."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield pool
