"""SOAP envelopes, read and written with pyVmomi's own deserialiser and serialiser."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import escape

from pyVmomi import SoapAdapter, VmomiSupport

from hcx_sim.vcenter.faults import invalid_argument, invalid_request
from hcx_sim.vcenter.versions import NAMESPACE

_NS_MAP = {**SoapAdapter.SOAP_NSMAP, NAMESPACE: ""}
_BODY = f"{SoapAdapter.XMLNS_SOAPENV} Body"
# Bounded in every part: a body can be made of beginnings of it.
_OPERATION = re.compile(rb"<(?:[\w.-]{1,64}:)?Body[^<>]{0,1024}>\s{0,256}<(?:[\w.-]{1,64}:)?([A-Za-z_]\w{0,128})")
_DEEPEST = 100
_MOST_ELEMENTS = 200_000
_ACCESSOR = "Fetch"
_NAME = re.compile(r"[A-Za-z]\w*")


@dataclass(slots=True)
class SoapRequest:
    """One request.

    ``method`` is the name on the wire (``Rename_Task``), ``receiver`` the managed object it is sent to, ``info``
    pyVmomi's description of the method (None when the receiver's type has none), ``arguments`` its parameters by
    their pyVmomi names, None where absent.
    """

    method: str
    receiver: Any
    info: Any
    arguments: dict[str, Any] = field(default_factory=dict)


def operation_name(body: bytes) -> str:
    """Return the method that a SOAP body calls without parsing it all; ``unknown`` when there is none."""
    match = _OPERATION.search(body)
    return match.group(1).decode("ascii", "replace") if match else "unknown"


@cache
def methods_of(managed_type: Any) -> dict[str, Any]:
    """Return pyVmomi's method descriptions of a managed type by their wire names."""
    return {info.wsdlName: info for info in managed_type._GetMethodList()}


@cache
def _accessor_info() -> Any:
    parameter = VmomiSupport.Object(name="prop", type=str, version=VmomiSupport.BASE_VERSION, flags=0)
    return VmomiSupport.Object(name=_ACCESSOR, wsdlName=_ACCESSOR, params=(parameter,), privId="System.View")


class _RequestReader:
    """Expat handlers that hand each parameter element to a pyVmomi deserialiser of the parameter's type."""

    def __init__(self) -> None:
        self.parser = ParserCreate(namespace_separator=SoapAdapter.NS_SEP)
        self.parser.buffer_text = True
        self.namespaces: dict[str | None, list[str]] = {}
        self.in_body = False
        self.method = ""
        self.receiver: Any = None
        self.info: Any = None
        self.pending: list[tuple[str, Any]] = []
        self.skipping = 0
        self.reading = ""
        SoapAdapter.SetHandlers(
            self.parser, (self._start, self._end, lambda _data: None, self._start_namespace, self._end_namespace)
        )

    def _start_namespace(self, prefix: str | None, uri: str) -> None:
        self.namespaces.setdefault(prefix, []).append(uri)

    def _end_namespace(self, prefix: str | None) -> None:
        self.namespaces[prefix].pop()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.skipping:
            self.skipping += 1
        elif not self.in_body:
            self.in_body = tag == _BODY
        elif not self.method:
            self.method = tag.rpartition(SoapAdapter.NS_SEP)[2]
        else:
            self._start_parameter(tag, tag.rpartition(SoapAdapter.NS_SEP)[2], attributes)

    def _start_parameter(self, tag: str, name: str, attributes: dict[str, str]) -> None:
        expected = self._expected_type(name)
        if expected is None:
            self.skipping = 1
            return
        self.reading = name
        reader = SoapAdapter.SoapDeserializer(None)
        reader.Deserialize(self.parser, expected, False, self.namespaces)
        reader.StartElementHandler(tag, attributes)
        self.pending.append((name, reader))
        if name == "_this":
            self._meet(attributes.get("type", ""))

    def _expected_type(self, name: str) -> Any:
        if name == "_this":
            return VmomiSupport.ManagedObject
        if self.info is None:
            return None
        for parameter in self.info.params:
            if parameter.name == name:
                kind = parameter.type
                return kind.Item if issubclass(kind, list) else kind
        return None

    def _meet(self, type_name: str) -> None:
        managed_type = VmomiSupport.GuessWsdlType(type_name.rpartition(":")[2])
        known = methods_of(managed_type).get(self.method)
        self.info = known or (_accessor_info() if self.method == _ACCESSOR else None)

    def _end(self, _tag: str) -> None:
        if self.skipping:
            self.skipping -= 1

    def request(self) -> SoapRequest:
        """Return what was read; a body without method or receiver raises an InvalidRequest."""
        if not self.method:
            raise invalid_request("Request has no operation.")
        values: dict[str, list[Any]] = {}
        for name, reader in self.pending:
            values.setdefault(name, []).append(reader.GetResult())
        receivers = values.pop("_this", [])
        if not receivers:
            raise invalid_request(f"Missing _this argument of {self.method}.")
        request = SoapRequest(self.method, receivers[0], self.info)
        for parameter in self.info.params if self.info is not None else ():
            given = values.get(parameter.name, [])
            if issubclass(parameter.type, list):
                request.arguments[parameter.name] = given
            else:
                request.arguments[parameter.name] = given[-1] if given else None
        return request


