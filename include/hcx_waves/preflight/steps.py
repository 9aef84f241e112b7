"""The steps of a wave that checks protect."""

from __future__ import annotations

from enum import StrEnum


class WaveStep(StrEnum):
    """What a check protects, in the words of the report; the step itself is a task of the wave."""

    START = "start"
    """``start_migrations``: what it finds would make the migrations fail, or go wrong, from their beginning."""
    SWITCHOVER = "switchover"
    """``release_switchovers``: a migration may be held for days, and fail in its switchover for what came since."""
    CUTOVER = "cutover"
    """``disconnect_source_segment``: a segment's gateway moves."""
