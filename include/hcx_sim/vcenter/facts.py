"""Loads every family and method, and says in COVERAGE.md which properties are simulated and how sure that is."""

from __future__ import annotations

from hcx_sim.coverage import Confidence
from hcx_sim.settings import VcenterSettings
from hcx_sim.vcenter.collector import retrieve as _retrieve  # noqa: F401
from hcx_sim.vcenter.collector import updates as _updates  # noqa: F401
from hcx_sim.vcenter.families import (  # noqa: F401
    base,
    capabilities,
    entity,
    helpers,
    hosts,
    managers,
    network,
    places,
    service,
    vm,
)
from hcx_sim.vcenter.methods import (  # noqa: F401
    authorization,
    folders,
    lifecycle,
    portgroups,
    power,
    reconfigure,
    relocate,
    search,
    sessions,
    snapshots,
    views,
)
from hcx_sim.vcenter.methods import empty_managers as _empty_managers  # noqa: F401
from hcx_sim.vcenter.methods import managers as _manager_methods  # noqa: F401
from hcx_sim.vcenter.methods import tasks as _task_methods  # noqa: F401
from hcx_sim.vcenter.registry import coverage
from hcx_sim.vcenter.tasks import fault_points

_GUESSED = {"ManagedEntity", "CustomFieldsManager"}

for _type_name, _paths in base.provided().items():
    coverage.fields(
        f"properties of {_type_name}",
        _paths,
        Confidence.INFERRED if _type_name in _GUESSED else Confidence.DOCUMENTED,
        "PYV",
        "names from the type information; values computed from the world, any path can be overridden by data",
    )
coverage.fields("fault points", fault_points(), Confidence.INFERRED, "VCSIM", "engine rules: fail, delay, stall")
coverage.fields(
    "settings",
    tuple(f"vcenter.{name}" for name in VcenterSettings.model_fields),
    Confidence.INFERRED,
    "PYV VCSIM",
    "idle expiry is documented (30 minutes), durations of tasks are not",
)
coverage.fields(
    "values that come as data",
    ("PATH", "PATH+", "PATH[KEY].MEMBER", "denied:PATH"),
    Confidence.INFERRED,
    "PYV",
    "keys of an entity's properties: replace, append to an array, change an element, hide behind a privilege",
)
coverage.fields(
    "addresses in guest.net",
    ("ipConfig.ipAddress.origin", "ipConfig.ipAddress.prefixLength"),
    Confidence.DOCUMENTED,
    "PYV",
    "a scenario's origins say where an address comes from; unset otherwise, as Tools of Linux leave it [inferred]",
)
coverage.states("task states", ("queued", "running", "success", "error"), Confidence.DOCUMENTED, "PYV")
coverage.states("power states", ("poweredOff", "poweredOn", "suspended"), Confidence.DOCUMENTED, "PYV")
coverage.fields(
    "session",
    ("vmware_soap_session", "idle expiry", "NotAuthenticated"),
    Confidence.DOCUMENTED,
    "PYV VCSIM",
    "30 minutes idle; the cookie is set at log-in only",
)
coverage.fields(
    "faults",
    (
        "NotAuthenticated", "InvalidLogin", "NoPermission", "ManagedObjectNotFound", "InvalidProperty",
        "MethodNotFound", "NotSupported", "InvalidArgument", "InvalidRequest", "InvalidCollectorVersion",
        "InvalidPowerState",
        "DuplicateName", "InvalidName", "ConcurrentAccess", "TaskInProgress", "ToolsUnavailable",
    ),
    Confidence.DOCUMENTED,
    "PYV",
    "types and members; the wording is inferred",
)  # fmt: skip
