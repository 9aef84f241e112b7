"""Parameters: durations, files, and the settings of a twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from hcx_sim.scenario.assumptions import Assumptions
from hcx_sim.settings import WorldSettings
from hcx_waves.forecast import (
    ModelParameters,
    ParametersError,
    dump_parameters,
    load_parameters,
    simulator_assumptions,
    simulator_settings,
)
from hcx_waves.forecast.model.durations import Duration, Fixed, LogNormal, Triangular, Uniform
from hcx_waves.forecast.model.parameter_files import parameters_digest

DURATIONS = [
    Fixed(seconds=5),
    Uniform(low_seconds=2, high_seconds=9),
    Triangular(low_seconds=45, mode_seconds=90, high_seconds=300),
    Triangular(low_seconds=0, mode_seconds=9, high_seconds=10),
    Triangular(low_seconds=3, mode_seconds=3, high_seconds=3),
    LogNormal(median_seconds=0.4, sigma=0.6, max_seconds=30),
    LogNormal(median_seconds=10, sigma=1, max_seconds=8),
]


@pytest.mark.parametrize("duration", DURATIONS, ids=str)
def test_draws_have_the_median_that_a_duration_says(duration: Duration) -> None:
    drawn = duration.draw(np.random.default_rng(1), (50_000,))
    assert np.median(drawn) == pytest.approx(duration.median_of_draws, rel=0.02)
    assert drawn.min() >= 0


@pytest.mark.parametrize(("document", "words"), [
    ({"kind": "uniform", "low_seconds": 9, "high_seconds": 2}, "must not be below low_seconds"),
    ({"kind": "triangular", "low_seconds": 9, "mode_seconds": 2, "high_seconds": 10}, "must lie between"),
    ({"kind": "fixed", "seconds": -1}, "greater than or equal to 0"),
    ({"kind": "weibull"}, "does not match any of the expected tags"),
])  # fmt: skip
def test_impossible_durations_are_refused(document: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ModelParameters.model_validate({"network": {"unextend": document}})


def test_a_file_says_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text("transfer: {link_bits_per_second: 5.0e+8}\nnetwork:\n  unextend: {kind: fixed, seconds: 240}\n")
    given = load_parameters(path)
    assert given.transfer.link_bits_per_second == 5e8
    assert given.network.unextend == Fixed(seconds=240)
    assert given.migration == ModelParameters().migration
    again = tmp_path / "again.json"
    again.write_text(dump_parameters(given))
    assert load_parameters(again) == given
    assert "link_bits_per_second" not in dump_parameters(ModelParameters())
    assert "link_bits_per_second" in dump_parameters(ModelParameters(), all_values=True)


@pytest.mark.parametrize(("text", "words"), [
    ("transfer: {speed: 1}", "transfer.speed: is not a parameter"),
    ("limits: {replications_per_mesh: 0}", "limits.replications_per_mesh: Input should be greater than or equal to 1"),
    ("[1, 2]", "document: must be a mapping of names to values"),
    ("a: [", "is neither YAML nor JSON: did not find expected node content"),
])  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    with pytest.raises(ParametersError) as caught:
        load_parameters(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match="No such file"):
        load_parameters(tmp_path / "none.yaml")
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(ParametersError, match="larger than 1 MiB"):
        load_parameters(huge)


def test_no_file_means_the_defaults_which_have_no_digest() -> None:
    assert load_parameters() == ModelParameters()
    assert parameters_digest(load_parameters()) is None
    given = ModelParameters.model_validate({"migration": {"missed_window": "fail"}, "source": "three waves"})
    assert len(parameters_digest(given) or "") == 64
    assert parameters_digest(given) == parameters_digest(given.model_copy(update={"source": "four waves"}))


def test_the_defaults_are_those_of_the_simulator() -> None:
    assert WorldSettings.model_validate(simulator_settings(ModelParameters())) == WorldSettings()


def test_what_is_assumed_of_the_sites_reaches_the_simulator() -> None:
    given = ModelParameters.model_validate({
        "transfer": {"link_bits_per_second": 1, "mesh_link_bits_per_second": {"m": 2}, "bandwidth_sigma": 0.3,
                     "change_bytes_per_second": 4, "change_sigma": 0.5},
        "failures": {"base_sync": 0.6, "switchover": 0.7, "unextend": 0.8},
    })  # fmt: skip
    assert Assumptions.model_validate(simulator_assumptions(given)) == Assumptions(
        link_bits_per_second=1,
        mesh_link_bits_per_second={"m": 2},
        bandwidth_sigma=0.3,
        change_bytes_per_second=4,
        change_sigma=0.5,
        base_sync_failure=0.6,
        switchover_failure=0.7,
        unextend_failure=0.8,
    )


def test_every_parameter_of_hcx_reaches_the_simulator() -> None:
    seconds = iter(range(11, 40))
    durations = {"kind": "fixed"}
    names = {"migration": ["queue", "rav_switchover", "vmotion_overhead", "bulk_switchover", "stun"],
             "network": ["extend", "unextend"]}  # fmt: skip
    given = ModelParameters.model_validate({
        **{part: {name: {**durations, "seconds": next(seconds)} for name in found} for part, found in names.items()},
        "transfer": {"migration_bits_per_second": 1, "appliance_bits_per_second": 2, "rpo_seconds": 3},
        "limits": {"replications_per_manager": 4, "replications_per_mesh": 5, "max_switchover_seconds": 6},
    })  # fmt: skip
    settings = WorldSettings.model_validate(simulator_settings(given))
    hcx = settings.hcx
    drawn = [hcx.queue_seconds, hcx.rav_switchover, hcx.vmotion_overhead, hcx.bulk_switchover, hcx.stun,
             hcx.extend_seconds, hcx.unextend_seconds]  # fmt: skip
    assert [getattr(one, "seconds", None) for one in drawn] == [11, 12, 13, 14, 15, 16, 17]
    assert (hcx.migration_bits_per_second, hcx.appliance_bits_per_second, hcx.rpo_seconds) == (1, 2, 3)
    assert (hcx.max_concurrent_per_manager, hcx.max_concurrent_per_mesh, hcx.max_switchover_seconds) == (4, 5, 6)


def test_a_rehearsal_has_nothing_of_the_orchestrators_own_latency() -> None:
    silent = ModelParameters().for_rehearsal().orchestrator
    assert (silent.step_seconds, silent.step_in_outage_seconds, silent.before_gate_seconds, silent.verify_seconds) == (
        0, 0, 0, 0,
    )  # fmt: skip
    assert silent.poll_seconds == ModelParameters().orchestrator.poll_seconds
