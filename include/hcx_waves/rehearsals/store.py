"""Store the records of rehearsed nights: one file for each night and wave, replaced as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hcx_waves.model.base import problems_in
from hcx_waves.model.bounded_json import UnreadableJsonError, read_bounded, read_json_file
from hcx_waves.model.files import write_whole
from hcx_waves.model.names import WaveName
from hcx_waves.rehearsals.model import RECORD_VERSION, RehearsalRecord, Timeline

_WAVE_NAME = TypeAdapter(WaveName)
_NIGHT = re.compile(r"\d{4}-\d{2}-\d{2}")
_FOLDER = "rehearsals"
_MOST_BYTES = 64 * 1024 * 1024


class RecordError(ValueError):
    """A record that cannot be read, or a name that is none; says which and why."""


@dataclass(frozen=True)
class StoredRecords:
    """All records of a wave, by night, and what could not be read."""

    records: tuple[RehearsalRecord, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordStore:
    """Reads and writes ``<folder>/<wave>/rehearsals/<date>.json`` and ``<date>.timeline.json``.

    :param folder: where reports are written; it need not exist yet.
    """

    folder: Path

    def place(self, wave: str) -> Path:
        """Return the folder of a wave's rehearsals.

        :raises RecordError: if it is not a valid wave name, so that no name leads out of the folder.
        """
        try:
            return self.folder / _WAVE_NAME.validate_python(wave) / _FOLDER
        except ValidationError:
            raise RecordError(f'"{wave}" is not the name of a wave') from None

    def write(self, record: RehearsalRecord, timeline: Timeline | None = None) -> dict[str, Path]:
        """Write a night in the place of what was there of it.

        The record comes last: where it is, the timeline beside it is its own.

        :returns: the paths, by ``record`` and ``timeline``.
        :raises RecordError: if the timeline is of another wave or night.
        :raises OSError: if a file cannot be written; then none of that name is left half written.
        """
        place = self.place(record.wave)
        paths = {"record": place / f"{record.night.isoformat()}.json"}
        aside = place / f"{record.night.isoformat()}.timeline.json"
        if timeline is not None and (timeline.wave, timeline.night) != (record.wave, record.night):
            raise RecordError(f"the timeline is of {timeline.wave} on {timeline.night}, not of {record.night}")
        place.mkdir(parents=True, exist_ok=True)
        if timeline is None:
            aside.unlink(missing_ok=True)
        else:
            paths["timeline"] = aside
            write_whole(aside, timeline.export())
        text = json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
        write_whole(paths["record"], text.encode())
        return paths

    def write_beside(self, wave: str, name: str, content: bytes) -> Path:
        """Write a file of the wave as a whole, such as its summary, next to the folder of the nights.

        :param name: the file's name, without any folder.
        """
        if Path(name).name != name:
            raise RecordError(f'"{name}" is not the name of a file')
        path = self.place(wave).parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
        return path

    def waves(self) -> tuple[str, ...]:
        """Return the waves of which there are records, sorted."""
        if not self.folder.is_dir():
            return ()
        names = (one.name for one in self.folder.iterdir() if (one / _FOLDER).is_dir())
        return tuple(sorted(name for name in names if self._is_wave(name) and self.nights(name)))

    def nights(self, wave: str) -> tuple[date, ...]:
        """Return the rehearsed nights of a wave, in order."""
        return tuple(sorted(night for night, _ in self._files(wave)))

    def newest(self, wave: str) -> RehearsalRecord | None:
        """Return the record of a wave that was written last, whatever night it is of; None without records.

        :raises RecordError: if it cannot be read.
        :raises OSError: if the folder cannot be read.
        """
        paths = [path for _, path in self._files(wave)]
        return _read(max(paths, key=lambda path: (path.stat().st_mtime_ns, path.name))) if paths else None

    def read(self, wave: str, night: date) -> RehearsalRecord:
        """Return the record of a night.

        :raises RecordError: if there is none, or it cannot be read.
        """
        return _read(self.place(wave) / f"{night.isoformat()}.json")

    def read_all(self, wave: str) -> StoredRecords:
        """Return all records of a wave in the order of the nights; what cannot be read is named, not raised."""
        records, problems = [], []
        for _, path in sorted(self._files(wave)):
            try:
                records.append(_read(path))
            except RecordError as error:
                problems.append(str(error))
        return StoredRecords(tuple(records), tuple(problems))

    def timeline(self, wave: str, night: date) -> bytes:
        """Return the exported timeline of a night, byte by byte.

        :raises RecordError: if there is none, or it is larger than any that was written here.
        """
        path = self.place(wave) / f"{night.isoformat()}.timeline.json"
        try:
            return read_bounded(path, _MOST_BYTES)
        except OSError as error:
            raise RecordError(f"{path.name}: {error.strerror}") from None
        except UnreadableJsonError as error:
            raise RecordError(f"{path.name}: {error}") from None

    def _files(self, wave: str) -> Iterator[tuple[date, Path]]:
        place = self.place(wave)
        for path in place.glob("*.json") if place.is_dir() else ():
            night = _night(path.stem)
            if night is not None:
                yield night, path

    def _is_wave(self, name: str) -> bool:
        try:
            self.place(name)
        except RecordError:
            return False
        return True


def _night(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _NIGHT.fullmatch(text) else None
    except ValueError:
        return None


def _read(path: Path) -> RehearsalRecord:
    try:
        document: Any = read_json_file(path, _MOST_BYTES)
    except OSError as error:
        raise RecordError(f"{path.name}: {error.strerror}") from None
    except UnreadableJsonError as error:
        raise RecordError(f"{path.name}: is not valid JSON: {error}") from None
    version = document.get("record_version") if isinstance(document, dict) else None
    if version != RECORD_VERSION:
        raise RecordError(f"{path.name}: is of version {version}, and only version {RECORD_VERSION} can be read here")
    try:
        record = RehearsalRecord.model_validate(document)
    except ValidationError as error:
        raise RecordError(f"{path.name}: is not a record of a rehearsal: {problems_in(error)}") from None
    if record.night.isoformat() != path.stem:
        raise RecordError(f"{path.name}: holds the night of {record.night}")
    return record
