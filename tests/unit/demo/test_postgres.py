"""The embedded PostgreSQL, started for real: where it lives, who gets in, how it ends."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from hcx_demo.errors import DemoError
from hcx_demo.stack.postgres import DATABASE, ROLE, PostgresServer
from hcx_demo.stack.postgres_folders import PostgresFolders, find_folders
from hcx_demo.stack.state import StateFolder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run the server as somebody else")


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short temporary folder that everybody may enter, as the system's is."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture
def state(temporary: Path) -> Iterator[StateFolder]:
    """A state folder with a space, far more than 107 characters down, in a folder that nobody else may enter."""
    folder = StateFolder(temporary / "closed to others" / ("d" * 60) / ("e" * 60) / "demo")
    folder.root.parent.mkdir(parents=True)
    (temporary / "closed to others").chmod(0o700)
    folder.open()
    yield folder
    folder.close()


def socket_connection(place: PostgresFolders, role: str = ROLE) -> psycopg2.extensions.connection:
    """Connect as Airflow does."""
    return psycopg2.connect(host=str(place.socket), user=role, dbname=DATABASE)


def test_it_runs_where_its_own_user_could_not_even_look(state: StateFolder) -> None:
    place = find_folders(state)
    server = PostgresServer(place, state.logs / "postgres.log", dict(os.environ))
    server.start()
    try:
        connection = socket_connection(place)
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept (n integer)")
            cursor.execute("SHOW listen_addresses")
            assert cursor.fetchone() == ("",)
        connection.close()
        with pytest.raises(psycopg2.OperationalError, match="Peer authentication failed"):
            socket_connection(place, role="postgres")
    finally:
        server.stop()
    assert not (place.data / "postmaster.pid").exists()
    again = find_folders(state)
    assert again == place
    server = PostgresServer(again, state.logs / "postgres.log", dict(os.environ))
    server.start()
    try:
        connection = socket_connection(again)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM kept")
            assert cursor.fetchone() == (0,)
        connection.close()
    finally:
        server.stop()


def test_the_socket_fits_and_the_record_says_where_all_is(state: StateFolder, temporary: Path) -> None:
    place = find_folders(state)
    assert len(str(place.socket / ".s.PGSQL.5432")) < 107
    assert state.recall("postgres") == {
        "temporary": str(place.settings),
        "data": str(place.data),
        "programs": str(place.programs),
    }
    assert place.settings.parent == temporary


@as_root
def test_root_keeps_everything_but_data_and_socket_to_itself(state: StateFolder) -> None:
    place = find_folders(state)
    assert place.other_user is not None
    nobody = place.other_user.pw_uid
    assert place.settings.stat().st_uid == 0
    assert [path.stat().st_uid for path in (place.data, place.socket)] == [nobody, nobody]
    assert stat.S_IMODE(place.data.stat().st_mode) == 0o700
    # The state folder is out of the server's reach here, so the data are not in it.
    assert place.data.parent == place.settings


@as_root
def test_data_stay_in_a_state_folder_that_the_server_can_reach(temporary: Path) -> None:
    folder = StateFolder(temporary / "demo")
    folder.open()
    assert find_folders(folder).data == folder.root / "postgres"
    folder.close()


@as_root
def test_a_temporary_folder_of_somebody_else_is_not_used_again(state: StateFolder) -> None:
    first = find_folders(state)
    os.chown(first.settings, 65534, 65534)
    assert find_folders(state).settings != first.settings


def test_a_link_in_place_of_the_temporary_folder_is_not_followed(state: StateFolder, temporary: Path) -> None:
    first = find_folders(state).settings
    first.rename(temporary / "moved")
    first.symlink_to(temporary / "moved")
    assert find_folders(state).settings != first


def test_a_long_temporary_folder_is_passed_over(state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    long_one = Path(tempfile.gettempdir()) / ("t" * 80)
    long_one.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long_one))
    settings = find_folders(state).settings
    assert settings.parent == Path("/tmp")  # noqa: S108 - what is asserted
    for name in sorted(settings.rglob("*"), reverse=True):
        name.rmdir() if name.is_dir() else name.unlink()
    settings.rmdir()


def test_a_cluster_that_cannot_be_started_says_why(state: StateFolder) -> None:
    place = find_folders(state)
    server = PostgresServer(place, state.logs / "postgres.log", dict(os.environ))
    server.start()
    server.stop()
    (place.data / "PG_VERSION").write_text("9.6\n", encoding="utf-8")
    with pytest.raises(DemoError, match=r"^PostgreSQL exited with 1; .*(?s:.*)not compatible"):
        PostgresServer(place, state.logs / "postgres.log", dict(os.environ)).start()
