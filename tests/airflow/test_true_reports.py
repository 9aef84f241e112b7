"""A report is made of observations: in random runs with random faults and marks, it says nothing that is not so."""

from __future__ import annotations

import os

import pytest

from hcx_airflow.clock import base
from hcx_waves.run import scope
from support.airflow_tasks import AirflowRun
from support.bad_nights import BadNight
from support.site_pair import SitePair
from support.true_reports import Truth

NIGHTS = int(os.environ.get("HCX_WAVES_BAD_NIGHTS", "10"))
FIRST = int(os.environ.get("HCX_WAVES_FIRST_NIGHT", "0"))


@pytest.mark.world(mode="scaled", speed=1.0)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + NIGHTS))
def test_no_statement_of_a_report_is_false(
    seed: int, airflow_run: AirflowRun, site_pair: SitePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One clock for the run and its sites, so that instants can be compared; and few looks at an unextend.
    monkeypatch.setattr(base, "utc_now", lambda: site_pair.now)
    monkeypatch.setattr(scope, "OUTAGE_POLL", 20.0)
    night = BadNight(seed, airflow_run, site_pair)
    reports = night.reports()
    assert reports
    for report, text, begun, ended in reports:
        found = list(Truth(site_pair, report, text, begun, ended).falsehoods())
        assert not found, "\n".join(["", *found, "what happened:", *night.happened])
