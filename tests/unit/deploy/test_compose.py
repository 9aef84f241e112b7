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
SECRETS = set(COMPOSE["secrets"])
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
def test_secrets_are_files_and_nothing_else(name: str) -> None:
    """Neither in an environment, which ``docker inspect`` shows, nor on a command line."""
    assert set(SERVICES[name].get("secrets", ())) <= SECRETS
    for key in ("command", "entrypoint", "healthcheck"):
        text = str(SERVICES[name].get(key, ""))
        assert not re.search(r"(?<!\$)\$\{?\w*(PASSWORD|SECRET|KEY)", text), text
    for variable, value in environment(name).items():
        if (
            re.search(r"PASSWORD|SECRET|_KEY|CONN|BROKER|RESULT_BACKEND", variable)
            and "TEST_CONNECTION" not in variable
        ):
            assert variable.endswith(("_CMD", "_FILE")), variable
            assert str(value).startswith(("/run/secrets/", "cat /run/secrets/", "/opt/hcx-waves/docker/secret ")), value


def test_no_variable_of_compose_is_a_secret() -> None:
    assert re.findall(r"\$\{(\w*(?:PASSWORD|SECRET\b|KEY)\w*)[:}]", TEXT) == []


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_the_secrets_that_it_reads_and_no_other(name: str) -> None:
    read = set(re.findall(r"/run/secrets/(\w+)", str(SERVICES[name])))
    for script in re.findall(r"/opt/hcx-waves/docker/([\w-]+)", str(SERVICES[name])):
        read |= set(re.findall(r"/run/secrets/(\w+)", (ROOT / "docker" / script).read_text()))
    assert read == set(SERVICES[name].get("secrets", ())), name


def test_only_workers_and_the_triggerer_hold_the_signing_key() -> None:
    holders = {name for name in SERVICES if "signing_key" in SERVICES[name].get("secrets", ())}
    assert holders == {"airflow-worker", "airflow-cutover-worker", "airflow-triggerer"}
    having_state = {name for name in SERVICES if "airflow-state:/opt/airflow/state" in SERVICES[name]["volumes"]}
    assert having_state == holders


@pytest.mark.parametrize("name", SERVICES)
def test_least_privilege(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]
    assert set(service.get("cap_add", ())) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert ("cap_add" in service) is (name == "postgres"), "the image of the database alone begins as root"
    if name != "postgres":
        assert not str(service["user"]).startswith(("0", "root"))


def test_the_database_and_the_broker_reach_nothing_and_nobody_else_reaches_them() -> None:
    of = {name: set(SERVICES[name]["networks"]) for name in SERVICES}
    assert of["postgres"] == of["redis"] == {"data"}
    assert COMPOSE["networks"]["data"] == COMPOSE["networks"]["inner"] == {"internal": True}
    assert {name for name in SERVICES if "edge" in of[name]} == {"airflow-apiserver"}
    assert not {"airflow-scheduler", "airflow-dag-processor", "airflow-init"} & {n for n in of if "sites" in of[n]}
    assert of["twins"] == of["simulator"] == {"sites"}


def test_stops_are_graceful_where_work_would_be_lost() -> None:
    for name in ("airflow-worker", "airflow-cutover-worker", "airflow-triggerer", "airflow-scheduler", "postgres"):
        assert SERVICES[name]["stop_grace_period"].endswith("m"), name


def test_the_image_is_built_once() -> None:
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["airflow-init"]


def test_the_steps_of_a_cutover_have_a_worker() -> None:
    queue = environment("airflow-dag-processor")["HCX_WAVES_CUTOVER_QUEUE"]
    assert f"--queues {queue} " in SERVICES["airflow-cutover-worker"]["command"]
    assert SERVICES["airflow-worker"]["command"] == "celery worker --queues default"


def test_no_health_check_starts_airflow() -> None:
    """That costs some seconds of processor time each."""
    for name in SERVICES:
        assert "airflow jobs" not in str(SERVICES[name].get("healthcheck")), name
        assert "celery_executor" not in str(SERVICES[name].get("healthcheck")), name
    assert "import airflow" not in (ROOT / "docker" / "healthy").read_text()


def test_all_parts_share_what_they_must_share() -> None:
    parts = [name for name in SERVICES if name.startswith("airflow-")]
    for key in (
        "AIRFLOW__API_AUTH__JWT_SECRET_CMD",
        "AIRFLOW__CORE__FERNET_KEY_CMD",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "HCX_WAVES_CUTOVER_QUEUE",
    ):
        assert len({environment(name)[key] for name in parts}) == 1


def test_the_example_names_every_variable_and_no_secret() -> None:
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if re.match(r"\w+=", line)]
    example = dict(line.split("=", 1) for line in lines)
    assert set(re.findall(r"\$\{(\w+):[?-]", TEXT)) == {*example, "HCX_WAVES_SECRETS"}
    assert all(example.values())


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


def secrets_in(folder: Path) -> dict[str, str]:
    """The secrets that the script has made."""
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_make_env_makes_every_secret_and_keeps_existing_ones(tmp_path: Path) -> None:
    assert make_env(tmp_path).returncode == 0
    made = secrets_in(tmp_path)
    assert set(made) == SECRETS
    assert len(set(made.values())) == len(SECRETS)
    assert all(len(secret) >= 20 for secret in made.values())
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700

    again = make_env(tmp_path)

    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert secrets_in(tmp_path) == made


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert make_env(tmp_path / name).returncode == 0
    one, two = secrets_in(tmp_path / "one"), secrets_in(tmp_path / "two")
    assert not set(one.values()) & set(two.values())


def test_secrets_never_enter_the_repository_nor_an_image() -> None:
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert (ROOT / ".dockerignore").read_text().splitlines()[0] == "*"
