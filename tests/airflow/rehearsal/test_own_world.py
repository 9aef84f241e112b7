"""A rehearsal works in its own world and nowhere else: what refuses it, before any password and any change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import ConnectionSettingsError
from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.roles import snapshot_connection_id
from hcx_airflow.hooks.sites import open_sites, open_sites_for_snapshot, secrets_of
from hcx_airflow.hooks.twin import TwinControlHook
from hcx_airflow.hooks.vmc import VmcHook
from hcx_airflow.hooks.world import TwinWorld
from hcx_waves.clients.errors import AuthenticationFailed, EndpointMismatch
from hcx_waves.clients.nsx.models import Connectivity
from hcx_waves.twin.names import world_id_of
from hcx_waves.wavefile.loader import load_wave
from support.airflow_home import DAGS
from support.airflow_tasks import connection, connection_documents, set_connections
from support.scripted_server import Answer, running_server
from support.site_pair import SitePair, SiteServer
from support.twins import twin_documents

WAVE = load_wave(DAGS / "waves" / "seed-wave.yaml")
WORLD = world_id_of("seed-wave", "backfill__1")
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def twin(site_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SitePair]:
    """The run's own world, and connections that hold its server's address."""
    set_connections(monkeypatch, twin_documents(site_server))
    pair = site_server.make_world(world_id=WORLD, mode="stepped", role="twin", guarded=True)
    yield pair
    pair.assert_no_bugs()
    site_server.drop(pair)


def world_of(pair: SitePair, **changes: Any) -> TwinWorld:
    return replace(TwinWorld(pair.world_id, pair.endpoints), **changes)


def changes_at(pair: SitePair) -> list[dict[str, Any]]:
    """Return what was sent to a world that could change anything, log-ins included."""
    return [call for call in pair.calls() if call["data"]["method"] in CHANGING]


def test_its_connections_lead_to_its_own_world_with_the_log_ins_of_that(twin: SitePair) -> None:
    with open_sites(WAVE, rehearsal=True, twin=world_of(twin)) as clients:
        found = [clients.hcx, clients.source_vcenter, clients.destination_vcenter, clients.destination_nsx]
        assert {(one.identity().role, one.identity().world_id) for one in found} == {("twin", WORLD)}
        assert clients.hcx.base_url.endswith(f"/w/{WORLD}")
        assert clients.source_nsx is not None
        segment = next(one for one in clients.source_nsx.segments() if one.display_name == "seed-net")
        clients.source_nsx.set_connectivity(segment, Connectivity.OFF)
    assert [call["data"]["operation"] for call in twin.calls() if call["data"]["method"] == "PATCH"]


def test_a_connections_own_log_in_comes_first(twin: SitePair, site_server: Any) -> None:
    document = {**twin_documents(site_server)["twin_hcx_source"], "login": "somebody", "password": "else-4711"}
    hook = HcxHook(
        "twin_hcx_source", rehearsal=True, twin=world_of(twin), connection=connection("twin_hcx_source", document)
    )
    with pytest.raises(AuthenticationFailed, match='connection "twin_hcx_source": '), hook.client() as client:
        client.login()


@pytest.mark.parametrize("role", ["site", "twin"])
def test_another_world_is_refused_before_a_password_is_sent(twin: SitePair, site_server: Any, role: str) -> None:
    other = site_server.make_world(mode="paused", role=role)
    # As if the run's own address led elsewhere: behind a proxy, say, that somebody has changed meanwhile.
    wrong = Misled(twin.world_id, other.endpoints, shown=other.world_id)
    raised = pytest.raises(EndpointMismatch, match='connection "twin_vmc_destination": leads to a simulated')
    with raised as caught, open_sites(WAVE, rehearsal=True, twin=wrong):
        pass
    assert f"this run may only work on: twin (world {WORLD})" in str(caught.value)
    assert changes_at(other) == []
    site_server.drop(other)


class Misled(TwinWorld):
    """A run whose connections lead to another world than its own."""

    def __init__(self, world_id: str, endpoints: Any, shown: str) -> None:
        super().__init__(world_id, endpoints)
        object.__setattr__(self, "shown", shown)

    def place(self, url: str) -> str:
        return TwinWorld(self.shown).place(url)  # type: ignore[attr-defined]


@pytest.fixture
def live() -> Iterator[SitePair]:
    """A simulator of its own, as the live waves' connections lead to."""
    server = SiteServer()
    yield server.default()
    server.stop()


@pytest.mark.parametrize("as_it_is", [True, False], ids=["its whole address", "its server's address"])
def test_a_connection_that_is_edited_to_lead_to_a_live_site_is_refused(
    twin: SitePair, live: SitePair, monkeypatch: pytest.MonkeyPatch, as_it_is: bool
) -> None:
    with open_sites(WAVE, rehearsal=True, twin=world_of(twin)) as clients:
        assert clients.hcx.identity().world_id == WORLD
    documents = connection_documents(live.endpoints)
    if as_it_is:
        documents = {conn_id: {**one, "host": f"{one['host']}/w/default"} for conn_id, one in documents.items()}
    set_connections(monkeypatch, documents, prefix="twin_")
    raised = pytest.raises(EndpointMismatch, match='connection "twin_vmc_destination": leads to a simulated twin')
    with raised as caught, open_sites(WAVE, rehearsal=True, twin=world_of(twin)):
        pass
    assert "(world unknown), but this run may only work on: twin" in str(caught.value)
    # That simulator has no such world; nothing has reached the one that it has.
    assert live.calls() == []


