"""Named conditions in which a wait makes no progress, or what it relies on has changed.

One model for all of them, whoever notices: the log of the waiting task, the watchdog, the report and whoever is
notified show the same. A stall is stored with runs: fields and ids are added, never renamed.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime, ConfigDict

from hcx_waves.guide.entries import entry, url_of
from hcx_waves.model.base import DomainModel
from hcx_waves.model.formatting import duration, instant
from hcx_waves.model.stall_limits import StallLimits


class StallId(StrEnum):
    """The conditions that have a name. Stored in runs and reports: add, never rename."""

    TRANSFER_STANDS = "transfer-stands"
    TUNNEL_DOWN = "tunnel-down"
    MIGRATION_NOT_BEGUN = "migration-not-begun"
    MIGRATION_NOT_LISTED = "migration-not-listed"
    WINDOW_MISSED = "window-missed"
    SWITCHOVER_NOT_BEGUN = "switchover-not-begun"
    SWITCHOVER_LONG = "switchover-long"
    UNEXTEND_LONG = "unextend-long"
    MANAGER_UNREACHABLE = "manager-unreachable"
    SESSIONS_REFUSED = "sessions-refused"
    CREDENTIALS_REFUSED = "credentials-refused"
    CERTIFICATE_CHANGED = "certificate-changed"
    MANAGER_CHANGED = "manager-changed"
    CLOCK_JUMPED = "clock-jumped"
    TRIGGERER_AWAY = "triggerer-away"


_LIMITS = {
    StallId.TRANSFER_STANDS: "transfer",
    StallId.TUNNEL_DOWN: "transfer",
    StallId.SWITCHOVER_NOT_BEGUN: "switchover_start",
    StallId.SWITCHOVER_LONG: "switchover",
    StallId.UNEXTEND_LONG: "unextend",
    StallId.MANAGER_UNREACHABLE: "manager",
    StallId.SESSIONS_REFUSED: "manager",
    StallId.CREDENTIALS_REFUSED: "manager",
    StallId.CERTIFICATE_CHANGED: "manager",
}
_AT_ONCE = frozenset({StallId.WINDOW_MISSED, StallId.MIGRATION_NOT_LISTED})
"""Nothing comes of these by itself, so waiting for longer would be in vain."""


def limit_of(stall_id: StallId, limits: StallLimits) -> timedelta | None:
    """Return after how long a stall is past its limit; None if it ends no wait by itself."""
    if stall_id in _AT_ONCE:
        return timedelta()
    field = _LIMITS.get(stall_id)
    found: timedelta | None = None if field is None else getattr(limits, field)
    return found


class Stall(DomainModel):
    """One stall: what stands, since when, and until when it was seen so."""

    model_config = ConfigDict(extra="ignore")

    stall_id: StallId
    subject: str
    """The VM, the service mesh, the segment or the connection."""
    what: str
    """What was seen, as a sentence without its full stop."""
    since: AwareDatetime
    seen_at: AwareDatetime
    """The last look that showed it."""
    until: AwareDatetime | None = None
    """The look that showed it no more; None if no look has."""
    limit_seconds: float | None = None
    """After how long a person has to decide; None if it ends no wait by itself."""
    source: str = "HCX, as asked by the run"

    @property
    def is_open(self) -> bool:
        """Whether nobody has seen it end."""
        return self.until is None

    @property
    def lasted(self) -> timedelta:
        """How long it has lasted at least."""
        return (self.until or self.seen_at) - self.since

    @property
    def is_past_limit(self) -> bool:
        """Whether it is open and has lasted for longer than it may, so that a person has to decide."""
        return self.is_open and self.limit_seconds is not None and self.lasted.total_seconds() >= self.limit_seconds

    @property
    def what_to_do(self) -> str:
        """What a person can do about it, from the guide."""
        return entry(self.stall_id).what_to_do

    @property
    def button(self) -> str:
        """The button or command to do it with."""
        return entry(self.stall_id).button

    @property
    def guide_url(self) -> str:
        """Where the guide explains it."""
        return url_of(self.stall_id)

    @property
    def span(self) -> str:
        """Since when, and until when or as of when."""
        begun = instant(self.since, seconds=True)
        if self.until is not None:
            return f"from {begun} to {instant(self.until, seconds=True)} ({duration(self.lasted)})"
        return f"since {begun}, open as of {instant(self.seen_at, seconds=True)} (at least {duration(self.lasted)})"

    def __str__(self) -> str:
        limit = ""
        if self.is_open and self.limit_seconds:
            over = "past its limit of" if self.is_past_limit else "its limit is"
            limit = f"; {over} {duration(self.limit_seconds)}"
        return f"{self.stall_id.value}: {self.what}, {self.span}{limit}"


class StallNews(StrEnum):
    """What has happened to a stall."""

    BEGAN = "began"
    GOES_ON = "goes_on"
    """It has lasted twice as long as when it was last told."""
    PAST_LIMIT = "past_limit"
    ENDED = "ended"


class StallEvent(DomainModel):
    """Something to tell people about a stall."""

    news: StallNews
    stall: Stall
    wave: str = ""
    run_id: str = ""
    task_id: str = ""


def lines_of(event: StallEvent) -> list[str]:
    """Return what a log says of an event: what it is, what to do, where the guide explains it."""
    stall = event.stall
    if event.news is StallNews.ENDED:
        return [f"Stall over: {stall}"]
    words = {StallNews.GOES_ON: "Stall goes on", StallNews.PAST_LIMIT: "Stall past its limit"}
    return [
        f"{words.get(event.news, 'Stall')}: {stall}",
        f"- {stall.what_to_do}",
        f"- {stall.button}",
        f"- guide: {stall.stall_id.value} ({stall.guide_url})",
    ]


def in_order(*groups: tuple[Stall, ...]) -> tuple[Stall, ...]:
    """Return the stalls of several waits in the order in which they began."""
    return tuple(sorted((stall for group in groups for stall in group), key=lambda one: one.since))
