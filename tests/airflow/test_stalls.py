"""Stalls: each is provoked by a fault, and seen in the log, the result, the report and the notes for the watchdog."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.clock import base
from hcx_airflow.stalls import listen
from hcx_airflow.waits import notes_of
from hcx_waves.report.files import read_report
from hcx_waves.report.model import WaveReport
from hcx_waves.run import scope
from hcx_waves.run.stalls import Stall, StallEvent, StallId, StallNews
from support.airflow_tasks import AirflowRun
from support.site_pair import SitePair
from support.wave_tasks import CUTOVER, UNTIL_VERIFIED, WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=1.0)
BEGUN = ("resolve_plan", "approve_wave", "start_migrations")
UNEXTENDED = ("prove_segment_empty", "approve_cutover", "disconnect_source_segment", "unextend_network")
REFUSED: dict[str, Any] = {"product": "hcx", "behaviour": "vendor_error", "status": 401}


@pytest.fixture
def tasks(airflow_run: AirflowRun, site_pair: SitePair, monkeypatch: pytest.MonkeyPatch) -> WaveTasks:
    """The wave's tasks, by the sites' clock."""
    monkeypatch.setattr(base, "utc_now", lambda: site_pair.now)
    monkeypatch.setattr(scope, "OUTAGE_POLL", 10.0)
    airflow_run.run_after = site_pair.now
    airflow_run.params = {"poll_interval_seconds": 60}
    return WaveTasks(airflow_run)


@pytest.fixture(autouse=True)
def told() -> Iterator[list[StallEvent]]:
    """What whoever listens is told."""
    events: list[StallEvent] = []
    end = listen(events.append)
    yield events
    end()


def awaited(tasks: WaveTasks) -> tuple[str, list[Stall]]:
    """Wait for the migrations; return why the wait ended, and what stood."""
    result = tasks.do("await_migrations")
    return result["ended"], [Stall.model_validate(one) for one in result["stalls"]]


def written(tasks: WaveTasks) -> tuple[WaveReport, str]:
    paths = tasks.do("write_report")
    return read_report(Path(paths["json"])), Path(paths["markdown"]).read_text().replace("\\", "")


def the(stalls: list[Stall], stall_id: StallId) -> Stall:
    """Return the one stall of a kind."""
    [found] = [one for one in stalls if one.stall_id is stall_id]
    return found


def in_report(tasks: WaveTasks, stall: Stall) -> str:
    """Return the report's text, in which a stall is open with source and instant, and leads to the guide."""
    report, text = written(tasks)
    assert stall in report.stalls
    assert f"[{stall.stall_id.value}](docs/guide/stalls.md#{stall.stall_id.value})" in text
    assert "HCX, as asked by the run" in text
    assert any(f"stall {stall.stall_id.value}: " in one.what for one in report.timeline)
    if stall.is_open:
        assert "open as of" in text
    return text


def test_a_transfer_that_stands(
    tasks: WaveTasks, site_pair: SitePair, told: list[StallEvent], caplog: pytest.LogCaptureFixture
) -> None:
    site_pair.fault(product="engine", call="migration.base_sync", object="app01", behaviour="stall")
    tasks.do(*BEGUN)
    with caplog.at_level(logging.WARNING):
        ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.TRANSFER_STANDS)
    assert (ended, stall.subject, stall.is_past_limit) == ("stalled", "app01", True)
    assert timedelta(hours=1) <= stall.lasted < timedelta(hours=1, minutes=5), "it waits for its limit, and no longer"
    assert next(one.news for one in told if one.stall.subject == "app01") is StallNews.BEGAN
    assert told[-1].news is StallNews.PAST_LIMIT
    assert (told[-1].wave, told[-1].task_id) == ("seed-wave", "await_migrations")
    said = caplog.text
    assert "Stall: transfer-stands: nothing has arrived of app01" in said
    assert "guide: transfer-stands (docs/guide/stalls.md#transfer-stands)" in said
    in_report(tasks, stall)
    # The others have moved meanwhile, and nothing was cancelled.
    assert site_pair.calls("migrations.cancel") == []


