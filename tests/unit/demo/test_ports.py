"""Ports: chosen free, or set and checked."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from hcx_demo.errors import DemoError
from hcx_demo.stack import ports
from hcx_demo.stack.ports import LOOPBACK, choose_port, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield int(server.getsockname()[1])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def test_a_port_that_was_asked_for_is_taken_or_refused_by_name(taken: int) -> None:
    wanted = free_port()
    assert choose_port(wanted) == wanted
    with pytest.raises(DemoError) as caught:
        choose_port(taken)
    assert str(caught.value).startswith(f"port {taken} is in use by process {os.getpid()} (")
    assert str(caught.value).endswith("choose another with PORT=<port>, or leave it out")


def test_the_last_port_is_used_again(taken: int) -> None:
    last = free_port()
    assert choose_port(0, last) == last
    assert choose_port(0, taken) != taken


def test_the_usual_port_is_tried_first_and_its_neighbours_next(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    monkeypatch.setattr(ports, "DEFAULT_UI_PORT", taken)
    assert taken < choose_port(0) <= taken + 20


def test_any_port_will_do_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _: False)
    assert is_free(choose_port(0))
