"""The gateway firewall decides who reaches the outside."""

from __future__ import annotations

from typing import Any

import pytest

from support.nsx_wire import Manager, refused, related, world_of
from support.site_pair import SitePair

pytestmark = world_of()
DOMAIN = "/infra/domains/cgw"
POLICIES = f"{DOMAIN}/gateway-policies"
RULES = f"{POLICIES}/default/rules"
DROP_APP: dict[str, Any] = {
    "action": "DROP", "source_groups": ["10.1.1.0/24"], "destination_groups": ["ANY"], "sequence_number": 10,
}  # fmt: skip


def _gateway(pair: SitePair, vm: str, network: str) -> str | None:
    gateway: str | None = pair.oracle()["vms"][vm]["gateways"][network]
    return gateway


def test_reachability_follows_a_rule_that_comes_and_goes(source_nsx: Manager, site_pair: SitePair) -> None:
    assert source_nsx.patch(f"{RULES}/drop-app", DROP_APP).content == b""
    assert _gateway(site_pair, "app01", "app-net") is None
    assert _gateway(site_pair, "db01", "db-net") == "source"
    outage = site_pair.oracle()["vms"]["app01"]["outage"]
    assert outage[0]["detail"]["reason"] == "firewall"
    assert source_nsx.delete(f"{RULES}/drop-app").status_code == 200
    assert _gateway(site_pair, "app01", "app-net") == "source"


def test_the_lowest_sequence_number_wins_and_disabled_rules_do_not_count(
    source_nsx: Manager, site_pair: SitePair
) -> None:
    source_nsx.put(f"{RULES}/drop-app", DROP_APP)
    source_nsx.put(f"{RULES}/allow-one", {"action": "ALLOW", "source_groups": ["10.1.1.11"], "sequence_number": 5})
    assert _gateway(site_pair, "app01", "app-net") == "source"
    source_nsx.patch(f"{RULES}/allow-one", {"disabled": True})
    assert _gateway(site_pair, "app01", "app-net") is None
    assert [rule["id"] for rule in source_nsx.read(RULES)["results"]] == ["allow-one", "drop-app", "default_rule"]


def test_rule_bodies_and_revisions(source_nsx: Manager) -> None:
    made = source_nsx.put(f"{RULES}/drop-app", {**DROP_APP, "display_name": "Drop app", "logged": True}).json()
    assert (made["path"], made["_revision"], made["_create_user"]) == (f"{RULES}/drop-app", 0, "admin")
    assert (made["action"], made["logged"], made["services"]) == ("DROP", True, ["ANY"])
    refused(source_nsx.put(f"{RULES}/drop-app", DROP_APP), 412)
    again = source_nsx.put(f"{RULES}/drop-app", {**made, "action": "REJECT"}).json()
    assert (again["action"], again["_revision"]) == ("REJECT", 1)
    assert source_nsx.read(f"{RULES}/drop-app") == again
    source_nsx.patch(f"{RULES}/drop-app", {"action": "REJECT"})
    assert source_nsx.read(f"{RULES}/drop-app")["_revision"] == 1, "nothing changed"


def test_default_rule_is_the_sites_default_and_can_be_changed(source_nsx: Manager, site_pair: SitePair) -> None:
    assert source_nsx.read(f"{RULES}/default_rule")["action"] == "ALLOW"
    source_nsx.patch(f"{RULES}/default_rule", {"action": "DROP"})
    assert _gateway(site_pair, "db01", "db-net") is None
    refused(source_nsx.delete(f"{RULES}/default_rule"), 400)


def test_groups_are_resolved_and_rules_follow_them(source_nsx: Manager, site_pair: SitePair) -> None:
    group = f"{DOMAIN}/groups/app"
    expression = {"resource_type": "IPAddressExpression", "ip_addresses": ["10.1.1.11"]}
    assert source_nsx.patch(group, {"expression": [expression]}).status_code == 200
    source_nsx.patch(f"{RULES}/drop-group", {"action": "DROP", "source_groups": [group]})
    assert _gateway(site_pair, "app01", "app-net") is None
    refused(source_nsx.delete(group), 400, 500030)
    moved = {**expression, "ip_addresses": ["10.1.9.0/24"]}
    refused(source_nsx.put(group, {"expression": [moved]}), 412)
    assert source_nsx.put(group, {"expression": [moved], "_revision": 0}).json()["expression"] == [moved]
    assert _gateway(site_pair, "app01", "app-net") == "source"
    source_nsx.delete(f"{RULES}/drop-group")
    assert source_nsx.delete(group).status_code == 200
    refused(source_nsx.get(group), 404, 202)


