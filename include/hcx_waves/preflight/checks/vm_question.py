"""No VM waits for an answer."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, blocking
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        if detail.question is not None:
            yield blocking(
                "vm-question-pending",
                vm.name,
                f"waits for an answer: {detail.question.text}",
                "Answer it in the vSphere Client.",
                question_id=detail.question.question_id,
            )


CHECK = Check(
    "vm-question", "No VM waits for an answer", (Product.SOURCE_VCENTER,), _run, WaveStep.SWITCHOVER, repeats=True
)
