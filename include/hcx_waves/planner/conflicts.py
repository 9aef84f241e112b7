"""Why there is no plan: the smallest set of rules of which none can be left out without a plan being found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hcx_waves.forecast import ModelParameters
from hcx_waves.inventory.model import InventoryDocument
from hcx_waves.planner.building import build, rule_ids
from hcx_waves.planner.figures import UNPLACED, violations
from hcx_waves.planner.rules import PlanRules
from hcx_waves.planner.search import first_plan


def conflict(
    inventory: InventoryDocument, rules: PlanRules, parameters: ModelParameters | None = None
) -> tuple[str, ...]:
    """Return ids of rules (places in the rules file) that together cannot be kept.

    None of them can be taken away from the set: without any of them a plan is found. The search for a plan is the one
    that plans, so a set is as small as that search can tell.

    :return: empty if there is a plan.
    """

    def has_plan(kept: Sequence[str]) -> bool:
        planning = build(inventory, rules, parameters, frozenset(ids) - frozenset(kept))
        if planning.broken:
            return False
        board = first_plan(planning.problem)
        return UNPLACED not in board.night and not violations(board)

    ids = rule_ids(rules)
    whole = build(inventory, rules, parameters)
    if whole.broken:
        contradictions: list[frozenset[str]] = [rules_of_one for rules_of_one, _ in whole.broken]
        fewest: frozenset[str] = min(contradictions, key=lambda one: (len(one), sorted(one)))
        return tuple(sorted(fewest))
    if has_plan(ids):
        return ()
    return tuple(sorted(_smallest(ids, has_plan)))


def _smallest(ids: list[str], has_plan: Callable[[Sequence[str]], bool]) -> list[str]:
    """Leave out ever smaller parts of the rules, as long as there is still no plan."""
    kept, size = list(ids), max(1, len(ids) // 2)
    while True:
        place = 0
        while place < len(kept):
            rest = kept[:place] + kept[place + size :]
            if has_plan(rest):
                place += size
            else:
                kept = rest
        if size == 1:
            return kept
        size = max(1, size // 2)
