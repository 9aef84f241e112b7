"""Set-ups that the HCX samples share: networks and VMs to work on, jobs, tasks and migrations in each state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hcx_sim.world.model import SiteName
from support.sim_contract import Case, Ground, Setup, Stage

RELEASES = {"3.x": "4.11.3", "4.x": "4.11.3", "9.x": "9.1.0"}
SPARE, LOCAL = "spare-net", "local-net"
# The seed scenario with a network that can be extended and one that cannot, a VM that is off and one with a snapshot.
GROUND = Ground(
    add={
        "networks": [
            {"name": SPARE, "subnet": "192.168.2.0/24"},
            {"name": LOCAL, "subnet": "192.168.3.0/24", "kind": "standard", "vlan_id": 9},
        ],
        "vms": [
            {"name": "off01", "nics": [{"network": "seed-net", "ips": ["192.168.1.41"]}], "power": "poweredOff"},
            {"name": "snap01", "nics": [{"network": "seed-net", "ips": ["192.168.1.42"]}], "snapshots": ["before"]},
        ],
    }
)
IDLE_SECONDS = 900
_MOBILITY = ("hcx.migrations.", "hcx.mobility.", "hcx.planning.", "hcx.v2.")


def is_mobility(sample_id: str) -> bool:
    """Whether a sample is about migrations and mobility groups."""
    return sample_id.startswith(_MOBILITY)


def expand(case: Case) -> list[Case]:
    """One case per HCX release that a sample holds for, and per site where both are meant.

    The simulated managers are of 4.x or 9.x; what holds for 3.x is asked of 4.x, which still offers it.
    """
    releases = sorted({RELEASES[version] for version in case.sample.versions})
    sites: list[SiteName | None] = list(SiteName) if case.sample.side == "both" else [None]
    return [replace(case, hcx_version=release, site=site) for release in releases for site in sites]


def inject(stage: Stage) -> None:
    """Let a fault rule refuse the call as the sample says, for what nothing in a simulated site can bring about."""
    sample = stage.sample
    body = sample.response.body or {}
    errors = body.get("errors") or [{}]
    message = errors[0].get("message") or errors[0].get("text")
    rule: dict[str, Any] = {"status": sample.response.status, "message": message, "count": 1}
    stage.pair.fault(product=sample.system, call=sample.call, behaviour="vendor_error", **rule)


def let_session_expire(stage: Stage) -> None:
    """Log in and leave the session idle for too long."""
    stage.headers = {"x-hm-authorization": stage.hcx_token()}
    stage.pair.advance(IDLE_SECONDS)


def use(**values: str | int) -> Setup:
    """Set placeholders; ``vm`` names the VM."""

    def setup(stage: Stage) -> None:
        stage.vm = str(values.get("vm", ""))
        stage.values |= {name: value for name, value in values.items() if name != "vm"}

    return setup


def then(*setups: Setup) -> Setup:
    """Several set-ups, one after the other."""

    def setup(stage: Stage) -> None:
        for each in setups:
            each(stage)

    return setup


def later(seconds: float) -> Setup:
    """Let virtual time pass."""
    return lambda stage: stage.pair.advance(seconds)


def fault(**rule: Any) -> Setup:
    """Put an engine fault in force."""
    return lambda stage: stage.pair.fault(product="engine", **rule)


def pin_vm(stage: Stage) -> None:
    """Keep what the VM and its network are called now: a migration changes it."""
    for name in ("vm_id", "vm_name", "mac_address", "source_network_id", "source_network_name", "source_network_type"):
        stage.value(name)


def start_migration(*, window_hours: tuple[float, float] | None = None, gen1: bool = False) -> Setup:
    """Start a RAV migration of the VM (``gen1``: a vMotion by the first generation's call); keeps its ids."""

    def setup(stage: Stage) -> None:
        pin_vm(stage)
        now_ms = stage.pair.now.timestamp() * 1000
        window = [int(now_ms + hours * 3_600_000) for hours in window_hours] if window_hours else [0, 0]
        if gen1:
            started = stage.replay("hcx.migrations.start_gen1")["migrations"][0]
            stage.values["migration_id"] = started["migrationId"]
            return
        times = {"window_start_ms": window[0], "window_end_ms": window[1]}
        started = stage.replay("hcx.mobility.migrations.start.rav", **times)["items"][0]
        stage.values |= {"migration_id": started["migrationId"], "migration_group_id": started["migrationGroupId"]}

    return setup


def migration_flags(stage: Stage) -> dict[str, Any]:
    """The flags of the migration that was started."""
    items = stage.replay("hcx.migrations.query.compat21")["data"]["items"]
    flags: dict[str, Any] = items[0]["progress"]["state"]
    return flags


def until(flag: str) -> Setup:
    """Let time pass, event by event, until the migration shows a flag."""

    def setup(stage: Stage) -> None:
        for _ in range(200):
            if migration_flags(stage)[flag]:
                return
            stage.pair.run(lambda: to_next_event(stage))
        raise AssertionError(f"{flag} never came")

    return setup


def to_next_event(stage: Stage) -> None:
    """Move the clock to the next event."""
    world = stage.pair.world
    at_us = world.engine.next_at_us()
    assert at_us is not None, "nothing will happen any more"
    world.clock.advance_to(at_us)
    world.catch_up()


def cancel(stage: Stage) -> None:
    """Cancel the migration gracefully, and wait for what comes of it."""
    stage.replay("hcx.mobility.migrations.cancel")
    stage.pair.advance(120)


REPLICATING = then(start_migration(window_hours=(1, 2)), until("isTransferProgress"))
COMPLETE = then(start_migration(), later(2000))


def migrate(stage: Stage) -> None:
    """Move the VM to the destination."""
    COMPLETE(stage)
    vm = stage.pair.vm(str(stage.value("vm_name")))
    assert vm.site.value == "destination", vm
    stage.values["migrated_vm_id"] = vm.moref
    del stage.values["migration_id"], stage.values["migration_group_id"]


def draft(stage: Stage) -> None:
    """Make a draft group of one VM, whose switchover window is hours ahead."""
    item = stage.replay("hcx.mobility.groups.create")["items"][0]
    stage.values["migration_group_id"] = item["migrationGroupId"]
    stage.values["wave_id"] = item["migrationGroupId"]
    if item.get("migrations"):
        stage.values["migration_id"] = item["migrations"][0]["migrationId"]


def start_group(stage: Stage) -> None:
    """Start the draft group."""
    draft(stage)
    stage.replay("hcx.mobility.groups.start")


def finish_group(stage: Stage) -> None:
    """Make a group without a window and run it to its end."""
    window = {"window_start_ms": 0, "window_end_ms": 0}
    item = stage.replay("hcx.mobility.groups.create", **window)["items"][0]
    stage.values["migration_group_id"] = item["migrationGroupId"]
    stage.replay("hcx.mobility.groups.start")
    stage.pair.advance(2000)
