"""Preflight: the checks before a wave starts, one per module; findings sorted by severity, waivers applied."""

from hcx_waves.preflight.base import Check, Product
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.registry import CHECKS
from hcx_waves.preflight.runner import run_preflight

__all__ = ["CHECKS", "Check", "PreflightContext", "Product", "run_preflight"]
