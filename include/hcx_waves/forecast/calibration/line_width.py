"""Estimate the bandwidth of a line from the durations of the transfers that shared it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_PASSES = 48
_NARROWEST, _WIDEST = 1e5, 1e13
_CLOSE = 0.02
_NOTHING = 1e-9


@dataclass(frozen=True)
class Flow:
    """One base sync: instants in seconds, bytes."""

    began: float
    ended: float
    bytes_total: float


@dataclass(frozen=True)
class Link:
    """What transfers tell about their line.

    :param bits_per_second: its width; where it was not what held them up, the least that it can be.
    :param is_bound: whether it was the line that held them up, and not the limits of HCX.
    """

    bits_per_second: float
    is_bound: bool


def width_of(flows: Sequence[Flow], flow_limit: float, total_limit: float) -> Link:
    """Return the width with which the transfers would have ended, on average, when they did.

    :param flows: at least one; those of one mesh in one run.
    :param flow_limit: of each transfer, in bits per second.
    :param total_limit: of all together, whatever the line carries, in bits per second.
    """
    seen = sum(flow.ended for flow in flows) / len(flows)
    start = min(flow.began for flow in flows)
    free = _mean_end(flows, flow_limit, total_limit)
    if seen - start <= (free - start) * (1 + _CLOSE):
        busy = sum(flow.bytes_total for flow in flows) * 8 / max(_NOTHING, max(flow.ended for flow in flows) - start)
        return Link(min(busy, total_limit), is_bound=False)
    low, high = _NARROWEST, min(_WIDEST, total_limit)
    for _ in range(_PASSES):
        middle = (low * high) ** 0.5
        if _mean_end(flows, flow_limit, min(middle, total_limit)) > seen:
            low = middle
        else:
            high = middle
    return Link((low * high) ** 0.5, is_bound=True)


def _mean_end(flows: Sequence[Flow], flow_limit: float, width: float) -> float:
    """Return when transfers end on average that share a width evenly, each up to its limit.

    As all have the same share at any time, what each has had of it since it began is all that counts: a transfer
    ends when the common share has grown by its bytes.
    """
    coming = sorted(flows, key=lambda flow: flow.began)
    now, share, place, total = coming[0].began, 0.0, 0, 0.0
    running: list[float] = []  # the common share at which each will have ended
    while place < len(coming) or running:
        rate = min(flow_limit, width / len(running)) / 8 if running else 0.0
        next_end = now + (min(running) - share) / rate if running else float("inf")
        next_begin = coming[place].began if place < len(coming) else float("inf")
        if next_begin <= next_end:
            share += rate * (next_begin - now)
            now = next_begin
            running.append(share + coming[place].bytes_total)
            place += 1
        else:
            share, now = min(running), next_end
            running.remove(share)
            total += now
    return total / len(coming)
