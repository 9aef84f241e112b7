"""HCX's own validation: its errors block, its warnings warn. Messages are the vendor's free text."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.errors import ValidationFailed
from hcx_waves.clients.hcx import Submission
from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

_STEP = "Correct what HCX names; the messages are HCX's own."
_WAVE = "HCX validation"


def _run(context: PreflightContext) -> Iterator[Finding]:
    answer = context.validation
    if isinstance(answer, ValidationFailed):
        yield from _refused(context, answer)
    elif answer is not None:
        yield from _warned(context, answer)


def _refused(context: PreflightContext, answer: ValidationFailed) -> Iterator[Finding]:
    names = {vm.vm_id: vm.name for vm in context.to_move}
    told: set[str] = set()
    for item in answer.items:
        subject = names.get(str(item.get("entity_id")), _WAVE)
        errors = [str(one.get("message")) for one in item.get("errors") or []]
        told.update(errors)
        if errors:
            yield blocking("hcx-validation-error", subject, f"HCX refuses: {'; '.join(errors)}", _STEP, errors=errors)
        yield from _warnings(subject, [str(one) for one in item.get("warnings") or []])
    rest = [message for message in answer.messages if message not in told]
    if rest or not answer.items:
        text = "; ".join(rest) or answer.message
        yield blocking("hcx-validation-error", _WAVE, f"HCX refuses: {text}", _STEP, errors=rest)


def _warned(context: PreflightContext, answer: Submission) -> Iterator[Finding]:
    names = {vm.vm_id: vm.name for vm in context.to_move}
    yield from _warnings(_WAVE, [notice.message for notice in answer.warnings])
    for item in answer.items:
        subject = names.get(str(item.entity_id), _WAVE)
        yield from _warnings(subject, [notice.message for notice in item.warnings])


def _warnings(subject: str, messages: list[str]) -> Iterator[Finding]:
    if messages:
        text = f"HCX warns: {'; '.join(messages)}"
        yield warning("hcx-validation-warning", subject, text, _STEP, warnings=messages)


CHECK = Check("vm-validation", "HCX accepts the migrations", (Product.HCX,), _run, WaveStep.START)
