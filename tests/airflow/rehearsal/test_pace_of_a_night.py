"""A whole night by the product's own operators and triggers, by the time of its own world."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.airflow_tasks import set_connections
from support.rehearsal_player import Player, RehearsalRun, rehearsed, twin_documents

WAVES = Path(__file__).parents[3] / "dags" / "waves"
REACTIONS: dict[str, float | None] = {"approve_wave": 240.0, "cutover_seed-net.approve_cutover": 300.0}


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site_server: Any, signing_key: str) -> Path:
    folder = tmp_path / "waves"
    folder.mkdir()
    for path in WAVES.glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("HCX_WAVES_REPORTS_FOLDER", str(tmp_path / "reports"))
    set_connections(monkeypatch, twin_documents(site_server))
    return tmp_path


@pytest.fixture
def night(site_server: Any, bundle: Path) -> Iterator[Callable[..., Player]]:
    pairs: list[Any] = []

    def make(wave: str = "seed-wave", reactions: Any = REACTIONS, **world: Any) -> Player:
        run, dag, pair = rehearsed(site_server, bundle, wave, reactions=reactions, **world)
        pairs.append(pair)
        return Player(run, dag, pair)

    yield make
    for pair in pairs:
        pair.assert_no_bugs()
        site_server.drop(pair)


def test_a_night_ends_as_planned(night: Callable[..., Player]) -> None:
    player = night()
    began = time.monotonic()
    states = player.play()
    print(time.monotonic() - began, player.errors, states)
    assert set(states.values()) == {"success"}, player.errors
