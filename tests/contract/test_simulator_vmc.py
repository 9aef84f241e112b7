"""The simulated VMware Cloud and its sign-in service against the samples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hcx_sim.world.model import SiteName
from support.sim_contract import Book, Case, Stage
from support.sim_nsx import CLOUD, inject, let_token_expire
from support.site_pair import SiteServer


def find_task(stage: Stage) -> None:
    """The task by which the SDDC came to be; without an SDDC only its form counts."""
    tasks = stage.ask("GET", f"/vmc/api/orgs/{stage.value('org_id')}/tasks")
    stage.values["vmc_task_id"] = next(task["id"] for task in tasks if task["resource_id"] == stage.value("sddc_id"))


def find_task_and_inject(stage: Stage) -> None:
    """A task whose look-up fails."""
    find_task(stage)
    inject(stage)


def expand(case: Case) -> list[Case]:
    """Both SDDCs, where a sample is about one."""
    about_one = "{sddc_id}" in case.sample.request.path
    return [replace(case, site=site) for site in SiteName] if about_one else [case]


SETUPS = {
    "token older than expires_in": let_token_expire,
    "a task exists": find_task,
    "fault injected": inject,
    "vmc.tasks.get.server_error": find_task_and_inject,
}
BOOK = Book(("vmc", "csp"), CLOUD, SETUPS, expand=expand)


@pytest.mark.parametrize("case", BOOK.cases(), ids=str)
def test_answer(case: Case, site_server: SiteServer) -> None:
    case.hold(site_server)


def test_no_sample_is_forgotten() -> None:
    assert BOOK.forgotten() == []