def test_a_real_product_gets_one_anonymous_question(twin: SitePair, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server() as product:
        product.on("GET", f"/w/{WORLD}/", Answer(404, "<html>not here</html>"))
        document = {"conn_type": "hcx", "host": product.url, "login": "admin", "password": "a-real-password"}
        set_connections(monkeypatch, {"twin_hcx_source": document})
        hook = HcxHook("twin_hcx_source", rehearsal=True, twin=world_of(twin))
        raised = pytest.raises(EndpointMismatch, match="leads to a real product")
        with raised as caught, hook.client():
            pass
    assert "No log-in was sent" in caught.value.hint
    assert [(one.method, "authorization" in one.headers, one.text) for one in product.received] == [("GET", False, "")]


def test_a_twin_without_a_log_in_of_the_cloud_never_asks_vmware(twin: SitePair) -> None:
    world = world_of(twin, endpoints={**twin.endpoints, "vmc": {"refresh_token": "t"}})
    with pytest.raises(ConnectionSettingsError, match="leads to a twin that has no VMware Cloud"):
        VmcHook("twin_vmc_source", rehearsal=True, twin=world).get_conn()


def test_a_connection_without_an_address_is_no_twin(twin: SitePair, monkeypatch: pytest.MonkeyPatch) -> None:
    set_connections(monkeypatch, {"twin_vmc_source": {"conn_type": "vmc"}})
    with pytest.raises(ConnectionSettingsError, match='connection "twin_vmc_source": has no host'):
        VmcHook("twin_vmc_source", rehearsal=True, twin=world_of(twin)).get_conn()


@pytest.mark.parametrize("client", ["source_nsx", "hcx"])
def test_a_world_that_is_swapped_under_a_client_is_not_changed(twin: SitePair, site_server: Any, client: str) -> None:
    with open_sites(WAVE, rehearsal=True, twin=world_of(twin)) as clients:
        one: Any = getattr(clients, client)
        assert one.identity().world_id == WORLD
        segment = next(seg for seg in clients.source_nsx.segments() if seg.display_name == "seed-net")  # type: ignore[union-attr]
        # The same address is another's from now on, and still takes the log-ins.
        twin.run(lambda: setattr(twin.world, "role", "site"))
        mark = twin.mark()
        change = {
            "source_nsx": lambda: one.set_connectivity(segment, Connectivity.OFF),
            "hcx": lambda: one.start_groups(["no-such-group"]),
        }[client]
        with pytest.raises(EndpointMismatch, match=r"this client may only change: twin \(world rh-seed-wave-"):
            change()
        sent = [call for call in twin.calls(after=mark) if call["data"]["method"] in {"PUT", "PATCH", "DELETE"}]
        assert sent == []
        twin.run(lambda: setattr(twin.world, "role", "twin"))


def test_snapshot_connections_only_read(site_pair: SitePair, monkeypatch: pytest.MonkeyPatch, connections: Any) -> None:
    set_connections(monkeypatch, connections, prefix="snapshot_")
    with open_sites_for_snapshot(WAVE) as clients:
        assert clients.source_nsx is not None
        segment = next(one for one in clients.source_nsx.segments() if one.display_name == "seed-net")
        mark = site_pair.mark()
        with pytest.raises(EndpointMismatch, match="this client only reads; nothing is changed through it"):
            clients.source_nsx.set_connectivity(segment, Connectivity.OFF)
        sent = site_pair.calls(after=mark)
        assert {call["data"]["operation"] for call in sent}.isdisjoint({"segments.patch"})
        assert not [call for call in sent if call["data"]["method"] in {"PUT", "PATCH", "DELETE"}]


def test_snapshots_have_connections_of_their_own() -> None:
    assert snapshot_connection_id("hcx_source") == "snapshot_hcx_source"
    assert snapshot_connection_id("snapshot_hcx_source") == "snapshot_hcx_source"
    with pytest.raises(ConnectionSettingsError, match="is a twin; a snapshot is taken of the live site"):
        snapshot_connection_id("twin_hcx_source")


def test_the_control_connection(twin: SitePair, site_server: Any) -> None:
    worked, words = TwinControlHook().test_connection()
    assert worked, words
    assert "control port of the simulator at " in words
    document = twin_documents(site_server)["twin_control"]
    for changes, expected in (
        ({"password": "wrong-4711"}, "the credentials were refused"),
        ({"password": None}, "Set it to the simulator's control token"),
        ({"host": None}, "has no host"),
        ({"conn_type": "hcx"}, 'has type "hcx"; change it to "hcx_twin"'),
    ):
        hook = TwinControlHook(connection=connection("twin_control", {**document, **changes}))
        worked, words = hook.test_connection()
        assert not worked
        assert expected in words
        assert "twin_control" in words
        assert "4711" not in words


def test_nothing_shows_what_only_the_world_knows(twin: SitePair) -> None:
    world = world_of(twin)
    secrets = secrets_of(WAVE, rehearsal=True, twin=world)
    assert twin.login("hcx", "source").password in secrets
    assert str(twin.endpoints["control"]["token"]) in secrets
    shown = repr(world) + repr(TwinControlHook().get_conn()) + json.dumps(str(world))
    assert not [secret for secret in secrets if secret in shown]


def test_worlds_follow_from_the_run_alone(tmp_path: Path) -> None:
    name = world_id_of("a" * 60, "backfill__2026-10-25T11:00:00+00:00")
    assert len(name) <= 64
    assert name.startswith("rh-aaaa")
    assert world_id_of("wave", "r1") != world_id_of("wave", "r2")
    assert world_id_of("wave-1", "r1") != world_id_of("wave-2", "r1")
