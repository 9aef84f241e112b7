"""Hold a run's report against what really happened: every false statement, by the simulator's oracle and audit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.report.model import SegmentRow, VmRow, WaveReport
from hcx_waves.run.observed import OutageState
from support.site_pair import SitePair

_ROUNDING = timedelta(milliseconds=2)
"""The audit and the oracle say milliseconds."""
_CHANGES = {
    "mobility.groups.start": "mobility group",
    "fixed_segments.patch": "source gateway",
    "l2_extensions.delete": "exten",
}
"""Calls that change something, and what the timeline calls them."""
_WITHOUT_ZONE = re.compile(r"\d\d:\d\d(?::\d\d)?(?!\d| ?UTC|:|[\w+.-])")
_ENUM = re.compile(r"\b(as_planned|cut_over|left_out|already_there|failed_after_removal|waiting_for_\w+|base_sync)\b")
_ADDRESSES = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")


@dataclass
class Truth:
    """What really happened in a world during one run.

    :param begun: the audit's length before the run, and ``ended`` after it.
    :param refusing: ids of fault rules that answer with a status of 2xx and refuse in the body.
    """

    pair: SitePair
    report: WaveReport
    text: str
    begun: int
    ended: int
    refusing: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.oracle = self.pair.oracle()
        self.audit = self.pair.audit()

    def falsehoods(self) -> Iterator[str]:
        """Yield every statement of the report that is not true."""
        for vm in self.report.vms:
            yield from self._of_machine(vm)
        for one in self.report.segments:
            yield from self._of_segment(one)
        yield from self._of_run()
        yield from self._of_changes()
        yield from self._of_failures()
        yield from self._of_text()

    def _of_machine(self, vm: VmRow) -> Iterator[str]:
        seen = vm.seen_site
        if seen is None:
            yield f"{vm.name}: no word of where it was seen"
            return
        real = self._site(vm.name, seen.as_of)
        if real != seen.site:
            yield f"{vm.name}: said to be at {seen.site} at {seen.as_of}, was at {real}"
        if not seen.moved_since and self._site(vm.name, self.report.ended_at) != seen.site:
            yield f"{vm.name}: has moved since {seen.as_of}, and nothing says that it may have"
        started = self._was_started(vm.name)
        if vm.outcome is VmOutcome.PLANNED and started:
            yield f"{vm.name}: said not to be started, and was"
        if vm.outcome in (VmOutcome.MIGRATED, VmOutcome.ALREADY_THERE) and seen.site != "destination":
            yield f"{vm.name}: {vm.outcome} and seen at {seen.site}"
        if (
            vm.outcome in (VmOutcome.MIGRATED, VmOutcome.ALREADY_THERE)
            and self._site(vm.name, self.report.ended_at) != "destination"
        ):
            yield f"{vm.name}: {vm.outcome}, and is at {self._site(vm.name, self.report.ended_at)}"
        if (
            vm.outcome in (VmOutcome.FAILED, VmOutcome.CANCELLED)
            and self._site(vm.name, self.report.ended_at) != "source"
        ):
            yield f"{vm.name}: {vm.outcome}, and is at {self._site(vm.name, self.report.ended_at)}"
        if vm.after is not None and vm.after.site != seen.site:
            yield f"{vm.name}: verified at {vm.after.site}, seen at {seen.site}"

    def _of_segment(self, one: SegmentRow) -> Iterator[str]:
        seen, spans = one.seen_outage, self._outages(one.segment)
        began_in_run = [span for span in spans if self._since() <= span[0] <= self.report.ended_at]
        if seen is None:
            yield f"{one.segment}: no word of its outage"
            return
        if seen.state is OutageState.NONE and began_in_run:
            yield f"{one.segment}: said to have had no outage, had {began_in_run}"
        if seen.state is OutageState.RUNNING and not _covered(spans, seen.since, seen.as_of):
            yield f"{one.segment}: outage said to run from {seen.since} to {seen.as_of}, really {spans}"
        if seen.state is OutageState.OVER and seen.bounds is not None and seen.bounds.upper_seconds is not None:
            low, high = seen.bounds.lower_seconds - 0.002, seen.bounds.upper_seconds + 0.002
            # From nothing on: there may have been none.
            none = low <= 0 and not began_in_run
            if not none and not any(low <= (end - begin).total_seconds() <= high for begin, end in began_in_run if end):
                yield f"{one.segment}: outage said to be {seen.bounds}, really {spans}"
        may_be_none = seen.bounds is not None and seen.bounds.lower_seconds == 0
        if seen.state is OutageState.OVER and not may_be_none and not any(end is not None for _, end in began_in_run):
            yield f"{one.segment}: outage said to be over, really {spans}"
        if one.seen_gateways is not None:
            at = one.seen_gateways.as_of
            real = tuple("on" if self._gateway(site, at) else "off" for site in ("source", "destination"))
            if real != (one.seen_gateways.source, one.seen_gateways.destination):
                yield f"{one.segment}: gateways said to be {one.seen_gateways}, were {real}"
        yield from self._of_outcome(one)

    def _of_outcome(self, one: SegmentRow) -> Iterator[str]:
        at = self.report.ended_at
        source, destination = self._gateway("source", at), self._gateway("destination", at)
        wrong = {
            SegmentOutcome.CUT_OVER: not destination or source,
            SegmentOutcome.RECONNECTED: not source,
            SegmentOutcome.BLOCKED: self._touched(),
            SegmentOutcome.REJECTED: self._touched(),
            SegmentOutcome.PLANNED: self._touched(),
            SegmentOutcome.STRETCHED: self._touched(),
        }
        if wrong.get(one.outcome):
            yield f"{one.segment}: {one.outcome}, source {source}, destination {destination}, touched {self._touched()}"

    def _of_run(self) -> Iterator[str]:
        running = any(one.seen_outage and one.seen_outage.state is OutageState.RUNNING for one in self.report.segments)
        if self.text.startswith("**OUTAGE RUNNING") != running:
            yield "the first line is not about the outage"
        if self.report.changed_nothing and self._our_changes():
            yield f"said to have changed nothing, made {self._our_changes()}"
        if "Nothing was changed" in self.text and self._our_changes():
            yield "says that nothing was changed"
        if self.report.outcome is WaveOutcome.AS_PLANNED:
            left = [vm.name for vm in self.report.vms if vm.outcome is not VmOutcome.LEFT_OUT]
            away = [name for name in left if self._site(name, self.report.ended_at) != "destination"]
            if away:
                yield f"as planned, and {away} have not moved"
        none = "Longest outage: none" in self.text
        if none and any(self._since() <= span[0] <= self.report.ended_at for span in self._outages("seed-net")):
            yield "the longest outage is said to be none"

    def _of_changes(self) -> Iterator[str]:
        """Every change that we made is in the timeline, with who approved it."""
        if self.report.plan_digest is None:
            return
        for operation in self._our_changes():
            words = _CHANGES[operation]
            found = [one for one in self.report.timeline if words in one.what]
            if not found:
                yield f"{operation} is not in the timeline"
            elif not any(one.by for one in found) and not any("failed" in one.what for one in found):
                yield f"{operation}: nobody is said to have approved it"

    def _of_failures(self) -> Iterator[str]:
        notes = [entry["data"] for entry in self.audit if entry["kind"] == "note"]
        for vm in self.report.vms:
            if vm.outcome is VmOutcome.FAILED:
                told = [one for one in self.report.failures if one.subject == vm.name]
                real = [data for data in notes if data.get("vm") == vm.name and data.get("phase")]
                if not told or not told[0].job_id or not told[0].code or not told[0].words or not told[0].next_step:
                    yield f"{vm.name} has failed, and the report says {told}"
                elif told[0].words not in {str(data.get("error") or data.get("message")) for data in real}:
                    yield f"{vm.name}: HCX is said to say {told[0].words!r}; it said {real[-1:]}"
        for one in self.report.failures:
            if one.step == "unextend" and one.words and "failed" in one.what:
                errors = {data.get("error") for data in notes if data.get("job") == "DeleteNetworkExtension"}
                if one.words not in errors:
                    yield f"the unextend is said to say {one.words!r}, it said {errors}"
                if one.job_id not in {entry["subject"].removeprefix("hcx.job:") for entry in self.audit}:
                    yield f"there is no job {one.job_id!r}"

    def _of_text(self) -> Iterator[str]:
        plain = _ADDRESSES.sub("", self.text)
        for found in _WITHOUT_ZONE.finditer(plain):
            yield f"no zone: {plain[max(0, found.start() - 30) : found.end() + 20]!r}"
        for found in _ENUM.finditer(plain):
            yield f"not in words: {found.group()}"

    def _since(self) -> datetime:
        assert self.report.begun_at is not None
        return self.report.begun_at

    def _site(self, name: str, at: datetime | None = None) -> str:
        sites = self.oracle["vms"][name]["sites"]
        known = [one for one in sites if at is None or _instant(one["since"]) <= at + _ROUNDING]
        return str(known[-1]["site"])

    def _outages(self, segment: str) -> list[tuple[datetime, datetime | None]]:
        spans = self.oracle["segments"][segment]["outage"]
        return [(_instant(one["from"]), _instant(one["to"]) if one["to"] else None) for one in spans]

    def _gateway(self, site: str, at: datetime) -> bool:
        state = site == "source"
        for entry in self.audit:
            if entry["kind"] == "change" and entry["subject"] == f"segment:{site}/seed-net":
                after = entry["data"].get("after", {})
                if "gateway_up" in after and _instant(entry["virtual_time"]) <= at + _ROUNDING:
                    state = bool(after["gateway_up"])
        return state

    def _our_changes(self) -> list[str]:
        calls = [entry["data"] for entry in self.audit[self.begun : self.ended] if entry["kind"] == "call"]
        made = [one for one in calls if one["status"] in (200, 201, 202) and one.get("fault") not in self.refusing]
        return [one["operation"] for one in made if one["operation"] in _CHANGES]

    def _touched(self) -> bool:
        return any(one in ("fixed_segments.patch", "l2_extensions.delete") for one in self._our_changes())

    def _was_started(self, name: str) -> bool:
        entries = self.audit[self.begun : self.ended]
        return any(
            entry["data"].get("vm") == name and entry["data"].get("before") == "draft"
            for entry in entries
            if entry["kind"] == "note"
        )


def _instant(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))


def _covered(spans: list[tuple[datetime, datetime | None]], since: datetime | None, as_of: datetime | None) -> bool:
    if since is None or as_of is None:
        return False
    return any(begin <= since + _ROUNDING and (end is None or as_of <= end + _ROUNDING) for begin, end in spans)
