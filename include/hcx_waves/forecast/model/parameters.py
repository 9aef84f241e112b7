"""The parameters of the model, each with its default and where that comes from.

Marks lead to ``docs/vendor``. Defaults marked I or ?, and our own estimates, are what calibration is for.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hcx_waves.forecast.model.durations import Duration, Fixed, LogNormal, Triangular
from hcx_waves.model.base import DomainModel


class TransferParameters(DomainModel):
    """How bytes move."""

    link_bits_per_second: float = Field(default=1e9, gt=0)
    """Between the sites, per service mesh, where nothing better is known. Our estimate: a common line; set it."""
    mesh_link_bits_per_second: dict[str, float] = Field(default_factory=dict)
    """The same for meshes by name; precedes what a snapshot says."""
    migration_bits_per_second: float = Field(default=1e9, gt=0)
    """At most, per migration. [D hcx 8.1]"""
    appliance_bits_per_second: float = Field(default=1.6e9, gt=0)
    """At most, per IX appliance, of which a mesh can use one. [D+C hcx 8.1]"""
    bandwidth_sigma: float = Field(default=0.0, ge=0)
    """How much the line varies from night to night: standard deviation of the logarithm of a factor. [? hcx 8.3]"""
    change_bytes_per_second: float = Field(default=250_000.0, ge=0)
    """What a running VM writes anew, where it is not known. Our estimate: 2 Mbit/s, 21 GB a day."""
    change_sigma: float = Field(default=0.0, ge=0)
    """How much that varies from night to night, as for the line. [? hcx 8.3]"""
    used_share: float = Field(default=1.0, gt=0, le=1)
    """Part of the provisioned disks that is copied, where the used size is not known. Our estimate: all of it."""
    assumed_disk_bytes: float = Field(default=100e9, gt=0)
    """Of a VM of which nothing is known. Our estimate."""
    assumed_memory_bytes: float = Field(default=8 * 1024**3, gt=0)
    """The same of its memory, which only vMotion transfers. Our estimate."""
    rpo_seconds: float = Field(default=7200.0, gt=0)
    """Interval of delta syncs while a replicated VM waits. [D hcx 8.3]"""


class LimitParameters(DomainModel):
    """How much goes on at once."""

    replications_per_manager: int = Field(default=300, ge=1)
    """RAV and Bulk, from start to end. [D hcx 8.1]"""
    replications_per_mesh: int = Field(default=200, ge=1)
    """The same per service mesh. [D hcx 8.1] What exceeds a limit waits here; whether HCX queues or rejects it is
    not published [? hcx 8.1]."""
    max_switchover_seconds: float = Field(default=100.0, gt=0)
    """A longer stun aborts a live switchover, ``fsr.maxSwitchoverSeconds``. [D hcx 8.3]"""


class MigrationParameters(DomainModel):
    """How long the steps of one VM take, apart from moving its bytes."""

    queue: Duration = Fixed(seconds=5)
    """Preparing a migration before its first byte. [I hcx 8.3]"""
    rav_switchover: Duration = Triangular(low_seconds=45, mode_seconds=90, high_seconds=300)
    """After the last delta; one at a time per mesh, minutes each. [C hcx 8.3]"""
    vmotion_overhead: Duration = Triangular(low_seconds=30, mode_seconds=60, high_seconds=180)
    """Of a vMotion or cold migration, besides its bytes; vMotion one at a time per site pair. [C hcx 8.1]"""
    bulk_switchover: Duration = Triangular(low_seconds=120, mode_seconds=240, high_seconds=600)
    """Shutdown, start at the destination; in parallel. [I hcx 8.3]"""
    stun: Duration = LogNormal(median_seconds=0.4, sigma=0.6, max_seconds=30)
    """How long a live VM stands still at the end of its switchover. [I hcx 8.3]"""
    rollback_seconds: float = Field(default=30.0, ge=0)
    """From a failure to the end of the migration. [I hcx 8.3]"""
    missed_window: Literal["wait", "fail"] = "wait"
    """What becomes of a VM whose turn does not come in the window. Not published [? hcx 9.4]."""


class NetworkParameters(DomainModel):
    """How long the steps of one segment take."""

    extend: Duration = Triangular(low_seconds=30, mode_seconds=60, high_seconds=180)
    """Extending a network. [I hcx 8.3]"""
    unextend: Duration = Triangular(low_seconds=60, mode_seconds=150, high_seconds=400)
    """Unextending it and connecting the destination's gateway: "some minutes" in the seed procedure; nobody has
    published a measurement [? hcx 8.3]. HCX works on several networks at once [I hcx 8.3]."""
    realisation_seconds: float = Field(default=2.0, ge=0)
    """Until NSX has put a changed connectivity into effect. [I nsx-vsphere 2.5]"""
    hook: Duration = Triangular(low_seconds=2, mode_seconds=5, high_seconds=30)
    """A user's own command that disconnects a router or L3 switch. Our estimate."""


