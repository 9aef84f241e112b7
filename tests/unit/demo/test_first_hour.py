"""What a new user meets: faults by name, lines when the output is piped, the button that tests a connection."""

from __future__ import annotations

import io
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from hcx_demo.airflow_api import PendingGate
from hcx_demo.errors import DemoError
from hcx_demo.wave.faults import FAULTS, fault_documents, named_faults
from hcx_demo.wave.observer import RunStatus
from hcx_demo.wave.views import PlainView
from hcx_sim.faults.catalogue import FAULT_SCENARIOS
from hcx_waves.wavefile.loader import load_wave

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 10, 24, 20, tzinfo=UTC)


def test_every_fault_of_the_simulator_has_a_name_in_the_demo() -> None:
    assert set(FAULTS) == set(FAULT_SCENARIOS)


def test_make_help_lists_the_faults() -> None:
    listed = re.search(r"^DEMO_FAULTS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert listed is not None
    assert listed[1].split(", ") == list(FAULTS)
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert "unextend-fails" in said
    assert "SCENARIO=seed|three-tier" in said


def test_an_unknown_fault_is_refused_with_the_names_that_there_are() -> None:
    assert named_faults(" unextend-fails, tunnel-down ,") == ("unextend-fails", "tunnel-down")
    with pytest.raises(DemoError, match=r'there is no fault "lunch"(?s:.*)unextend-fails'):
        named_faults("lunch")


def test_faults_strike_what_the_wave_moves_while_it_moves() -> None:
    wave = load_wave(ROOT / "dags" / "waves" / "seed-wave.yaml")
    unextend, tunnel = fault_documents(("unextend-fails", "tunnel-down"), wave, NOW)
    assert unextend == {"scenario": "unextend-fails", "objects": ["seed-net"]}
    assert tunnel["at"] == ["2026-10-24T20:05:00+00:00", "2026-10-24T20:20:00+00:00"]


@pytest.mark.parametrize(("asks", "count"), [(True, 1), (False, 0)])
def test_piped_output_says_once_that_it_waits_for_an_answer(asks: bool, count: int) -> None:
    out = io.StringIO()
    gate = PendingGate("seed-wave", "run", "approve_wave", -1, "Start wave seed-wave?", "body", ())
    status = RunStatus("seed-wave", "run", "running", (), (), (gate,), (), 0.0, 0.0, 0.0)
    view = PlainView(Console(file=out, width=200), "http://ui", asks=asks)
    view.show(status, (gate,))
    view.show(status, (gate,))
    lines = [line for line in out.getvalue().splitlines() if line.startswith("waiting for your answer: http://ui/dags")]
    assert len(lines) == count
    assert out.getvalue().count("GATE Start wave") == 1


def test_the_button_that_tests_a_connection_works_in_compose() -> None:
    assert "AIRFLOW__CORE__TEST_CONNECTION: Enabled" in (ROOT / "docker-compose.yml").read_text()
