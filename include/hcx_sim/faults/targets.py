"""Whether a fault rule can strike anything: a misspelt call would otherwise wait for ever and prove nothing."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hcx_sim.faults.rules import FaultRule

if TYPE_CHECKING:
    from hcx_sim.http.context import Product

FAULT_POINTS = "fault points"  # what the coverage groups with the engine's points are called, or begin with


def miss(rule: FaultRule, products: Mapping[str, Product]) -> str | None:
    """Return why a rule can never strike any of ``products``, None when it can."""
    names = _points(products) if rule.product == "engine" else _calls(products, rule.product)
    if any(fnmatch.fnmatchcase(name, rule.call) for name in names):
        return None
    what = "fault point of the engine" if rule.product == "engine" else f"call of {rule.product}"
    near = difflib.get_close_matches(rule.call, names, n=1)
    guess = f"; did you mean {near[0]!r}?" if near else ""
    return f"fault rule {rule.rule_id!r}: no {what} is named {rule.call!r}{guess}"


def _calls(products: Mapping[str, Product], name: str) -> list[str]:
    """Return the operation keys of a product and of those behind its reverse proxy, and "" for unknown paths."""
    behind = [products[name], *(each for each in products.values() if each.name != name and products[name].reroute)]
    return ["", *(fact.call for product in behind for fact in product.coverage.routes)]


def _points(products: Mapping[str, Product]) -> list[str]:
    groups = (group for product in products.values() for group in product.coverage.groups)
    return [point for group in groups if group.name.startswith(FAULT_POINTS) for point in group.members]