class GateParameters(DomainModel):
    """How long people take to answer, once asked. Depends on them alone; calibrate it."""

    approve_wave: Duration = LogNormal(median_seconds=300, sigma=0.8, max_seconds=7200)
    """Before anything is started. Our estimate: somebody expects the question."""
    approve_switchover: Duration = LogNormal(median_seconds=300, sigma=0.8, max_seconds=7200)
    """When all VMs are seeded, if the wave asks. Our estimate."""
    approve_cutover: Duration = LogNormal(median_seconds=300, sigma=0.8, max_seconds=7200)
    """Per segment, when it is proven empty. Our estimate."""
    confirm_disconnected: Duration = LogNormal(median_seconds=180, sigma=0.8, max_seconds=3600)
    """A person disconnects a gateway by hand and says so. Our estimate."""


class OrchestratorParameters(DomainModel):
    """What Airflow and the wave's own tasks add. Between two tasks an unloaded Airflow leaves less than a second."""

    step_seconds: float = Field(default=3.0, ge=0)
    """From the end of one task to the effect of the next, its calls included. Our estimate."""
    step_in_outage_seconds: float = Field(default=3.0, ge=0)
    """The same between the disconnect and the unextend, where it counts as outage. Our estimate."""
    before_gate_seconds: float = Field(default=15.0, ge=0)
    """Resolving the plan and the preflight. Our estimate."""
    verify_seconds: float = Field(default=15.0, ge=0)
    """Judging and verifying the VMs when the last has ended. Our estimate."""
    poll_seconds: float = Field(default=30.0, ge=0)
    """How often migrations are asked about; a wave's own value precedes, whose default this is. 0: without delay."""
    outage_poll_seconds: float = Field(default=1.0, ge=0)
    """How often an unextend is asked about, as the sensor does."""
    cutover_follows: Literal["wave", "segment"] = "wave"
    """Whether the first cutover waits for every VM of the wave, as the DAG does, or for those of its segment only."""


class FailureParameters(DomainModel):
    """How often things fail for good. Nobody publishes rates [? hcx 8.3], so nothing fails before calibration."""

    base_sync: float = Field(default=0.0, ge=0, le=1)
    """Chance that it fails, per replicated VM. [? hcx 8.3]"""
    switchover: float = Field(default=0.0, ge=0, le=1)
    """The same per VM. [? hcx 8.3]"""
    unextend: float = Field(default=0.0, ge=0, le=1)
    """The same per segment. [? hcx 8.3]"""


class ModelParameters(DomainModel):
    """Everything that the model takes as given about links, HCX, NSX, people and this program.

    Durations are seconds, bandwidths bits per second, change rates bytes per second.
    """

    transfer: TransferParameters = TransferParameters()
    limits: LimitParameters = LimitParameters()
    migration: MigrationParameters = MigrationParameters()
    network: NetworkParameters = NetworkParameters()
    gates: GateParameters = GateParameters()
    orchestrator: OrchestratorParameters = OrchestratorParameters()
    failures: FailureParameters = FailureParameters()
    source: str = ""
    """Where these figures come from, for people: empty for the defaults, else what calibration has read."""

    def for_rehearsal(self) -> ModelParameters:
        """Return the same for a rehearsal, whose timeline holds nothing of the orchestrator's own latency."""
        silent = {
            "step_seconds": 0.0,
            "step_in_outage_seconds": 0.0,
            "before_gate_seconds": 0.0,
            "verify_seconds": 0.0,
        }
        return self.model_copy(update={"orchestrator": self.orchestrator.model_copy(update=silent)})
