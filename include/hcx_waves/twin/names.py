"""Which world a rehearsal works in. It follows from the run alone, so that nothing can name another one."""

from __future__ import annotations

from hashlib import sha256

UPSTREAM = "upstream"
"""The annotation of a world that holds the tasks right before each task of the run."""
PREFIX = "rh-"
_LONGEST_WAVE = 40


def world_id_of(wave: str, run_id: str) -> str:
    """Return the id of the world that a run of a wave's rehearsal works in, and no other run.

    :param wave: the wave's name; shortened, for whoever lists worlds.
    :param run_id: the DAG run's id; only its digest shows.
    """
    digest = sha256(f"{wave}\n{run_id}".encode()).hexdigest()[:12]
    return f"{PREFIX}{wave[:_LONGEST_WAVE].rstrip('-._')}-{digest}"
