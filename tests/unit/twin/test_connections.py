"""The connections of rehearsals, as Airflow imports them."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hcx_waves.cli import main
from hcx_waves.twin.connections import TwinConnectionsError, twin_connections
from hcx_waves.wavefile.connections import Connections

TOKEN = "the-control-token"
WAVES = Path(__file__).parents[3] / "dags" / "waves"


def product(number: int) -> dict[str, str]:
    """Address and account of a product of the default world."""
    return {"url": f"https://twins:{number}", "username": "user", "password": "password"}


def document(**more: Any) -> dict[str, Any]:
    """The endpoints document of a server of twins."""
    return {
        "ca_file": "ca.pem",
        "control": {"url": "https://twins:8548", "token": TOKEN},
        "source": {"hcx": product(8540), "vcenter": product(8541), "nsx": product(8542)},
        "destination": {"hcx": product(8543), "vcenter": product(8544), "nsx": product(8545)},
        "vmc": {"url": "https://twins:8546", "csp_url": "https://twins:8547", "refresh_token": "token"},
        **more,
    }


def connections(source_hcx: str = "hcx_east") -> Connections:
    """The connections of a wave from a data centre to VMware Cloud."""
    return Connections.model_validate(
        {
            "source": {"hcx": source_hcx, "nsx": "nsx_east", "vcenter": "vcenter_east"},
            "destination": {"vmc": "vmc_cloud", "vcenter": "vcenter_cloud"},
        }
    )


def test_every_connection_of_the_waves_leads_to_the_port_of_its_product_without_a_login() -> None:
    found = twin_connections([connections(), connections("hcx_other")], document(), {"ca_pem": "pem"})
    hosts = {conn_id: (one["conn_type"], one["host"]) for conn_id, one in found.items()}
    assert hosts == {
        "twin_control": ("hcx_twin", "https://twins:8548"),
        "twin_hcx_east": ("hcx", "https://twins:8540"),
        "twin_hcx_other": ("hcx", "https://twins:8540"),
        "twin_nsx_east": ("nsx_policy", "https://twins:8542"),
        "twin_vcenter_east": ("vsphere", "https://twins:8541"),
        "twin_vmc_cloud": ("vmc", "https://twins:8546"),
        "twin_vcenter_cloud": ("vsphere", "https://twins:8544"),
    }
    assert found["twin_control"]["password"] == TOKEN
    assert all("login" not in one for one in found.values())
    assert [conn_id for conn_id, one in found.items() if "password" in one] == ["twin_control"]
    assert found["twin_vmc_cloud"]["extra"] == {"ca_pem": "pem", "csp_url": "https://twins:8547"}


def test_an_id_that_would_have_to_lead_to_two_places_is_refused() -> None:
    back = Connections.model_validate(
        {
            "source": {"hcx": "hcx_cloud", "nsx": "nsx_cloud", "vcenter": "vcenter_cloud"},
            "destination": {"nsx": "nsx_east", "vcenter": "vcenter_east"},
        }
    )
    with pytest.raises(TwinConnectionsError) as caught:
        twin_connections([connections(), back], document(), {})
    assert str(caught.value).splitlines() == [
        "twin_nsx_east: stands for different products or sites in these waves",
        "twin_vcenter_cloud: stands for different products or sites in these waves",
        "twin_vcenter_east: stands for different products or sites in these waves",
    ]


def call(folder: Path, *waves: Path) -> Result:
    """Run the command on the endpoints document of a folder."""
    arguments = ["twin-connections", *map(str, waves), "--endpoints", str(folder / "endpoints.json")]
    return CliRunner().invoke(main, [*arguments, "--out", str(folder / "made.json")])


def test_the_command_writes_a_file_for_its_owner_with_the_authority_in_it_and_prints_no_secret(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text(json.dumps(document()))
    (tmp_path / "ca.pem").write_text("an authority")

    done = call(tmp_path, WAVES)

    assert done.exit_code == 0, done.output
    assert TOKEN not in done.output
    made = json.loads((tmp_path / "made.json").read_text())
    assert made["twin_control"]["extra"] == {"ca_pem": "an authority"}
    assert {"twin_hcx_source", "twin_vcenter_destination"} <= set(made)
    assert stat.S_IMODE((tmp_path / "made.json").stat().st_mode) == 0o600


def test_every_input_that_cannot_be_used_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    lacking = document()
    del lacking["control"]
    (tmp_path / "endpoints.json").write_text(json.dumps({**lacking, "ca_file": None}))

    done = call(tmp_path, tmp_path / "nowhere.yaml")

    assert done.exit_code == 2
    assert "nowhere.yaml:1:1 wave: cannot be read: No such file or directory" in done.output
    assert (
        "the endpoints document of the twins has no 'control'. Use the file that `hcx-sim serve --twins-only` writes"
        in done.output
    )
    assert not (tmp_path / "made.json").exists()
