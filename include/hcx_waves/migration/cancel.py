"""Cancel migrations: only those that are named, gracefully first, by force on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from hcx_waves.clients.errors import ClientError, NotFound, OutcomeUnknownError, ValidationFailed
from hcx_waves.clients.hcx import HcxClient, Migration
from hcx_waves.clients.hcx.migrations import Submission
from hcx_waves.model.base import DomainModel


class CancelAnswer(StrEnum):
    """What became of one wish to cancel."""

    ENDED = "ended"
    """It had ended already; nothing was asked."""
    ASKED = "asked"
    """HCX accepted; cancelling takes time and can fail [D hcx 7]."""
    FORCED = "forced"
    """HCX accepted a forced cancel."""
    REFUSED = "refused"
    """HCX said no."""
    UNSUPPORTED = "unsupported"
    """This manager knows no graceful cancel under the path that the client uses; it takes force."""
    UNKNOWN = "unknown"
    """The answer was lost; look at the migration."""
    NOT_LISTED = "not_listed"
    """HCX lists no such migration."""


class Cancellation(DomainModel):
    """What became of one migration."""

    migration_id: str
    name: str
    answer: CancelAnswer
    message: str = ""

    @property
    def may_need_force(self) -> bool:
        """Whether asking gracefully leads no further."""
        return self.answer in (CancelAnswer.REFUSED, CancelAnswer.UNSUPPORTED)


class CancelReport(DomainModel):
    """What a cancel did, to be told to people."""

    items: tuple[Cancellation, ...]

    @property
    def acted(self) -> bool:
        """Whether HCX was made to cancel anything."""
        acting = (CancelAnswer.ASKED, CancelAnswer.FORCED, CancelAnswer.UNKNOWN)
        return any(item.answer in acting for item in self.items)

    def __str__(self) -> str:
        return "; ".join(
            f"{item.name}: {item.answer.value}" + (f" ({item.message})" if item.message else "") for item in self.items
        )


def cancel_migrations(hcx: HcxClient, migration_ids: Sequence[str], *, force: bool = False) -> CancelReport:
    """Cancel the migrations of these ids and no others. Those that have ended are left alone.

    Cancelling is itself a workflow: look at the status afterwards, and come back with ``force`` for those that
    HCX could not cancel gracefully.

    :param force: clear what could not be cancelled, at both sites.
    :returns: one line per id; nothing is raised for what HCX refuses.
    :raises ClientError: if the migrations cannot be read.
    """
    wanted = list(dict.fromkeys(migration_ids))
    if not wanted:
        return CancelReport(items=())
    found = {one.migration_id: one for one in hcx.query_migrations(migration_ids=wanted)}
    items = {
        migration_id: Cancellation(migration_id=migration_id, name=migration_id, answer=CancelAnswer.NOT_LISTED)
        for migration_id in wanted
        if migration_id not in found
    }
    for migration in found.values():
        if migration.state.is_terminal:
            items[migration.migration_id] = _line(migration, CancelAnswer.ENDED, migration.state.name)
    due = [one for one in found.values() if not one.state.is_terminal]
    call = hcx.force_cancel_migrations if force else hcx.cancel_migrations
    accepted = CancelAnswer.FORCED if force else CancelAnswer.ASKED
    for migration in due:
        # One by one: what HCX refuses of one must not keep the others from being cancelled.
        items[migration.migration_id] = _ask(call, migration, accepted)
    return CancelReport(items=tuple(items[migration_id] for migration_id in wanted))


def _ask(
    call: Callable[[Sequence[Migration]], Submission], migration: Migration, accepted: CancelAnswer
) -> Cancellation:
    try:
        refused = call([migration]).refused
    except OutcomeUnknownError as error:
        return _line(migration, CancelAnswer.UNKNOWN, error.message)
    except NotFound as error:
        return _line(migration, CancelAnswer.UNSUPPORTED, error.message)
    except ValidationFailed as error:
        return _line(migration, CancelAnswer.REFUSED, "; ".join(error.messages) or error.message)
    except ClientError as error:
        return _line(migration, CancelAnswer.REFUSED, error.message)
    if refused:
        return _line(migration, CancelAnswer.REFUSED, "; ".join(notice.message for notice in refused[0].errors))
    return _line(migration, accepted)


def _line(migration: Migration, answer: CancelAnswer, message: str = "") -> Cancellation:
    name = migration.entity_name or migration.migration_id
    return Cancellation(migration_id=migration.migration_id, name=name, answer=answer, message=message)
