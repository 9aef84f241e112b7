"""The planner: from an inventory and rules to waves that keep networks extended for as short as possible.

``make_plan(inventory, rules)`` returns a :class:`PlanDocument`; ``wave_files(plan)`` its wave files. The problem is
that of minimising open stacks: groups of VMs are ordered so that few networks are open, each for a short time. A greedy
order is improved by annealing over whole numbers; the same input, seed and effort make the same plan.
"""

from hcx_waves.planner.document import PlanDocument, PlanDocumentError, load_plan, plan_schema_text, plan_text
from hcx_waves.planner.make import DEFAULT_SECONDS, NoPlanError, make_plan
from hcx_waves.planner.rules import PlanRules, PlanRulesError, load_rules
from hcx_waves.planner.wave_files import WaveFilesError, wave_files

__all__ = [
    "DEFAULT_SECONDS",
    "NoPlanError",
    "PlanDocument",
    "PlanDocumentError",
    "PlanRules",
    "PlanRulesError",
    "WaveFilesError",
    "load_plan",
    "load_rules",
    "make_plan",
    "plan_schema_text",
    "plan_text",
    "wave_files",
]
