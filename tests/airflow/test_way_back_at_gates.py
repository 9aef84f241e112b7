"""What gates say of the way back: who is reversible and who is not, what it costs, until when it can be decided."""

from __future__ import annotations

from datetime import date, timedelta

from hcx_airflow.gates.reversibility_body import deadline_text, price_text, reversible_text, way_back_part
from hcx_waves.model.expectation import Spread
from hcx_waves.model.findings import Finding, Severity, assess
from hcx_waves.model.price import WayBackPrice
from support.plans import RESOLVED, plan_of

PLAN = plan_of("web01", "web02", "db01")
NAMES = ("web01", "web02", "db01")


def found(*subjects: str) -> Finding:
    return Finding(
        finding_id="vm-way-back-cpu",
        severity=Severity.WARNING,
        subject=subjects[0],
        message="newer CPUs there",
        evidence={"reason": "newer CPU"},
    )


def price(hours: float = 2) -> WayBackPrice:
    length = Spread(p50_seconds=1800, p90_seconds=3600, p95_seconds=4000)
    closes = RESOLVED + timedelta(hours=hours)
    outage = Spread(p50_seconds=8, p90_seconds=10, p95_seconds=12)
    return WayBackPrice(
        as_of=RESOLVED, vms=3, segments=1, bytes_back=30 * 1024**3, length=length, outage=outage, closes_at=closes
    )


def test_who_is_not_reversible_is_named_with_the_reason() -> None:
    judged = assess([found("db01")], (), date(2026, 3, 1))
    assert reversible_text(PLAN, NAMES, judged) == "Reversible: **2 of 3 VMs**; not: db01 (newer CPU)"
    assert reversible_text(PLAN, ("web01",), judged) == "Reversible: **1 of 1 VM**"
    assert "unknown" in reversible_text(PLAN, NAMES, None)


def test_the_price_and_the_deadline() -> None:
    assert price_text(price()) == (
        "Price: 3 VMs migrated back, one at a time (30 GiB), 1 segment extended again; in all 30m (P50), 1h (P90); "
        "each segment without a gateway for 10s"
    )
    said = deadline_text(price(), PLAN.clock)
    assert said == "Deadline: back until **Sun 2026-03-01 23:00 UTC**, or it no longer fits the window"
    assert len(way_back_part(PLAN, NAMES, None, price()).splitlines()) == 3
