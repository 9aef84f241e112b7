"""The description of the SOAP service: enough for a client that looks where the service is and what it offers.

The vendor's schemas are not ours to serve: a stack that builds its types from them has to bring its own copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

_WSDL = 'xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"'


def service_wsdl(address: str) -> str:
    """Return ``vimService.wsdl`` for a service at ``address``."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<definitions targetNamespace="urn:vim25Service" {_WSDL} xmlns:interface="urn:vim25">'
        '<import location="vim.wsdl" namespace="urn:vim25"/>'
        '<service name="VimService"><port binding="interface:VimBinding" name="VimPort">'
        f"<soap:address location={quoteattr(address)}/></port></service></definitions>"
    )


def port_types_wsdl(methods: Iterable[str]) -> str:
    """Return ``vim.wsdl`` with the operations of these names."""
    names = [escape(name) for name in methods]
    operations = "".join(f'<operation name="{name}"/>' for name in names)
    bound = "".join(
        f'<operation name="{name}"><soap:operation soapAction="urn:vim25/" style="document"/></operation>'
        for name in names
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<definitions targetNamespace="urn:vim25" {_WSDL} xmlns:vim25="urn:vim25">'
        f'<portType name="VimPortType">{operations}</portType>'
        '<binding name="VimBinding" type="vim25:VimPortType">'
        f'<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>{bound}</binding></definitions>'
    )
