"""How many requests a manager takes: per second and at once per client, and at once overall. [D nsx-vsphere 2.7]

The client is the user name, the address where there is none. Time is wall time, because the limits protect the
manager from real programs; on a stepped clock, where runs must repeat, there are none.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hcx_sim.engine.clock import ClockMode
from hcx_sim.http.context import Call
from hcx_sim.nsx.errors import TOO_MANY, NsxError
from hcx_sim.nsx.records import records_of

_WINDOW_SECONDS = 1.0


@dataclass(slots=True)
class SiteLimits:
    """What one manager has seen lately: instants of requests per client, and the calls it is serving."""

    arrivals: dict[str, deque[float]] = field(default_factory=dict)
    serving: dict[str, str] = field(default_factory=dict)  # call id -> client


def limits_of(call: Call) -> SiteLimits:
    """Return the counters of the manager that a call goes to."""
    counters: dict[str, SiteLimits] = records_of(call.world).limits
    return counters.setdefault(call.here.value, SiteLimits())


@contextmanager
def occupy(call: Call) -> Iterator[None]:
    """Count a call as being served until its answer is on the wire."""
    serving = limits_of(call).serving
    serving[call.call_id] = call.client
    try:
        yield
    finally:
        serving.pop(call.call_id, None)


def admit(call: Call) -> None:
    """Let a call in; raises 429 (rate or concurrency of its client) or 503 (concurrency overall)."""
    if call.world.clock.mode is ClockMode.STEPPED:
        return
    refusal = _refusal(call)
    if refusal is not None:
        status, code, message = refusal
        settings = call.world.settings.nsx
        raise NsxError(
            status,
            code,
            message,
            module="common-services",
            retry_after_seconds=settings.retry_after_seconds,
            plain=settings.plain_text_limits,
        )


def _refusal(call: Call) -> tuple[int, int, str] | None:
    settings = call.world.settings.nsx
    limits = limits_of(call)
    client = call.user or call.client
    limits.serving[call.call_id] = client
    overall, own, rate = settings.concurrent_overall, settings.concurrent_per_client, settings.requests_per_second
    if overall is not None and len(limits.serving) > overall:
        return 503, 503, "The server is overloaded: too many requests at once."
    if own is not None and sum(each == client for each in limits.serving.values()) > own:
        return 429, TOO_MANY, f"Client '{client}' exceeded the limit of {own} concurrent requests."
    if rate is not None and not _within_rate(limits, client, rate):
        return 429, TOO_MANY, f"Client '{client}' exceeded request rate of {rate} per second."
    return None


def _within_rate(limits: SiteLimits, client: str, rate: int) -> bool:
    now = time.monotonic()
    arrivals = limits.arrivals.setdefault(client, deque())
    while arrivals and arrivals[0] <= now - _WINDOW_SECONDS:
        arrivals.popleft()
    if len(arrivals) >= rate:
        return False
    arrivals.append(now)
    return True
