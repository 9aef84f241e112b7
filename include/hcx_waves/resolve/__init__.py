"""A wave resolved against the live inventory of both sites: the plan, or every reason why there is none."""

from hcx_waves.resolve.problems import PlanError, PlanProblem
from hcx_waves.resolve.resolver import drift_of, resolve_plan

__all__ = ["PlanError", "PlanProblem", "drift_of", "resolve_plan"]
