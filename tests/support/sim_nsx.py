"""Set-ups that the samples of NSX managers and of VMware Cloud share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hcx_sim.world.model import SiteName
from support.sim_contract import Case, Ground, Setup, Stage, basic
from support.sim_values import site_of

# Two SDDCs with a routed segment and a VM on it at either end.
CLOUD = Ground(
    add={
        "networks": [{"name": "far-net", "subnet": "192.168.8.0/24", "site": "destination"}],
        "vms": [
            {"name": "far01", "site": "destination", "nics": [{"network": "far-net", "ips": ["192.168.8.11"]}]},
        ],
    }
)
ON_PREMISES = Ground("three-tier")
BELOW_TIER1 = Ground("three-tier", add={"networks": [{"name": "t1-net", "subnet": "10.20.1.0/24", "kind": "fixed"}]})
BOTH_ON_PREMISES = Ground(
    "three-tier",
    change={
        "sites": {"source": {"nsx": "onprem", "folders": ["Workloads", "Templates"]}, "destination": {"nsx": "onprem"}}
    },
)
TOKEN_SECONDS = 1800
EMPTY = "empty-net"


def expand(case: Case) -> list[Case]:
    """A manager of VMware Cloud is asked directly and through the reverse proxy, one on premises directly.

    Either site where both are meant: the source directly, the destination through the proxy.
    """
    headers = case.sample.request.headers
    in_cloud = case.ground.scenario == "seed" and headers == ["csp-auth-token|Authorization"]
    if not in_cloud:
        return [case]
    site = SiteName.DESTINATION if case.sample.side == "both" else None
    proxied = replace(case, proxied=True, site=site)
    return [proxied] if case.sample.response.content_type == "text/html" else [case, proxied]


def segments_of(stage: Stage) -> str:
    """The path of the list of segments that a sample is about."""
    flexible = "flexible_segments" in stage.sample.call
    return "/infra/segments" if flexible else f"/infra/tier-1s/{site_of(stage).tier1_id}/segments"


def segment_path(stage: Stage) -> str:
    """The path of the segment of a sample."""
    return f"{segments_of(stage)}/{stage.value('segment_id')}"


def inject(stage: Stage) -> None:
    """Let a fault rule refuse the call as the sample says, for what nothing in a simulated site can bring about."""
    response = stage.sample.response
    rule: dict[str, Any] = {"status": response.status, "count": 1}
    if isinstance(response.body, dict) and "error_code" in response.body:
        rule |= {"code": str(response.body["error_code"])}
    stage.pair.fault(product=stage.sample.system, call=stage.sample.call, behaviour="vendor_error", **rule)


def turn_off(stage: Stage) -> None:
    """Disconnect the segment, the way that works."""
    body = stage.ask("GET", segment_path(stage))
    patch = {name: body[name] for name in ("resource_type", "id", "display_name", "connectivity_path", "subnets")}
    patch["advanced_config"] = {**body["advanced_config"], "connectivity": "OFF"}
    stage.ask("PATCH", segment_path(stage), patch)


def add_segment(segment_id: str = EMPTY, **fields: Any) -> Setup:
    """Make a segment of the sample's kind without a VM, and let the sample be about it."""

    def setup(stage: Stage) -> None:
        tier1 = f"/infra/tier-1s/{site_of(stage).tier1_id}"
        subnets = [{"gateway_address": "172.31.9.1/24", "dhcp_ranges": ["172.31.9.100-172.31.9.120"]}]
        body = {"resource_type": "Segment", "id": segment_id, "connectivity_path": tier1, "subnets": subnets, **fields}
        stage.segment = segment_id
        stage.ask("PUT", f"{segments_of(stage)}/{segment_id}", {name: v for name, v in body.items() if v is not None})
        stage.pair.advance(5)

    return setup


