"""The fields of a wave file; the rules between fields are in ``rules``."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, StrictBool, StrictInt

from hcx_waves.model.base import DomainModel
from hcx_waves.model.findings import Waiver
from hcx_waves.model.names import Text, VmName, WaveName
from hcx_waves.model.stall_limits import StallLimits
from hcx_waves.model.times import Duration
from hcx_waves.wavefile.connections import Connections
from hcx_waves.wavefile.gates import Gates
from hcx_waves.wavefile.moments import DatedMoment
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.settings import VirtualMachine, VmSettings
from hcx_waves.wavefile.windows import Window
from hcx_waves.wavefile.zones import ZoneName

_HOUR, _WEEK, _HALF_MINUTE = timedelta(hours=1), timedelta(days=7), timedelta(seconds=30)
MOST_VMS = 2000


class Cleanup(DomainModel):
    """What happens to the source side after the hold, in a DAG of its own and behind a gate of its own."""

    hold: Duration = _WEEK
    """How long everything is kept as it is after the wave."""
    delete_source: StrictBool = True
    """Whether source segments are deleted then."""


class Limits(DomainModel):
    """How much may go wrong before the wave stops by itself."""

    max_failed_vms: StrictInt | None = Field(default=None, ge=0)
    """If more VMs than this fail, no segment at all is cut over. Unless set, a failed VM stops only its own."""
    stalls: StallLimits = StallLimits()
    """After how long a wait ends although something stands, so that a person decides."""


class Options(DomainModel):
    """How the wave runs."""

    poll_interval: Duration = _HALF_MINUTE
    """How often HCX is asked about the migrations, in one query for all of them; 5s to 10m."""
    stop_before_cutover: StrictBool = False
    """Whether the run ends after the VMs have moved, leaving every segment as it is."""


class WaveDocument(DomainModel):
    """A wave file's content."""

    name: WaveName
    """The wave's id; its DAGs are called by it, so it stays as it is. The file is called ``<name>.yaml``."""
    description: Text
    """What the wave is for; approvers read it."""
    time_zone: ZoneName
    """The IANA time zone of all times in the file, such as ``Europe/Berlin``."""
    start: DatedMoment | None = None
    """When replication starts by itself, in local time; unless set, somebody or the wave before starts it."""
    start_tolerance: Duration = _HOUR
    """How late a scheduled run may still begin; later than that it refuses."""
    switchover_window: Window | None = None
    """When VMs may switch over; as soon as they are ready unless set."""
    connections: Connections
    """The managers of both sites."""
    defaults: VmSettings = VmSettings()
    """How VMs are moved unless their own entry says otherwise."""
    vms: tuple[VirtualMachine, ...] = Field(min_length=1, max_length=MOST_VMS)
    """The VMs, each by its name alone or with settings of its own."""
    switchover_order: tuple[VmName, ...] = ()
    """VMs that switch over one after the other, in this order and before all others."""
    segments: tuple[Segment, ...] = ()
    """Every segment that a VM of this wave has a NIC in, and what becomes of it."""
    cleanup: Cleanup = Cleanup()
    """What happens after the hold."""
    gates: Gates = Gates()
    """Who approves what."""
    after: tuple[WaveName, ...] = ()
    """Waves that must have ended as planned; the last of them starts this one."""
    limits: Limits = Limits()
    """When the wave stops by itself."""
    options: Options = Options()
    """How often it asks, and how far it goes."""
    waivers: tuple[Waiver, ...] = ()
    """Findings that somebody has answered for."""
