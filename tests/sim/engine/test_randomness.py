"""Seeded randomness: independent streams, the same for the same seed."""

from __future__ import annotations

import random
import uuid

import pytest
from pydantic import TypeAdapter

from hcx_sim.engine.randomness import Randomness
from hcx_sim.settings import Duration


def test_streams_repeat_with_the_seed_and_differ_by_name() -> None:
    def draws(seed: int, name: str) -> list[float]:
        return [Randomness(seed).stream(name).random() for _ in range(3)]

    assert draws(1, "a") == draws(1, "a")
    assert draws(1, "a") != draws(1, "b") != draws(2, "b")


def test_a_draw_for_one_object_does_not_shift_those_of_another() -> None:
    one, two = Randomness(5), Randomness(5)
    one.stream("switchover/vm-1").random()

    assert one.stream("switchover/vm-2").random() == two.stream("switchover/vm-2").random()


def test_stable_uuids_do_not_depend_on_how_often_they_are_asked() -> None:
    randomness = Randomness(5)

    assert randomness.stable_uuid("x") == randomness.stable_uuid("x") == Randomness(5).stable_uuid("x")
    assert randomness.uuid("x") != randomness.uuid("x")
    assert uuid.UUID(randomness.uuid("y")).version == 4
    assert uuid.UUID(randomness.stable_uuid("y")).version == 4
    assert len(randomness.token("t", 20)) == 20


@pytest.mark.parametrize(
    ("duration", "low", "high"),
    [
        ({"kind": "fixed", "seconds": 5}, 5, 5),
        ({"kind": "uniform", "low_seconds": 2, "high_seconds": 4}, 2, 4),
        ({"kind": "triangular", "low_seconds": 1, "mode_seconds": 2, "high_seconds": 9}, 1, 9),
        ({"kind": "lognormal", "median_seconds": 3, "sigma": 2, "max_seconds": 20}, 0, 20),
    ],
)
def test_durations_are_drawn_within_their_bounds(duration: dict[str, object], low: float, high: float) -> None:
    made: Duration = TypeAdapter(Duration).validate_python(duration)
    stream = random.Random(1)  # noqa: S311 - not a secret

    drawn = [made.draw(stream) for _ in range(300)]

    assert all(low <= value <= high for value in drawn)
    assert len(set(drawn)) > 1 or low == high
