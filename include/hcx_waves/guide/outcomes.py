"""The guide to outcomes: of VMs, of segments and of runs, and why a wait ended."""

from __future__ import annotations

from hcx_waves.guide.model import Entry, Family

_RUN = "Start a new run."
_NOTHING = "Nothing."
_RESCUE = "`hcx-waves rescue WAVE look`."
_REPORT = "The report of the run."

OUTCOMES_OF_VMS = {
    "vm-planned": Entry("No migration of the VM was started.", "Find out where the run stopped.", _RUN),
    "vm-migrating": Entry(
        "HCX was still at work on the VM when somebody looked last.",
        "Look at its migration; it may still end. A new run adopts it.",
        "HCX, *Migration*; then start a new run.",
    ),
    "vm-migrated": Entry("The VM is at the destination, as both vCenters show.", _NOTHING, _REPORT),
    "vm-already_there": Entry("The VM was at the destination before the run.", _NOTHING, _REPORT),
    "vm-failed": Entry(
        "HCX gave up. The VM is at the source, and runs there.",
        "Correct what HCX names. If its rollback is incomplete, force its clean-up in HCX.",
        _RUN,
    ),
    "vm-cancelled": Entry(
        "Somebody has cancelled the migration. The VM is at the source.",
        "Find out who and why.",
        _RUN,
    ),
    "vm-left_out": Entry("The run leaves the VM where it is, as it was started for others.", _NOTHING, _RUN),
    "vm-misplaced": Entry(
        "HCX says that the VM has moved, and it is not at the destination as planned.",
        "Look for it in both vCenters by its instance UUID, before anything else is done with it.",
        "`hcx-waves rescue WAVE look`; both vCenters.",
    ),
    "vm-unknown": Entry(
        "Its migration was started, and nobody has looked since.",
        "Let it be looked at: a new run finds out, and adopts what is under way.",
        _RUN,
    ),
}
OUTCOMES_OF_SEGMENTS = {
    "segment-planned": Entry("The cutover has not begun.", "Find out where the run stopped.", _RUN),
    "segment-stretched": Entry("The segment stays extended, as the wave wants.", _NOTHING, _REPORT),
    "segment-blocked": Entry(
        "A VM was left behind, or something else stands against the cutover. The gateway was not touched.",
        "Move or declare what is named.",
        _RUN,
    ),
    "segment-rejected": Entry(
        "A person has said no, or nobody has answered. The gateway was not touched.",
        "Agree, and be asked again.",
        _RUN,
    ),
    "segment-disconnected": Entry(
        "**No gateway:** the source's is off, and nothing has followed.",
        "Act now, by [03:00](../operations.md#0300).",
        "DAG `recover__<wave>`, action `reconnect-source` or `connect-destination`; without Airflow " + _RESCUE,
    ),
    "segment-reconnected": Entry(
        "The cutover has failed, and the source routes the segment again.",
        "Correct the cause.",
        _RUN,
    ),
    "segment-unextending": Entry(
        "**The unextend has not ended, or without a gateway.**",
        "Look; wait while HCX is at work.",
        "Clear `await_unextended`; or DAG `recover__<wave>`, action `connect-destination`.",
    ),
    "segment-cut_over": Entry(
        "The destination routes the segment, proven. The source segment is kept for the hold.",
        _NOTHING,
        "DAG `cleanup__<wave>` asks after the hold; `recover__<wave>`, action `restore-source-segment`, undoes it.",
    ),
    "segment-uncertain": Entry(
        "**Nobody knows how the segment stands.**",
        "Look at its gateways at both sites: exactly one must be on.",
        _RESCUE,
    ),
}
OUTCOMES_OF_RUNS = {
    "run-as_planned": Entry("Everything that was to move has moved, and is proven.", _NOTHING, _REPORT),
    "run-incomplete": Entry(
        "A VM or a segment was left behind. Nobody is without a gateway.",
        "Correct the cause; a new run adopts what has moved.",
        _RUN,
    ),
    "run-rejected": Entry("A person has said no, or nobody has answered.", "Agree, and be asked again.", _RUN),
    "run-blocked": Entry(
        "Findings, or a wave that cannot be planned, kept it from starting.",
        "Resolve the findings, or have them waived.",
        _RUN,
    ),
    "run-drifted": Entry(
        "What was approved is no longer what is there.",
        "Read what has changed.",
        _RUN,
    ),
    "run-stranded": Entry(
        "**A network is or may be off.**",
        "Act now, by [03:00](../operations.md#0300).",
        _RESCUE,
    ),
}
ENDS_OF_WAITS = {
    "wait-terminal": Entry("What was waited for has ended.", _NOTHING, "The next task judges it."),
    "wait-stuck": Entry(
        "Nothing moves any more, and nothing comes of it by itself: windows were missed, switchovers lost, migrations "
        "removed.",
        "Go by the [stalls](stalls.md) that the log names.",
        "HCX, *Migration*; then clear `await_migrations`.",
    ),
    "wait-stalled": Entry(
        "What is waited for stands, and is past its limit. HCX goes on; nothing was cancelled.",
        "Go by the [stalls](stalls.md) that the log names, then wait again or give it up.",
        "Clear `await_migrations`, or `await_unextended` of the segment, to go on waiting.",
    ),
    "wait-deadline": Entry(
        "The deadline of the wait has passed: six hours after the window, else thirty days; two hours for an unextend.",
        "Look in HCX how far it is.",
        "A new run adopts what is under way.",
    ),
    "wait-error": Entry(
        "The product cannot be asked any more.",
        "Go by the [error](errors.md) that the log names. HCX goes on by itself.",
        "`hcx-waves doctor`; then clear the task that waits.",
    ),
    "wait-nothing": Entry("There was nothing to wait for.", _NOTHING, _REPORT),
}
ANSWERS_OF_CANCEL = {
    "cancel-asked": Entry(
        "HCX has accepted the cancel. Cancelling takes time and can fail.", "Look again after a minute.", _RESCUE
    ),
    "cancel-ended": Entry("The migration had ended already.", _NOTHING, _RESCUE),
    "cancel-forced": Entry("HCX clears the migration at both sites.", "Look again after a minute.", _RESCUE),
    "cancel-refused": Entry(
        "HCX has said no, for instance during a switchover.",
        "Wait for the end of the switchover, or clear at both sites by force.",
        "DAG `recover__<wave>`, action `cancel` with *force*.",
    ),
    "cancel-unsupported": Entry(
        "This manager has no graceful cancel.",
        "Cancel by force, or in HCX.",
        "DAG `recover__<wave>`, action `cancel` with *force*; HCX, *Migration*.",
    ),
    "cancel-unknown": Entry("The answer was lost.", "Look at the migration.", _RESCUE),
    "cancel-not_listed": Entry(
        "HCX lists no such migration, or it is in a group that is not this wave's.",
        "Whoever has started it cancels it.",
        "HCX, *Migration*.",
    ),
}

OUTCOMES = Family(
    "outcomes",
    "Outcomes",
    "How VMs, segments, runs and waits end. The report and the note of the run show them in words.",
    {**OUTCOMES_OF_RUNS, **OUTCOMES_OF_SEGMENTS, **OUTCOMES_OF_VMS, **ENDS_OF_WAITS, **ANSWERS_OF_CANCEL},
)
