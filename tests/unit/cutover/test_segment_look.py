"""What one look at a segment says about an outage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hcx_waves.cutover.gateway import SegmentLook, Situation
from hcx_waves.cutover.source import GatewayReading, GatewayState

AT = datetime(2026, 10, 24, 20, tzinfo=UTC)
OFF = GatewayReading(state=GatewayState.DISCONNECTED)
STORED_OFF = GatewayReading(state=GatewayState.DISCONNECTED, settled=False, pending=True)
ON = GatewayReading(state=GatewayState.CONNECTED)


@pytest.mark.parametrize(
    ("source", "destination", "shows"), [(OFF, OFF, True), (STORED_OFF, OFF, False), (OFF, ON, False), (ON, OFF, False)]
)
def test_an_outage_is_shown_by_gateways_that_are_off_in_effect(
    source: GatewayReading, destination: GatewayReading, shows: bool
) -> None:
    look = SegmentLook(at=AT, answered_at=AT, situation=Situation.RECONNECTABLE, source=source, destination=destination)
    assert look.shows_outage is shows
