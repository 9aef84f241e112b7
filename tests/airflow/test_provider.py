"""What Airflow is told: connection types with forms, hooks by type, links."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pytest
from airflow.providers_manager import ProvidersManager
from airflow.sdk.module_loading import import_string
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

from hcx_airflow.provider import get_provider_info

TYPES = {
    "hcx": "VMware HCX",
    "nsx_policy": "VMware NSX Policy",
    "vmc": "VMware Cloud on AWS",
    "vsphere": "VMware vSphere",
    "hcx_twin": "hcx-sim twins",
}


@pytest.fixture(scope="module")
def manager() -> Any:
    return ProvidersManager()


def test_the_distribution_names_the_provider() -> None:
    (entry,) = [
        one for one in entry_points(group="apache_airflow_provider") if one.dist and one.dist.name == "hcx-waves"
    ]
    assert entry.load()() == get_provider_info()


@pytest.mark.parametrize("conn_type", sorted(TYPES))
def test_airflow_knows_the_type_and_its_form(manager: Any, conn_type: str) -> None:
    hook = ProvidersManagerTaskRuntime().hooks[conn_type]
    assert hook is not None
    assert hook.hook_name == TYPES[conn_type]
    prefix = f"extra__{conn_type}__"
    widgets = manager.connection_form_widgets
    fields = {name.removeprefix(prefix) for name in widgets if name.startswith(prefix)}
    hook_class = import_string(hook.hook_class_name)
    assert fields == set(hook_class.extras_class.model_fields)
    assert hook_class.conn_type == conn_type
    assert manager.field_behaviours[conn_type]["relabeling"]["host"] == "Address"


def test_links_can_be_imported() -> None:
    names = {import_string(path)().name for path in get_provider_info()["extra-links"]}
    assert names == {"HCX", "NSX", "vCenter", "Guide"}


def test_no_form_field_asks_for_a_secret_in_the_extra() -> None:
    for conn_type in get_provider_info()["connection-types"]:
        assert not {"password", "token", "secret"} & set(conn_type["conn-fields"])
