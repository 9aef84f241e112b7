"""The service description has what a SOAP stack builds its calls from: operations, messages, and every type."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest
from pyVmomi import VmomiSupport, vim

from hcx_sim.vcenter.registry import method_names
from support.site_pair import SitePair

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
OWN = "vim25:"


@pytest.fixture
def description(client: Any, site_pair: SitePair) -> ElementTree.Element:
    """The description that the service leads to."""
    http, url = site_pair.http(), f"{site_pair.url('vcenter')}/sdk/vimService.wsdl"
    answer = http.get(url)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/xml")
    service = ElementTree.fromstring(answer.content)  # noqa: S314 - our own server's
    (address,) = service.iter(f"{SOAP}address")
    assert address.attrib["location"] == f"{site_pair.url('vcenter')}/sdk"
    (imported,) = service.iter(f"{WSDL}import")
    found = http.get(urljoin(url, imported.attrib["location"]))
    assert found.status_code == 200
    return ElementTree.fromstring(found.content)  # noqa: S314 - our own server's


def _named(tree: ElementTree.Element, *tags: str) -> set[str]:
    return {each.attrib["name"] for tag in tags for each in tree.iter(tag) if "name" in each.attrib}


def test_nothing_that_is_named_is_missing(description: ElementTree.Element) -> None:
    types = _named(description, f"{XSD}complexType", f"{XSD}simpleType")
    schema = next(description.iter(f"{XSD}schema"))
    elements = {each.attrib["name"] for each in schema.findall(f"{XSD}element")}
    messages = _named(description, f"{WSDL}message")
    assert len(types) > 3000
    named = {each.attrib[key] for each in schema.iter() for key in ("type", "base") if key in each.attrib}
    assert {each.removeprefix(OWN) for each in named if each.startswith(OWN)} <= types
    parts = {each.attrib["element"].removeprefix(OWN) for each in description.iter(f"{WSDL}part")}
    assert parts <= elements
    used = {each.attrib["message"].removeprefix(OWN) for each in description.iter() if "message" in each.attrib}
    assert used == messages


def test_each_offered_method_is_an_operation_with_its_parameters(description: ElementTree.Element) -> None:
    offered = {name for _, name in method_names()} - {"Fetch"}
    (binding,) = description.findall(f"{WSDL}binding")
    assert {each.attrib["name"] for each in binding.findall(f"{WSDL}operation")} == offered
    schema = next(description.iter(f"{XSD}schema"))
    (request,) = [each for each in schema.findall(f"{XSD}element") if each.attrib["name"] == "Rename_Task"]
    assert {
        each.attrib["name"]: each.attrib["type"] for each in request.iter(f"{XSD}element") if "type" in each.attrib
    } == {
        "_this": "vim25:ManagedObjectReference",
        "newName": "xsd:string",
    }


def test_a_data_type_has_the_members_of_its_own_in_their_order(description: ElementTree.Element) -> None:
    schema = next(description.iter(f"{XSD}schema"))
    kinds = {each.attrib["name"]: each for each in schema.findall(f"{XSD}complexType")}
    for kind in (vim.vm.ConfigInfo, vim.ServiceInstanceContent, vim.vm.device.VirtualVmxnet3, vim.fault.InvalidName):
        name = kind._wsdlName
        base = kind.__bases__[0]
        assert next(kinds[name].iter(f"{XSD}extension")).attrib["base"] == f"{OWN}{base._wsdlName}"
        own = [each.name for each in kind._GetPropertyList(includeBaseClassProps=False) if each.name != "msg"]
        assert [each.attrib["name"] for each in kinds[name].iter(f"{XSD}element")] == own
    optional = {each.attrib["name"]: each.attrib.get("minOccurs") for each in kinds["AboutInfo"].iter(f"{XSD}element")}
    flags = {each.name: each.flags & VmomiSupport.F_OPTIONAL for each in vim.AboutInfo._GetPropertyList()}
    assert optional == {name: "0" if flags[name] else None for name in optional}
