"""Airflow connections made from the endpoints document."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_demo.errors import DemoError
from hcx_demo.stack.connections import rehearsal_connections, wave_connections
from hcx_waves.wavefile.connections import Connections


def login(number: int) -> dict[str, str]:
    """Address and account of a product."""
    return {"url": f"https://127.0.0.1:{number}", "username": f"user-{number}", "password": f"password-{number}"}


ENDPOINTS: dict[str, Any] = {
    "ca_file": "/state/ca.pem",
    "source": {"hcx": login(1), "vcenter": login(2), "nsx": login(3)},
    "destination": {"hcx": login(4), "vcenter": login(5), "nsx": login(6)},
    "vmc": {
        "url": "https://127.0.0.1:7",
        "csp_url": "https://127.0.0.1:8",
        "refresh_token": "token",
        "org_id": "org",
        "source_sddc_id": "sddc-1",
        "destination_sddc_id": "sddc-2",
    },
}
CLOUD = Connections.model_validate(
    {
        "source": {"hcx": "hcx_source", "vmc": "vmc_source", "vcenter": "vcenter_source"},
        "destination": {"vmc": "vmc_destination", "vcenter": "vcenter_destination"},
    }
)


def test_every_connection_of_the_wave_says_simulated() -> None:
    found = wave_connections(CLOUD, ENDPOINTS)
    assert set(found) == {
        "hcx_source",
        "vmc_source",
        "vcenter_source",
        "vmc_destination",
        "vcenter_destination",
    }
    assert all(one["extra"]["simulated"] is True for one in found.values())
    assert found["hcx_source"] == {
        "conn_type": "hcx",
        "host": "https://127.0.0.1:1",
        "login": "user-1",
        "password": "password-1",
        "extra": {"ca_file": "/state/ca.pem", "simulated": True},
    }
    assert found["vcenter_destination"]["conn_type"] == "vsphere"


def test_vmware_cloud_leads_to_the_sddc_of_its_site() -> None:
    found = wave_connections(CLOUD, ENDPOINTS)["vmc_destination"]
    assert (found["conn_type"], found["password"], "login" in found) == ("vmc", "token", False)
    assert found["extra"]["sddc_id"] == "sddc-2"
    assert (found["extra"]["org_id"], found["extra"]["csp_url"]) == ("org", "https://127.0.0.1:8")


def test_an_nsx_of_its_own_has_its_type_and_no_ca_without_tls() -> None:
    connections = Connections.model_validate(
        {
            "source": {"hcx": "h", "nsx": "n1", "vcenter": "v1"},
            "destination": {"nsx": "n2", "vcenter": "v2"},
        }
    )
    found = wave_connections(connections, {**ENDPOINTS, "ca_file": None})["n2"]
    assert (found["conn_type"], found["host"]) == ("nsx_policy", "https://127.0.0.1:6")
    assert found["extra"] == {"simulated": True}


def test_ids_that_differ_in_case_alone_are_refused() -> None:
    connections = Connections.model_validate(
        {"source": {"hcx": "h", "vcenter": "vc"}, "destination": {"nsx": "n", "vcenter": "VC"}}
    )
    with pytest.raises(DemoError, match="connection 'VC' is named twice, or differs from another only in case"):
        wave_connections(connections, ENDPOINTS)


def test_a_product_that_the_sites_lack_is_named() -> None:
    with pytest.raises(DemoError, match="the simulated sites have no VMware Cloud"):
        wave_connections(CLOUD, {name: value for name, value in ENDPOINTS.items() if name != "vmc"})
    with pytest.raises(DemoError, match="the simulated sites have no hcx at the source"):
        wave_connections(CLOUD, {**ENDPOINTS, "source": {}})


def test_a_rehearsal_gets_sites_to_read_twins_to_work_on_and_no_live_connection() -> None:
    twins = {
        "ca_file": "/state/twins.pem",
        "control": {"url": "https://127.0.0.1:20", "token": "control-token"},
        "source": {"hcx": login(21), "vcenter": login(22), "nsx": login(23)},
        "destination": {"hcx": login(24), "vcenter": login(25), "nsx": login(26)},
        "vmc": {"url": "https://127.0.0.1:27", "csp_url": "https://127.0.0.1:28", "refresh_token": "its-token"},
    }
    found = rehearsal_connections(CLOUD, ENDPOINTS, twins)
    live = wave_connections(CLOUD, ENDPOINTS)
    assert set(found) == {
        *(f"snapshot_{one}" for one in live),
        *(f"twin_{one}" for one in live),
        "twin_control",
    }
    assert found["snapshot_hcx_source"] == live["hcx_source"]
    # Which twin, and how to log in there, is a matter of each run.
    assert found["twin_hcx_source"] == {
        "conn_type": "hcx",
        "host": "https://127.0.0.1:21",
        "extra": {"ca_file": "/state/twins.pem"},
    }
    assert found["twin_vmc_source"]["extra"]["csp_url"] == "https://127.0.0.1:28"
    assert found["twin_control"] == {
        "conn_type": "hcx_twin",
        "host": "https://127.0.0.1:20",
        "password": "control-token",
        "extra": {"ca_file": "/state/twins.pem"},
    }