def delete_one(stage: Stage) -> None:
    """Delete a segment and leave it unpurged; the sample's own segment stays."""
    add_segment()(stage)
    stage.ask("DELETE", segment_path(stage))
    stage.values |= {"deleted_segment_id": EMPTY, "segment_name": EMPTY}


def change(stage: Stage) -> None:
    """Change the segment by another client."""
    stage.ask("PATCH", segment_path(stage), {"description": "changed by another client"})


def half_way(stage: Stage) -> None:
    """Change the segment and wait until the change is being realised."""
    change(stage)
    stage.pair.advance(stage.pair.world.settings.nsx.realisation_seconds / 2)


def fail_realisation(stage: Stage) -> None:
    """Change the segment and let the realisation fail."""
    stage.pair.fault(product="engine", call="segment.realise", behaviour="fail")
    change(stage)
    stage.pair.advance(5)


def add_l2vpn(stage: Stage) -> None:
    """Extend a routed segment by NSX's own L2VPN."""
    add_segment()(stage)
    stage.values["l2vpn_path"] = "/infra/tier-0s/vmc/locale-services/default/l2vpn-services/default/sessions/s1"
    extension = {"l2vpn_paths": [stage.values["l2vpn_path"]], "tunnel_id": 10}
    stage.ask("PATCH", segment_path(stage), {"l2_extension": extension})


def add_free_port(stage: Stage) -> None:
    """Make a port to which nothing is attached."""
    add_segment()(stage)
    stage.values["port_id"] = "free-port"
    stage.ask("PATCH", f"{segment_path(stage)}/ports/free-port", {"display_name": "free-port"})


def find_last_page(stage: Stage) -> None:
    """Read page by page, and stop before the last one; the sample's segment is the one on it."""
    page = stage.ask("GET", f"{segments_of(stage)}?page_size=1")
    while "cursor" in page:
        stage.values["cursor"] = page["cursor"]
        page = stage.ask("GET", f"{segments_of(stage)}?page_size=1&cursor={page['cursor']}")
    stage.segment = page["results"][0]["id"]


def find_first_page(stage: Stage) -> None:
    """See to it that there are two segments; the sample's segment is the first one."""
    add_segment()(stage)
    stage.segment = stage.ask("GET", f"{segments_of(stage)}?page_size=1")["results"][0]["id"]


def two_segments(stage: Stage) -> None:
    """See to it that there is more than one page, then read to the last one."""
    add_segment("zz-last-net")(stage)
    find_last_page(stage)


def use(segment: str) -> Setup:
    """Let the sample be about a segment of the scenario."""

    def setup(stage: Stage) -> None:
        stage.segment = segment

    return setup


def find_extended(stage: Stage) -> None:
    """The segment that carries the first network extension at the destination."""
    bridge = next(iter(stage.pair.world.bridges.values()))
    stage.segment = bridge.destination_segment_key.partition("/")[2]


def add_rule(stage: Stage) -> None:
    """Make the gateway firewall rule of the samples."""
    path = "/infra/domains/{}/gateway-policies/{}/rules/{}"
    names = ("domain_id", "gateway_policy_id", "gateway_rule_id")
    rule = {"action": "ALLOW", "sequence_number": 10, "source_groups": ["ANY"], "destination_groups": ["ANY"]}
    stage.ask("PATCH", path.format(*(stage.value(name) for name in names)), rule)


def let_token_expire(stage: Stage) -> None:
    """Sign in to the cloud and come back too late."""
    stage.headers = {"csp-auth-token": str(stage.value("access_token"))}
    stage.pair.advance(TOKEN_SECONDS)


def send_wrong_password(stage: Stage) -> None:
    """Send credentials that are wrong."""
    stage.headers = basic(stage.pair.login("nsx", stage.site).username, str(stage.value("wrong_password")))


def send_stale_xsrf(stage: Stage) -> None:
    """Send a live session with the token of another one."""
    stage.headers = {**stage.nsx_session(), "X-XSRF-TOKEN": stage.nsx_session()["X-XSRF-TOKEN"]}
