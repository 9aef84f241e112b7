"""What a VM does not carry with it unless it is asked to: tags and custom attributes. (HCX settings page)"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.findings import Finding
from hcx_waves.preflight.base import Check, Product, advice
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    for vm, detail in context.moving:
        if detail.tags and not vm.options.retain_tags:
            yield advice(
                "vm-tags-not-carried",
                vm.name,
                f"has {len(detail.tags)} tag(s), which are not carried over",
                "Set options.retain_tags, or tag it at the destination.",
            )
        if detail.custom_values and not vm.options.update_custom_attributes:
            yield advice(
                "vm-attributes-not-carried",
                vm.name,
                f"has {len(detail.custom_values)} custom attribute(s), which are not carried over",
                "Set options.update_custom_attributes, or set them at the destination.",
            )


CHECK = Check("vm-metadata", "Tags and attributes are carried over", (Product.SOURCE_VCENTER,), _run, WaveStep.START)
