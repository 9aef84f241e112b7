"""The verdict on a wave, from the oracle's report."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from hcx_demo.wave.outcome import DemoResult

FACTS = {"power": "poweredOn", "macs": ["00:50:56:00:00:20"], "ips": ["192.168.1.11"], "instance_uuid": "u1"}
SPAN = {"from": "a", "to": "b", "seconds": 296.0, "detail": []}
ORACLE: dict[str, Any] = {
    "vms": {
        "web01": {
            "before": {"site": "source", **FACTS},
            "now": {"site": "destination", **FACTS},
            "outage": [SPAN],
            "stuns": [{"at": "a", "seconds": 0.4}],
            "power_off": [],
        }
    },
    "segments": {"seed-net": {"outage": [SPAN], "two_gateways": [], "source_cut": [], "source_cut_running": []}},
}


def problems(oracle: dict[str, Any], *others: str) -> tuple[str, ...]:
    """Judge a wave of one VM."""
    return DemoResult.judge(oracle, ["web01"], ["seed-net"], others).problems()


def test_a_wave_as_planned_has_no_problem() -> None:
    outcome = DemoResult.judge(ORACLE, ["web01"], ["seed-net"])
    assert outcome.problems() == ()
    assert (outcome.vms[0].outage_seconds, outcome.vms[0].stun_seconds) == (296.0, 0.4)
    assert outcome.segments[0].outage_seconds == 296.0


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("vms", "web01", "now", "site"), "source", "web01 is not at the destination"),
        (("vms", "web01", "now", "power"), "poweredOff", "web01 is poweredOff"),
        (("vms", "web01", "power_off"), [SPAN], "web01 was powered off"),
        (("vms", "web01", "now", "macs"), ["x"], "web01 has different MAC addresses than before"),
        (("vms", "web01", "now", "ips"), [], "web01 has different IP addresses than before"),
        (("vms", "web01", "now", "instance_uuid"), "u2", "web01 has different instance UUIDs than before"),
        (("segments", "seed-net", "outage"), [SPAN, SPAN], "seed-net had 2 outages instead of one"),
        (("segments", "seed-net", "two_gateways"), [SPAN], "seed-net had two gateways for 296 s"),
        (("segments", "seed-net", "source_cut"), [SPAN], "seed-net was disconnected while a VM was still on it"),
    ],
)
def test_whatever_is_not_as_planned_is_named(place: tuple[str, ...], value: Any, problem: str) -> None:
    oracle = copy.deepcopy(ORACLE)
    inner = oracle
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    assert problems(oracle) == (problem,)


def test_a_vm_that_the_sites_do_not_know_is_a_problem() -> None:
    assert DemoResult.judge(ORACLE, ["web09"], []).problems() == ("web09 is unknown to the sites",)


def test_what_went_wrong_elsewhere_is_kept() -> None:
    assert problems(ORACLE, "seed-wave ended as failed") == ("seed-wave ended as failed",)
