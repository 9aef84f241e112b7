"""Build the DAGs of a folder of wave files.

One invalid DAG takes every DAG of its file out of service, so a broken wave is left out here and reported by
:func:`check_waves`, which is called from a file without DAGs.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from airflow.sdk import DAG

from hcx_airflow import names
from hcx_airflow.dag_factory.cleanup import build_cleanup_dag
from hcx_airflow.dag_factory.live import build_live_dag
from hcx_airflow.dag_factory.recovery import build_recovery_dag
from hcx_airflow.dag_factory.rehearsal import build_rehearsal_dag
from hcx_airflow.dag_factory.texts import recovery_face
from hcx_waves.model.formatting import counted
from hcx_waves.wavefile.loader import SUFFIX, WaveFile, load_wave_file
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.sets import load_folder, wave_paths
from hcx_waves.wavefile.wave import Wave

log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What a wave file is made into."""

    LIVE = "live"
    CLEANUP = "cleanup"
    RECOVERY = "recovery"
    REHEARSAL = "rehearsal"


REAL = frozenset({Kind.LIVE, Kind.CLEANUP, Kind.RECOVERY})
"""The DAGs that change something real; a file of their own keeps errors in rehearsal DAGs away from them."""


class InvalidWavesError(Exception):
    """Wave files that cannot be used, or that contradict each other; one problem a line."""


def wave_dags(folder: Path, only: str | None = None, kinds: Collection[Kind] = tuple(Kind)) -> dict[str, DAG]:
    """Return the DAGs of all valid waves in a folder, by id.

    :param only: the id of the one DAG that is wanted, as when a task starts; then only that wave is read, and the
        files that name it, as a wave knows which ones come after it.
    :param kinds: of DAGs that are wanted.
    :raises WaveFileError: if the one that is wanted is broken; the task's log shows why.
    """
    if only is not None:
        path = folder / f"{names.wave_of_dag(only)}{SUFFIX}"
        return (
            {dag.dag_id: dag for dag in _dags_of(load_wave_file(path), _named_in(folder, path), kinds)}
            if path.is_file()
            else {}
        )
    files = load_folder(folder).files
    found: dict[str, DAG] = {}
    for file in files:
        try:
            found.update((dag.dag_id, dag) for dag in _dags_of(file, files, kinds))
        except Exception:
            log.exception("Wave %s has no DAGs; see the import errors", file.wave.name)
    return found


def check_waves(folder: Path) -> None:
    """Check the waves of a folder, each by itself and all together.

    :raises InvalidWavesError: with every problem as ``file:line:column field: message``.
    """
    waves = load_folder(folder)
    lines = [str(problem) for problem in (*waves.problems, *waves.conflicts)]
    for file in waves.files:
        try:
            list(_dags_of(file, waves.files, tuple(Kind)))
        except Exception as error:  # noqa: BLE001  (whatever it is, it is reported)
            lines.append(f"{file.path}:1:1 wave: no DAG can be built from it: {error}")
    if lines:
        count = f"{counted(len(lines), 'problem')} in wave files"
        listed = "\n".join(sorted(line.replace(f"{folder.parent}/", "") for line in lines))
        raise InvalidWavesError(f"{count}:\n{listed}")


def _dags_of(file: WaveFile, others: Sequence[WaveFile], kinds: Collection[Kind]) -> Iterator[DAG]:
    """Yield a wave's DAGs."""
    text = file.path.read_text(encoding="utf-8-sig")
    if Kind.LIVE in kinds:
        yield build_live_dag(file.wave, text=text, next_waves=_followers(file.wave, others))
    if Kind.CLEANUP in kinds and file.wave.segments_to_clean:
        yield build_cleanup_dag(file.wave, text=text)
    if Kind.RECOVERY in kinds:
        yield build_recovery_dag(recovery_face(file.wave, text))
    if Kind.REHEARSAL in kinds:
        yield build_rehearsal_dag(file.wave, text=text)


def _followers(wave: Wave, others: Sequence[WaveFile]) -> list[Wave]:
    return [other.wave for other in others if wave.name in other.wave.after]


def _named_in(folder: Path, path: Path) -> list[WaveFile]:
    """Return the wave files that may come after one, which are those that name it; broken ones are left out."""
    name = path.stem.encode()
    found = []
    for other in wave_paths(folder):
        try:
            if other != path and name in other.read_bytes():
                found.append(load_wave_file(other))
        except (OSError, WaveFileError):
            log.warning("%s cannot be used; see the import errors", other)
    return found
