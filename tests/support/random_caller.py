"""A client without manners: legal and illegal calls over the wire, and what must hold after each of them."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import requests

from hcx_sim.scenario.infrastructure import DATASTORE
from hcx_sim.world.model import Power, SiteName, VmRole
from support.site_pair import SitePair

HCX_API = "/hybridity/api"
NSX_API = "/policy/api/v1"
_SOAP = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
    '<{method} xmlns="urn:vim25"><_this type="{kind}">{moref}</_this>{arguments}</{method}>'
    "</soapenv:Body></soapenv:Envelope>"
)


class RandomCaller:
    """Calls of all products of one world; every answer is checked for its vendor's shape."""

    def __init__(self, pair: SitePair) -> None:
        """Log in everywhere and remember who must not get lost."""
        self.pair = pair
        self.tokens: dict[str, str] = {}
        self.cookies: dict[str, str] = {}
        self.group_ids: list[str] = []
        self.migration_ids: list[str] = []
        self._http = pair.http()
        self.uids = {vm.uid for vm in pair.world.vms.values()}
        self.login()

    def login(self) -> None:
        """Open sessions at both HCX managers and both vCenters."""
        for site in SiteName:
            hcx = self.pair.login("hcx", site)
            answer = self._http.post(
                f"{self.pair.url('hcx', site)}{HCX_API}/sessions",
                json={"username": hcx.username, "password": hcx.password},
            )
            self.tokens[site] = answer.headers["x-hm-authorization"]
            vcenter = self.pair.login("vcenter", site)
            arguments = f"<userName>{vcenter.username}</userName><password>{vcenter.password}</password>"
            self._http.cookies.clear()
            answer = self.post_soap(site, "Login", "SessionManager", "SessionManager", arguments)
            self.cookies[site] = answer.headers["set-cookie"].split(";")[0]
            self._http.cookies.clear()

    def hcx(self, site: SiteName, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """Call an HCX manager and check the answer's shape."""
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        answer = self._http.request(
            method,
            f"{self.pair.url('hcx', site)}{HCX_API}{path}",
            data=content,
            headers={"x-hm-authorization": token or self.tokens[site], "Content-Type": "application/json"},
        )
        check_hcx_shape(answer)
        if answer.status_code == 401 and token is None:
            self.login()
        return answer

    def nsx(self, site: SiteName, method: str, path: str, body: Any = None) -> requests.Response:
        """Call an NSX manager and check the answer's shape."""
        login = self.pair.login("nsx", site)
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        answer = self._http.request(
            method,
            f"{self.pair.url('nsx', site)}{NSX_API}{path}",
            data=content,
            auth=(login.username, login.password),
            headers={"Content-Type": "application/json"},
        )
        self._http.cookies.clear()
        check_nsx_shape(answer)
        return answer

    def post_soap(self, site: SiteName, method: str, kind: str, moref: str, arguments: str = "") -> requests.Response:
        """Call a vCenter and check that the answer is a result or a SOAP fault."""
        url = self.pair.url("vcenter", site)
        answer = self._http.post(
            url if url.endswith("/sdk") else f"{url}/sdk",
            data=_SOAP.format(method=method, kind=kind, moref=moref, arguments=arguments),
            headers={"Content-Type": "text/xml", "SOAPAction": '"urn:vim25/8.0.3.0"', **self._cookie(site)},
        )
        check_soap_shape(answer)
        return answer

    def _cookie(self, site: SiteName) -> dict[str, str]:
        return {"Cookie": self.cookies[site]} if site in self.cookies else {}


def check_hcx_shape(answer: requests.Response) -> None:
    """An HCX answer is an envelope of either kind; errors say something, 401 and 403 may be empty."""
    if not answer.content:
        assert answer.status_code in (200, 202, 401, 403), answer.status_code
        return
    body = answer.json()
    assert isinstance(body, dict), body
    if answer.status_code >= 400:
        items = body.get("items") or []
        members = [member for item in items for member in item.get("migrations") or []]
        errors = [error for each in (body, *items, *members) for error in each.get("errors") or []]
        assert errors, body
        assert all(error.get("message") or error.get("error") or error.get("text") for error in errors), body
        assert answer.status_code != 500 or "simulator bug" not in answer.text, answer.text


def check_nsx_shape(answer: requests.Response) -> None:
    """An NSX error has httpStatus, error_code, module_name and error_message."""
    if answer.status_code < 400:
        return
    body = answer.json()
    assert {"httpStatus", "error_code", "module_name", "error_message"} <= set(body), body
    assert "simulator bug" not in answer.text, answer.text


def check_soap_shape(answer: requests.Response) -> None:
    """A vCenter answers 200 with a response or 500 with a SOAP fault."""
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own simulator's answer
    faults = root.findall(".//{http://schemas.xmlsoap.org/soap/envelope/}Fault")
    assert (answer.status_code, bool(faults)) in ((200, False), (500, True)), answer.text
    assert "simulator bug" not in answer.text, answer.text


def impossible_states(pair: SitePair, uids: set[str]) -> list[str]:
    """Everything that is wrong with a world, whatever was called before."""
    world = pair.world
    problems: list[str] = []
    living: dict[str, int] = {}
    for key, vm in world.vms.items():
        if not vm.retired:
            living[vm.uid] = living.get(vm.uid, 0) + 1
        elif vm.power is not Power.OFF:
            problems.append(f"retired copy {vm.name} is {vm.power}")
        if key != f"{vm.site}/{vm.moref}":
            problems.append(f"{vm.name} is filed under {key}")
        if vm.template and vm.power is not Power.OFF:
            problems.append(f"template {vm.name} runs")
        places = [vm.folder_moref, vm.host_moref, vm.cluster_moref, vm.datacenter_moref, vm.pool_moref]
        problems += [
            f"{vm.name} is in {place}, which does not exist"
            for place in places
            if place is not None and f"{vm.site}/{place}" not in world.placements
        ]
        problems += [
            f"{vm.name} has a card in {nic.network_moref}, which does not exist"
            for nic in vm.nics
            if f"{vm.site}/{nic.network_moref}" not in world.networks
        ]
    problems += [f"{uid} exists {living.get(uid, 0)} times" for uid in uids if living.get(uid, 0) != 1]
    problems += _network_problems(pair)
    return problems


def _network_problems(pair: SitePair) -> list[str]:
    world = pair.world
    problems = []
    for site in SiteName:
        datastore = world.datastores[f"{site}/{DATASTORE}"]
        if not 0 <= datastore.free_bytes <= datastore.capacity_bytes:
            problems.append(f"{site} datastore has {datastore.free_bytes} bytes free")
        macs = [
            nic.mac
            for vm in world.vms.values()
            if vm.site is site and not vm.retired and vm.role is not VmRole.HCX_APPLIANCE
            for nic in vm.nics
        ]
        problems += [] if len(set(macs)) == len(macs) else [f"a MAC occurs twice at the {site}"]
    for segment in world.segments.values():
        if f"{segment.site}/{segment.network_moref}" not in world.networks:
            problems.append(f"segment {segment.key} has no vCenter network")
        if segment.gateway_up and segment.gateway_cidr is None:
            problems.append(f"segment {segment.key} routes without a gateway")
    for bridge in world.bridges.values():
        ends = (bridge.source_network_key, bridge.destination_network_key)
        lost = [end for end in ends if end not in world.networks or world.networks[end].removed]
        if lost and bridge.up:
            problems.append(f"extension {bridge.key} carries frames to {lost}, which does not exist")
    return problems
