"""What can happen to a call, as rules of the simulator at the socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hcx_sim.faults.rules import FaultRule
from hcx_sim.faults.socket import acts
from support.fault_matrix.calls import Call
from support.fault_matrix.stage import READ_SECONDS
from support.site_pair import SitePair

RULE = "cell"
_SLOW_SECONDS = 0.02
_VIRTUAL_SECONDS = {"timeout": 60.0, "slow": 30.0}
"""How much of the world's time passes while a client waits for a socket."""


@dataclass(frozen=True)
class Fault:
    """One column of the matrix.

    :param rule: the fields of the rule for a call; None where this cannot happen to it.
    """

    name: str
    words: str
    rule: Callable[[Call], dict[str, Any] | None]


def _always(**fields: Any) -> Callable[[Call], dict[str, Any] | None]:
    return lambda _call: fields


def _refusal(status: int) -> Callable[[Call], dict[str, Any] | None]:
    """Let the product refuse in its own words; a vCenter's proxy does it, as SOAP has no such statuses."""
    return lambda call: {"behaviour": "status" if call.product == "vcenter" else "vendor_error", "status": status}


def _conflict(call: Call) -> dict[str, Any] | None:
    if call.product == "vcenter":
        return None
    return {"behaviour": "vendor_error", "status": 412 if call.product == "nsx" and call.changes else 409}


def _accepted_with_errors(call: Call) -> dict[str, Any] | None:
    """Only HCX accepts by its status and refuses in the answer."""
    if call.product != "hcx" or call.method == "GET" or call.operation.startswith("sessions."):
        return None
    return {"behaviour": "vendor_error", "status": 200, "message": "not now"}


def _acted_and_stalled(call: Call) -> dict[str, Any] | None:
    """To act and not to answer is the same as not to act, unless something is changed."""
    return {"behaviour": "timeout", "seconds": READ_SECONDS * 3, "acts": True} if call.changes else None


FAULTS = {
    one.name: one
    for one in (
        Fault("refused", "the product refuses connections", _always(behaviour="reset_before")),
        Fault("reset-before", "reset before it acts", _always(behaviour="reset_before")),
        Fault("reset-after", "reset after it has acted", _always(behaviour="reset_after")),
        Fault("time-out", "no answer in time", _always(behaviour="timeout", seconds=READ_SECONDS * 3)),
        Fault("time-out-acted", "no answer in time, and it has acted", _acted_and_stalled),
        Fault("slow", "answers late", _always(behaviour="slow", seconds=_SLOW_SECONDS)),
        Fault("401", "not logged in", _refusal(401)),
        Fault("403", "not permitted", _refusal(403)),
        Fault("404", "not found", _refusal(404)),
        Fault("409", "conflict; 412 for a change of NSX", _conflict),
        Fault("429", "too many requests", _refusal(429)),
        Fault("500", "the product fails", _refusal(500)),
        Fault("502-html", "a proxy's page", _always(behaviour="status", status=502)),
        Fault("503", "not ready", _refusal(503)),
        Fault("malformed", "the answer is broken off", _always(behaviour="malformed")),
        Fault("truncated", "less arrives than was announced", _always(behaviour="truncated")),
        Fault("wrong-schema", "an answer of another shape", _always(behaviour="wrong_schema")),
        Fault("accepted-with-errors", "accepted by status, refused in the answer", _accepted_with_errors),
    )
}
STALLS = frozenset({"time-out", "time-out-acted"})


class Struck:
    """A fault in force at one call of one task.

    :param lasting: whether it stays for all further tries, also of other tasks.
    """

    def __init__(self, pair: SitePair, call: Call, fault: Fault, *, lasting: bool) -> None:
        self.pair, self.call, self.fault, self.lasting = pair, call, fault, lasting
        fields = fault.rule(call)
        assert fields is not None, f"{fault.name} cannot happen to {call.name}"
        self.rule = FaultRule(
            rule_id=RULE,
            product=call.product,
            site=call.site or None,
            call=call.operation,
            method=call.method,
            skip=call.nth - 1,
            count=None if lasting else 1,
            **fields,
        )
        self.times = 0
        self._original: Any = None

    def begin(self) -> None:
        """Put the fault in force, at the next such calls."""
        book = self.pair.world.faults
        self._original = book.strike

        def strike(product: str, *args: Any, **kwargs: Any) -> FaultRule | None:
            rule: FaultRule | None = self._original(product, *args, **kwargs)
            if rule is not None:
                self._has_struck(rule)
            return rule

        book.strike = strike  # type: ignore[method-assign]
        self.pair.run(lambda: book.add(self.rule))

    def end_try(self) -> None:
        """Let a product that refused connections for the length of a try be back."""
        if not self.lasting and self.times:
            self.end()

    def end(self) -> None:
        """Take the fault back: somebody has repaired it."""
        self.pair.run(self.pair.world.faults.clear)

    def _has_struck(self, rule: FaultRule) -> None:
        """Let time pass, or close the port; runs where the simulator does, between two requests."""
        self.times += 1
        world = self.pair.world
        passes = _VIRTUAL_SECONDS.get(rule.behaviour, 0.0)
        if passes:
            world.clock.advance_to(world.clock.now_us() + int(passes * 1e6))
        if self.fault.name == "refused" and len(world.faults) == 1:
            through_cloud = self.call.product in ("nsx", "vmc")
            refusing = {"product": "vmc"} if through_cloud else {"product": rule.product, "site": rule.site}
            world.faults.add(FaultRule.model_validate({"rule_id": "closed", "behaviour": "refuse", **refusing}))


def has_acted(entry: dict[str, Any], struck: Struck | None) -> bool:
    """Whether a call of the audit was carried out: it was accepted, and not only in the words of a fault."""
    data = entry["data"]
    if data["status"] is None or not 200 <= data["status"] < 300:
        return False
    return data.get("fault") != RULE or struck is None or acts(struck.rule)
