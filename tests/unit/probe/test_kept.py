"""What a probe keeps for preflight: by endpoint, however its address is written; and what is new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hcx_waves.probe import KeptProbes, Outcome, Probe, ProbeRow, load_contract
from hcx_waves.probe.compare import Difference
from hcx_waves.probe.kept import KeptProbeError
from hcx_waves.probe.results import Endpoint

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ENDPOINT = Endpoint("source HCX Manager", "hcx", "https://hcx.example.com", "4.11.3")
MESHES = load_contract().calls["hcx.service_meshes.list"]
FIRST, SECOND = Difference("items[].state", 'unknown word "X"', "X"), Difference("items[].name", "missing")


def probe(*differences: Difference, at: datetime = NOON, endpoint: Endpoint = ENDPOINT) -> Probe:
    """A probe that has seen one call."""
    outcome = Outcome.DIFFERS if differences else Outcome.CONFIRMED
    return Probe(at, (endpoint,), (ProbeRow(endpoint, MESHES, outcome, differences),))


def test_only_what_was_not_known_is_new(tmp_path: Path) -> None:
    kept = KeptProbes(tmp_path)

    news = [[one.member for one in kept.write(found)] for found in (probe(FIRST), probe(FIRST, SECOND), probe(SECOND))]

    assert news == [["items[].state"], ["items[].name"], []]


def test_the_last_probe_replaces_the_one_before(tmp_path: Path) -> None:
    kept = KeptProbes(tmp_path)
    kept.write(probe(FIRST))
    kept.write(probe(at=NOON + timedelta(days=1)))

    found = kept.read(ENDPOINT.address)

    assert found is not None
    assert (found.differences, found.confirmed, found.probed_at) == ((), 1, NOON + timedelta(days=1))


@pytest.mark.parametrize(
    "written",
    [
        "https://hcx.example.com:443",
        "https://HCX.example.com/",
        "https://hcx.example.com/sdk",
        "https://hcx.example.com",
    ],
)
def test_an_address_is_the_same_however_it_is_written(tmp_path: Path, written: str) -> None:
    KeptProbes(tmp_path).write(probe(FIRST))

    assert [one.name for one in KeptProbes(tmp_path).read_all([written, written])] == ["source HCX Manager"]
    assert KeptProbes(tmp_path).read_all(["https://other.example.com"]) == ()


def test_when_all_were_probed_is_when_the_first_of_them_was(tmp_path: Path) -> None:
    kept, other = KeptProbes(tmp_path), Endpoint("source NSX", "nsx", "https://nsx.example.com")
    kept.write(probe())
    both = [ENDPOINT.address, other.address]

    assert kept.latest(both) is None
    kept.write(probe(at=NOON + timedelta(days=1), endpoint=other))
    assert kept.latest(both) == NOON


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    kept = KeptProbes(tmp_path)
    kept.write(probe())
    [path] = (tmp_path / "probes").iterdir()
    path.write_text('{"kept_version": 1}')

    with pytest.raises(KeptProbeError, match=f"{path.name}: is not what a probe has kept"):
        kept.read(ENDPOINT.address)
    assert kept.latest([ENDPOINT.address]) is None


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    KeptProbes(tmp_path).write(probe())

    [path] = (tmp_path / "probes").iterdir()
    assert path.stat().st_mode & 0o077 == 0
