"""A reset that puts fault scenarios in force."""

from __future__ import annotations

from typing import Any


def test_a_reset_puts_faults_in_force_and_the_next_one_keeps_them(control: Any) -> None:
    assert control.post("/worlds", {"world_id": "reset-1", "scenario": "seed"}).status_code == 201
    fault = {"scenario": "unextend-fails", "objects": ["seed-net"]}
    assert control.post("/worlds/reset-1/reset", {"faults": [fault]}).status_code == 200
    assert _faults(control) != []
    assert control.post("/worlds/reset-1/reset").status_code == 200
    assert _faults(control) != []
    assert control.post("/worlds/reset-1/reset", {"faults": []}).status_code == 200
    assert _faults(control) == []
    control.delete("/worlds/reset-1")


def test_a_fault_that_does_not_exist_leaves_the_world_as_it_is(control: Any) -> None:
    control.post("/worlds", {"world_id": "reset-2", "scenario": "seed"})
    answer = control.post("/worlds/reset-2/reset", {"faults": ["lunch"]})
    assert answer.status_code == 422
    assert "unextend-fails" in answer.text
    assert control.get("/worlds/reset-2").status_code == 200
    control.delete("/worlds/reset-2")


def _faults(control: Any) -> list[Any]:
    found: list[Any] = control.get("/worlds/reset-1/faults").json()["faults"]
    return found
