"""Findings block, unless somebody answers for them and not beyond the day until which he does."""

from __future__ import annotations

from datetime import date

import pytest

from hcx_waves.model.findings import Assessments, Finding, Severity, Waiver, assess

DAY = date(2026, 10, 24)


def finding(finding_id: str = "vm-has-snapshots", subject: str = "web01", **fields: object) -> Finding:
    """Return a blocking finding."""
    values = {"severity": Severity.BLOCKING, "message": "has 2 snapshots", **fields}
    return Finding.model_validate({"finding_id": finding_id, "subject": subject, **values})


def waiver(finding_id: str = "vm-has-snapshots", subject: str = "web01", expires: str = "2026-10-24") -> Waiver:
    """Return a waiver."""
    values = {"reason": "known", "approved_by": "alice", "expires": expires}
    return Waiver.model_validate({"finding": finding_id, "subject": subject, **values})


def test_the_gravest_comes_first() -> None:
    found = [
        finding("b-advice", severity="advice"),
        finding("z-blocking"),
        finding("a-warning", severity="warning"),
        finding("a-blocking", "b"),
        finding("a-blocking", "a"),
    ]

    items = assess(found, [], DAY).items

    assert [(item.finding.finding_id, item.finding.subject) for item in items] == [
        ("a-blocking", "a"),
        ("a-blocking", "b"),
        ("z-blocking", "web01"),
        ("a-warning", "web01"),
        ("b-advice", "web01"),
    ]


@pytest.mark.parametrize(("severity", "blocks"), [("blocking", True), ("warning", False), ("advice", False)])
def test_only_blocking_findings_block(severity: str, blocks: bool) -> None:
    found = assess([finding(severity=severity)], [], DAY)

    assert bool(found.blocking) is blocks
    assert found.items[0].blocks is blocks


@pytest.mark.parametrize(
    ("given", "blocks"),
    [
        (waiver(), False),
        (waiver(subject="*"), False),
        (waiver(subject="web02"), True),
        (waiver("vm-has-iso"), True),
        (waiver(expires="2026-10-25"), False),
        (waiver(expires="2026-10-23"), True),
    ],
)
def test_a_waiver_holds_for_its_finding_its_subject_and_its_days(given: Waiver, blocks: bool) -> None:
    found = assess([finding()], [given], DAY)

    assert bool(found.blocking) is blocks
    assert [item.waiver for item in found.waived] == ([] if blocks else [given])


def test_an_expired_waiver_is_shown() -> None:
    given = waiver(expires="2026-10-23")

    assert assess([finding()], [given], DAY).items[0].expired == given


def test_the_waiver_for_the_very_subject_precedes_the_one_for_all() -> None:
    everybody, one = waiver(subject="*"), waiver()

    assert assess([finding()], [everybody, one], DAY).items[0].waiver == one
    assert assess([finding(subject="web02")], [everybody, one], DAY).items[0].waiver == everybody


def test_a_holding_waiver_for_all_stands_in_for_an_expired_one() -> None:
    expired, everybody = waiver(expires="2026-10-01"), waiver(subject="*")

    assert assess([finding()], [expired, everybody], DAY).items[0].waiver == everybody


def test_some_findings_nobody_can_answer_for() -> None:
    found = assess([finding("two-gateways", waivable=False)], [waiver("two-gateways", "*")], DAY)

    assert [one.finding_id for one in found.blocking] == ["two-gateways"]
    assert (found.items[0].waiver, found.items[0].expired) == (None, None)


def test_waivers_that_nothing_asked_for_are_named() -> None:
    idle = waiver("vm-has-iso")

    assert assess([finding()], [waiver(), idle], DAY).unused == (idle,)


def test_assessments_survive_json() -> None:
    found = assess([finding(evidence={"snapshots": ["a", "b"]})], [waiver()], DAY)

    assert Assessments.model_validate_json(found.model_dump_json()) == found
