"""Outcomes and what follows from each."""

from __future__ import annotations

import pytest

from hcx_waves.model.states import Labelled, SegmentOutcome, VmOutcome, WaveOutcome, label_of, wave_outcome

VMS = {
    # outcome: final, at destination, blocks segments, as planned
    "planned": (False, False, True, False),
    "migrating": (False, False, True, False),
    "migrated": (True, True, False, True),
    "already_there": (True, True, False, True),
    "failed": (True, False, True, False),
    "cancelled": (True, False, True, False),
    "left_out": (True, False, True, True),
    "misplaced": (True, False, True, False),
    "unknown": (False, False, True, False),
}
SEGMENTS = {
    # outcome: final, outage, untouched, as planned
    "planned": (False, False, True, False),
    "stretched": (True, False, True, True),
    "blocked": (True, False, True, False),
    "rejected": (True, False, True, False),
    "disconnected": (False, True, False, False),
    "reconnected": (True, False, True, False),
    "unextending": (False, True, False, False),
    "cut_over": (True, False, False, True),
    "uncertain": (True, True, False, False),
}


def test_the_tables_name_every_outcome() -> None:
    assert list(VMS) == [outcome.value for outcome in VmOutcome]
    assert list(SEGMENTS) == [outcome.value for outcome in SegmentOutcome]


@pytest.mark.parametrize("outcome", VmOutcome)
def test_vm_outcomes(outcome: VmOutcome) -> None:
    found = (outcome.is_final, outcome.is_at_destination, outcome.blocks_segments, outcome.is_as_planned)

    assert found == VMS[outcome.value]


@pytest.mark.parametrize("outcome", SegmentOutcome)
def test_segment_outcomes(outcome: SegmentOutcome) -> None:
    found = (outcome.is_final, outcome.is_outage, outcome.is_untouched, outcome.is_as_planned)

    assert found == SEGMENTS[outcome.value]


@pytest.mark.parametrize("outcome", WaveOutcome)
def test_only_a_wave_that_ended_as_planned_is_green(outcome: WaveOutcome) -> None:
    assert outcome.is_green is (outcome is WaveOutcome.AS_PLANNED)


@pytest.mark.parametrize(
    ("vms", "segments", "outcome"),
    [
        (["migrated", "already_there"], ["cut_over", "stretched"], "as_planned"),
        (["migrated"], [], "as_planned"),
        (["migrated", "left_out"], ["stretched"], "as_planned"),
        (["migrated", "failed"], ["cut_over", "stretched"], "incomplete"),
        (["migrated", "failed"], ["cut_over", "blocked"], "incomplete"),
        (["migrated", "misplaced"], ["blocked"], "incomplete"),
        (["migrated"], ["reconnected"], "incomplete"),
        (["migrated"], ["cut_over", "planned"], "incomplete"),
        (["migrated", "migrating"], ["stretched"], "incomplete"),
        (["migrated"], ["cut_over", "rejected"], "rejected"),
        (["failed"], ["blocked", "rejected"], "rejected"),
        (["migrated"], ["cut_over", "disconnected"], "stranded"),
        (["migrated"], ["rejected", "unextending"], "stranded"),
        (["migrated"], ["uncertain"], "stranded"),
    ],
)
def test_how_a_run_ended(vms: list[str], segments: list[str], outcome: str) -> None:
    assert wave_outcome(map(VmOutcome, vms), map(SegmentOutcome, segments)) == outcome


@pytest.mark.parametrize(
    ("outcome", "label"),
    [
        (WaveOutcome.AS_PLANNED, "As planned"),
        (VmOutcome.ALREADY_THERE, "Already there"),
        (VmOutcome.LEFT_OUT, "Left out"),
        (SegmentOutcome.CUT_OVER, "Cut over"),
        (SegmentOutcome.STRETCHED, "Stretched"),
    ],
)
def test_people_see_words_and_stored_values_stay(outcome: Labelled, label: str) -> None:
    assert outcome.label == label
    assert label_of(outcome.value) == label
    assert outcome.value == label.lower().replace(" ", "_")


def test_no_outcome_is_shown_as_an_identifier() -> None:
    labels = [one.label for outcomes in (VmOutcome, SegmentOutcome, WaveOutcome) for one in outcomes]
    assert not [label for label in labels if "_" in label or not label[0].isupper()]
    assert label_of("moved by 2026-03-01 23:00 UTC") == "moved by 2026-03-01 23:00 UTC"