def test_groups_are_listed_and_need_no_expression(source_nsx: Manager) -> None:
    groups = f"{DOMAIN}/groups"
    assert source_nsx.ids(groups) == []
    assert source_nsx.put(f"{groups}/empty", {"display_name": "Empty"}).json()["expression"] == []
    source_nsx.patch(f"{groups}/other", {"description": "d"})
    assert source_nsx.ids(groups) == ["empty", "other"]
    assert source_nsx.ids("/search", query="resource_type:Group AND description:d") == ["other"]
    refused(source_nsx.get("/infra/domains/none/groups"), 404, 202)


def test_a_rule_is_revised_to_another_place(source_nsx: Manager, site_pair: SitePair) -> None:
    source_nsx.put(f"{RULES}/drop-app", DROP_APP)
    source_nsx.put(f"{RULES}/allow-one", {"action": "ALLOW", "source_groups": ["10.1.1.11"], "sequence_number": 20})
    assert _gateway(site_pair, "app01", "app-net") is None

    def revise(rule: str, **query: str) -> Any:
        body = source_nsx.read(f"{RULES}/{rule}")
        return source_nsx.call("POST", f"{RULES}/{rule}", params={"action": "revise", **query}, json=body)

    anchor = {"operation": "insert_before", "anchor_path": f"{RULES}/drop-app"}
    assert revise("allow-one", **anchor).json()["id"] == "allow-one"
    assert source_nsx.ids(RULES) == ["allow-one", "drop-app", "default_rule"]
    assert _gateway(site_pair, "app01", "app-net") == "source"
    assert revise("drop-app").status_code == 200
    assert source_nsx.ids(RULES) == ["drop-app", "allow-one", "default_rule"]
    assert revise("drop-app", operation="insert_bottom").status_code == 200
    assert source_nsx.ids(RULES) == ["allow-one", "drop-app", "default_rule"]
    refused(revise("drop-app", operation="sideways"), 400, 255)
    refused(revise("drop-app", operation="insert_after", anchor_path=f"{RULES}/none"), 400, 255)
    refused(source_nsx.call("POST", f"{RULES}/drop-app", params={"action": "revise"}, json=DROP_APP), 412)
    refused(source_nsx.call("POST", f"{RULES}/drop-app", json=DROP_APP), 400, 255)


def test_policies_carry_rules_and_go_with_them(source_nsx: Manager, site_pair: SitePair) -> None:
    policy = f"{POLICIES}/wave-1"
    refused(source_nsx.get(policy), 404, 202)
    source_nsx.patch(policy, {"display_name": "Wave 1", "rules": [{"id": "drop-app", **DROP_APP}]})
    assert _gateway(site_pair, "app01", "app-net") is None
    body = source_nsx.read(policy)
    assert (body["display_name"], body["rule_count"], body["rules"][0]["id"]) == ("Wave 1", 1, "drop-app")
    assert source_nsx.ids(POLICIES) == ["wave-1", "default"] or source_nsx.ids(POLICIES) == ["default", "wave-1"]
    refused(source_nsx.put(policy, {"display_name": "Other", "_revision": 5}), 412)
    assert source_nsx.delete(policy).status_code == 200
    assert _gateway(site_pair, "app01", "app-net") == "source"
    refused(source_nsx.delete(f"{POLICIES}/default"), 400)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "PERHAPS"}, "action"),
        ({"source_groups": ["not-an-address"]}, "source_groups"),
        ({"source_groups": ["/infra/domains/cgw/groups/none"]}, "source_groups"),
        ({"destination_groups": "ANY"}, "destination_groups"),
        ({"sequence_number": "first"}, "sequence_number"),
        ([], "body"),
    ],
)
def test_wrong_rules_are_400_255(source_nsx: Manager, body: Any, field: str) -> None:
    assert field in related(refused(source_nsx.put(f"{RULES}/wrong", body), 400, 255))
    refused(source_nsx.get(f"{RULES}/wrong"), 404, 202)


def test_domains_follow_the_flavour(source_nsx: Manager) -> None:
    assert source_nsx.ids("/infra/domains") == ["cgw", "mgw"]
    assert source_nsx.read("/infra/domains/mgw/gateway-policies")["results"] == []
    refused(source_nsx.put("/infra/domains/mgw/gateway-policies/default/rules/x", DROP_APP), 403)
    refused(source_nsx.get("/infra/domains/default/gateway-policies"), 404, 202)


@world_of(source="onprem")
def test_rules_on_premises_live_in_the_default_domain(source_nsx: Manager, site_pair: SitePair) -> None:
    rules = "/infra/domains/default/gateway-policies/default/rules"
    assert source_nsx.put(f"{rules}/drop-app", DROP_APP).status_code == 200
    assert _gateway(site_pair, "app01", "app-net") is None
