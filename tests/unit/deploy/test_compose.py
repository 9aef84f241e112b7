"""What the real ``docker compose config`` does not look at: files, secrets, ports, and the script for .env."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
REQUIRED = set(re.findall(r"\$\{(\w+):\?", TEXT))
RESTART = re.compile(r"no|always|unless-stopped|on-failure(:\d+)?")


def environment(service: str) -> dict[str, str]:
    """The environment of a service."""
    found: dict[str, str] = SERVICES[service].get("environment", {})
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_build_contexts_and_bind_sources_exist(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert (ROOT / service["build"]["context"] / "Dockerfile").is_file()
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_restart_values_and_health_checks(name: str) -> None:
    service = SERVICES[name]
    assert RESTART.fullmatch(str(service["restart"]))
    if not name.endswith("-init"):
        assert {"interval", "timeout", "retries", "start_period", "start_interval"} <= set(service["healthcheck"])


def test_only_loopback_ports_are_published() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("${AIRFLOW_BIND:-127.0.0.1}:")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_on_a_command_line(name: str) -> None:
    for key in ("command", "entrypoint", "healthcheck"):
        text = str(SERVICES[name].get(key, ""))
        assert not re.search(r"(?<!\$)\$\{?\w*(PASSWORD|SECRET|KEY)", text), text


def test_no_secret_has_a_default() -> None:
    named = set(re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY)\w*)[:}]", TEXT))
    assert named
    assert named <= set(REQUIRED)


def test_only_workers_and_the_triggerer_hold_the_signing_key() -> None:
    holders = {name for name in SERVICES if "HCX_WAVES_SIGNING_KEY" in environment(name)}
    assert holders == {"airflow-worker", "airflow-triggerer"}


def test_all_parts_share_what_they_must_share() -> None:
    parts = [name for name in SERVICES if name.startswith("airflow-")]
    for key in (
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    ):
        assert len({environment(name)[key] for name in parts}) == 1


def test_example_names_every_required_variable_and_gives_no_value() -> None:
    example = dict(
        line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if re.match(r"\w+=", line)
    )
    assert {name for name, value in example.items() if not value} == REQUIRED
    assert set(re.findall(r"\$\{(\w+):[?-]", TEXT)) == set(example)


def test_the_server_of_twins_cannot_be_taken_for_a_site() -> None:
    assert "--twins-only" in SERVICES["twins"]["command"]
    assert "--twins-only" not in SERVICES["simulator"]["command"]
    assert SERVICES["twins"]["profiles"] == SERVICES["airflow-twins-init"]["profiles"] == ["rehearsals"]


def test_the_connections_are_made_of_what_the_server_of_twins_writes() -> None:
    script = (ROOT / "docker" / "connect-twins").read_text()
    written = next(one for one in SERVICES["twins"]["command"] if one.startswith("--endpoints-file="))
    assert written.partition("=")[2] in script
    folder = "twins-state:/var/lib/hcx-sim"
    assert SERVICES["twins"]["volumes"] == [folder]
    assert f"{folder}:ro" in SERVICES["airflow-twins-init"]["volumes"]
    assert SERVICES["airflow-twins-init"]["depends_on"]["twins"] == {"condition": "service_healthy"}


def make_env(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script in a copy of what it needs."""
    (folder / "docker").mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "docker" / "make-env", folder / "docker" / "make-env")
    shutil.copy(ROOT / ".env.example", folder / ".env.example")
    return subprocess.run(["docker/make-env"], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S607


def test_make_env_fills_every_secret_and_keeps_an_existing_file(tmp_path: Path) -> None:
    assert make_env(tmp_path).returncode == 0
    made = (tmp_path / ".env").read_text()
    values = dict(line.split("=", 1) for line in made.splitlines() if re.match(r"\w+=", line))
    secrets = [values[name] for name in sorted(REQUIRED)]
    assert len(set(secrets)) == len(REQUIRED)
    assert all(len(secret) >= 20 for secret in secrets)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600

    again = make_env(tmp_path)

    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert (tmp_path / ".env").read_text() == made


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    made = []
    for folder in folders:
        assert make_env(folder).returncode == 0
        made.append((folder / ".env").read_text())
    assert made[0] != made[1]
