"""The guide to gates."""

from __future__ import annotations

from hcx_waves.guide.model import Entry, Family

_ANSWER = "*Required Actions* of the run."

# The ids of gates are written down in the Airflow layer alone; here they are made of what is asked for.
_APPROVALS = {
    "wave": Entry(
        "Asks, with plan, findings and forecast, whether to start the migrations. Nothing was changed so far.",
        "Read brief, findings and chance. After a no the wave ends; nothing was changed.",
        _ANSWER,
    ),
    "switchover": Entry(
        "All VMs are seeded. Asks whether to switch them over; each is interrupted for a moment.",
        "Read what has changed since the wave was approved. After a no the VMs stay at the source and in sync, "
        "until their migrations are cancelled.",
        _ANSWER + " To give up: DAG `recover__<wave>`, action `cancel`.",
    ),
    "cutover": Entry(
        "The segment is proven empty at the source. Asks whether to move its gateway; the outage begins with the "
        "approval.",
        "Have somebody ready who can test the application. After a no the segment stays stretched.",
        _ANSWER,
    ),
    "cleanup": Entry(
        "The hold is over. Asks whether to delete the source segments that were cut over.",
        "Make sure that nobody wants to go back. After a no nothing is deleted.",
        _ANSWER,
    ),
    "recovery": Entry(
        "Shows what a way back has found, and for each object what it will do, with time, outage and bytes.",
        "Compare it with what you know. The approval holds for exactly that. After a no nothing is done.",
        _ANSWER + " To choose anew: start `recover__<wave>` again.",
    ),
}
_CONFIRMATIONS = {
    "disconnected": Entry(
        "A person has to switch the gateway off, by the instructions shown, and to confirm it. The check of the "
        "wave file decides.",
        "Do what the instructions say, then confirm. If you reject after the gateway is off, undo it.",
        _ANSWER + " To undo: clear `reconnect_source_segment`.",
    ),
}

GATES = Family(
    "gates",
    "Gates",
    "A gate asks a person before the wave goes on. Silence is a no. How gates behave when they are cleared, and who "
    "may answer, is in [waves in Airflow](../waves-in-airflow.md#gates).",
    {
        **{f"approve_{what}": entry for what, entry in _APPROVALS.items()},
        **{f"confirm_{what}": entry for what, entry in _CONFIRMATIONS.items()},
    },
)
