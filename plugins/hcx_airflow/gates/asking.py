"""How a gate asks: who may answer and until when, which change reference is wanted, how the last rehearsal ended.

What the first try has asked holds for later ones: Airflow keeps showing the first text, with its deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from airflow.sdk import Param
from pydantic import AwareDatetime, BaseModel, JsonValue, ValidationError

from hcx_airflow.documents import Document
from hcx_airflow.folders import reports_folder
from hcx_waves.model.formatting import instant
from hcx_waves.wavefile.gates import GateSettings
from hcx_waves.wavefile.wave import Wave

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
        cls, wave: Wave, settings: GateSettings, answer_by: datetime, started_by: str | None, noted: JsonValue
    ) -> Self:
        """Return how a gate asks: as an earlier try did, else anew.

        :param answer_by: of a first try.
        :param noted: what :meth:`note` has returned then; None on a first try.
        """
        try:
            before = _Asked.model_validate(noted)
        except ValidationError:
            before = _Asked(answer_by=answer_by, last_rehearsal=last_rehearsal(wave))
        return cls(settings, before.answer_by, before.last_rehearsal, started_by)

    def note(self) -> Document:
        """Return what a later try needs to ask the same."""
        return _Asked(answer_by=self.answer_by, last_rehearsal=self.last_rehearsal).model_dump(mode="json")


class _Asked(BaseModel):
    answer_by: AwareDatetime
    last_rehearsal: str


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


def reference_param(gate: GateSettings, given: str | None = None) -> Param:
    """Return the param of a gate's form in which a change reference is given.

    :param given: the value to begin with.
    """
    hint = f"Reference of the change request. {gate.reference_hint}".rstrip()
    return Param(given, title="Change reference", description=hint, **gate.reference_schema())
