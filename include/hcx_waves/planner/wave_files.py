"""The wave files of a plan, which `hcx-waves validate` accepts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from hcx_waves.model.formatting import counted
from hcx_waves.model.spelling import one_spelling
from hcx_waves.model.times import format_duration
from hcx_waves.planner.document import PlanDocument, PlanWave
from hcx_waves.planner.rules import PlanRules
from hcx_waves.wavefile.loader import dump_wave
from hcx_waves.wavefile.moments import instants_of
from hcx_waves.wavefile.problems import broken_rules_of, spoken
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.wave import Wave

_HEADING = "# Made by `hcx-waves plan`. Move VMs between waves with the plan's CSV file and --keep.\n"
_OF_A_CUT = ("disconnect", "hook", "manual", "stays", "delete_source", "rename_destination")


class WaveFilesError(ValueError):
    """What a plan makes are no valid wave files; lists every problem."""


def wave_files(plan: PlanDocument) -> dict[str, str]:
    """Return the texts of a plan's wave files by their names.

    :raises WaveFilesError: if a wave file would not be valid, such as for a rule that names no network of the source.
    """
    files, problems = {}, []
    repeated = _repeated_names(plan)
    for wave in plan.waves:
        document = _document(plan, wave, repeated)
        try:
            files[f"{wave.name}.yaml"] = _HEADING + dump_wave(Wave.model_validate(document))
        except ValidationError as error:
            broken = broken_rules_of(error, Wave)
            problems += [f"{wave.name}: {spoken(rule.location)}: {rule.message}" for rule in broken]
    if problems:
        raise WaveFilesError("\n".join(problems[:100]))
    return files


def _document(plan: PlanDocument, wave: PlanWave, repeated: set[str]) -> dict[str, Any]:
    rules = plan.rules
    opens = datetime.combine(date.fromisoformat(wave.night), rules.nights.opens_at)
    document: dict[str, Any] = {
        "name": wave.name,
        "description": _description(wave),
        "time_zone": rules.time_zone,
        "switchover_window": {"opens": _local(opens, rules), "lasts": format_duration(rules.nights.lasts)},
        "connections": rules.connections.model_dump(mode="json", exclude_defaults=True),
        "defaults": rules.defaults.model_dump(mode="json", exclude_defaults=True),
        "vms": [
            {"name": one.name, "instance_uuid": one.instance_uuid}
            if one.instance_uuid and one_spelling(one.name).casefold() in repeated
            else {"name": one.name}
            for one in wave.members
        ],
        "segments": list(_segments(plan, wave, opens)),
        "gates": rules.gates.model_dump(mode="json", exclude_defaults=True),
    }
    if wave.after:
        document["after"] = list(wave.after)
    else:
        document["start"] = _local(opens - rules.nights.replication_lasts, rules)
    return document


def _description(wave: PlanWave) -> str:
    reasons = "; ".join(wave.reasons) or "ties no network"
    return f"Planned for {wave.night}: {counted(len(wave.members), 'VM')}. It {reasons}."[:4000]


def _segments(plan: PlanDocument, wave: PlanWave, opens: datetime) -> Iterator[dict[str, Any]]:
    last = {network.name: network.last_wave for network in plan.networks}
    special = {segment.name: segment for segment in plan.rules.segments}
    closes = _later(opens, plan.rules.nights.lasts, plan.rules)
    for name in sorted({*wave.cuts, *wave.keeps}):
        found: dict[str, Any] = {"name": name}
        if name in wave.cuts:
            found |= {
                "cutover": "now",
                "cutover_window": {"opens": closes, "lasts": format_duration(plan.rules.nights.cutover_lasts)},
            }
        elif last[name]:
            found |= {"cutover": "later", "cut_by": last[name]}
        else:
            found["cutover"] = "never"
        if name in special:
            found |= _special(special[name], whole=name in wave.cuts)
        yield found


def _special(segment: Segment, *, whole: bool) -> dict[str, Any]:
    """Return what the rules say of a network; how it is cut over only where it is."""
    fields = ("segment_id", "destination", *(_OF_A_CUT if whole else ()))
    written = segment.model_dump(mode="json", exclude_defaults=True)
    return {name: written[name] for name in fields if name in written}


def _local(moment: datetime, rules: PlanRules) -> str:
    """Write a local time; one that the clocks show twice with the offset of its first showing."""
    found = instants_of(moment, ZoneInfo(rules.time_zone))
    text = f"{moment:%Y-%m-%d %H:%M}"
    if len(found) < 2:
        return text
    offset = f"{found[0].astimezone(ZoneInfo(rules.time_zone)):%z}"
    return f"{text}{offset[:3]}:{offset[3:]}"


def _later(opens: datetime, length: timedelta, rules: PlanRules) -> str:
    """Write the local time some elapsed time after another."""
    zone = ZoneInfo(rules.time_zone)
    found = instants_of(opens, zone)
    begin = found[0] if found else opens.replace(tzinfo=zone)
    end = (begin.astimezone(ZoneInfo("UTC")) + length).astimezone(zone)
    return _local(end.replace(tzinfo=None), rules)


def _repeated_names(plan: PlanDocument) -> set[str]:
    names = [one_spelling(one.name).casefold() for wave in plan.waves for one in wave.members]
    names += [one_spelling(one.name).casefold() for one in plan.not_planned]
    seen: set[str] = set()
    return {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]
