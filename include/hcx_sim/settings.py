"""Every switch of a simulated world, with its default and where the default comes from.

Where the vendor's behaviour is unknown, the switch offers each way it may be (hcx 9, nsx-vsphere
6). Durations are virtual seconds.
"""

from __future__ import annotations

import random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fixed(_Settings):
    """Always the same duration."""

    kind: Literal["fixed"] = "fixed"
    seconds: float = Field(ge=0)

    def draw(self, _stream: random.Random) -> float:
        """Return the duration in seconds."""
        return self.seconds


class Uniform(_Settings):
    """Any duration between two bounds."""

    kind: Literal["uniform"] = "uniform"
    low_seconds: float = Field(ge=0)
    high_seconds: float = Field(ge=0)

    def draw(self, stream: random.Random) -> float:
        """Return the duration in seconds."""
        return stream.uniform(self.low_seconds, self.high_seconds)


class Triangular(_Settings):
    """Between two bounds, most often near the mode."""

    kind: Literal["triangular"] = "triangular"
    low_seconds: float = Field(ge=0)
    mode_seconds: float = Field(ge=0)
    high_seconds: float = Field(ge=0)

    def draw(self, stream: random.Random) -> float:
        """Return the duration in seconds."""
        return stream.triangular(self.low_seconds, self.high_seconds, self.mode_seconds)


class LogNormal(_Settings):
    """Long-tailed, given by its median and the standard deviation of its logarithm, cut at ``max_seconds``."""

    kind: Literal["lognormal"] = "lognormal"
    median_seconds: float = Field(gt=0)
    sigma: float = Field(ge=0)
    max_seconds: float = Field(gt=0)

    def draw(self, stream: random.Random) -> float:
        """Return the duration in seconds."""
        return min(self.max_seconds, self.median_seconds * float(2.718281828459045 ** stream.gauss(0.0, self.sigma)))


Duration = Annotated[Fixed | Uniform | Triangular | LogNormal, Field(discriminator="kind")]


class HcxSettings(_Settings):
    """The two HCX managers and what a migration costs."""

    version: str = "4.11.3"
    build: str = "24862413"
    session_idle_seconds: float = 900.0  # [D hcx 2], sliding
    session_absolute_seconds: float | None = None  # unknown [? hcx 9.5]
    startup_xml_seconds: float = 0.0  # sessions answers XML while certificates are not ready [C hcx 2]
    max_concurrent_per_manager: int = 300  # [D hcx 8.1]
    max_concurrent_per_mesh: int = 200  # [D hcx 8.1]
    over_limit: Literal["queue", "reject"] = "queue"  # unknown [? hcx 8.1]
    migration_bits_per_second: float = 1e9  # per migration workflow [D hcx 8.1]
    appliance_bits_per_second: float = 1.6e9  # per IX appliance [D hcx 8.1]
    rpo_seconds: float = 7200.0  # delta sync interval [D hcx 8.3]
    missed_window: Literal["wait", "fail"] = "wait"  # unknown [? hcx 9.4]
    equal_windows_hold_transfer: bool = False  # ASAF sends both windows alike; unknown [? hcx 4.3]
    tracker_lost_entities: list[str] = []  # VM names whose scheduled switchover never fires [D hcx 7]
    failing_switchovers: list[str] = []  # VM names whose switchover fails and rolls back to the source
    failing_cleanups: list[str] = []  # VM names whose rollback stays incomplete until force cancel [D hcx 4.4]
    failing_cancels: list[str] = []  # VM names whose cancel fails gracefully [D hcx 7]
    validation_seconds: float = 0.0
    queue_seconds: Duration = Fixed(seconds=5)
    rav_switchover: Duration = Triangular(low_seconds=45, mode_seconds=90, high_seconds=300)  # minutes each [C hcx 8.3]
    vmotion_overhead: Duration = Triangular(low_seconds=30, mode_seconds=60, high_seconds=180)
    bulk_switchover: Duration = Triangular(low_seconds=120, mode_seconds=240, high_seconds=600)
    stun: Duration = LogNormal(median_seconds=0.4, sigma=0.6, max_seconds=30)
    max_switchover_seconds: float = 100.0  # fsr.maxSwitchoverSeconds [D hcx 8.3]: stun above it aborts
    cancel_seconds: float = 30.0
    extend_seconds: Duration = Triangular(low_seconds=30, mode_seconds=60, high_seconds=180)
    unextend_seconds: Duration = Triangular(low_seconds=60, mode_seconds=150, high_seconds=400)  # "some minutes", seed
    unextend_bridge_share: float = Field(default=0.5, ge=0, le=1)  # part of the job before the bridge goes down
    transition_seconds: Duration = Triangular(low_seconds=20, mode_seconds=40, high_seconds=120)  # guess [? hcx 5.6]
    transition_loss_seconds: float = 0.5  # "next to no loss" [D hcx 5.6]; the figure is a guess
    empty_findings: bool = False  # items carry errors and warnings that are empty; clients stumble on them [I hcx 4.3]
    failed_job_is_done: bool = True  # [? hcx 9.7]
    extension_states: dict[str, str] = {"up": "CONNECTED", "down": "DISCONNECTED", "busy": "IN_PROGRESS"}
    appliance_states: dict[str, str] = {"up": "up", "down": "down"}
    canceled_name: Literal["MIGRATION_CANCELLED", "MIGRATION_CANCELED"] = "MIGRATION_CANCELLED"
    intermediate_states: dict[str, str] = {}  # phase -> name; empty means the phase's own name in upper case
    task_status_stuck: bool = False  # lastTaskDetails may read RUNNING for weeks [C hcx 7]
    extensions_per_appliance: int = 8  # [D hcx 8.1]
    bulk_keeps_uuids: bool = True  # unknown [? nsx-vsphere 6.8]
    per_vm_evc: bool = False  # whether HCX masks the CPU features of a VM on the way out [C hcx 10.1]
    accepts_force_flag: bool = True  # l2Extensions DELETE ignores unknown query parameters [? hcx 9.9]


