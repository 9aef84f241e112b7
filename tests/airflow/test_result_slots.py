"""Every slot leads to the type of its result; paths of types are text, which mypy does not follow."""

from __future__ import annotations

import pytest

from hcx_airflow import results
from hcx_airflow.results import Slot, UnreadableResultError, from_json

SLOTS = {name: slot for name, slot in vars(results).items() if isinstance(slot, Slot)}


@pytest.mark.parametrize("name", SLOTS)
def test_what_cannot_be_read_names_task_and_key(name: str) -> None:
    slot = SLOTS[name]

    with pytest.raises(UnreadableResultError, match=rf"{slot.task} .* {slot.key}"):
        from_json(slot, [object()], slot.task)


def test_a_task_and_key_have_one_slot() -> None:
    places = [(slot.task, slot.key) for slot in SLOTS.values()]

    assert len(places) > 25
    assert len(places) == len(set(places))
