"""The short cuts write exactly what pyVmomi's own serialiser writes, and what it reads back."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from pyVmomi import SoapAdapter, VmomiSupport, vim

from hcx_sim.engine.clock import ClockMode, VirtualClock
from hcx_sim.scenario import build_world, load_scenario
from hcx_sim.vcenter import soap
from hcx_sim.vcenter.build import build
from hcx_sim.vcenter.convert import to_typed
from hcx_sim.vcenter.families.base import providers_of
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.vcenter.product import PRODUCT
from hcx_sim.vcenter.render import value_xml
from hcx_sim.vcenter.selection import contained
from hcx_sim.vcenter.values import plan_of, read
from hcx_sim.world.model import SiteName

VERSION = "vim.version.v8_0_3_1"


def _reference(value: Any) -> str:
    writer = StringIO()
    serialiser = SoapAdapter.SoapSerializer(writer, VERSION, soap._NS_MAP)
    serialiser.outermostAttrs = ""
    info = VmomiSupport.Object(name="val", type=object, version=VmomiSupport.BASE_VERSION, flags=4)
    serialiser._Serialize(value, info, "urn:vim25")
    return writer.getvalue()


def _normal(text: str) -> str:
    """Set aside what differs on purpose: the order of a reference's attributes and the name of its type."""
    text = re.sub(r'<val type="(\w+)" xsi:type="ManagedObjectReference">', r'<val xsi:type="MO" type="\1">', text)
    return text.replace('<val xsi:type="ManagedObject" type=', '<val xsi:type="MO" type=')


@pytest.mark.parametrize("scenario", ["seed", "three-tier", "physical"])
def test_every_property_is_written_as_pyvmomi_would(scenario: str) -> None:
    clock = VirtualClock(1_770_000_000_000_000, ClockMode.PAUSED)
    world = build_world(load_scenario(scenario), "x", "site", clock)
    PRODUCT.install(world)
    compared = 0
    for site in SiteName:
        inventory = Inventory(world, site)
        root = inventory.find(inventory.root_id())
        assert root is not None
        for found in [root, *contained(inventory, root, recursive=True)]:
            for path in providers_of(found.type_name):
                plan = plan_of(found.type_name, path)
                value = read(inventory, found, plan)
                if value is None:
                    continue
                kind = plan.path.kind
                typed = kind(value) if isinstance(value, list) else value
                if isinstance(value, int | str) and kind is not bool:
                    typed = kind(value)
                assert _normal(value_xml(value, kind, VERSION)) == _normal(_reference(typed)), (found.type_name, path)
                compared += 1
    assert compared > 500


def test_built_objects_equal_constructed_ones() -> None:
    members = {"key": 4000, "macAddress": "00:50:56:00:00:01", "wakeOnLanEnabled": True}
    kind = vim.vm.device.VirtualVmxnet3
    assert vars(build(kind, **members)) == vars(kind(**members))
    assert soap.element("val", build(kind, **members), object, VERSION) == _reference(kind(**members))


@pytest.mark.parametrize(
    ("kind", "plain", "problem"),
    [
        (bool, "yes", "not a boolean"),
        (vim.vm.RuntimeInfo, {"noSuchMember": 1}, "noSuchMember"),
        (vim.vm.device.VirtualDevice, {"_type": "NoSuchType"}, "NoSuchType"),
    ],
)
def test_data_that_does_not_fit_is_refused(kind: Any, plain: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        to_typed(kind, plain)


def test_faults_come_back_as_the_same_exception() -> None:
    fault = vim.fault.DuplicateName(msg="The name 'a' already exists.", name="a", object=vim.VirtualMachine("vm-1"))
    text = soap.fault(fault, VERSION)
    stub = SoapAdapter.SoapStubAdapter("localhost", version=VERSION)
    back = SoapAdapter.SoapResponseDeserializer(stub).Deserialize(text, object)
    assert type(back) is vim.fault.DuplicateName
    assert (back.msg, back.name, back.object._moId) == (fault.msg, "a", "vm-1")
