"""Where a task finds its wave file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk.configuration import conf

from hcx_airflow.common.errors import WaveTaskError
from hcx_waves.domain.loader import SUFFIX, load_wave
from hcx_waves.domain.problems import WaveFileError
from hcx_waves.domain.wave import Wave

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
    bundle = getattr(context["ti"], "bundle_instance", None)
    folders = wave_folders(None if bundle is None else Path(bundle.path))
    for folder in folders:
        path = folder / f"{wave_id}{SUFFIX}"
        if path.is_file():
            return load_wave(path)
    places = " and ".join(str(folder) for folder in folders)
    raise WaveFileMissingError(f"there is no {wave_id}{SUFFIX} in {places}")


__all__ = ["FOLDER", "WaveFileError", "WaveFileMissingError", "read_wave_of_task", "wave_folders"]
