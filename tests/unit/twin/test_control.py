"""The client of the control API: what it asks, and errors that say what to do and never the token."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ClientError,
    ConflictError,
    MalformedResponse,
    NotFound,
    TlsError,
    ValidationFailed,
)
from hcx_waves.twin.control import TwinControl
from hcx_waves.twin.models import NewWorld
from support.scripted_server import Answer, FakeTime, running_server
from support.site_pair import SitePair
from support.twins import twin_control

START = "2026-11-24T12:00:00+00:00"


@pytest.fixture
def control(site_server: Any) -> Iterator[TwinControl]:
    with twin_control(site_server.default()) as client:
        yield client


@pytest.fixture
def world(control: TwinControl) -> Iterator[str]:
    made = NewWorld(world_id="rh-unit", scenario="seed", seed=5, clock={"mode": "stepped", "start": START})
    facts = control.create_world(made)
    assert (facts.role, facts.guarded, facts.seed, facts.clock.mode) == ("twin", True, 5, "stepped")
    assert facts.clock.now == datetime(2026, 11, 24, 12, tzinfo=UTC)
    yield "rh-unit"
    control.delete_world("rh-unit")


def test_worlds_come_and_go(control: TwinControl, world: str) -> None:
    assert world in {one.world_id for one in control.worlds()}
    with pytest.raises(ConflictError, match="exists already"):
        control.create_world(NewWorld(world_id=world, scenario="seed"))
    assert control.delete_world(world) is True
    assert control.delete_world(world) is False
    with pytest.raises(NotFound) as caught:
        control.world(world)
    assert "Clear the rehearsal from open_twin on" in caught.value.hint


def test_what_a_world_knows(control: TwinControl, world: str) -> None:
    assert control.clock(world).now == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert control.annotation(world, "upstream") is None
    control.annotate(world, "upstream", {"b": ["a"]})
    assert control.annotation(world, "upstream") == {"b": ["a"]}
    with pytest.raises(NotFound):
        control.annotation("rh-other", "upstream")
    assert set(control.endpoints(world)) >= {"source", "destination", "vmc"}
    assert control.oracle(world)["segments"]
    assert control.audit(world, kind="call") == []
    assert control.timeline(world) is not None


def test_who_takes_part(control: TwinControl, world: str) -> None:
    control.register(world, "cutover_net.approve_cutover")
    until = datetime(2026, 11, 24, 13, tzinfo=UTC)
    woken = control.wait(world, "cutover_net.approve_cutover", until)
    assert (woken.reached, woken.epoch is None) == (False, False)
    assert control.settle(world, int(woken.epoch or 0), ["cutover_net.approve_cutover"]) == ()
    assert control.waiters(world).settled is True
    assert control.wait(world, "cutover_net.approve_cutover", until).now == until
    control.leave(world, "cutover_net.approve_cutover")
    assert control.waiters(world).registered == ()
    with pytest.raises(ConflictError, match="allow this"):
        control.settle(world, 0, [])


def test_routers_of_a_twin(site_server: Any) -> None:
    pair = site_server.make_world(scenario="physical", mode="stepped", role="twin")
    with twin_control(pair) as control:
        (gateway,) = [one for one in control.gateways(pair.world_id) if one["site"] == "source"][:1]
        control.set_gateway(pair.world_id, gateway["network"], "source", connected=False)
        (after,) = [one for one in control.gateways(pair.world_id) if one["network"] == gateway["network"]]
        assert (gateway["connected"], after["connected"]) == (True, False)
    site_server.drop(pair)


def test_errors_name_system_call_and_what_to_do(site_server: Any) -> None:
    endpoints = site_server.default().endpoints
    trust = Path(str(endpoints["ca_file"]))
    from hcx_waves.clients.tls import TlsSettings

    wrong = TwinControl(endpoints["control"]["url"], "wrong-token-4711", tls=TlsSettings(ca_file=trust))
    with pytest.raises(AuthenticationFailed) as refused:
        wrong.worlds()
    assert str(refused.value).startswith(f"twin GET /worlds at {endpoints['control']['url']} (HTTP 401): ")
    assert "vendor says: the control API needs its token" in str(refused.value)
    assert "4711" not in str(refused.value) + repr(refused.value) + repr(wrong) + repr(wrong._transport)
    with pytest.raises(TlsError):
        TwinControl(endpoints["control"]["url"], "t").worlds()


def test_what_cannot_be_made_is_said(control: TwinControl) -> None:
    with pytest.raises(ValidationFailed) as caught:
        control.create_world(NewWorld(world_id="rh-bad", scenario="no-such-scenario"))
    assert "no shipped scenario" in str(caught.value)
    assert "rh-bad" not in {one.world_id for one in control.worlds()}


@pytest.mark.parametrize("body", [{"clock": 1}, [1], {"mode": "stepped", "now": "yesterday"}])
def test_an_answer_of_another_shape(body: Any) -> None:
    with running_server() as server:
        server.on("GET", "/worlds/w/clock", Answer(200, body))
        with pytest.raises(MalformedResponse):
            TwinControl(server.url, "t").clock("w")


def test_an_echoed_token_does_not_get_into_errors() -> None:
    with running_server() as server:
        server.on("GET", "/worlds", Answer(500, {"error": "bad header Bearer token-0815", "hint": "do x"}))
        time = FakeTime()
        with pytest.raises(ClientError) as caught:
            TwinControl(server.url, "token-0815", ambient=time.ambient()).worlds()
    assert "0815" not in str(caught.value)
    assert "do x" in str(caught.value)


def test_a_connection_that_breaks_while_waiting_is_waited_on_again() -> None:
    from support.scripted_server import RESET

    with running_server() as server:
        answer = Answer(200, {"reached": True, "now": START})
        server.on("POST", "/worlds/w/waiters/a/wait", RESET, answer)
        time = FakeTime()
        woken = TwinControl(server.url, "t", ambient=time.ambient()).wait("w", "a", datetime.fromisoformat(START))
    assert woken.reached
    assert [one.body["until"] for one in server.asked("POST")] == [START, START]


def test_the_pair_is_untouched(site_server: Any) -> None:
    pair: SitePair = site_server.make_world(mode="stepped", role="twin", guarded=True)
    with twin_control(pair) as control:
        control.world(pair.world_id)
    assert pair.calls() == []
    site_server.drop(pair)
