"""What vSphere does not know is named: a method by MethodNotFound, a type or a value by InvalidRequest."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.site_pair import SitePair

_ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)
_RETRIEVE = (
    '<RetrievePropertiesEx xmlns="urn:vim25"><_this type="PropertyCollector">propertyCollector</_this><specSet>'
    "<propSet><type>{type}</type><pathSet>name</pathSet></propSet>"
    '<objectSet><obj type="{object}">group-d1</obj>{more}</objectSet></specSet><options/></RetrievePropertiesEx>'
)


@pytest.fixture
def post(client: Any, site_pair: SitePair) -> Any:
    http, url = site_pair.http(), f"{site_pair.url('vcenter')}/sdk"
    headers = {"Cookie": client.service._stub.cookie, "SOAPAction": client.service._stub.versionId}

    def call(content: str) -> tuple[str, str]:
        answer = http.post(url, data=_ENVELOPE.format(content).encode(), headers=headers)
        kind = re.search(r"<(\w+)Fault xmlns=", answer.text)
        text = re.search(r"<faultstring>(.*)</faultstring>", answer.text)
        assert answer.status_code == 500, answer.text
        assert kind is not None
        assert text is not None
        assert "Error" not in text[1], "the name of an exception of ours"
        return kind[1], text[1]

    return call


@pytest.mark.parametrize(
    ("method", "type_name", "moref"),
    [
        ("NoSuchMethod", "ServiceInstance", "ServiceInstance"),
        ("PowerOnVM_Task", "ServiceInstance", "ServiceInstance"),
        ("NoSuchMethod_Task", "Folder", "group-d1"),
        ("RetrieveProductComponents", "ServiceInstance", "ServiceInstance"),
    ],
)
def test_an_unknown_method_is_named(post: Any, method: str, type_name: str, moref: str) -> None:
    kind, text = post(f'<{method} xmlns="urn:vim25"><_this type="{type_name}">{moref}</_this></{method}>')
    assert kind == "MethodNotFound"
    assert method in text
    assert type_name in text


@pytest.mark.parametrize(
    "content",
    [
        '<Login xmlns="urn:vim25"><_this type="NoSuchType">x</_this></Login>',
        _RETRIEVE.format(type="NoSuchType", object="Folder", more=""),
        _RETRIEVE.format(type="Folder", object="NoSuchType", more=""),
        _RETRIEVE.format(type="Folder", object="Folder", more='<selectSet xsi:type="NoSuchType"/>'),
        _RETRIEVE.format(
            type="Folder", object="Folder",
            more='<selectSet xsi:type="TraversalSpec"><type>NoSuchType</type><path>parent</path></selectSet>',
        ),
    ],
)  # fmt: skip
def test_an_unknown_type_is_named(post: Any, content: str) -> None:
    kind, text = post(content)
    assert kind == "InvalidRequest"
    assert "NoSuchType" in text


def test_a_value_that_cannot_be_read_is_named_by_its_parameter(post: Any) -> None:
    content = _RETRIEVE.format(type="Folder", object="Folder", more="").replace(
        "<options/>", "<options><maxObjects>many</maxObjects></options>"
    )
    kind, text = post(content)
    assert kind == "InvalidRequest"
    assert "options" in text
    kind, text = post("<broken>")
    assert kind == "InvalidRequest"
