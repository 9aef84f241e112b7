"""The cutovers of a wave's segments in all nights at once: they follow the migrations and run side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hcx_waves.forecast.model.draws import Draws, Flags
from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.inputs import ForecastInput, ForecastSegment
from hcx_waves.forecast.model.layout import Layout
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.forecast.model.records import QUEUED, UNKNOWN, WAITING, VmTimes
from hcx_waves.forecast.model.releases import Releases
from hcx_waves.model.choices import Disconnect


@dataclass(frozen=True)
class SegmentTimes:
    """Instants in seconds since the forecast's start, shape (nights, segments); not a number where it never came."""

    asked: Numbers
    """When the approval of the cutover was asked for."""
    begun: Numbers
    """When the source gateway was told to let go: the outage begins."""
    routed: Numbers
    """When the destination routes the segment: the outage ends."""
    ended: Numbers
    """When that has been proven."""
    blocked: Flags
    """A VM of it was left behind."""
    late: Flags
    """Its window had closed before the cutover could begin."""

    @property
    def outage_seconds(self) -> Numbers:
        """How long nobody was its gateway."""
        return self.routed - self.begun

    @property
    def cut(self) -> Flags:
        """Which segments were cut over."""
        return np.isfinite(self.routed)


def cut_over(
    subject: ForecastInput,
    layout: Layout,
    parameters: ModelParameters,
    draws: Draws,
    times: VmTimes,
    releases: Releases,
) -> SegmentTimes:
    """Return what becomes of the segments when the migrations have gone as ``times`` says."""
    procedure = _Procedure(subject, parameters, draws)
    done, blocked = _members(subject, layout, times)
    if parameters.orchestrator.cutover_follows == "wave" or not done.size:
        done = np.tile(migrations_end(times)[:, np.newaxis], (1, done.shape[1]))
    seen = np.stack([releases.seen(np.arange(len(done)), column) for column in done.T], axis=1) if done.size else done
    approved = procedure.approved(seen)
    begun = np.maximum(approved, procedure.opens)
    late = ~blocked & ~(begun < procedure.closes)
    begun = np.where(blocked | late, UNKNOWN, begun)
    routed = procedure.routed(begun)
    ended = routed + parameters.orchestrator.outage_poll_seconds + parameters.orchestrator.step_seconds
    already = np.array([segment.cut_already for segment in subject.segments], dtype=np.bool_)
    begun, routed, ended = (np.where(already, 0.0, values) for values in (begun, routed, ended))
    asked = np.where(blocked, UNKNOWN, seen)
    return SegmentTimes(asked, begun, routed, ended, blocked & ~already, late & ~already)


def migrations_end(times: VmTimes) -> Numbers:
    """Return when no VM moves any more, shape (nights,); not a number where some are held for ever."""
    held = np.isin(times.stage, (WAITING, QUEUED)) & times.occupied
    return np.where(held.any(axis=1), UNKNOWN, times.last_instant)


def _members(subject: ForecastInput, layout: Layout, times: VmTimes) -> tuple[Numbers, Flags]:
    """Return when the last VM of each segment had moved, and which segments a VM that stayed blocks."""
    done, blocked = [], []
    for segment in subject.segments:
        columns = [layout.columns[vm.name] for vm in subject.vms if segment.name in vm.segments]
        done.append(times.ended[:, columns].max(axis=1, initial=0.0))
        blocked.append(~times.arrived[:, columns].all(axis=1))
    nights = len(times.submitted)
    if not done:
        return np.empty((nights, 0)), np.empty((nights, 0), dtype=np.bool_)
    return np.stack(done, axis=1), np.stack(blocked, axis=1)


class _Procedure:
    """The steps of all segments; arrays of shape (nights, segments)."""

    def __init__(self, subject: ForecastInput, parameters: ModelParameters, draws: Draws) -> None:
        self._parameters, self._draws = parameters, draws
        self._means = [segment.disconnect for segment in subject.segments]
        self.opens = np.array([_edge(subject, segment, opens=True) for segment in subject.segments])
        self.closes = np.array([_edge(subject, segment, opens=False) for segment in subject.segments])

    def approved(self, seen: Numbers) -> Numbers:
        """Return when the cutovers are approved of which the last VM has been seen to arrive."""
        orchestrator, draws = self._parameters.orchestrator, self._draws
        asked = seen + orchestrator.verify_seconds + orchestrator.step_seconds
        approved = asked + draws.approve_cutover + orchestrator.step_seconds
        by_hand = np.array([means is Disconnect.MANUAL for means in self._means], dtype=np.bool_)
        return np.where(by_hand, approved + draws.confirm_disconnected + orchestrator.step_seconds, approved)

    def routed(self, begun: Numbers) -> Numbers:
        """Return when the destination routes what the source let go of."""
        draws, realisation = self._draws, self._parameters.network.realisation_seconds
        by_hook = np.array([means is Disconnect.HOOK for means in self._means], dtype=np.bool_)
        off = np.where(by_hook, draws.hook, realisation)
        unextended = begun + off + self._parameters.orchestrator.step_in_outage_seconds + draws.unextend
        return np.where(draws.unextend_fails, UNKNOWN, unextended + realisation)


def _edge(subject: ForecastInput, segment: ForecastSegment, *, opens: bool) -> float:
    """Return when a segment's window opens or closes, in seconds since the forecast's start."""
    if segment.window is None:
        return -np.inf if opens else np.inf
    edge = segment.window.opens if opens else segment.window.closes
    return (edge - subject.starts_at).total_seconds()
