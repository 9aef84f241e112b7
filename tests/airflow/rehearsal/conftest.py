"""Fixtures of the tests of rehearsals: Airflow's tables, and runs of rehearsal DAGs against a live site and twins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.airflow_home import DAGS, make_database, prepare_airflow_home

if TYPE_CHECKING:
    from support.night_player import NightRun
    from support.site_pair import SitePair

prepare_airflow_home()
SIGNING_KEY = "a-key-for-tests-that-is-long-enough-for-anybody"


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's tables, empty."""
    make_database()


@pytest.fixture(scope="session")
def live_server() -> Iterator[Any]:
    """A simulator of its own that plays a live site, at addresses where no twin lives."""
    from support.site_pair import SiteServer

    server = SiteServer()
    yield server
    server.stop()


@pytest.fixture
def live_site(live_server: Any) -> Iterator[SitePair]:
    """The live site of a server that has no twins."""
    pair = live_server.default()
    pair.run(lambda: live_server.server.worlds.reset("default"))
    yield pair
    pair.assert_no_bugs()


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DAG bundle with the project's wave files, and folders for what runs leave."""
    (tmp_path / "waves").mkdir()
    for path in (DAGS / "waves").glob("*.yaml"):
        (tmp_path / "waves" / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("HCX_WAVES_SIGNING_KEY", SIGNING_KEY)
    monkeypatch.setenv("HCX_WAVES_REPORTS_FOLDER", str(tmp_path / "reports"))
    monkeypatch.setenv("HCX_WAVES_STATE_FOLDER", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def rehearse(
    site_pair: Any, site_server: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., NightRun]:
    """Makes runs of rehearsal DAGs; the live site is ``site_pair``, and the twins live beside it."""
    from hcx_demo.stack.connections import rehearsal_connections
    from hcx_waves.twin.names import world_id_of
    from hcx_waves.wavefile.loader import load_wave
    from support.airflow_tasks import set_connections
    from support.night_player import NightRun

    twins = site_server.default().endpoints

    def let_go(run: NightRun) -> None:
        site_server.forget(world_id_of(run.wave, run.run_id))

    def make(wave: str = "seed-wave", night: str | None = "2026-10-24", **given: Any) -> NightRun:
        connections = load_wave(bundle / "waves" / f"{wave}.yaml").connections
        set_connections(monkeypatch, rehearsal_connections(connections, site_pair.endpoints, twins))
        return NightRun(bundle, wave, night=night, let_go=let_go, **given)

    return make
