"""The record of a probe: nobody's names and no secret in it, and every sample of it replays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hcx_waves.clients.hcx import HcxClient
from hcx_waves.clients.nsx import BasicAuth, NsxPolicyClient
from hcx_waves.probe import build_record
from support import contract
from support.client_contract import ambient
from support.contract import Sample
from support.probed import ON_PREMISES, behind_proxies, moved, probe_of, probed
from support.sample_server import running_sample_server
from support.site_pair import SitePair

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
PLANTED = ("Sw0rdfish!", "hunter2hunter2", TOKEN, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "s3cr3t-cookie", "basic-Zm9v")


def with_secrets(_path: str, body: Any) -> Any:
    """Secrets in places that nobody expects: names, notes, new members, keys of maps, addresses."""
    for one in _listed(body):
        one["description"] = f"log in with password={PLANTED[1]}"
        one["customPassword"] = PLANTED[0]
        one["newMember"] = {"api_key": PLANTED[0], "authorization": "Basic YmFzaWMtWm05dg==", PLANTED[0]: 1}
        one["notes"] = [TOKEN, KEY, f"JSESSIONID={PLANTED[4]}", f"https://admin:{PLANTED[5]}@manager.corp.example/x"]
        one["pin"] = {"passphrase": 4711}
    return body


def _listed(body: Any) -> list[dict[str, Any]]:
    for place in (body.get("data"), body) if isinstance(body, dict) else ():
        for name in ("items", "results"):
            if isinstance(place, dict) and isinstance(place.get(name), list):
                return [one for one in place[name] if isinstance(one, dict)]
    return []


@pytest.fixture
def record(site_pair: SitePair) -> dict[str, Any]:
    """The record of a pair in which two VMs were moved."""
    return build_record(probed(moved(site_pair)), _secrets(site_pair))


def _secrets(pair: SitePair) -> list[str]:
    return [pair.login(product, site).password for product in ("hcx", "nsx", "vcenter") for site in ("source",)]


@pytest.mark.world(scenario=ON_PREMISES)
def test_no_planted_secret_is_in_the_record(site_pair: SitePair) -> None:
    places = {(site, product): with_secrets for site in ("source",) for product in ("hcx", "nsx")}
    with behind_proxies(moved(site_pair), places) as (document, _):
        probe = probe_of(document, site_pair)

    text = json.dumps(build_record(probe, [*_secrets(site_pair), PLANTED[0]]), ensure_ascii=False)

    assert '"customPassword": "***"' in text, "the answers with secrets must be in the record"
    assert [secret for secret in (*PLANTED, *_secrets(site_pair), "YmFzaWMtWm05dg", "4711") if secret in text] == []


def test_nothing_in_the_record_tells_whose_site_it_is(site_pair: SitePair, record: dict[str, Any]) -> None:
    text = json.dumps(record, ensure_ascii=False).lower()
    world = site_pair.world
    names = {vm.name for vm in world.vms.values()} | {one.display_name for one in world.segments.values()}
    ids = {vm.instance_uuid for vm in world.vms.values()} | {vm.bios_uuid for vm in world.vms.values()}
    addresses = {nic.mac for vm in world.vms.values() for nic in vm.nics}
    users = {site_pair.login(product, "source").username for product in ("hcx", "vcenter")}

    assert names
    assert ids
    assert addresses
    assert [
        one for one in names | ids | addresses | users if f'"{one.lower()}' in text or f"/{one.lower()}" in text
    ] == []
    assert "192.168.1." not in text


def test_one_thing_has_one_stand_in_everywhere(record: dict[str, Any]) -> None:
    by_call = {sample["call"]: sample["response"]["body"] for sample in record["samples"]}
    extension = by_call["l2_extensions.list"]["items"][0]
    segments = {one["path"]: one["display_name"] for one in by_call["fixed_segments.list"]["results"]}
    migrated = {one["entity"]["entityId"] for one in by_call["migrations.query"]["data"]["items"]}

    assert segments[extension["sourceNetwork"]["networkId"]] == extension["sourceNetwork"]["networkName"]
    gateway = next(one for one in by_call["fixed_segments.list"]["results"])["subnets"][0]["gateway_address"]
    assert gateway.partition("/")[0] == extension["gateway"]
    assert migrated
    assert all(moref.startswith("vm-") for moref in migrated)


def test_every_sample_of_the_record_is_a_contract_sample(record: dict[str, Any]) -> None:
    assert len(record["samples"]) > 30
    for raw in record["samples"]:
        sample = Sample.model_validate(raw)
        known = contract.field_paths(sample.response.body)
        listed = [*sample.required_fields, *sample.optional_fields]
        uncovered = [
            path
            for path in known
            if not any(path == f or contract.is_below(path, f) or contract.is_below(f, path) for f in listed)
        ]
        assert uncovered == [], sample.id
        assert contract.check_shape(sample.response.body, sample.response.body, sample.required_fields) == []


def test_the_clients_read_the_samples_of_the_record(record: dict[str, Any]) -> None:
    samples = [Sample.model_validate(raw) for raw in record["samples"]]
    with running_sample_server() as server:
        server.serve(*(one for one in samples if one.system == "hcx"))
        hcx = HcxClient(server.url, "anybody", "any-password", ambient=ambient())
        nsx = NsxPolicyClient(server.url, BasicAuth("anybody", "any-password"), ambient=ambient())
        read = (hcx.extensions(), hcx.service_meshes(), hcx.query_migrations(), hcx.resource_containers())
        server.serve(*(one for one in samples if one.system == "nsx" and one.side == "source"))
        segments = nsx.fixed_segments()
        ports = nsx.ports(segments[0].path)
        hcx.close()
        nsx.close()

    assert all(read)
    assert segments[0].gateway_addresses
    assert ports
    assert read[0][0].source_network.network_id == segments[0].path


def test_rows_say_what_is_known_and_what_was_seen(record: dict[str, Any]) -> None:
    rows = {row["call"]: row for row in record["rows"] if row["endpoint"] == "source HCX Manager"}

    assert rows["hcx.l2_extensions.list"] == {
        "endpoint": "source HCX Manager",
        "call": "hcx.l2_extensions.list",
        "section": "hcx 5.2",
        "confidence": "confirmed",
        "outcome": "confirmed",
        "differences": [],
        "reason": "",
    }
    assert {row["outcome"] for row in rows.values()} == {"confirmed", "not offered", "not tried"}


def with_a_name_for_a_word(path: str, body: Any) -> Any:
    """A member that has words holds somebody's name once, and once a word that nobody knows."""
    if path.endswith("/segments"):
        body["results"][0]["admin_state"] = "Jane Doe 42"
        body["results"][0]["replication_mode"] = "GENEVE"
    return body


@pytest.mark.world(scenario=ON_PREMISES)
def test_an_unknown_word_stays_and_a_name_in_its_place_does_not(site_pair: SitePair) -> None:
    with behind_proxies(site_pair, {("source", "nsx"): with_a_name_for_a_word}) as (document, _):
        record = build_record(probe_of(document, site_pair), [])

    [row] = [one for one in record["rows"] if one["outcome"] == "differs"]
    assert sorted((one["member"], one["problem"]) for one in row["differences"]) == [
        ("results[].admin_state", "unknown word"),
        ("results[].replication_mode", 'unknown word "GENEVE"'),
    ]
    text = json.dumps(record)
    assert "Jane" not in text
    assert '"replication_mode": "GENEVE"' in text
