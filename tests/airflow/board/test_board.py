"""The board as Airflow serves it: Airflow's access checks hold for every page, and no name leads out of the folder."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hcx_waves.rehearsals.model import Timeline
from hcx_waves.rehearsals.store import RecordStore
from support.airflow_home import make_database
from support.rehearsed import FIRST_NIGHT, a_record, finding, start_of

if TYPE_CHECKING:
    from starlette.testclient import TestClient

WAVE = "three-tier-1"
NEXT = FIRST_NIGHT + timedelta(days=1)
ROUTES = (
    "/rehearsals",
    f"/rehearsals/{WAVE}",
    f"/dags/rehearsal__{WAVE}",
    f"/dags/{WAVE}",
    f"/rehearsals/{WAVE}/summary.json",
    f"/rehearsals/{WAVE}/nights/2026-11-01/record.json",
    f"/rehearsals/{WAVE}/nights/2026-11-01/timeline.json",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # What Airflow's own libraries deprecate.


@pytest.fixture(scope="module")
def airflow() -> Iterator[TestClient]:
    """Airflow's API server with all plugins, as it is served, without a network."""
    make_database()
    # What Airflow's own libraries deprecate is no concern of these tests.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from airflow.api_fastapi.app import create_app
        from starlette.testclient import TestClient

    with TestClient(create_app(apps="core"), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordStore:
    """Two recorded nights, where the API server looks for them."""
    monkeypatch.setenv("HCX_WAVES_REPORTS_FOLDER", str(tmp_path / "reports"))
    store = RecordStore(tmp_path / "reports")
    timeline = Timeline(wave=WAVE, night=FIRST_NIGHT, time_zone="UTC", seed=7, starts_at=start_of(FIRST_NIGHT))
    store.write(a_record(), timeline)
    evil = finding("vm-has-snapshots", "<script>alert(1)</script>", message="{{ 7 * 7 }} & <b>bold</b>")
    store.write(a_record(NEXT, findings=(evil,)))
    return store


def token(role: str | None) -> str:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="somebody", role=role))


def get(airflow: TestClient, path: str, role: str | None = "VIEWER") -> Any:
    return airflow.get(f"/hcx-waves{path}", headers={"Authorization": f"Bearer {token(role)}"})


@pytest.mark.parametrize("path", ROUTES)
def test_nobody_sees_a_page_without_logging_in(airflow: TestClient, store: RecordStore, path: str) -> None:
    answer = airflow.get(f"/hcx-waves{path}")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
    forged = airflow.get(f"/hcx-waves{path}", headers={"Authorization": "Bearer abc"})
    assert (forged.status_code, forged.json()) == (403, {"detail": "Invalid JWT token"})


@pytest.mark.parametrize("path", [path for path in ROUTES if path != "/rehearsals"])
def test_a_user_without_the_right_to_read_the_dag_sees_nothing(
    airflow: TestClient, store: RecordStore, path: str
) -> None:
    answer = get(airflow, path, role=None)
    assert (answer.status_code, answer.json()) == (403, {"detail": "Forbidden"})