class NsxSettings(_Settings):
    """Both NSX managers and the VMC reverse proxy."""

    strict_patch: bool = True  # M22 behaviour [C nsx-vsphere 5]
    patch_checks_revision: bool = False  # unknown [? nsx-vsphere 6.2]
    flexible_off_needs_force: bool = False  # unknown [? nsx-vsphere 6.3]
    realisation_seconds: float = 2.0
    port_release_seconds: float = 10.0
    purge_seconds: float = 300.0
    search_lag_seconds: float = 0.0
    requests_per_second: int | None = 100  # [D nsx-vsphere 2.7]; counted in wall time, off on a stepped clock
    concurrent_per_client: int | None = 40
    concurrent_overall: int | None = 199
    page_size: int = 1000
    advanced_config_absent: bool = False  # a recorded VMC body lacks it [C nsx-vsphere 2.2]
    disconnected_lacks_subnets: bool = False  # [C nsx-vsphere 2.2]
    dropped_dhcp_ranges: Literal["refuse", "lose"] = "refuse"  # unknown [? nsx-vsphere 2.3]
    stale_status: Literal[412, 409] = 412  # 409 is used for the same [D nsx-vsphere 2.4]
    mon_reads: Literal["DISCONNECTED", "ROUTED"] = "DISCONNECTED"  # destination under MON [? nsx-vsphere 6.4]
    # [? nsx-vsphere 6.6]
    hcx_segments_protection: Literal["NOT_PROTECTED", "PROTECTED", "REQUIRE_OVERRIDE"] = "NOT_PROTECTED"
    plain_text_limits: bool = False  # 429, 503 and injected 5xx as bare text, not JSON; unknown [? nsx-vsphere 6.7]
    retry_after_seconds: int | None = None  # header of 429 and 503; none mentioned [? nsx-vsphere 6.7]


class VmcSettings(_Settings):
    """CSP login and the VMC service."""

    access_token_seconds: int = 1800  # [D nsx-vsphere 1.1]


class VcenterSettings(_Settings):
    """Both vCenters."""

    session_idle_seconds: float = 1800.0  # [D nsx-vsphere 4.4]
    page_size: int = 1000  # objects per RetrievePropertiesEx answer when the client sets no maxObjects
    opaque_networks: bool = False  # older SDDCs show opaque networks, newer NSX port groups [I nsx-vsphere 4.1]
    task_queue_seconds: float = 0.1
    task_seconds: Duration = Triangular(low_seconds=0.5, mode_seconds=1.5, high_seconds=6)  # [I nsx-vsphere 4.4]
    guest_shutdown_seconds: Duration = Triangular(low_seconds=10, mode_seconds=20, high_seconds=60)  # nsx-vsphere 4.4
    denied_privileges: list[str] = []  # privilege ids that the account lacks, e.g. VirtualMachine.Interact.PowerOff


class WorldSettings(_Settings):
    """All switches of one world."""

    hcx: HcxSettings = HcxSettings()
    nsx: NsxSettings = NsxSettings()
    vmc: VmcSettings = VmcSettings()
    vcenter: VcenterSettings = VcenterSettings()
    idle_clock: Literal["auto", "virtual", "wall"] = "auto"  # auto: virtual unless the clock runs faster than life
