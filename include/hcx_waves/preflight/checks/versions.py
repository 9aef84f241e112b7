"""The versions of HCX and vCenter are ones that are supported."""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

HCX_MAJORS = (4, 9)
OLDEST_VCENTER = (6, 5)


def _run(context: PreflightContext) -> Iterator[Finding]:
    version = context.clients.hcx.version()
    if version.major not in HCX_MAJORS:
        yield warning(
            "hcx-version-unknown",
            "HCX Manager",
            f"is {version.text}; 4.x and 9.x are supported",
            "Rehearse the wave against this version first.",
        )
    vcenters = (context.clients.source_vcenter, context.clients.destination_vcenter)
    for site, vcenter in zip(("source vCenter", "destination vCenter"), vcenters, strict=True):
        about = vcenter.about()
        parts = about.version.split(".")[:2]
        if all(part.isdigit() for part in parts) and tuple(map(int, parts)) < OLDEST_VCENTER:
            yield warning(
                "vcenter-version-old",
                site,
                f"is {about.version}; what is older than {'.'.join(map(str, OLDEST_VCENTER))} is not tested",
                "Upgrade it, or rehearse the wave first.",
            )


CHECK = Check(
    "versions",
    "The products' versions are known",
    (Product.HCX, Product.SOURCE_VCENTER, Product.DESTINATION_VCENTER),
    _run,
    WaveStep.START,
)