@pytest.mark.parametrize("path", ROUTES)
def test_a_viewer_sees_every_page(airflow: TestClient, store: RecordStore, path: str) -> None:
    answer = get(airflow, path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; img-src data:;")


UNANSWERABLE = {
    "/rehearsals/x%00y": 404,
    "/dags/x%00y": 404,
    "/rehearsals/%E2%80%AEx": 404,
    "/rehearsals/x%00y/summary.json": 404,
    f"/rehearsals/{'x' * 5000}": 422,
    f"/rehearsals/{WAVE}/nights/x%00y/record.json": 422,
    f"/rehearsals/{WAVE}/nights/2026-11-03/record.json": 404,
    "/nowhere": 404,
}


@pytest.mark.parametrize("path", UNANSWERABLE)
def test_what_cannot_be_answered_is_said_in_plain_words(airflow: TestClient, store: RecordStore, path: str) -> None:
    answer = get(airflow, path)
    assert answer.status_code == UNANSWERABLE[path], answer.text
    assert answer.text.isprintable()
    assert len(answer.text) < 300


@pytest.mark.parametrize("role", ["VIEWER", None, "nobody"])
@pytest.mark.parametrize("path", [*ROUTES, *UNANSWERABLE, "/docs"])
def test_every_answer_has_the_headers(airflow: TestClient, store: RecordStore, path: str, role: str | None) -> None:
    answer = airflow.get(f"/hcx-waves{path}") if role == "nobody" else get(airflow, path, role)
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; img-src data:;")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_error_that_nobody_expected_has_them_too(
    airflow: TestClient, store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("hcx_airflow.ui.board.app.summarise", fail)
    answer = get(airflow, f"/rehearsals/{WAVE}")
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 500 + "1" + "}" * 500, "[NaN]", "[1e999]", '["\\ud800"]'])
def test_a_record_made_to_break_the_reader_is_named(airflow: TestClient, store: RecordStore, content: str) -> None:
    (store.place(WAVE) / "2026-11-03.json").write_text(content)
    page, record = (
        get(airflow, f"/rehearsals/{WAVE}"),
        get(airflow, f"/rehearsals/{WAVE}/nights/2026-11-03/record.json"),
    )
    assert page.status_code == 200
    assert "2026-11-03.json: is not valid JSON" in page.text
    assert record.status_code == 404
    assert "is not valid JSON" in record.json()["detail"]


def test_what_is_not_seen_and_what_a_figure_would_read_as_formula_is_shown(
    airflow: TestClient, store: RecordStore
) -> None:
    evil = finding("vm-has-snapshots", "a\u202eb\x1b[31m$\\frac{$", message="x" * 100_000)
    store.write(a_record(NEXT, findings=(evil,)))
    page = get(airflow, f"/rehearsals/{WAVE}")
    assert page.status_code == 200
    assert "\u202e" not in page.text
    assert "\x1b" not in page.text
    assert "x" * 5000 not in page.text


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/redoc", "/openapi.json", "/rehearsals/", "/static/x", f"/rehearsals/{WAVE}/nights/"]
)
def test_there_is_nothing_else(airflow: TestClient, store: RecordStore, path: str) -> None:
    assert get(airflow, path).status_code == 404


def test_every_route_asks_for_a_user() -> None:
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi.routing import APIRoute

    from hcx_airflow.ui.board.app import make_app

    def callables(dependant: Any) -> set[Any]:
        found = {dependant.call}
        return found.union(*(callables(one) for one in dependant.dependencies))

    app = make_app()
    routes = [one for one in app.routes if isinstance(one, APIRoute)]
    assert len(routes) == len(app.routes) == 6
    for route in routes:
        assert get_user in callables(route.dependant), route.path


