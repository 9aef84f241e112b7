"""The snapshot of a site pair, stored at a simulator, makes one guarded twin after the other."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from hcx_snapshot import identity_of
from support.site_pair import SitePair
from support.snapshots import document_of, taken
from support.waves import shipped


@pytest.mark.world(scenario="three-tier")
def test_twins_are_made_of_a_stored_snapshot_with_faults_on_the_waves_vms(site_pair: SitePair) -> None:
    snapshot = taken(site_pair, shipped("three-tier-1"))
    control = site_pair.endpoints["control"]
    http = site_pair.http()
    http.headers["Authorization"] = f"Bearer {control['token']}"
    packed = gzip.compress(json.dumps(document_of(snapshot)).encode())
    stored = http.post(f"{control['url']}/snapshots", data=packed, headers={"Content-Encoding": "gzip"}).json()
    wave_vms = {"web01", "web02", "app01"}
    wanted: dict[str, Any] = {
        "snapshot_id": stored["snapshot_id"],
        "clock": {"mode": "stepped", "start": snapshot.taken_at.isoformat()},
        "guarded": True,
        "seed": 5,
        "faults": [{"scenario": "stuck-switchover", "objects": sorted(wave_vms)}, "tunnel-down", "unextend-fails"],
    }

    made = [http.post(f"{control['url']}/worlds", json={"world_id": name, **wanted}) for name in ("rh-a", "rh-b")]

    assert stored["snapshot_id"] == identity_of(document_of(snapshot)).snapshot_id
    first, second = (answer.json()["world"] for answer in made)
    assert (first["role"], first["guarded"]) == ("twin", True)
    assert first["fault_scenarios"] == second["fault_scenarios"]
    assert set(first["fault_scenarios"][0]["objects"]) <= wave_vms
    lines = {http.get(f"{control['url']}/worlds/{name}/timeline").content for name in ("rh-a", "rh-b")}
    assert len(lines) == 1, "what is not yet different is equal to the byte"
    for name in ("rh-a", "rh-b"):
        assert http.delete(f"{control['url']}/worlds/{name}").status_code == 204
    http.delete(f"{control['url']}/snapshots/{stored['snapshot_id']}")
