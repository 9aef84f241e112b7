"""Which segments of a wave need cleanup tasks."""

from __future__ import annotations

from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.wave import Wave


def has_cleanup(wave: Wave) -> bool:
    """Whether a wave has segments to delete or to rename; otherwise it has no cleanup DAG."""
    return bool(segments_to_clean(wave))


def segments_to_clean(wave: Wave) -> tuple[Segment, ...]:
    """Return the segments whose source side is deleted, or whose destination is renamed, after the hold."""
    return tuple(
        segment
        for segment in wave.segments_to_cut
        if wave.deletes_source(segment) or segment.rename_destination is not None
    )