def test_rights_are_asked_for_each_dag_by_name(
    airflow: TestClient, store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi.app import get_auth_manager

    asked = []

    def only_live_dags(*, method: str, user: Any, details: Any = None, **_: Any) -> bool:
        asked.append((method, details.id))
        return not details.id.startswith("rehearsal__")

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", only_live_dags)
    assert get(airflow, f"/rehearsals/{WAVE}").status_code == 403
    assert get(airflow, f"/dags/{WAVE}").status_code == 403
    rehearsal = ("GET", f"rehearsal__{WAVE}")
    assert asked == [rehearsal, ("GET", WAVE), rehearsal]


def test_the_list_holds_only_what_the_user_may_read(
    airflow: TestClient, store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi.app import get_auth_manager

    store.write(a_record(wave="secret-wave"))
    allowed = {f"rehearsal__{WAVE}", "secret-wave", "cleanup__secret-wave"}
    monkeypatch.setattr(get_auth_manager(), "get_authorized_dag_ids", lambda **_: allowed)
    page = get(airflow, "/rehearsals").text
    assert f'<a href="/hcx-waves/rehearsals/{WAVE}">{WAVE}</a></td><td>2</td><td>2026-11-02</td>' in page
    assert "secret-wave" not in page


@pytest.mark.parametrize(
    "name",
    [
        "%2e%2e",
        "..%2f..%2fetc",
        "..%5c..",
        "%2fetc%2fpasswd",
        "three-tier-1%00",
        "THREE-TIER-1",
        "x" * 100,
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ],
)
def test_no_name_leads_out_of_the_folder(airflow: TestClient, store: RecordStore, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "rehearsals"
    outside.mkdir()
    (outside / "2026-11-01.json").write_text(a_record().model_dump_json())
    for path in (
        f"/rehearsals/{name}",
        f"/dags/rehearsal__{name}",
        f"/rehearsals/{name}/nights/2026-11-01/record.json",
    ):
        answer = get(airflow, path)
        assert answer.status_code == 404, (path, answer.text)
        assert "<script>" not in answer.text
        assert "Everything as planned" not in answer.text


@pytest.mark.parametrize("night", ["2026-11-01%2f..", "..", "today", "2026-13-01", "2026-11-01.timeline"])
def test_a_night_is_a_date(airflow: TestClient, store: RecordStore, night: str) -> None:
    answer = get(airflow, f"/rehearsals/{WAVE}/nights/{night}/record.json")
    assert answer.status_code in (404, 422)
    assert "Everything as planned" not in answer.text


def test_the_page_shows_figures_picture_and_what_changed_and_escapes_names(
    airflow: TestClient, store: RecordStore
) -> None:
    page = get(airflow, f"/dags/rehearsal__{WAVE}").text
    assert "2 of 2 nights (100 %)" in page
    assert "5h</td>" in page
    assert '<td class="appeared">New</td>' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7 * 7 }} &amp; &lt;b&gt;bold&lt;/b&gt;" in page
    assert "<script" not in page
    assert f'href="/dags/rehearsal__{WAVE}" target="_top"' in page
    drawn = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    assert drawn is not None
    assert base64.b64decode(drawn.group(1)).startswith(b"\x89PNG")


def test_a_record_that_cannot_be_read_is_named_on_the_page(airflow: TestClient, store: RecordStore) -> None:
    (store.place(WAVE) / "2026-11-09.json").write_text("{")
    assert "2026-11-09.json: is not valid JSON" in get(airflow, f"/rehearsals/{WAVE}").text
    (store.place("other") / "x").parent.mkdir(parents=True)
    empty = get(airflow, "/rehearsals/other")
    assert (empty.status_code, "there is no record of a rehearsal of wave other" in empty.text) == (404, True)


def test_files_are_what_the_store_holds(airflow: TestClient, store: RecordStore) -> None:
    summary = get(airflow, f"/rehearsals/{WAVE}/summary.json").json()
    assert [row["night"] for row in summary["nights"]] == ["2026-11-01", "2026-11-02"]
    record = get(airflow, f"/rehearsals/{WAVE}/nights/2026-11-02/record.json").json()
    assert record == json.loads((store.place(WAVE) / "2026-11-02.json").read_text())
    timeline = get(airflow, f"/rehearsals/{WAVE}/nights/2026-11-01/timeline.json")
    assert timeline.content == store.timeline(WAVE, FIRST_NIGHT)
    missing = get(airflow, f"/rehearsals/{WAVE}/nights/2026-11-02/timeline.json")
    assert (missing.status_code, missing.json()["detail"]) == (
        404,
        "2026-11-02.timeline.json: No such file or directory",
    )


def test_airflow_finds_the_plugin_and_its_views(airflow: TestClient) -> None:
    found = metadata.entry_points(group="airflow.plugins", name="hcx_waves_board")
    assert [one.load().name for one in found] == ["hcx_waves_board"]
    answer = airflow.get("/api/v2/plugins", headers={"Authorization": f"Bearer {token('ADMIN')}"}).json()
    (board,) = [one for one in answer["plugins"] if one["name"] == "hcx_waves_board"]
    views = {view["destination"]: view["href"] for view in board["external_views"]}
    assert views == {"nav": "/hcx-waves/rehearsals", "dag": "/hcx-waves/dags/{DAG_ID}"}
    assert board["fastapi_apps"][0]["url_prefix"] == "/hcx-waves"


def test_the_board_stays_below_the_path_of_the_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    from hcx_airflow.ui.board.plugin import board_path

    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/moves/")
    assert board_path() == "/moves/hcx-waves"


def test_the_plugin_imports_no_page_before_one_is_asked_for() -> None:
    names = {"hcx_airflow.ui.board.app", "hcx_airflow.ui.board.pages", "matplotlib", "hcx_waves.rehearsals.summary"}
    code = f"import sys, hcx_airflow.ui.board.plugin; print(sorted({names} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines()[-1] == "[]"
