"""The managers, the cloud and its sign-in service are held to the contract samples, over the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from support import contract
from support.nsx_wire import FIXED, FLEXIBLE, Manager, connectivity_patch, world_of
from support.site_pair import SitePair

ON_PREMISES = ("flexible_segments.", "fabric.", "session.")
# What the simulator does not answer by itself, with the rule that makes it answer so.
INJECTED: dict[str, dict[str, Any]] = {
    "plain_text_error": {},
    "in_use": {"status": 400, "code": "500030"},
    "transaction_aborted": {"status": 500, "code": "607"},
    "conflict": {"status": 409},
    "index_out_of_sync": {"status": 400, "code": "60515"},
    "gateway_timeout": {"status": 504},
    "server_error": {"status": 500},
    "too_many_requests": {"status": 429},
    "not_found": {"status": 404},
}
SETTINGS: dict[str | None, dict[str, Any]] = {
    "over 100 requests a second": {"requests_per_second": 0, "plain_text_limits": True},
    "over 199 calls at once": {"concurrent_overall": 0},
}
WITHOUT_A_RULE = ("nsx.fixed_segments.get.not_found", "nsx.flexible_segments.get.not_found", "vmc.sddcs.get.not_found")


def _samples() -> list[contract.Sample]:
    """Return the samples of our systems; nothing here answers in plain text, and on-premises entities are elsewhere."""
    left_out = ("nsx.fixed_segments.list.plain_text_error", "nsx.realized_state.realized_entities")
    systems = ("nsx", "vmc", "csp")
    return [each for each in contract.load_samples() if each.system in systems and each.id not in left_out]


class Stage:
    """The world of one sample, and the values of its placeholders."""

    def __init__(self, pair: SitePair, sample: contract.Sample) -> None:
        self.pair = pair
        self.sample = sample
        self.flexible = sample.call.startswith("flexible_segments.")
        self.side = "destination" if sample.side == "destination" else "source"
        self.nsx = Manager(pair, self.side)
        self.family = FLEXIBLE if self.flexible else FIXED
        self.segment = "app-net"
        self.more: dict[str, Any] = {}
        self.headers: dict[str, str] = {}

    @property
    def path(self) -> str:
        return f"{self.family}/{self.segment}"

    def values(self) -> dict[str, Any]:
        found = {**contract.example_values(), **self._of_accounts(), **self._of_segment(), **self._of_vm()}
        return {**found, **self.more}

    def _of_accounts(self) -> dict[str, Any]:
        login, cloud = self.pair.login("nsx", self.side), self.pair.endpoints["vmc"]
        return {
            "username": login.username, "password": login.password, "wrong_password": "wrong",
            "refresh_token": cloud["refresh_token"], "wrong_refresh_token": "wrong", "org_id": cloud["org_id"],
            "sddc_id": cloud["source_sddc_id"], "unknown_id": "none", "domain_id": "cgw",
            "gateway_policy_id": "default", "gateway_rule_id": "out",
        }  # fmt: skip

    def _of_segment(self) -> dict[str, Any]:
        site = self.pair.world.sites[self.side]
        segment = self.pair.world.segments.get(f"{self.side}/{self.segment}")
        values: dict[str, Any] = {
            "segment_id": self.segment, "segment_name": self.segment, "tier_1_id": site.tier1_id,
            "enforcement_point_id": site.enforcement_point, "transport_zone_path": site.transport_zone_path,
            "new_segment_id": "new-net", "new_segment_name": "new-net",
        }  # fmt: skip
        if segment is not None and segment.gateway_cidr is not None:
            start = segment.gateway_cidr.removesuffix("1/24")
            values["gateway_cidr"] = segment.gateway_cidr
            values["dhcp_range"] = next(iter(segment.dhcp_ranges), f"{start}200-{start}210")
        return values

    def _of_vm(self) -> dict[str, Any]:
        vm = self.pair.vm("app01")
        port = next(port for port in self.pair.world.ports.values() if port.vm_uid == vm.uid)
        return {
            "vm_name": vm.name, "mac_address": vm.nics[0].mac, "vm_ip_address": vm.nics[0].ip_addresses[0],
            "external_id": vm.instance_uuid, "port_id": port.port_id, "attachment_id": port.attachment_id,
        }  # fmt: skip

    def send(self) -> requests.Response:
        request = self.sample.filled(self.values()).request
        http = self.pair.http()
        system = self.sample.system
        base = self.nsx.base if system == "nsx" else self.pair.url(system)
        if self.sample.variant == "gateway_timeout":
            base = self.pair.url("vmc") + self._proxy()
        form = (request.content_type or "").startswith("application/x-www-form-urlencoded")
        options: dict[str, Any] = {"data" if form else "json": request.body} if request.body is not None else {}
        url = base + request.path
        return http.request(request.method, url, params=request.query, headers=self._log_in(), timeout=10, **options)

    def _proxy(self) -> str:
        cloud = self.pair.endpoints["vmc"]
        return f"/vmc/reverse-proxy/api/orgs/{cloud['org_id']}/sddcs/{cloud['source_sddc_id']}/sks-nsxt-manager"

    def _log_in(self) -> dict[str, str]:
        if self.headers:
            return self.headers
        if self.sample.system == "csp":
            app = (self.pair.credentials.oauth_client_id, self.pair.credentials.oauth_client_secret)
            return _basic(*app) if self.sample.call == "oauth.authorize" else {}
        if self.sample.call == "session.destroy":
            return self.session_headers()
        if self.sample.system == "vmc" or self.sample.variant in ("gateway_timeout", "expired_token"):
            return {"csp-auth-token": self.token()}
        login = self.pair.login("nsx", self.side)
        return _basic(login.username, login.password)

    def token(self) -> str:
        path = "/csp/gateway/am/api/auth/api-tokens/authorize"
        form = {"refresh_token": self.pair.credentials.refresh_token}
        answer = self.pair.http().post(self.pair.url("csp") + path, data=form, timeout=10)
        return str(answer.json()["access_token"])

    def session_headers(self) -> dict[str, str]:
        login = self.pair.login("nsx", self.side)
        form = {"j_username": login.username, "j_password": login.password}
        answer = self.pair.http().post(self.nsx.base + "/api/session/create", data=form, timeout=10)
        cookie = f"JSESSIONID={answer.cookies['JSESSIONID']}"
        return {"Cookie": cookie, "X-XSRF-TOKEN": answer.headers["X-XSRF-TOKEN"]}


def _basic(user: str, password: str) -> dict[str, str]:
    request = requests.Request("GET", "https://x.example", auth=(user, password)).prepare()
    return {"Authorization": str(request.headers["Authorization"])}


def _turn_off(stage: Stage) -> None:
    stage.nsx.patch(stage.path, connectivity_patch(stage.nsx.read(stage.path), "OFF"))


def _use_empty_segment(stage: Stage) -> None:
    stage.segment = "spare-net"


def _delete_one(stage: Stage) -> None:
    stage.nsx.delete(f"{stage.family}/spare-net")
    stage.more["deleted_segment_id"] = "spare-net"


def _change(stage: Stage) -> None:
    stage.nsx.patch(stage.path, {"description": "newer"})
    if stage.sample.variant == "in_progress":
        stage.pair.advance(stage.pair.world.settings.nsx.realisation_seconds / 2)


def _fail_realisation(stage: Stage) -> None:
    stage.pair.fault(product="engine", call="segment.realise", behaviour="fail")
    _change(stage)
    stage.pair.run_until_idle()


def _add_l2vpn(stage: Stage) -> None:
    stage.segment = "spare-net"
    extension = {"l2vpn_paths": [contract.example_values()["l2vpn_path"]], "tunnel_id": 10}
    stage.nsx.patch(stage.path, {"l2_extension": extension})


def _without_gateway(stage: Stage) -> None:
    stage.segment = "bare-net"
    stage.nsx.patch(stage.path, {"advanced_config": {"connectivity": "OFF"}})


def _free_port(stage: Stage) -> None:
    _use_empty_segment(stage)
    stage.nsx.patch(f"{stage.path}/ports/free", {"display_name": "free"})


def _last_page(stage: Stage) -> None:
    for segment in stage.nsx.ids(stage.family)[2:]:
        stage.nsx.delete(f"{stage.family}/{segment}")
    stage.more["cursor"] = stage.nsx.read(stage.family, page_size=1)["cursor"]


def _add_rule(stage: Stage) -> None:
    rule = {"action": "ALLOW", "sequence_number": 10}
    stage.nsx.put("/infra/domains/cgw/gateway-policies/default/rules/out", rule)


def _expire(stage: Stage) -> None:
    stage.headers = {"csp-auth-token": stage.token()}
    stage.pair.advance(1801)


def _wrong_password(stage: Stage) -> None:
    stage.headers = _basic("admin", "wrong")


def _stale_session(stage: Stage) -> None:
    stage.headers = {**stage.session_headers(), "X-XSRF-TOKEN": "stale"}


def _find_task(stage: Stage) -> None:
    headers = {"csp-auth-token": stage.token()}
    url = f"{stage.pair.url('vmc')}/vmc/api/orgs/{stage.pair.endpoints['vmc']['org_id']}/tasks"
    stage.more["vmc_task_id"] = stage.pair.http().get(url, headers=headers, timeout=10).json()[0]["id"]


PREPARE: dict[str, Callable[[Stage], object]] = {
    "connectivity is OFF": _turn_off,
    "connectivity is OFF, strict mode": _turn_off,
    "segment has no ports": _use_empty_segment,
    "nothing is on the segment": _use_empty_segment,
    "segment was deleted and is not purged yet": _delete_one,
    "segment was changed a moment ago": _change,
    "object was changed since": _change,
    "realisation failed": _fail_realisation,
    "segment has an NSX L2VPN": _add_l2vpn,
    "segment was made without a gateway": _without_gateway,
    "a port without an attachment exists": _free_port,
    "two segments of this kind, first page read": _last_page,
    "a gateway firewall rule exists": _add_rule,
    "token older than expires_in": _expire,
    "wrong credentials are sent": _wrong_password,
    "session token is stale": _stale_session,
    "a task exists": _find_task,
}


@pytest.mark.parametrize("sample", _samples(), ids=lambda sample: sample.id)
def test_sample(sample: contract.Sample, site_server: Any) -> None:
    on_premises = sample.call.startswith(ON_PREMISES)
    flavour = "onprem" if on_premises else "vmc"
    settings = SETTINGS.get(sample.precondition, {})
    document = world_of(source=flavour, destination=flavour, **settings).kwargs["scenario"]
    pair = site_server.make_world(scenario=document)
    try:
        stage = Stage(pair, sample)
        PREPARE.get(sample.precondition or "", lambda _stage: None)(stage)
        if sample.id not in WITHOUT_A_RULE and not settings and INJECTED.get(sample.variant):
            product = "nsx" if sample.system == "nsx" else sample.system
            pair.fault(product=product, call=sample.call, behaviour="vendor_error", **INJECTED[sample.variant])
        answer = stage.send()
        assert answer.status_code == sample.response.status, answer.text
        assert not [name for name in sample.response.headers if name not in answer.headers]
        _check_body(sample, answer)
        assert pair.calls()[-1]["data"]["operation"] in (sample.call, "nsx.proxy")
        pair.assert_no_bugs()
    finally:
        site_server.drop(pair)


def _check_body(sample: contract.Sample, answer: requests.Response) -> None:
    if sample.response.body is None:
        assert answer.content == b""
    elif isinstance(sample.response.body, str):
        assert answer.headers["Content-Type"].startswith(str(sample.response.content_type))
    else:
        assert contract.check_answer(sample, answer.json()) == []