def read_request(body: bytes) -> SoapRequest:
    """Parse a SOAP request; raises ``Faulted`` with an InvalidRequest when it cannot be understood."""
    reader = _RequestReader()
    try:
        _refuse_hostile(body)
        reader.parser.Parse(body, True)
    except _HostileError:
        raise invalid_request("Unable to parse the request: entities, too deep or too long.") from None
    except ExpatError as error:
        raise invalid_request(f"Unable to parse the request: {error}.") from error
    except KeyError as error:
        raise invalid_request(f"Unable to resolve the type name {_named_type(error)}.") from error
    except (TypeError, AttributeError, ValueError) as error:
        unknown = f": there is no type {error}" if _NAME.fullmatch(str(error)) else ""
        raise invalid_request(f"Unable to parse the value of {reader.reading} of {reader.method}{unknown}.") from error
    return _complete(reader.request())


def _named_type(error: KeyError) -> str:
    """Return the type that pyVmomi did not find: the last word of what it says."""
    return str(error.args[0]).rpartition(" ")[2].rpartition(":")[2] if error.args else "of a value"


class _HostileError(ValueError):
    """The body is made to cost more than it says."""


def _refuse_hostile(body: bytes) -> None:
    """Refuse entities, depth and masses of elements before anything is made of them: anybody can send a body."""
    depth = count = 0

    def start(_tag: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _DEEPEST or count > _MOST_ELEMENTS:
            raise _HostileError

    def end(_tag: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*_declared: Any) -> None:
        raise _HostileError

    parser = ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.StartDoctypeDeclHandler = start, end, doctype
    parser.Parse(body, True)


def _complete(request: SoapRequest) -> SoapRequest:
    """Refuse a request that lacks a parameter which is not optional."""
    for parameter in request.info.params if request.info is not None else ():
        value = request.arguments[parameter.name]
        try:
            VmomiSupport.CheckField(parameter, value)
        except TypeError:
            raise invalid_argument(parameter.name) from None
        _require_members(value, parameter.name)
    return request


def _require_members(value: Any, path: str) -> None:
    """Refuse a data object in which a member that is not optional is missing."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            _require_members(item, f"{path}[{position}]")
    elif isinstance(value, VmomiSupport.DataObject):
        kind: Any = type(value)
        for name, member in _members(kind):
            given = getattr(value, name)
            if given is None and not member.flags & VmomiSupport.F_OPTIONAL and member.type is not object:
                raise invalid_argument(f"{path}.{name}")
            _require_members(given, f"{path}.{name}")


@cache
def _members(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((info.name, info) for info in kind._GetPropertyList())


class _Serialiser(SoapAdapter.SoapSerializer):  # type: ignore[misc]
    """pyVmomi's serialiser, which passes over unset members sooner: most members of most objects are unset."""

    def _SerializeDataObject(self, val: Any, info: Any, attr: str, currDefNS: str) -> None:  # noqa: N802, N803
        dynamic = VmomiSupport.GetCompatibleType(type(val), self.version)
        if info.flags & VmomiSupport.F_LINK or dynamic is SoapAdapter.LocalizedMethodFault:
            super()._SerializeDataObject(val, info, attr, currDefNS)
            return
        if dynamic != info.type:
            namespace, name = self._QName(dynamic, currDefNS)
            attr += f'{namespace} {self.xsiPrefix}type="{name}"'
        self.writer.write(f"<{info.name}{attr}>")
        values: dict[str, Any] = vars(val)
        kind: Any = type(val)
        for name, member in _members(kind):
            value = values.get(name)
            # An array without elements is nothing on the wire, whether or not it is required.
            if value is None:
                unset = member.flags & VmomiSupport.F_OPTIONAL or issubclass(member.type, list)
            else:
                unset = not value and isinstance(value, list)
            if not unset:
                self._Serialize(value, member, currDefNS)
        self.writer.write(f"</{info.name}>")


def serialiser(version: str) -> tuple[StringIO, Any]:
    """Return a text buffer and a pyVmomi serialiser that writes into it, without attributes of its own."""
    writer = StringIO()
    soap = _Serialiser(writer, version, _NS_MAP)
    soap.outermostAttrs = ""
    return writer, soap


def element(name: str, value: Any, kind: Any, version: str, flags: int = VmomiSupport.F_OPTIONAL) -> str:
    """Return ``value`` as XML elements called ``name`` of the static type ``kind``; nothing for None."""
    if value is None:
        return ""
    writer, soap = serialiser(version)
    info = VmomiSupport.Object(name=name, type=kind, version=VmomiSupport.BASE_VERSION, flags=flags)
    soap._Serialize(value, info, NAMESPACE)
    return writer.getvalue()


def envelope(content: str) -> bytes:
    """Return a whole SOAP message around the XML of its body."""
    return (
        f"{SoapAdapter.XML_HEADER}\n{SoapAdapter.SOAP_ENVELOPE_START}{SoapAdapter.SOAP_BODY_START}\n"
        f"{content}{SoapAdapter.SOAP_END}"
    ).encode()


def response(method: str, inner: str) -> bytes:
    """Return the answer of a method around its ``returnval`` elements."""
    return envelope(f'<{method}Response xmlns="{NAMESPACE}">{inner}</{method}Response>')


def fault(error: Any, version: str) -> bytes:
    """Return a fault with typed detail: the form that pyVmomi turns back into the same exception."""
    writer, soap = serialiser(version)
    kind = type(error)._wsdlName
    info = VmomiSupport.Object(name=f"{kind}Fault", type=object, version=VmomiSupport.BASE_VERSION, flags=0)
    message = error.msg or ""
    detail = copy.copy(error)
    detail.msg = None
    soap._SerializeDataObject(detail, info, f' xmlns="{NAMESPACE}"', NAMESPACE)
    return envelope(
        "<soapenv:Fault><faultcode>ServerFaultCode</faultcode>"
        f"<faultstring>{escape(message)}</faultstring><detail>{writer.getvalue()}</detail></soapenv:Fault>"
    )
