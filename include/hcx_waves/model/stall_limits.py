"""How long a wait goes on although something stands: the limits of a wave, with their defaults."""

from __future__ import annotations

from datetime import timedelta

from hcx_waves.model.base import DomainModel
from hcx_waves.model.times import Duration


class StallLimits(DomainModel):
    """After how long a stall is past its limit, so that the wait ends and a person decides."""

    transfer: Duration = timedelta(hours=1)
    """A transfer of which nothing arrives, and a tunnel that carries nothing."""
    switchover: Duration = timedelta(hours=2)
    """A switchover that goes on and on without any progress."""
    switchover_start: Duration = timedelta(minutes=10)
    """A switchover that is due and does not begin; HCX may have lost it (KB 321654)."""
    unextend: Duration = timedelta(minutes=20)
    """An unextend that does not end. The outage is running meanwhile."""
    manager: Duration = timedelta(minutes=30)
    """An HCX Manager that does not answer, refuses sessions or the account, or shows another certificate."""
