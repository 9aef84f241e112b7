"""The product broken on purpose, in one place each: cells that do not turn red then would never do so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from hcx_waves.clients import transport_retry
from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.transport import RestTransport
from hcx_waves.cutover import extension, gateway, waiting
from hcx_waves.report import build
from hcx_waves.run.observed import OutageState, SeenOutage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Break:
    """One way to break the product.

    :param words: what is wrong then.
    :param cells: names of cells that turn red by it.
    """

    words: str
    apply: Callable[[pytest.MonkeyPatch], None]
    cells: Sequence[str]


def _repeat_changes(patches: pytest.MonkeyPatch) -> None:
    patches.setattr(
        transport_retry, "is_repeatable", lambda _kind, error: isinstance(error, ClientError) and error.is_transient
    )


def _read_nothing_back(patches: pytest.MonkeyPatch) -> None:
    def until(self: Any, look: Callable[[], Any], _good: Callable[[Any], bool]) -> Any:
        return waiting.Wait(look(), is_good=True, last_not=None, first_seen=self.now())

    patches.setattr(waiting.Patience, "until", until)
    patches.setattr(extension, "_require_source_off", lambda *_args: None)


def _go_back_blindly(patches: pytest.MonkeyPatch) -> None:
    real = gateway.situation_of
    patches.setattr(gateway, "is_worked_on", lambda _extension: False)
    patches.setattr(gateway, "situation_of", lambda *args: real(*args[:-1], None))


def _log_requests(patches: pytest.MonkeyPatch) -> None:
    real = RestTransport._exchange

    def exchange(self: Any, call: Any, headers: Any) -> Any:
        logger.info("%s %s %s %s", call.method, call.path, call.json, call.form)
        return real(self, call, headers)

    patches.setattr(RestTransport, "_exchange", exchange)


def _see_no_outage(patches: pytest.MonkeyPatch) -> None:
    patches.setattr(build, "seen_outage", lambda *_args, **_kwargs: SeenOutage(state=OutageState.NONE))


BREAKS = {
    "repeats-changes": Break(
        "a client repeats a call that changes something when its answer was lost",
        _repeat_changes,
        ("wave:start_migrations:source.hcx.mobility.groups.start#1:reset-after:once",),
    ),
    "reads-nothing-back": Break(
        "a change of a gateway is taken for done when it was sent, and the unextend does not look",
        _read_nothing_back,
        ("wave:disconnect_source_segment:source.nsx.fixed_segments.patch#1:reset-before:always",),
    ),
    "goes-back-blindly": Break(
        "the way back does not look whether HCX was asked to unextend",
        _go_back_blindly,
        ("wave:await_unextended:source.hcx.jobs.get#1:403:always",),
    ),
    "logs-requests": Break(
        "a client logs what it sends", _log_requests, ("wave:resolve_plan:source.hcx.sessions.create#1:503:always",)
    ),
    "sees-no-outage": Break(
        "the report says of each segment that it had no outage",
        _see_no_outage,
        ("wave:await_unextended:source.hcx.jobs.get#1:403:always",),
    ),
}
