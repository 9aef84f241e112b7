"""What must hold before a wave starts: one check per module, findings gravest first, waivers applied."""

from hcx_waves.preflight.base import Check, Product
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.registry import CHECKS
from hcx_waves.preflight.runner import run_preflight

__all__ = ["CHECKS", "Check", "PreflightContext", "Product", "run_preflight"]
