"""What the doctor thinks of what it sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hcx_waves.clients.errors import AuthenticationFailed, ClientError, PermissionDenied, ServerError
from hcx_waves.clients.hcx import Appliance, ServiceMesh, UplinkMetric
from hcx_waves.clients.identity import REAL_PRODUCT, EndpointIdentity
from hcx_waves.doctor.connection import judge_clock
from hcx_waves.doctor.hcx import judge_appliance, judge_mesh, judge_uplink
from hcx_waves.doctor.identity import check_agreement
from hcx_waves.doctor.results import CheckResult, Result, guarded, ok
from hcx_waves.doctor.target import Means

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MEANS = Means(now=lambda: NOW, speed=60.0)
TWIN = EndpointIdentity(simulated=True, world_id="w1", role="twin")
SITE = EndpointIdentity(simulated=True, world_id="w1", role="site")


@pytest.mark.parametrize(
    ("skew_seconds", "result", "detail"),
    [
        (0.9, Result.OK, "in sync with this host"),
        (-20, Result.OK, "20 s behind this host"),
        (60, Result.WARNING, "60 s ahead of this host"),
        (-301, Result.FAILED, "301 s behind this host"),
    ],
)
def test_clock_skew_is_judged_by_its_size(skew_seconds: float, result: Result, detail: str) -> None:
    finding = judge_clock(NOW + timedelta(seconds=skew_seconds), MEANS, simulated=False)
    assert (finding.result, finding.detail) == (result, detail)
    assert bool(finding.next_step) is (result is not Result.OK)


def test_virtual_time_is_shown_and_not_held_against_a_simulator() -> None:
    finding = judge_clock(NOW + timedelta(days=3), MEANS, simulated=True)
    assert (finding.result, finding.detail) == (
        Result.OK,
        "virtual time 2026-03-04 12:00:00 UTC, running at speed 60",
    )


def mesh(**fields: Any) -> ServiceMesh:
    return ServiceMesh.model_validate({"serviceMeshId": "servicemesh-1", "name": "m", "state": "COMMITTED", **fields})


def services(*statuses: str) -> dict[str, Any]:
    return {"services": [{"serviceName": f"s{n}", "status": status} for n, status in enumerate(statuses)]}


@pytest.mark.parametrize(
    ("found", "result", "detail"),
    [
        (mesh(status=services("up", "UP")), Result.OK, "state COMMITTED, 2 services up"),
        (mesh(status=services("up", "down")), Result.FAILED, "s1 down"),
        (mesh(state="UPDATE_FAILED", status=services("up")), Result.FAILED, "state UPDATE_FAILED"),
        (mesh(), Result.WARNING, "state COMMITTED, no service reports its status"),
        (
            mesh(status=services("up"), lastTaskDetails={"status": "RUNNING"}),
            Result.OK,
            "state COMMITTED, 1 services up",
        ),
    ],
)
def test_a_mesh_is_judged_by_its_services(found: ServiceMesh, result: Result, detail: str) -> None:
    finding = judge_mesh(found)
    assert (finding.check, finding.result, finding.detail) == ("mesh m", result, detail)


def test_reasons_of_an_ailing_service_are_told() -> None:
    status = {"services": [{"serviceName": "vMotion", "status": "degraded", "reason": [{"message": "tunnel down"}]}]}
    assert judge_mesh(mesh(status=status)).detail == "vMotion degraded (tunnel down)"


@pytest.mark.parametrize(
    ("word", "result"),
    [("UP", Result.OK), ("down", Result.FAILED), ("purple", Result.WARNING), ("", Result.WARNING)],
)
def test_an_appliance_is_judged_by_words_of_sure_meaning_only(word: str, result: Result) -> None:
    appliance = Appliance.model_validate(
        {
            "applianceId": "a1",
            "applianceName": "NE-1",
            "applianceType": "HCX-NET-EXT",
            "applianceVersion": {"major": 4, "minor": 11, "patch": 3},
            "status": {"summary": {"overallStatus": word, "reasons": ["why"]}},
        }
    )
    finding = judge_appliance(appliance)
    assert (finding.check, finding.result) == ("appliance NE-1", result)
    assert finding.detail.startswith("HCX-NET-EXT 4.11.3")
    assert "(why)" in finding.detail


def uplink(**measured: Any) -> UplinkMetric:
    return UplinkMetric.of_wire({"uplinkName": "u", "remoteUplinkName": "r", "measuredData": measured})


def bandwidth(upload: int, download: int, status: str = "up") -> dict[str, Any]:
    return {
        "value": {"uploadKbps": upload, "downloadKbps": download},
        "services": [{"serviceType": "RAV", "status": status}],
    }


def test_a_good_underlay_is_shown_with_its_figures() -> None:
    finding = judge_uplink(
        uplink(maxAvailableBandwidth=bandwidth(900_000, 800_000), latency={"value": 12}, lossRate={"value": 0.01})
    )
    assert finding.result is Result.OK
    assert finding.detail == "900 Mbit/s up, 800 Mbit/s down, 12 ms, 0.01 % loss"


@pytest.mark.parametrize(
    ("measured", "step"),
    [
        ({"maxAvailableBandwidth": bandwidth(900_000, 149_000)}, "Live migration needs 150 mbit/s"),
        ({"latency": {"value": 200}}, "Latency should be 150 ms at most"),
        ({"lossRate": {"value": 0.5}}, "Loss should be 0.1 % at most"),
        ({"maxAvailableBandwidth": bandwidth(900_000, 900_000, "down")}, "Not good enough for rav"),
    ],
)
def test_a_poor_underlay_is_a_warning(measured: dict[str, Any], step: str) -> None:
    finding = judge_uplink(uplink(**measured))
    assert finding.result is Result.WARNING
    assert finding.next_step.lower().startswith(step.lower())


def test_endpoints_must_agree_on_what_they_are() -> None:
    assert check_agreement({"source hcx": REAL_PRODUCT}) is None
    same = check_agreement({"source hcx": SITE, "vmc": SITE})
    assert same is not None
    assert (same.result, same.detail) == (Result.OK, "every endpoint is a simulated site (world w1)")
    mixed = check_agreement({"source hcx": REAL_PRODUCT, "vmc": TWIN})
    assert mixed is not None
    assert mixed.result is Result.FAILED
    assert mixed.detail == "real product: source hcx; simulated twin (world w1): vmc"


def test_a_broken_check_is_a_finding_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> CheckResult:
        raise KeyError("x")

    (finding,) = guarded("mesh", broken)
    assert (finding.result, finding.detail) == (
        Result.FAILED,
        "the check itself failed with an internal error (KeyError)",
    )
    assert "check mesh broke" in caplog.text


def test_what_a_check_found_before_it_broke_is_kept() -> None:
    def half() -> Any:
        yield ok("one", "fine")
        raise AuthenticationFailed("refused", system="hcx", status=401)

    findings = list(guarded("many", half))
    assert [(finding.check, finding.result) for finding in findings] == [
        ("one", Result.OK),
        ("many", Result.FAILED),
    ]
    assert findings[1].detail == "refused (HTTP 401)"


@pytest.mark.parametrize(
    ("error", "result"), [(PermissionDenied("no"), Result.WARNING), (ServerError("no"), Result.FAILED)]
)
def test_a_lack_of_rights_to_look_is_a_warning(error: ClientError, result: Result) -> None:
    def check() -> CheckResult:
        raise error

    (finding,) = guarded("pairing", check)
    assert finding.result is result
    assert finding.next_step == error.hint
