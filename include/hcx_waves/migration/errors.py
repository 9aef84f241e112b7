"""Errors of migrations, beyond what the clients report.

::

    ProcedureError
    ├── GroupMismatchError        a mobility group of our name holds other VMs, or was changed by others
    ├── AlreadyMigratingError     VMs are in flight in another mobility group
    ├── MigrationsRefusedError    HCX refused VMs of a start
    └── ScheduleRefusedError      HCX did not accept a new switchover window
"""

from __future__ import annotations

from hcx_waves.procedure_errors import ProcedureError


class GroupMismatchError(ProcedureError):
    """A mobility group of the expected name is not the one that was planned."""

    default_hint = (
        "Look at the group in HCX; rename or delete it there, or start a new run, which plans the wave again."
    )


class AlreadyMigratingError(ProcedureError):
    """VMs of the wave are being migrated by another mobility group."""

    default_hint = "Wait for those migrations or cancel them in HCX, then start the wave again."


class MigrationsRefusedError(ProcedureError):
    """HCX refused some of the VMs."""

    default_hint = "Correct what HCX names and retry the mobility group in HCX; then clear the task, which adopts it."

    @property
    def refused(self) -> dict[str, list[str]]:
        """HCX's messages by VM name."""
        return dict(self.details.get("refused") or {})


class ScheduleRefusedError(ProcedureError):
    """A new switchover window was not accepted."""

    default_hint = "Look at the migrations in HCX; a migration that has begun to switch over cannot be rescheduled."
