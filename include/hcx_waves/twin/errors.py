"""Errors of the twin's time. Those of the control API are the clients' own."""

# ruff: noqa: N818  (the class names say what happened, as an operator would)

from __future__ import annotations

from typing import ClassVar

from hcx_waves.clients.errors import ClientError


class TwinStalled(ClientError):
    """The rehearsal's time stands: a task of the run was to begin, and did not for long."""

    default_hint: ClassVar[str] = (
        "Give Airflow slots for all that waits at once: rehearsals need parallelism (and pool slots, and the DAG's "
        "max_active_tasks) of at least active runs x (segments + 1). See [core] parallelism."
    )


class TwinWaitEnded(ClientError):
    """A wait ended again and again without its instant, as somebody else waits under the same name."""

    default_hint: ClassVar[str] = "An earlier try of the task may still be running; end it, then clear the task."
