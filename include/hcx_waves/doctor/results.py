"""What the doctor reports: one result per check."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from hcx_waves.clients.errors import ClientError, PermissionDenied

_log = logging.getLogger(__name__)


class Result(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class CheckResult:
    """What one check of one endpoint found.

    :param check: e.g. ``reachability``, ``tls``, ``login``.
    :param detail: what was seen.
    :param next_step: what to do about it; empty if there is nothing to do.
    """

    check: str
    result: Result
    detail: str
    next_step: str = ""
    endpoint: str = ""

    def at(self, endpoint: str) -> CheckResult:
        """Return the same result with its endpoint."""
        return replace(self, endpoint=endpoint)

    def to_dict(self) -> dict[str, str]:
        """Return the result as JSON primitives."""
        return {
            "endpoint": self.endpoint,
            "check": self.check,
            "result": self.result.value,
            "detail": self.detail,
            "next_step": self.next_step,
        }


def ok(check: str, detail: str) -> CheckResult:
    """Return that nothing is wrong."""
    return CheckResult(check, Result.OK, detail)


def warning(check: str, detail: str, next_step: str) -> CheckResult:
    """Return something that does not stop the work but should be known."""
    return CheckResult(check, Result.WARNING, detail, next_step)


def failed(check: str, detail: str, next_step: str) -> CheckResult:
    """Return that nothing that needs this will work."""
    return CheckResult(check, Result.FAILED, detail, next_step)


def failed_by(check: str, error: ClientError) -> CheckResult:
    """Turn a client's error into a result."""
    said = error.vendor_message
    detail = error.message if not said or said in error.message else f"{error.message}: {said}"
    if error.status is not None and f"HTTP {error.status}" not in detail:
        detail += f" (HTTP {error.status})"
    return failed(check, detail, error.hint)


def guarded(check: str, run: Callable[[], CheckResult | Iterable[CheckResult]]) -> Iterator[CheckResult]:
    """Run a check so that whatever goes wrong in it becomes a result and the next check runs.

    A check that lacks the right to look is a warning: the account may still be good enough for the work.
    """
    try:
        found = run()
        yield from (found,) if isinstance(found, CheckResult) else found
    except PermissionDenied as error:
        yield replace(failed_by(check, error), result=Result.WARNING)
    except ClientError as error:
        yield failed_by(check, error)
    except Exception as error:  # noqa: BLE001  (one broken check must not hide what the others find)
        _log.exception("check %s broke", check)
        yield failed(
            check,
            f"the check itself failed with an internal error ({type(error).__name__})",
            "Report this as a defect, with the log. The endpoint may be fine.",
        )
