"""Records of migrations and mobility groups, shared by both managers of a site pair.

Plain data: what happens to them is in :mod:`~hcx_sim.hcx.mobility.flow` and its phases, how they look on the
wire in the ``*_form`` modules. Instants are microseconds since the epoch, sizes bytes, durations seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hcx_sim.engine.events import Event
from hcx_sim.world.model import SiteName


class MigrationType(StrEnum):
    """How a VM moves. [D hcx 4.2] The words of ``migrationType``: [C hcx 4.2]."""

    RAV = "RAV"
    BULK = "vSphereReplication"
    VMOTION = "vMotion"
    COLD = "ColdMigration"
    XVMOTION = "xVMotion"
    OSAM = "OsAssistedMigration"

    @property
    def replicates(self) -> bool:
        """Whether a replication precedes the switchover; these count against the limits of KB 321604."""
        return self in (MigrationType.RAV, MigrationType.BULK, MigrationType.OSAM)

    @property
    def live(self) -> bool:
        """Whether the VM keeps running, so that its switchover stuns it and never powers it off."""
        return self in (MigrationType.RAV, MigrationType.VMOTION, MigrationType.XVMOTION)

    @property
    def restarts(self) -> bool:
        """Whether the VM is shut down at the source and started at the destination."""
        return self in (MigrationType.BULK, MigrationType.OSAM)

    @property
    def transfer_type(self) -> str:
        """The ``transferType`` that belongs to it. [D hcx 4.2]; RAV and NO_OP inferred."""
        if self is MigrationType.OSAM:
            return "OsAssistedReplication"
        return "vSphereReplication" if self.replicates else "NO_OP"

    @property
    def service(self) -> str:
        """The service that a mesh must offer for it. [C hcx 4.2]; of cold and xVMotion inferred."""
        return _SERVICES[self]


_SERVICES = {
    MigrationType.RAV: "RAV",
    MigrationType.BULK: "BULK_MIGRATION",
    MigrationType.OSAM: "OS_ASSISTED_MIGRATION",
    MigrationType.VMOTION: "VMOTION",
    MigrationType.COLD: "VMOTION",
    MigrationType.XVMOTION: "VMOTION",
}


class Phase(StrEnum):
    """Where a migration is. The values are keys of ``settings.hcx.intermediate_states``; only we use the names."""

    DRAFT = "draft"
    TRANSFER_WINDOW = "transfer_window"
    QUEUED = "queued"
    PREPARING = "preparing"
    BASE_SYNC = "base_sync"
    SWITCHOVER_WINDOW = "switchover_window"
    SWITCHOVER_TURN = "switchover_turn"
    SHUTDOWN = "shutdown"
    FINAL_SYNC = "final_sync"
    RELOCATION = "relocation"
    SWITCHOVER = "switchover"
    CLEANUP = "cleanup"
    ROLLBACK = "rollback"
    CANCELLING = "cancelling"
    CANCEL_FAILED = "cancel_failed"
    COMPLETE = "complete"
    FAILED = "failed"
    TRANSFER_FAILED = "transfer_failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self in TERMINAL

    @property
    def active(self) -> bool:
        """Whether it has been started and has not ended."""
        return self is not Phase.DRAFT and not self.terminal


TERMINAL = frozenset({Phase.COMPLETE, Phase.FAILED, Phase.TRANSFER_FAILED, Phase.CANCELLED})
UNSUCCESSFUL = TERMINAL - {Phase.COMPLETE}
BEFORE_TRANSFER = frozenset({Phase.TRANSFER_WINDOW, Phase.QUEUED, Phase.PREPARING})
WAITING_TO_SWITCH = frozenset({Phase.SWITCHOVER_WINDOW, Phase.SWITCHOVER_TURN})
SWITCHING = frozenset({Phase.SHUTDOWN, Phase.FINAL_SYNC, Phase.RELOCATION, Phase.SWITCHOVER, Phase.CLEANUP})


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window; None at either end means open on that side."""

    start_us: int | None = None
    expiry_us: int | None = None

    @property
    def scheduled(self) -> bool:
        """Whether a start was asked for."""
        return self.start_us is not None

    def pending(self, now_us: int) -> bool:
        """Tell whether it has not begun."""
        return self.start_us is not None and now_us < self.start_us

    def expired(self, now_us: int) -> bool:
        """Tell whether it is over; the instant of expiry is outside."""
        return self.expiry_us is not None and now_us >= self.expiry_us


