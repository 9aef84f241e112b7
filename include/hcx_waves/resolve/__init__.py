"""Plan a wave: match the wave file with the live inventory of both sites, or report every reason why that fails."""

from hcx_waves.resolve.problems import PlanError, PlanProblem
from hcx_waves.resolve.resolver import drift_of, resolve_plan

__all__ = ["PlanError", "PlanProblem", "drift_of", "resolve_plan"]
