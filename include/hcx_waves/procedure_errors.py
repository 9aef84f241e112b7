"""The errors that all procedures share: the base of their branch of the clients' error tree.

::

    ClientError
    └── ProcedureError
        ├── SubmissionLostError   a call's answer was lost, and its effect cannot be seen    transient
        ├── NotSettledError       a change was accepted and is not in effect (yet)           transient
        ├── ...                   of migrations: hcx_waves.migration.errors
        └── ...                   of cutovers: hcx_waves.cutover.errors

They serialise as the clients' errors do (``to_dict``, ``from_dict``, pickle) and say what to do next in ``hint``.
Restoring an error needs the module of its class to be imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hcx_waves.clients.errors import ClientError


class ProcedureError(ClientError):
    """A step of a procedure cannot go on.

    :param message: what is wrong.
    :param hint: what to do next; each class has its own default.
    :param options: the same as lines, one for each thing that a person can do; each class has its own default.
    :param details: JSON primitives, the evidence.
    """

    default_hint = "Read the evidence, then decide; nothing further was changed."
    default_options: ClassVar[tuple[str, ...]] = ()
    """What a person can do, one line of at most 86 characters each, which a log can show with its number."""

    def __init__(
        self, message: str, *, hint: str | None = None, options: Sequence[str] | None = None, **details: Any
    ) -> None:
        given = {} if options is None else {"options": list(options)}
        super().__init__(message, details={**details, **given}, hint=hint)

    @property
    def options(self) -> tuple[str, ...]:
        """What a person can do, a line each."""
        return tuple(self.details.get("options") or self.default_options)


class SubmissionLostError(ProcedureError):
    """The answer to a call was lost, and what it would have made cannot be seen."""

    transient = True
    default_hint = "Clear the task after a while: it looks first and submits only if there is still no trace."


class NotSettledError(ProcedureError):
    """A change was accepted, and the state that proves it has not been read."""

    transient = True
    default_hint = "Clear the task: it looks first and changes nothing that is already as it should be."
