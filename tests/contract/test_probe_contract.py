"""The contract that the probe is shipped with: made of the samples, and complete for what the product reads."""

from __future__ import annotations

import pytest

from hcx_waves.probe.compare import AnswerComparison
from hcx_waves.probe.contract import load_contract
from hcx_waves.probe.stages import NEEDS_MORE, STAGES
from support import contract, probe_contract
from support.contract import Sample
from support.vendor_pages import pages

READS = [
    sample
    for sample in contract.load_samples()
    if sample.response.status < 300
    and sample.response.content_type == "application/json"
    and f"{sample.system}.{sample.call}" in load_contract().calls
]


def test_the_file_is_made_of_the_samples() -> None:
    assert probe_contract.TARGET.read_text(encoding="utf-8") == probe_contract.text(), "run `make contract`"


def test_every_call_that_a_stage_relies_on_is_in_the_contract() -> None:
    known = load_contract().calls

    assert [key for key in STAGES if key not in known and not key.startswith("vcenter.")] == []
    assert [key for key in NEEDS_MORE if known[key].effect != "read"] == []


@pytest.mark.parametrize("sample", READS, ids=lambda sample: sample.id)
def test_no_sample_differs_from_the_contract(sample: Sample) -> None:
    """A site in the state of any sample is confirmed: what is required is what all of them have."""
    comparison = AnswerComparison(load_contract().calls[f"{sample.system}.{sample.call}"])
    filled = sample.filled(contract.example_values())
    headers = {**dict.fromkeys(sample.response.headers, "x"), "Content-Type": "application/json"}

    comparison.take(sample.response.status, headers, filled.response.body)

    assert comparison.differences() == []


def test_words_are_those_of_members_that_samples_have() -> None:
    for key, members in contract.load_words().items():
        system, _, call = key.partition(".")
        samples = [one for one in contract.load_samples() if (one.system, one.call) == (system, call)]
        paths = {path for one in samples for path in contract.field_paths(one.response.body)}
        assert set(members) <= paths, key


def test_facts_lead_to_the_vendor_pages() -> None:
    listed = [facts.section.rpartition(" ") for facts in load_contract().calls.values() if facts.section]

    assert listed
    assert [section for page, _, section in listed if section not in pages()[page].anchors] == []
