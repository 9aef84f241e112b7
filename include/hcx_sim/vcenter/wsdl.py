"""The description of the SOAP service, for stacks that build their types and calls from it.

Written from pyVmomi's type information: every data type, fault and enumeration, since a property can hold any of them;
of the methods only those that this vCenter offers. The vendor's own files are not ours to serve.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any
from xml.sax.saxutils import quoteattr

from pyVmomi import VmomiSupport, vmodl

from hcx_sim.vcenter.soap import methods_of
from hcx_sim.vcenter.versions import NAMESPACE

_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
_WSDL = 'xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"'
_XSD = "http://www.w3.org/2001/XMLSchema"
_FAULT = "RuntimeFault"
_PRIMITIVES = {
    "boolean": "boolean", "byte": "byte", "short": "short", "int": "int", "long": "long", "float": "float",
    "double": "double", "string": "string", "dateTime": "dateTime", "base64Binary": "base64Binary", "anyURI": "anyURI",
    "anyType": "anyType", "TypeName": "string", "MethodName": "string", "PropertyPath": "string",
}  # fmt: skip
_BASE = (
    '<complexType name="DynamicData"><sequence><element name="dynamicType" type="xsd:string" minOccurs="0"/>'
    '<element name="dynamicProperty" type="vim25:DynamicProperty" minOccurs="0" maxOccurs="unbounded"/></sequence>'
    "</complexType>"
    '<complexType name="ManagedObjectReference"><simpleContent><extension base="xsd:string">'
    '<attribute name="type" type="xsd:string"/></extension></simpleContent></complexType>'
)


def service_wsdl(address: str) -> str:
    """Return ``vimService.wsdl`` for a service at ``address``."""
    return (
        f'{_HEADER}<definitions targetNamespace="urn:vim25Service" {_WSDL} xmlns:interface="{NAMESPACE}">'
        f'<import location="vim.wsdl" namespace="{NAMESPACE}"/>'
        '<service name="VimService"><port binding="interface:VimBinding" name="VimPort">'
        f"<soap:address location={quoteattr(address)}/></port></service></definitions>"
    )


def port_types_wsdl(methods: Iterable[tuple[str, str]]) -> str:
    """Return ``vim.wsdl`` with the operations of these methods, given as wire type and name, and all types."""
    infos = {name: info for kind, name in sorted(methods) if (info := _method(kind, name)) is not None}
    names = sorted(infos)
    messages = "".join(
        f'<message name="{name}RequestMsg"><part name="parameters" element="vim25:{name}"/></message>'
        f'<message name="{name}ResponseMsg"><part name="parameters" element="vim25:{name}Response"/></message>'
        for name in names
    )
    fault = f'<message name="{_FAULT}FaultMsg"><part name="fault" element="vim25:{_FAULT}Fault"/></message>'
    return (
        f'{_HEADER}<definitions targetNamespace="{NAMESPACE}" {_WSDL} xmlns:vim25="{NAMESPACE}" xmlns:xsd="{_XSD}">'
        f'<types><schema xmlns="{_XSD}" targetNamespace="{NAMESPACE}" elementFormDefault="qualified">'
        f"{data_types()}{''.join(_elements(name, infos[name]) for name in names)}</schema></types>{messages}{fault}"
        f'<portType name="VimPortType">{"".join(map(_operation, names))}</portType>'
        '<binding name="VimBinding" type="vim25:VimPortType">'
        '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{''.join(map(_bound, names))}</binding></definitions>"
    )


def _method(kind: str, name: str) -> Any:
    return methods_of(VmomiSupport.GuessWsdlType(kind)).get(name)


def _operation(name: str) -> str:
    return (
        f'<operation name="{name}"><input message="vim25:{name}RequestMsg"/>'
        f'<output message="vim25:{name}ResponseMsg"/>'
        f'<fault name="{_FAULT}" message="vim25:{_FAULT}FaultMsg"/></operation>'
    )


def _bound(name: str) -> str:
    return (
        f'<operation name="{name}"><soap:operation soapAction="{NAMESPACE}/" style="document"/>'
        '<input><soap:body use="literal"/></input><output><soap:body use="literal"/></output>'
        f'<fault name="{_FAULT}"><soap:fault name="{_FAULT}" use="literal"/></fault></operation>'
    )


def _elements(name: str, info: Any) -> str:
    """Return the elements of a method's request and answer."""
    parameters = "".join(_member(each.name, each.type, each.flags) for each in info.params)
    result = "" if info.result is VmomiSupport.NoneType else _member("returnval", info.result, VmomiSupport.F_OPTIONAL)
    return (
        f'<element name="{name}"><complexType><sequence>'
        f'<element name="_this" type="vim25:ManagedObjectReference"/>{parameters}</sequence></complexType></element>'
        f'<element name="{name}Response"><complexType><sequence>{result}</sequence></complexType></element>'
    )


