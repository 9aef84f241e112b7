"""The server as a whole: ports, endpoints document, start and stop."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
import threading
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from hcx_sim.endpoints import withdraw_endpoints, write_endpoints
from hcx_sim.http.listener import PortTakenError
from hcx_sim.scenario import ScenarioError
from hcx_sim.server import ServerOptions, SimServer, keep_secrets, load_secrets
from hcx_sim.world.credentials import secret_credentials
from hcx_sim.worlds import WorldOptions
from support.probe_product import probe_products
from support.site_pair import SitePair, SiteServer
from support.waiting import HANG_SECONDS


def test_the_endpoints_document_has_exactly_the_promised_shape(probe_server: SiteServer) -> None:
    document = probe_server.default().endpoints

    site = {name: {"url", "username", "password"} for name in ("hcx", "vcenter", "nsx")}
    assert set(document) == {"ca_file", "speed", "control", "source", "destination", "vmc"}
    assert {name: set(login) for name, login in document["source"].items()} == site
    assert {name: set(login) for name, login in document["destination"].items()} == site
    assert set(document["control"]) == {"url", "token"}
    assert set(document["vmc"]) == {
        "url",
        "csp_url",
        "refresh_token",
        "org_id",
        "source_sddc_id",
        "destination_sddc_id",
    }
    assert document["speed"] == 1.0
    urls = [document[site][name]["url"] for site in ("source", "destination") for name in ("hcx", "vcenter", "nsx")]
    urls += [document["vmc"]["url"], document["vmc"]["csp_url"], document["control"]["url"]]
    assert len({urlsplit(url).port for url in urls}) == 9
    assert all(url.startswith("https://127.0.0.1:") for url in urls)
    assert Path(document["ca_file"]).is_file()


def test_a_world_of_its_own_has_its_prefix_in_every_url_but_the_control_apis(probe_pair: SitePair) -> None:
    prefix = f"/w/{probe_pair.world_id}"

    assert urlsplit(probe_pair.url("vmc")).path == prefix
    assert urlsplit(probe_pair.url("csp")).path == prefix
    assert urlsplit(probe_pair.url("nsx", "destination")).path == prefix
    assert urlsplit(probe_pair.endpoints["control"]["url"]).path == ""
    assert probe_pair.world.products["urls"]["hcx/destination"] == probe_pair.url("hcx", "destination")


def test_credentials_follow_the_seed_and_differ_between_products(probe_server: SiteServer) -> None:
    first, same, other = (probe_server.make_world(seed=seed) for seed in (3, 3, 4))

    assert first.credentials == same.credentials != other.credentials
    passwords = {first.login(p, s).password for p in ("hcx", "nsx", "vcenter") for s in ("source", "destination")}
    assert len(passwords) == 6
    assert first.login("hcx").password not in repr(first.credentials)
    login = first.login("nsx", "source")
    assert first.credentials.accepts("nsx", "source", login.username.upper(), login.password)
    assert not first.credentials.accepts("nsx", "destination", login.username, login.password)
    assert not first.credentials.accepts("vmc", "source", login.username, login.password)
    assert not first.credentials.accepts_refresh_token("")

    for pair in (first, same, other):
        probe_server.drop(pair)


def _free_base(count: int = 9) -> int:
    """Return the first of ``count`` ports in a row that are free at present."""
    for base in range(21_000, 29_000, count):
        with ExitStack() as stack:
            try:
                for port in range(base, base + count):
                    sock = stack.enter_context(socket.socket())
                    sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise AssertionError("no free ports")


def test_port_base_numbers_the_ports_in_the_documented_order() -> None:
    base = _free_base()
    server = SimServer(ServerOptions(port_base=base, tls=False), probe_products()).start()
    try:
        document = server.endpoints()
    finally:
        server.stop()

    order = [document[site][name]["url"] for site in ("source", "destination") for name in ("hcx", "vcenter", "nsx")]
    order += [document["vmc"]["url"], document["vmc"]["csp_url"], document["control"]["url"]]
    assert [urlsplit(url).port for url in order] == list(range(base, base + 9))
    assert document["ca_file"] is None
    assert document["control"]["url"] == f"http://127.0.0.1:{base + 8}"


def test_a_taken_port_is_named_with_its_product_and_everything_is_undone() -> None:
    base = _free_base()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 2))
        taken.listen()
        with pytest.raises(PortTakenError, match=rf"source nsx: cannot listen on 127\.0\.0\.1 port {base + 2}: .+"):
            SimServer(ServerOptions(port_base=base), probe_products()).start()

    server = SimServer(ServerOptions(port_base=base, tls=False), probe_products()).start()
    server.stop()


def test_a_bad_scenario_stops_the_start_with_every_problem() -> None:
    scenario = {"name": "bad", "vms": [{"name": "a", "nics": [{"network": "nowhere"}]}], "colour": "red"}

    with pytest.raises(ScenarioError, match="colour"):
        SimServer(ServerOptions(world=WorldOptions(scenario=scenario)), probe_products()).start()


def test_start_and_stop_leave_no_thread_and_no_listener() -> None:
    server = SimServer(ServerOptions(), probe_products()).start()
    url = urlsplit(server.endpoints()["source"]["hcx"]["url"])
    ca_file = Path(server.endpoints()["ca_file"])

    server.stop()

    assert all(thread.name != server.thread_name for thread in threading.enumerate())
    assert not ca_file.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((url.hostname, url.port), timeout=HANG_SECONDS)
    server.stop()
    with pytest.raises(RuntimeError, match="not running"):
        server.run(lambda: None)


def test_the_server_runs_on_a_loop_of_ones_own() -> None:
    async def once() -> int:
        server = SimServer(ServerOptions(tls=False), probe_products())
        await server.open()
        url = server.endpoints()["source"]["nsx"]["url"]
        try:
            return (await asyncio.to_thread(requests.get, f"{url}/thing", timeout=HANG_SECONDS)).status_code
        finally:
            await server.close()

    assert asyncio.run(once()) == 200


def test_the_document_is_written_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text("older", encoding="utf-8")
    document = {"source": {"hcx": {"password": "secret"}}}

    write_endpoints(document, str(path))

    assert json.loads(path.read_text(encoding="utf-8")) == document
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["endpoints.json"]
    withdraw_endpoints({"another": "document"}, str(path))
    assert path.exists()
    withdraw_endpoints(document, str(path))
    assert not path.exists()


def test_the_document_can_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_endpoints({"speed": 1.0}, "-")

    assert json.loads(capsys.readouterr().out) == {"speed": 1.0}


def test_secrets_are_kept_over_restarts_for_their_owner_only(tmp_path: Path) -> None:
    assert load_secrets(tmp_path) is None
    credentials = secret_credentials()

    keep_secrets(tmp_path, credentials, "token")

    assert load_secrets(tmp_path) == (credentials, "token")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert secret_credentials() != credentials