def test_the_limits_are_those_of_the_wave(tasks: WaveTasks, site_pair: SitePair) -> None:
    file = Path(tasks.run.bundle) / "waves" / "seed-wave.yaml"
    file.write_text(f"{file.read_text()}\nlimits: {{stalls: {{transfer: 20m}}}}\n")
    site_pair.fault(product="engine", call="migration.base_sync", object="app01", behaviour="stall")
    tasks.do(*BEGUN)
    stall = the(awaited(tasks)[1], StallId.TRANSFER_STANDS)
    assert timedelta(minutes=20) <= stall.lasted < timedelta(minutes=23)


def test_a_tunnel_that_is_down(tasks: WaveTasks, site_pair: SitePair) -> None:
    def tunnels(*, up: bool) -> None:
        for mesh in list(site_pair.world.meshes.values()):
            site_pair.world.update(mesh, tunnel_up=up)

    tasks.do(*BEGUN)
    site_pair.run(lambda: tunnels(up=False))
    ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.TUNNEL_DOWN)
    assert (ended, stall.is_past_limit) == ("stalled", True)
    assert "none" not in in_report(tasks, stall).split("Longest outage")[0]


def test_a_tunnel_that_comes_back(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.do(*BEGUN)
    meshes = list(site_pair.world.meshes.values())
    site_pair.run(lambda: [site_pair.world.update(mesh, tunnel_up=False) for mesh in meshes])
    due = site_pair.now + timedelta(minutes=20)
    real = base.SystemClock.now

    def now(self: base.SystemClock) -> Any:
        if real(self) >= due and not meshes[0].tunnel_up:
            site_pair.run(lambda: [site_pair.world.update(mesh, tunnel_up=True) for mesh in meshes])
        return real(self)

    base.SystemClock.now = now  # type: ignore[method-assign]
    try:
        ended, stalls = awaited(tasks)
    finally:
        base.SystemClock.now = real  # type: ignore[method-assign]
    stall = the(stalls, StallId.TUNNEL_DOWN)
    assert ended == "terminal"
    assert not stall.is_open
    assert not stall.is_past_limit
    in_report(tasks, stall)


def test_a_switchover_that_does_not_end(tasks: WaveTasks, site_pair: SitePair) -> None:
    site_pair.fault(product="engine", call="migration.switchover", object="app01", behaviour="stall")
    tasks.do(*BEGUN)
    ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.SWITCHOVER_LONG)
    assert (ended, stall.subject) == ("stalled", "app01")
    assert timedelta(hours=2) <= stall.lasted < timedelta(hours=2, minutes=5)
    in_report(tasks, stall)


def test_a_switchover_that_is_due_and_does_not_begin(tasks: WaveTasks, site_pair: SitePair) -> None:
    def lose() -> None:
        hcx = site_pair.world.settings.hcx
        changed = hcx.model_copy(update={"tracker_lost_entities": ["db01"]})
        site_pair.world.settings = site_pair.world.settings.model_copy(update={"hcx": changed})

    file = Path(tasks.run.bundle) / "waves" / "seed-wave.yaml"
    file.write_text(f"{file.read_text()}\nswitchover_window: {{opens: +1h, lasts: 6h}}\n")
    site_pair.run(lose)
    tasks.do(*BEGUN)
    ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.SWITCHOVER_NOT_BEGUN)
    assert (ended, stall.subject, stall.is_past_limit) == ("stuck", "db01", True)
    in_report(tasks, stall)


def test_an_unextend_that_does_not_end(tasks: WaveTasks, site_pair: SitePair, caplog: pytest.LogCaptureFixture) -> None:
    site_pair.fault(product="engine", call="extension.unextend", behaviour="stall")
    tasks.do(*UNTIL_VERIFIED, *UNEXTENDED)
    result = tasks.do("await_unextended")
    stall = the([Stall.model_validate(one) for one in result["stalls"]], StallId.UNEXTEND_LONG)
    assert (result["ended"], stall.subject, stall.is_past_limit) == ("stalled", "seed-net", True)
    assert timedelta(minutes=20) <= stall.lasted < timedelta(minutes=22)
    assert "rescue WAVE look" in caplog.text
    text = in_report(tasks, stall)
    assert "OUTAGE RUNNING" in text