@cache
def data_types() -> str:
    """Return every data type, fault and enumeration as schema components; takes some seconds the first time."""
    kinds = {kind._wsdlName: kind for kind in VmomiSupport.GetWsdlTypes() if _is_ours(kind)}
    arrays = [*_PRIMITIVES, "ManagedObjectReference", *sorted(kinds)]
    parts = [part for name in sorted(kinds) for part in _component(name, kinds[name])]
    return _BASE + "".join(parts) + "".join(_array(name) for name in arrays)


def _is_ours(kind: Any) -> bool:
    if not hasattr(kind, "_wsdlName") or kind in (VmomiSupport.DataObject, vmodl.DynamicData):
        return False
    return (
        issubclass(kind, VmomiSupport.DataObject | VmomiSupport.Enum)
        and VmomiSupport.GetWsdlNamespace(kind._version) == NAMESPACE
    )


def _component(name: str, kind: Any) -> Iterator[str]:
    if issubclass(kind, VmomiSupport.Enum):
        # A value has its siblings as attributes, ``replace`` among them.
        words = [str.__str__(value) for value in kind.values]
        values = "".join(f"<enumeration value={quoteattr(word)}/>" for word in words)
        yield f'<simpleType name="{name}"><restriction base="xsd:string">{values}</restriction></simpleType>'
    else:
        yield _data_type(name, kind)
        if issubclass(kind, vmodl.MethodFault):
            yield f'<element name="{name}Fault" type="vim25:{name}"/>'


def _array(item: str) -> str:
    """Return the type of an array that stands where any type may: its elements have the name of theirs."""
    kind = f"xsd:{_PRIMITIVES[item]}" if item in _PRIMITIVES else f"vim25:{item}"
    element = f'<element name="{item}" type="{kind}" minOccurs="0" maxOccurs="unbounded"/>'
    return f'<complexType name="ArrayOf{item[0].upper()}{item[1:]}"><sequence>{element}</sequence></complexType>'


def _data_type(name: str, kind: Any) -> str:
    base = kind.__bases__[0]
    inherited = {each.name for each in base._GetPropertyList()} if hasattr(base, "_GetPropertyList") else set()
    own = [each for each in kind._GetPropertyList() if each.name not in inherited and each.name != "msg"]
    members = "".join(_member(each.name, each.type, each.flags) for each in own)
    sequence = f"<sequence>{members}</sequence>"
    above = getattr(base, "_wsdlName", "") if _is_ours(base) or base is vmodl.DynamicData else ""
    if above:
        sequence = f'<complexContent><extension base="vim25:{above}">{sequence}</extension></complexContent>'
    return f'<complexType name="{name}">{sequence}</complexType>'


def _member(name: str, kind: Any, flags: int) -> str:
    if issubclass(kind, list):
        return f'<element name="{name}" type="{_type_of(kind.Item)}" minOccurs="0" maxOccurs="unbounded"/>'
    optional = ' minOccurs="0"' if flags & VmomiSupport.F_OPTIONAL else ""
    return f'<element name="{name}" type="{_type_of(kind)}"{optional}/>'


def _type_of(kind: Any) -> str:
    if issubclass(kind, VmomiSupport.ManagedObject):
        return "vim25:ManagedObjectReference"
    name = VmomiSupport.GetWsdlName(kind).rpartition(":")[2]
    if name in _PRIMITIVES:
        return f"xsd:{_PRIMITIVES[name]}"
    return f"vim25:{name}" if _is_ours(kind) or kind is vmodl.DynamicData else "xsd:anyType"
