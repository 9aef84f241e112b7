"""The lower and upper bound of a segment's outage, from the instants at which its state was certain."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime

from hcx_waves.model.base import DomainModel


class OutageBounds(DomainModel):
    """The outage lasted at least ``lower_seconds`` and at most ``upper_seconds``.

    ``upper_seconds`` is None while it has no end that was seen; then ``lower_seconds`` counts to the last look.
    """

    lower_seconds: float
    upper_seconds: float | None
    began_after: AwareDatetime
    began_before: AwareDatetime
    ended_after: AwareDatetime | None = None
    ended_before: AwareDatetime | None = None

    @property
    def width_seconds(self) -> float | None:
        """How uncertain it is."""
        return None if self.upper_seconds is None else self.upper_seconds - self.lower_seconds

    def __str__(self) -> str:
        if self.upper_seconds is None:
            return f"at least {self.lower_seconds:.1f} s, not over yet"
        return f"between {self.lower_seconds:.1f} s and {self.upper_seconds:.1f} s"


def outage_bounds(
    *,
    connected_last: datetime,
    disconnected_first: datetime,
    routed_not_last: datetime | None,
    routed_first: datetime | None,
) -> OutageBounds:
    """Bound an outage by four instants of one clock.

    :param connected_last: the last instant at which the source gateway was certainly on: the disconnect was sent
        then, or a look that did not yet show it realised began.
    :param disconnected_first: when the look that showed it off was answered.
    :param routed_not_last: when the last look that showed no gateway began; None if there was none.
    :param routed_first: when the look that showed a gateway again was answered; None while there is none.
    """
    end = routed_not_last or disconnected_first
    lower = max(0.0, (end - disconnected_first).total_seconds())
    upper = None if routed_first is None else max(0.0, (routed_first - connected_last).total_seconds())
    return OutageBounds(
        lower_seconds=lower if upper is None else min(lower, upper),
        upper_seconds=upper,
        began_after=connected_last,
        began_before=disconnected_first,
        ended_after=routed_not_last,
        ended_before=routed_first,
    )