def test_a_clock_that_jumps(tasks: WaveTasks, site_pair: SitePair) -> None:
    site_pair.fault(product="hcx", call="migrations.query", behaviour="clock_ahead", seconds=4000.0, skip=3, count=5)
    tasks.do(*BEGUN)
    ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.CLOCK_JUMPED)
    assert ended == "terminal"
    assert "jumped by +40" in stall.what
    assert not stall.is_open, "it has jumped back"
    in_report(tasks, stall)


def test_sessions_that_are_refused(tasks: WaveTasks, site_pair: SitePair) -> None:
    site_pair.fault(**REFUSED, call="migrations.query", skip=3)
    tasks.do(*BEGUN)
    ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.SESSIONS_REFUSED)
    assert (ended, stall.is_past_limit) == ("error", True)
    in_report(tasks, stall)


def test_an_account_that_is_refused_and_taken_again(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.do(*BEGUN)
    site_pair.fault(**REFUSED, call="*", skip=6, expires_after_seconds=1200.0)
    mark = site_pair.mark()
    ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.CREDENTIALS_REFUSED)
    assert ended == "terminal"
    assert not stall.is_open
    refused = [one for one in site_pair.calls("sessions.create", after=mark) if one["data"].get("status") == 401]
    assert len(refused) <= 5, "it must lock no account"
    in_report(tasks, stall)


def test_an_account_that_stays_refused(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.do(*BEGUN)
    site_pair.fault(**REFUSED, call="*", skip=6)
    ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.CREDENTIALS_REFUSED)
    assert (ended, stall.is_past_limit) == ("error", True)
    assert stall.lasted < timedelta(minutes=40)


def test_a_manager_that_is_upgraded(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.do(*BEGUN)

    def upgrade() -> None:
        hcx = site_pair.world.settings.hcx.model_copy(update={"version": "9.1.0"})
        site_pair.world.settings = site_pair.world.settings.model_copy(update={"hcx": hcx})

    site_pair.run(upgrade)
    site_pair.fault(**REFUSED, call="migrations.query", skip=2, count=1)
    ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.MANAGER_CHANGED)
    assert ended == "terminal"
    assert "it was 4" in stall.what
    in_report(tasks, stall)


def test_a_triggerer_that_is_away(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.do(*BEGUN)
    site_pair.advance(7200)
    ended, stalls = awaited(tasks)
    stall = the(stalls, StallId.TRIGGERER_AWAY)
    assert ended == "terminal"
    assert timedelta(hours=2) <= stall.lasted < timedelta(hours=2, minutes=3)
    report, text = written(tasks)
    assert stall in report.stalls
    assert "triggerer-away" in text


def test_a_clean_wave_has_no_stall(tasks: WaveTasks, site_pair: SitePair, told: list[StallEvent]) -> None:
    tasks.do(*UNTIL_VERIFIED, *CUTOVER)
    assert tasks.left("await_migrations")["stalls"] == []
    assert tasks.left("await_unextended")["stalls"] == []
    assert told == []
    report, text = written(tasks)
    assert report.stalls == ()
    assert "## Stalls" not in text
    assert list(notes_of("seed-wave")) == [], "no wait is noted as going on"


def test_a_listener_that_fails_holds_up_nobody(
    tasks: WaveTasks, site_pair: SitePair, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: StallEvent) -> None:
        raise RuntimeError(event.news)

    end = listen(fail)
    try:
        site_pair.fault(product="engine", call="migration.switchover", object="app01", behaviour="stall")
        tasks.do(*BEGUN)
        assert awaited(tasks)[0] == "stalled"
    finally:
        end()
    assert "Cannot tell" in caplog.text
