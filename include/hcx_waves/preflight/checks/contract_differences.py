"""The products answer as the contract says, as far as they were probed."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.probe.stages import needed_by

_MOST_MEMBERS = 5


def _run(context: PreflightContext) -> Iterator[Finding]:
    for probe in context.probes:
        by_call: dict[str, list[str]] = {}
        for one in probe.differences:
            by_call.setdefault(one.call, []).append(f"{one.member}: {one.problem}" if one.member else one.problem)
        for call, problems in by_call.items():
            stages = needed_by(call, cuts=bool(context.segments_to_cut))
            if not stages:
                continue
            more = f"; and {len(problems) - _MOST_MEMBERS} more" if len(problems) > _MOST_MEMBERS else ""
            yield warning(
                "contract-differs",
                f"{probe.name}: {call}",
                f"the probe of {probe.probed_at:%Y-%m-%d} saw other answers than the ones that {', '.join(stages)} "
                f"rely on: {'; '.join(problems[:_MOST_MEMBERS])}{more}",
                "Report it with the record that hcx-waves probe writes, and rehearse against this release.",
            )


CHECK = Check("contract-differences", "The products answer as the contract says", (Product.PROBES,), _run)
