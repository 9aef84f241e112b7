"""The state folder: private, kept, and one demo's at a time."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from hcx_demo.errors import DemoError
from hcx_demo.stack.state import ADMIN, APPROVER, Secrets, StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """An open folder in a path with a space."""
    folder = StateFolder(tmp_path / "my state" / "demo")
    folder.open()
    return folder


def test_secrets_are_generated_once_and_readable_for_the_owner_alone(state: StateFolder) -> None:
    first = state.secrets()
    assert state.secrets() == first
    assert (state.root / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(base64.urlsafe_b64decode(first.fernet_key)) == 32
    assert set(first.passwords) == {ADMIN, APPROVER}
    assert all(len(value) >= 16 for value in first.values())
    assert len(set(first.values())) == len(first.values())


def test_secrets_do_not_show_in_a_repr() -> None:
    fresh = Secrets.generate()
    assert not [value for value in (*fresh.values(), fresh.marker) if value in repr(fresh)]


def test_a_broken_secrets_file_is_replaced(state: StateFolder) -> None:
    (state.root / "secrets.json").write_text("{", encoding="utf-8")
    assert state.secrets() == state.secrets()


def test_all_but_the_way_through_is_closed_to_others(state: StateFolder) -> None:
    assert state.root.stat().st_mode & 0o777 == 0o711
    for folder in (state.airflow_home, state.simulator, state.logs, state.commands, state.reports):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_second_demo_in_the_folder_is_told_where_the_first_is(state: StateFolder) -> None:
    state.note(url="http://127.0.0.1:8080")
    with pytest.raises(DemoError) as caught:
        StateFolder(state.root).open()
    assert str(caught.value) == (
        f"a demo is already running in {state.root} (process {os.getpid()}) with its UI at http://127.0.0.1:8080; "
        "stop it with Ctrl-C, or choose another folder with STATE=<folder>"
    )


def test_a_closed_folder_can_be_opened_again(state: StateFolder) -> None:
    state.remember("ports", {"ui": 8081})
    state.close()
    again = StateFolder(state.root)
    again.open()
    assert again.recall("ports") == {"ui": 8081}
    assert again.recall("nothing") == {}
    again.close()


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(DemoError, match=r"^the state folder .*file/demo cannot be used: .*STATE=<folder>$"):
        StateFolder(tmp_path / "file" / "demo").open()


def test_a_file_is_whole_or_as_before(state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    state.remember("facts", {"a": 1})

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        state.remember("facts", {"a": 2})
    assert json.loads((state.root / "facts.json").read_text(encoding="utf-8")) == {"a": 1}
