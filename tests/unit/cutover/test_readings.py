"""What a gateway's reading means for the guard against two gateways."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.nsx import NsxSegment, SegmentState
from hcx_waves.cutover.errors import TwoGatewaysError
from hcx_waves.cutover.guards import require_no_second_gateway
from hcx_waves.cutover.source import GatewayReading, GatewayState, reading_of

ON, OFF, UNKNOWN = GatewayState.CONNECTED, GatewayState.DISCONNECTED, GatewayState.UNKNOWN


class Nsx:
    """Answers a segment's realisation with one word."""

    def __init__(self, word: str) -> None:
        self.word = word

    def segment_state(self, _path: str) -> SegmentState:
        return SegmentState.of_wire({"state": self.word})


def read(word: str, **body: Any) -> GatewayReading:
    segment = NsxSegment.of_wire({"id": "s", "path": "/infra/segments/s", **body})
    return reading_of(Nsx(word), segment)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "off", "may_serve"),
    [
        ("success", True, False),
        ("SUCCESS", True, False),
        ("pending", False, True),
        ("in_progress", False, True),
        ("partial_success", False, True),
        ("failed", False, True),
        ("error", False, True),
        ("unknown", False, False),
        ("NOT_AVAILABLE", False, False),
        ("a new word", False, False),
    ],
)
def test_disconnected_segment(word: str, off: bool, may_serve: bool) -> None:
    reading = read(word, advanced_config={"connectivity": "OFF"})
    assert (reading.state, reading.is_off, reading.may_serve) == (OFF, off, may_serve)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({}, ON),
        ({"type": "ROUTED"}, ON),
        ({"type": "ROUTED", "advanced_config": {"connectivity": "OFF"}}, OFF),
        ({"type": "DISCONNECTED"}, OFF),
        ({"type": "DISCONNECTED", "advanced_config": {"connectivity": "ON"}}, OFF),
    ],
)
def test_type_or_connectivity_proves_that_it_is_off(body: dict[str, Any], state: GatewayState) -> None:
    reading = read("success", **body)
    assert reading.state is state
    assert reading.is_on is (state is ON)


@pytest.mark.parametrize(
    ("source", "destination", "refused"),
    [(ON, OFF, False), (OFF, ON, False), (OFF, OFF, False), (ON, ON, True), (UNKNOWN, ON, True), (ON, UNKNOWN, True)],
)
def test_guard(source: GatewayState, destination: GatewayState, refused: bool) -> None:
    readings = GatewayReading(state=source, evidence="here"), GatewayReading(state=destination, evidence="there")
    if not refused:
        require_no_second_gateway(*readings, "app")
        return
    with pytest.raises(TwoGatewaysError, match="both gateways of segment 'app' are on, or may be") as both:
        require_no_second_gateway(*readings, "app")
    assert (both.value.details["source"], both.value.details["destination"]) == ("here", "there")


def test_gateway_that_is_being_switched_off_counts_as_on() -> None:
    going = GatewayReading(state=OFF, settled=False, pending=True)
    with pytest.raises(TwoGatewaysError):
        require_no_second_gateway(going, GatewayReading(state=ON), "app")
