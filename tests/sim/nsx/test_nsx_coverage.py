"""Every documented call is served under the operation key that the contract gives it."""

from __future__ import annotations

import pytest

from hcx_sim.nsx.product import PRODUCT as NSX
from hcx_sim.vmc.product import CSP, VMC
from support import contract


@pytest.mark.parametrize(("system", "product"), [("nsx", NSX), ("vmc", VMC), ("csp", CSP)])
def test_every_documented_call_is_covered(system: str, product: object) -> None:
    served = {fact.call for fact in product.coverage.routes}  # type: ignore[attr-defined]
    documented = {call.call for call in contract.load_calls() if call.system == system}
    assert documented
    assert documented <= served


@pytest.mark.parametrize("product", [NSX, VMC, CSP])
def test_every_route_has_a_fact_with_a_source(product: object) -> None:
    facts = {(fact.method, fact.path) for fact in product.coverage.routes}  # type: ignore[attr-defined]
    routes = {
        (method, route.path)
        for route in product.app.router.routes  # type: ignore[attr-defined]
        for method in route.methods
    }
    assert routes <= facts
    assert all(fact.sources for fact in product.coverage.routes)  # type: ignore[attr-defined]
