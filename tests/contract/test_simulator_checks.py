"""What holds the simulator to the samples can say no."""

from __future__ import annotations

from typing import Any

import pytest

from support import contract
from support.sim_contract import Book, Ground, Stage
from support.sim_values import UnresolvedError
from support.sim_words import Comparison
from support.site_pair import SitePair

FAILED_JOB = contract.sample("hcx.jobs.get.failed")


def leave(stage: Stage) -> None:
    """A set-up that does nothing."""


def _job(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = contract.fill(FAILED_JOB.response.body, {"job_id": "j-1", "username": "somebody"})
    return {**body, **changes}


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({}, []),
        ({"errorMessage": "other words", "percentComplete": 3, "username": "somebody else"}, []),
        ({"didFail": False}, ["didFail: False instead of True"]),
        ({"jobId": "j-2"}, ["jobId: 'j-2' instead of 'j-1'"]),
    ],
)
def test_flags_and_ids_are_compared_and_prose_is_not(changes: dict[str, Any], problems: list[str]) -> None:
    assert Comparison(FAILED_JOB, {"job_id": "j-1", "username": "x"}).differences(_job(**changes)) == problems


def test_what_is_loose_or_unknown_is_not_compared() -> None:
    assert Comparison(FAILED_JOB, {}, frozenset({"didFail"})).differences(_job(didFail=False, jobId="j-2")) == []


def test_one_element_of_a_list_has_to_agree() -> None:
    sample = contract.sample("hcx.l2_extensions.list")
    comparison = Comparison(sample, {"stretch_id": "s-1"})
    assert comparison.differences({"items": [{"stretchId": "s-2"}, {"stretchId": "s-1"}]}) == []
    assert comparison.differences({"items": [{"stretchId": "s-2"}]}) == ["items[].stretchId: 's-2' instead of 's-1'"]


def test_a_list_that_has_to_be_empty_is_empty() -> None:
    comparison = Comparison(contract.sample("hcx.l2_extensions.list.none"), {})
    assert comparison.differences({"items": []}) == []
    assert comparison.differences({"items": [{}]}) == ["items: 1 elements where none is expected"]


def test_only_the_codes_that_clients_act_on_are_compared() -> None:
    has_ports = Comparison(contract.sample("nsx.fixed_segments.delete.has_ports"), {})
    assert has_ports.differences({"error_code": 1}) == ["error_code: 1 instead of 503040"]
    stale = Comparison(contract.sample("nsx.fixed_segments.put.stale_revision"), {})
    assert stale.differences({"error_code": 1}) == []


def test_a_sample_without_set_up_is_reported() -> None:
    book = Book(("hcx",), Ground(), {}, only=lambda sample_id: sample_id == FAILED_JOB.id)
    assert book.cases() == []
    assert book.forgotten() == ["hcx.jobs.get.failed: no set-up for 'a job has failed', and not listed"]


def test_a_core_call_that_is_only_listed_is_reported() -> None:
    listed = {FAILED_JOB.id: "no time"}
    book = Book(("hcx",), Ground(), {}, not_replayed=listed, only=lambda sample_id: sample_id == FAILED_JOB.id)
    assert book.forgotten() == ["hcx.jobs.get.failed: a core call has to be replayed"]


def test_a_table_entry_about_nothing_is_reported() -> None:
    setups = {"a job has failed": leave, "never heard of": leave}
    book = Book(("hcx",), Ground(), setups, only=lambda sample_id: sample_id == FAILED_JOB.id)
    assert book.forgotten() == ["setups: 'never heard of' is no sample"]


def test_every_sample_belongs_to_one_book() -> None:
    held = {"hcx", "nsx", "vmc", "csp", "vcenter"}
    assert {sample.system for sample in contract.load_samples()} == held


def test_a_request_cannot_be_sent_with_a_placeholder_that_the_world_lacks(site_pair: SitePair) -> None:
    with pytest.raises(UnresolvedError, match="job_id"):
        Stage(site_pair, FAILED_JOB).send(FAILED_JOB)
    assert site_pair.calls("jobs.get") == []
