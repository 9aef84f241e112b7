"""Build the forecast of a wave: play many nights, and summarise them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hcx_waves.forecast.model.fitting import window_fit
from hcx_waves.forecast.model.inputs import ForecastInput
from hcx_waves.forecast.model.nights import Nights, simulate
from hcx_waves.forecast.model.parameter_files import parameters_digest
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.forecast.model.safe_start import SAFE_CHANCE, last_safe_start
from hcx_waves.forecast.results import figures
from hcx_waves.forecast.results.document import Forecast

DEFAULT_NIGHTS = 1000


def forecast(
    subject: ForecastInput,
    parameters: ModelParameters | None = None,
    nights: int = DEFAULT_NIGHTS,
    seed: int = 0,
    *,
    safe_start: bool = False,
) -> Forecast:
    """Return what to expect of a wave.

    :param parameters: of the model; its defaults unless given.
    :param nights: how many are played.
    :param seed: the same seed and input give the same forecast.
    :param safe_start: whether the last safe start is searched as well, which takes about as long again.
    :raises ValueError: if ``nights`` is not positive, ``seed`` is negative, or the wave moves no VM.
    """
    if nights < 1 or seed < 0:
        raise ValueError(f"at least one night and a seed of 0 or more are needed, not {nights} and {seed}")
    given = parameters or ModelParameters()
    found = _summary(simulate(subject, given, nights, seed), given, seed)
    if found.window_chance is not None and found.window_chance < SAFE_CHANCE:
        found = found.model_copy(update={"window_fit": window_fit(subject, given, seed=seed)})
    if not safe_start or not has_windows(subject):
        return found
    latest = last_safe_start(subject, given, seed=seed)
    return found.model_copy(update={"last_safe_start": latest, "safe_chance": SAFE_CHANCE})


def _summary(nights: Nights, parameters: ModelParameters, seed: int) -> Forecast:
    subject = nights.subject
    return Forecast(
        wave=subject.wave,
        time_zone=subject.time_zone,
        starts_at=subject.starts_at,
        nights=nights.count,
        seed=seed,
        parameters_digest=parameters_digest(parameters),
        switchover_window=subject.switchover,
        submitted=figures.quantiles(nights.vms.submitted),
        transfer_end=figures.transfer_end(nights),
        queue=figures.switchover_queue(nights),
        migrated=figures.quantiles(nights.migrated),
        cutover_start=figures.cutover_start(nights),
        end=figures.quantiles(nights.end),
        window_chance=float(nights.fits.mean()) if has_windows(subject) else None,
        segments=figures.segment_forecasts(nights),
        vms=figures.vm_forecasts(nights),
        deciders=figures.deciders(nights),
        typical=figures.typical_night(nights),
        ends=figures.end_histogram(nights),
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
