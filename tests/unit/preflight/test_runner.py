"""Running checks: order, waivers, failing products, and several findings about the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from hcx_waves.clients.errors import ConnectionFailed, NotFound
from hcx_waves.model.findings import Assessments, Finding, Severity
from hcx_waves.preflight import Check, PreflightContext, Product, run_preflight
from hcx_waves.preflight.base import advice, blocking, warning
from hcx_waves.preflight.runner import distinct
from support.waves import seed_wave

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
NO_CLIENTS: Any = type("Clients", (), {"source_nsx": None})()
NO_PLAN: Any = type("Plan", (), {"vms": (), "segments": ()})()


def check(check_id: str, *findings: Finding | Exception, needs: tuple[Product, ...] = ()) -> Check:
    def run(_context: PreflightContext) -> Iterator[Finding]:
        for finding in findings:
            if isinstance(finding, Exception):
                raise finding
            yield finding

    return Check(check_id, f"title of {check_id}", needs, run)


def judged(*checks: Check, now: datetime = NOON, **fields: Any) -> Assessments:
    return run_preflight(NO_PLAN, seed_wave(**fields), NO_CLIENTS, now=now, checks=checks)


def shown(result: Assessments) -> list[tuple[str, str, str]]:
    return [(str(one.finding.severity), one.finding.finding_id, one.finding.subject) for one in result.items]


def waiver(**changes: Any) -> dict[str, Any]:
    usual = {"finding": "bad-thing", "subject": "web01", "reason": "r", "approved_by": "ops", "expires": "2026-01-05"}
    return {**usual, **changes}


BAD = blocking("bad-thing", "web01", "is bad", "Mend it.")


def test_findings_come_gravest_first() -> None:
    result = judged(check("one", advice("a-c", "x", "m"), warning("b-w", "x", "m", "s")), check("two", BAD))
    assert [severity for severity, _, _ in shown(result)] == ["blocking", "warning", "advice"]
    assert result.blocking == (BAD,)


def test_a_waiver_lets_a_blocking_finding_pass() -> None:
    result = judged(check("one", BAD), waivers=[waiver()])
    assert result.blocking == ()
    assert [one.finding for one in result.waived] == [BAD]


def test_an_expired_waiver_is_ignored_and_said_so() -> None:
    result = judged(check("one", BAD), now=datetime(2026, 1, 6, 0, 1, tzinfo=UTC), waivers=[waiver()])
    assert result.blocking == (BAD,)
    assert shown(result)[1] == ("warning", "waiver-expired", "web01")
    assert result.items[1].finding.message == "the waiver for bad-thing by ops held until 2026-01-05"


def test_a_waiver_lasts_to_the_end_of_its_day_in_the_waves_zone() -> None:
    late = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    assert judged(check("one", BAD), now=late, waivers=[waiver()]).blocking == ()
    assert judged(check("one", BAD), now=late, waivers=[waiver()], time_zone="Europe/Berlin").blocking == (BAD,)


def test_a_waiver_that_nothing_asked_for_is_told() -> None:
    result = judged(check("one"), waivers=[waiver(), waiver(finding="other-thing", subject="*")])
    assert shown(result) == [("advice", "waiver-unused", "wave"), ("advice", "waiver-unused", "web01")]
    assert result.items[1].finding.message == "no finding matches the waiver of bad-thing"


def test_what_cannot_be_waived_still_blocks() -> None:
    finding = BAD.model_copy(update={"waivable": False})
    result = judged(check("one", finding), waivers=[waiver()])
    assert result.blocking == (finding,)
    assert len(result.items) == 1


def test_a_product_error_blocks_and_names_the_product() -> None:
    error = ConnectionFailed("no route", system="hcx", endpoint="https://hcx.example", method="GET", hint="Look there.")
    result = judged(check("broken", BAD, error), check("fine", advice("a-c", "x", "m")))
    assert shown(result) == [("blocking", "check-incomplete", "broken"), ("advice", "a-c", "x")]
    finding = result.items[0].finding
    assert finding.message == (
        '"title of broken" could not be checked: ConnectionFailed at https://hcx.example: no route'
    )
    assert finding.suggestion == "Look there."
    assert finding.evidence["error"]["type"] == "ConnectionFailed"  # type: ignore[index, call-overload]


def test_a_bug_of_a_check_is_not_taken_for_a_finding() -> None:
    with pytest.raises(ZeroDivisionError):
        judged(check("bug", ZeroDivisionError()))


def test_checks_of_nsx_are_left_out_without_nsx_at_the_source() -> None:
    assert judged(check("needs-nsx", BAD, needs=(Product.SOURCE_NSX,))).items == ()
    context = PreflightContext(NO_PLAN, seed_wave(), NO_CLIENTS, now=NOON)
    with pytest.raises(NotFound, match="the source has no NSX"):
        _ = context.source_nsx


def test_what_is_said_twice_of_one_subject_becomes_one_finding() -> None:
    one = warning("t-h", "x", "first", "s", a=1)
    two = blocking("t-h", "x", "second", "s", b=2).model_copy(update={"waivable": False})
    (both,) = distinct([one, two, one])
    assert both.message == "second; first"
    assert both.severity is Severity.BLOCKING
    assert both.evidence == {"a": 1, "b": 2}
    assert not both.waivable


def test_long_names_fit() -> None:
    assert len(advice("a-b", "x" * 500, "m").subject) == 128


class Counting:
    """Counts reads and fails on demand."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer, self.reads = answer, 0

    def list_hosts(self) -> Any:
        self.reads += 1
        return self.answer()


def test_a_product_is_read_once_even_if_it_fails() -> None:
    def fail() -> Any:
        raise ConnectionFailed("gone", system="vcenter")

    for answer in (lambda: [], fail):
        vcenter = Counting(answer)
        clients: Any = type("Clients", (), {"destination_vcenter": vcenter, "source_nsx": None})()
        context = PreflightContext(NO_PLAN, seed_wave(), clients, now=NOON)
        for _ in range(3):
            if answer is fail:
                with pytest.raises(ConnectionFailed):
                    _ = context.hosts
            else:
                assert context.hosts == ()
        assert vcenter.reads == 1