@dataclass(frozen=True, slots=True)
class Options:
    """Switchover and transfer options of one migration, whichever way they were sent. [D+C hcx 4.3]"""

    remove_snapshots: bool = False
    remove_isos: bool = False
    force_power_off: bool = False
    retain_mac: bool = True
    upgrade_hardware: bool = False
    upgrade_tools: bool = False
    retain_tags: bool = True
    update_custom_attributes: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """Where a VM will live, all as morefs of the destination vCenter."""

    folder_moref: str
    pool_moref: str
    cluster_moref: str
    datacenter_moref: str
    host_moref: str
    datastore_moref: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What one accepted intent comes to: everything looked up, nothing left to guess."""

    migration_type: MigrationType
    vm_uid: str
    vm_key: str
    vm_name: str
    source: SiteName
    destination: SiteName
    mesh_key: str
    target: Target
    networks: dict[str, str]  # MAC address -> moref of the destination network
    options: Options
    transfer_window: Window
    transfer_waits: bool  # for its window
    switchover_window: Window
    long_recovery: bool
    sync_interval_seconds: float | None
    addresses: dict[str, list[str]] = field(default_factory=dict)  # MAC address -> new IPs (guest customisation)


@dataclass(slots=True)
class Sync:
    """Bytes of one migration: what there is to send and what has arrived, apart from the stream now running."""

    total_bytes: int = 0
    done_bytes: int = 0
    base_bytes: int = 0  # of the first sync, seed included
    stream: str = ""  # base, delta, final, relocation; empty when nothing runs
    stream_bytes: int = 0
    last_us: int = 0  # instant up to which the source's changes are known to the last sync
    deltas: int = 0
    stalled: bool = False
    started_us: int | None = None
    base_done_us: int | None = None


@dataclass(slots=True)
class LogLine:
    """One line of a migration's history."""

    at_us: int
    message: str


@dataclass(slots=True)
class Migration:
    """One VM on its way, or meant to be: ``intent`` as submitted, ``plan`` once started.

    ``outcome`` is the terminal phase that a rollback or cancellation is heading for. ``cleanup_pending`` says
    that left-overs block the next attempt until a force cancel (UG 4.9). ``tracker_lost`` is KB 321654.
    """

    migration_id: str
    group_id: str
    intent: dict[str, Any]
    entity_id: str
    entity_name: str
    source_endpoint_id: str
    username: str
    manager: SiteName  # whose API took it
    created_us: int
    updated_us: int
    phase: Phase = Phase.DRAFT
    plan: Plan | None = None
    sync: Sync = field(default_factory=Sync)
    started_us: int | None = None
    ended_us: int | None = None
    phase_us: int = 0
    switching_us: int | None = None  # when the switchover began, last delta or relocation included
    switchover_us: int | None = None
    switchover_ended_us: int | None = None
    switchover_seconds: float = 0.0
    switchover_step: int = 0
    ready_us: int | None = None
    outcome: Phase | None = None
    message: str = "Draft"
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    stun_seconds: float | None = None
    missed_window: bool = False
    tracker_lost: bool = False
    tracker_cured: bool = False
    forced: bool = False
    drops_seed: bool = False
    cleanup_pending: bool = False
    powered_off: bool = False
    reserved_bytes: int = 0
    relocate_task_id: str | None = None  # of the source vCenter, while it relocates the VM
    archived: bool = False
    operation_type: str = "ADD"
    timers: dict[str, Event] = field(default_factory=dict)

    @property
    def known(self) -> Plan:
        """The plan of a started migration; a draft raises :class:`LookupError`."""
        if self.plan is None:
            raise LookupError(f"migration {self.migration_id} is a draft")
        return self.plan

    @property
    def reschedulable(self) -> bool:
        """Whether its windows may still be changed; vMotion has none."""
        if self.plan is not None and self.plan.migration_type in (MigrationType.VMOTION, MigrationType.XVMOTION):
            return False
        return self.phase in BEFORE_TRANSFER | WAITING_TO_SWITCH | {Phase.DRAFT, Phase.BASE_SYNC}


@dataclass(slots=True)
class MobilityGroup:
    """Migrations that belong together; ``defaults`` is ``groupDefaults`` as submitted."""

    group_id: str
    name: str
    username: str
    created_us: int
    updated_us: int
    tags: list[Any] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    migration_ids: list[str] = field(default_factory=list)
    archived: bool = False
    implicit: bool = False  # made by a start that named no group


@dataclass(slots=True)
class Seed:
    """Replicated data that a failed or cancelled migration left on the target datastore. [D hcx 4.8]"""

    vm_uid: str
    datastore_key: str
    seeded_bytes: int
    since_us: int
    migration_id: str
