"""Unknown paths, methods and injected faults answer in the manager's own shapes."""

from __future__ import annotations

from support.hcx_wire import Manager
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS


def test_unknown_path_is_a_vendor_404(site_pair: SitePair) -> None:
    answer = Manager(site_pair).call("GET", "/no/such/path")
    assert answer.status_code == 404
    assert answer.json() == {
        "errors": [{"code": "404", "message": "The requested resource was not found."}],
        "warnings": [],
    }


def test_unknown_method_is_a_vendor_405(site_pair: SitePair) -> None:
    answer = Manager(site_pair).call("PATCH", "/cloudConfigs", {})
    assert answer.status_code == 405
    assert answer.json()["success"] is False
    assert answer.json()["errors"][0]["text"] == "The method is not allowed for this resource."


def test_injected_error_has_the_style_of_its_path(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="hcx", call="l2_extensions.*", behaviour="vendor_error", status=500, code="E7", message="x")
    site_pair.fault(product="hcx", call="inventory.*", behaviour="vendor_error", status=503, code="E8", message="y")
    newer = manager.call("GET", "/l2Extensions")
    assert newer.status_code == 500
    assert newer.json()["errors"] == [{"code": "E7", "message": "x"}]
    legacy = manager.call("POST", "/service/inventory/networks", {})
    assert legacy.status_code == 503
    assert legacy.json()["errors"] == [{"error": "E8", "text": "y"}]


def test_injected_403_is_empty(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    site_pair.fault(product="hcx", call="jobs.get", behaviour="vendor_error", status=403)
    answer = manager.call("GET", "/jobs/any")
    assert (answer.status_code, answer.content) == (403, b"")


def test_every_answer_says_which_world_it_is(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.call("GET", "/metainfo/context/interconnect")
    assert answer.headers["X-Hcx-Sim"] == f"world={site_pair.world_id}; role=site"
    (context,) = answer.json()
    assert context["simulator"] == {"name": "hcx-sim", "world": site_pair.world_id, "role": "site"}
    local = site_pair.world.site(manager.site).vcenter_instance_uuid
    assert context["cloudManagementPlatforms"][0]["cmpId"] == local


def test_reads_change_nothing(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    paths = ("/l2Extensions", "/cloudConfigs", "/interconnect/serviceMesh", "/interconnect/appliances",
             "/interconnect/tasks", "/metainfo/context/interconnect", "/vc/query?entityType=dvs")  # fmt: skip
    first = [manager.call("GET", path).content for path in paths]
    assert [manager.call("GET", path).content for path in paths] == first
    assert site_pair.audit("change") == []
    assert site_pair.audit("note", subject="hcx") == []


def test_manual_is_served_without_a_session(site_pair: SitePair) -> None:
    url = f"{site_pair.url('hcx')}/hybridity/docs/index.html"
    answer = site_pair.http().get(url, timeout=HANG_SECONDS)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "DELETE /hybridity/api/l2Extensions/{stretch_id}" in answer.text
