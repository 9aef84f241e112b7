"""Where a task finds its wave file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk.configuration import conf

from hcx_airflow.common.errors import WaveTaskError
from hcx_waves.wavefile.loader import SUFFIX, load_wave
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.sets import load_folder
from hcx_waves.wavefile.wave import Wave

FOLDER = "waves"


class WaveFileMissingError(WaveTaskError):
    """There is no file for a wave."""


def wave_folders(bundle_path: Path | None = None) -> list[Path]:
    """Return where wave files are looked for: in the DAG's bundle, then in the DAGs folder."""
    roots = [] if bundle_path is None else [bundle_path]
    roots.append(Path(conf.get("core", "dags_folder")))
    return [root / FOLDER for root in roots]


def read_wave_of_task(wave_id: str, context: Any) -> Wave:
    """Read a task's wave file as it is now.

    :raises WaveFileMissingError: if no folder has it.
    :raises WaveFileError: if it is broken; with every problem.
    """
    return load_wave(wave_path_of_task(wave_id, context))


def read_other_waves(wave: Wave, context: Any) -> list[Wave]:
    """Read the other waves of a task's folder that work on the same source site; broken ones are left out.

    :raises WaveFileMissingError: if no folder has the wave itself.
    """
    folder = wave_path_of_task(wave.name, context).parent
    source = wave.connections.source.vcenter
    others = (file.wave for file in load_folder(folder).files if file.wave.name != wave.name)
    return [other for other in others if other.connections.source.vcenter == source]


def wave_path_of_task(wave_id: str, context: Any) -> Path:
    """Return where a task's wave file is.

    :raises WaveFileMissingError: if no folder has it.
    """
    bundle = getattr(context["ti"], "bundle_instance", None)
    folders = wave_folders(None if bundle is None else Path(bundle.path))
    for folder in folders:
        path = folder / f"{wave_id}{SUFFIX}"
        if path.is_file():
            return path
    places = " and ".join(str(folder) for folder in folders)
    raise WaveFileMissingError(f"there is no {wave_id}{SUFFIX} in {places}")


__all__ = ["FOLDER", "WaveFileError", "WaveFileMissingError", "read_other_waves", "read_wave_of_task", "wave_folders"]
