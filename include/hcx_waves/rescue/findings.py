"""What was found, as the audit holds it."""

from __future__ import annotations

from typing import Any

from hcx_waves.rescue.audit import Audit
from hcx_waves.rescue.base import Look
from hcx_waves.run.rescues import RescueStep


def record_look(audit: Audit, step: RescueStep, look: Look) -> None:
    """Write what was found into the audit.

    :raises OSError: if it cannot be written; then nothing may be sent.
    """
    found: dict[str, Any] = {
        "plan_from": look.plan_from,
        "plan_digest": look.plan_digest,
        "segments": [one.model_dump(mode="json") for one in look.segments],
        "vms": [one.model_dump(mode="json", exclude_defaults=True) for one in look.vms],
        "problems": list(look.problems),
    }
    off = ", ".join(one.name for one in look.off)
    audit.write(step, text=f"off: {off}" if off else "no network is off", found=found)
