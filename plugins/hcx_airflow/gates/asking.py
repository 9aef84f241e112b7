"""How a gate asks: who may answer and until when, which change reference is wanted, how the last rehearsal ended.

What the first try has asked holds for later ones: Airflow keeps showing the first text, with its deadline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from airflow.sdk import Param

from hcx_airflow.documents import Arguments, Document
from hcx_airflow.folders import reports_folder
from hcx_waves.model.formatting import instant
from hcx_waves.wavefile.gates import GateSettings
from hcx_waves.wavefile.wave import Wave

LONGEST_REFERENCE = 200
NO_REHEARSAL = "none"


@dataclass(frozen=True)
class Asking:
    """The circumstances of a gate's question.

    :param settings: who may answer, and what an approval must quote.
    :param answer_by: when silence becomes a no.
    :param last_rehearsal: how the rehearsal that was recorded last has ended, as a sentence.
    :param started_by: the user who started the run by hand; None if none did.
    """

    settings: GateSettings
    answer_by: datetime
    last_rehearsal: str = NO_REHEARSAL
    started_by: str | None = None

    @classmethod
    def make(
        cls, wave: Wave, settings: GateSettings, answer_by: datetime, started_by: str | None, noted: Mapping[str, Any]
    ) -> Self:
        """Return how a gate asks: as an earlier try did, else anew.

        :param answer_by: of a first try.
        :param noted: what :meth:`note` has returned then; empty on a first try.
        """
        try:
            return cls(settings, datetime.fromisoformat(noted["answer_by"]), str(noted["last_rehearsal"]), started_by)
        except (KeyError, TypeError, ValueError):
            return cls(settings, answer_by, last_rehearsal(wave), started_by)

    def note(self) -> Document:
        """Return what a later try needs to ask the same."""
        return {"answer_by": self.answer_by.isoformat(), "last_rehearsal": self.last_rehearsal}


def last_rehearsal(wave: Wave) -> str:
    """Return how the rehearsal of a wave that was recorded last has ended; never raises."""
    from hcx_waves.rehearsals.store import RecordError, RecordStore
    from hcx_waves.rehearsals.verdict import verdict_of

    try:
        record = RecordStore(reports_folder()).newest(wave.name)
    except (RecordError, OSError) as error:
        return f"unknown, as the records cannot be read: {error}"
    if record is None:
        return NO_REHEARSAL
    faults = f" with faults {', '.join(record.faults)}" if record.faults else ""
    when = f", on {instant(record.recorded_at, wave.time_zone)}" if record.recorded_at else ""
    changed = record.wave_hash is not None and record.wave_hash != wave.wave_hash
    other = " The wave file has changed since." if changed else ""
    return f"night of {record.night}{faults}{when}: {verdict_of(record)}{other}"


def reference_param(gate: GateSettings, hint: str, given: str | None = None) -> Param:
    """Return the param of a form in which a change reference is given.

    :param hint: what it is for; what it must look like is added.
    :param given: the value to begin with; left out if the gate would refuse it.
    """
    schema: Arguments = {"type": ["string", "null"], "maxLength": LONGEST_REFERENCE}
    whole = _whole(gate.change_reference_pattern)
    if gate.change_reference_pattern is not None:
        hint += f" All of it must match {gate.change_reference_pattern}."
    if whole is not None:
        schema["pattern"] = whole
    return Param(given, title="Change reference", description=hint, **schema)


def _whole(pattern: str | None) -> str | None:
    """Return an expression that matches only where all of a text does, if there is one.

    One with global flags in front cannot be put in brackets; the gate checks the reference in any case.
    """
    if pattern is None:
        return None
    whole = f"^(?:{pattern})$"
    try:
        re.compile(whole)
    except re.error:
        return None
    return whole
