"""One virtual night on a small world: sites, connections, clock and folders; for cells outside of pytest."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from hcx_airflow import forecasts
from hcx_airflow.clock import base
from hcx_waves.run import scope
from support.airflow_tasks import connection_documents, set_connections
from support.moved_by_waits import move_by_waits
from support.site_pair import SitePair, SiteServer
from support.waves import SHIPPED, scenario

WAVE = "seed-wave"
SEGMENT = "seed-net"
VMS = ("web01", "web02")
SIGNING_KEY = "a-key-for-tests-that-is-long-enough-for-anybody"
READ_SECONDS = 0.4
"""How long a client waits for an answer where a socket stalls; the other calls take some milliseconds."""
ATTEMPTS = 2
"""Of each client for a call that may be repeated: more of them show nothing else."""
_FORECAST_NIGHTS = 5


def make_server() -> SiteServer:
    """Start the simulator."""
    return SiteServer()


def bundle(folder: Path) -> Path:
    """Write the wave file of the small world into a bundle, and return its folder."""
    document = yaml.safe_load((SHIPPED / f"{WAVE}.yaml").read_text(encoding="utf-8"))
    document["vms"] = list(VMS)
    waves = folder / "waves"
    waves.mkdir(parents=True)
    (waves / f"{WAVE}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@dataclass
class Stage:
    """What the plays of one cell share."""

    pair: SitePair
    folder: Path
    patches: pytest.MonkeyPatch
    secrets: frozenset[str]
    log: StringIO
    asked: list[dict[str, Any]] = field(default_factory=list)
    """What gates have asked."""


@contextmanager
def stage(server: SiteServer, folder: Path, *, short_reads: bool = False) -> Iterator[Stage]:
    """Make a world and everything around it; all of it is gone afterwards.

    :param folder: for the bundle, the reports and the state; must not exist.
    :param short_reads: whether clients wait for an answer only as long as a stalled socket is worth waiting for.
    """
    folder.mkdir(parents=True)
    document = scenario()
    document["vms"] = [vm for vm in document["vms"] if vm["name"] in VMS]
    pair = server.make_world(scenario=document, mode="scaled", speed=1.0)
    patches, asked, log = pytest.MonkeyPatch(), [], StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        secrets = _set_up(pair, bundle(folder), patches, asked, short_reads=short_reads)
        yield Stage(pair, folder, patches, secrets, log, asked)
        pair.assert_no_bugs()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        patches.undo()
        server.drop(pair)
        shutil.rmtree(folder, ignore_errors=True)


def _set_up(
    pair: SitePair, folder: Path, patches: pytest.MonkeyPatch, asked: list[dict[str, Any]], *, short_reads: bool
) -> frozenset[str]:
    move_by_waits(pair, 1.0, patches)
    patches.setattr(base, "utc_now", lambda: pair.now)
    patches.setattr(scope, "OUTAGE_POLL", 20.0)
    # How good a forecast is does not matter here, and 500 nights take as long as all calls of a wave.
    patches.setattr(forecasts, "NIGHTS", _FORECAST_NIGHTS)
    patches.setattr("airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **one: asked.append(one))
    patches.setenv("HCX_WAVES_SIGNING_KEY", SIGNING_KEY)
    patches.setenv("HCX_WAVES_STATE_FOLDER", str(folder / "state"))
    patches.setenv("HCX_WAVES_REPORTS_FOLDER", str(folder / "reports"))
    short = {"read_seconds": READ_SECONDS} if short_reads else {}
    documents = connection_documents(pair.endpoints, attempts=ATTEMPTS, **short)
    for document in documents.values():
        document["extra"] = {key: value for key, value in document["extra"].items() if value is not None}
    set_connections(patches, documents)
    return frozenset(document["password"] for document in documents.values())
