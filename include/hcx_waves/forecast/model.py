"""The forecast of a wave: many nights are played, and what they have in common is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hcx_waves.forecast import summary
from hcx_waves.forecast.inputs import ForecastInput
from hcx_waves.forecast.nights import Nights, simulate
from hcx_waves.forecast.parameter_files import parameters_digest
from hcx_waves.forecast.parameters import ModelParameters
from hcx_waves.forecast.results import Forecast

DEFAULT_NIGHTS = 1000


def forecast(
    subject: ForecastInput, parameters: ModelParameters | None = None, nights: int = DEFAULT_NIGHTS, seed: int = 0
) -> Forecast:
    """Return what to expect of a wave.

    :param parameters: of the model; its defaults unless given.
    :param nights: how many are played.
    :param seed: the same seed and input give the same forecast.
    :raises ValueError: if ``nights`` is not positive, ``seed`` is negative, or the wave moves no VM.
    """
    if nights < 1 or seed < 0:
        raise ValueError(f"at least one night and a seed of 0 or more are needed, not {nights} and {seed}")
    given = parameters or ModelParameters()
    return told(simulate(subject, given, nights, seed), given, seed)


def told(nights: Nights, parameters: ModelParameters, seed: int) -> Forecast:
    """Return the forecast that nights come to."""
    subject = nights.subject
    return Forecast(
        wave=subject.wave,
        time_zone=subject.time_zone,
        starts_at=subject.starts_at,
        nights=nights.count,
        seed=seed,
        parameters_digest=parameters_digest(parameters),
        switchover_window=subject.switchover,
        submitted=summary.quantiles(nights.vms.submitted),
        transfer_end=summary.transfer_end(nights),
        queue=summary.switchover_queue(nights),
        migrated=summary.quantiles(nights.migrated),
        cutover_start=summary.cutover_start(nights),
        end=summary.quantiles(nights.end),
        window_chance=float(nights.fits.mean()) if has_windows(subject) else None,
        segments=summary.segment_forecasts(nights),
        vms=summary.vm_forecasts(nights),
        deciders=summary.deciders(nights),
        typical=summary.typical_night(nights),
        ends=summary.end_histogram(nights),
        notes=(*subject.notes, *_warnings(subject, parameters)),
    )


def has_windows(subject: ForecastInput) -> bool:
    """Whether there is a window that a wave may miss."""
    return subject.switchover is not None or any(segment.window is not None for segment in subject.segments)


def _warnings(subject: ForecastInput, parameters: ModelParameters) -> Iterator[str]:
    """Yield what can never come out, a sentence each."""
    if not subject.holds_switchovers:
        return
    per_mesh = Counter(vm.mesh for vm in subject.vms if vm.migration.replicates)
    limits = parameters.limits
    places = sum(min(count, limits.replications_per_mesh) for count in per_mesh.values())
    places = min(places, limits.replications_per_manager)
    if per_mesh.total() > places:
        yield (
            f"switchovers are held until all {per_mesh.total()} replicated VMs are seeded, and HCX replicates at most "
            f"{places} of them at once: the wave would never go on"
        )
