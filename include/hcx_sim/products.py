"""The list of simulated products and the ports they listen on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hcx_sim.http.context import Product
from hcx_sim.world.model import SiteName


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One listening port: a product, and the site if the product has one per site."""

    product: str
    site: SiteName | None

    @property
    def label(self) -> str:
        """How messages call it, such as ``source hcx``."""
        return f"{self.site} {self.product}" if self.site else self.product


CONTROL = Endpoint("control", None)
# The order is the order of ports above --port-base.
ENDPOINTS = (
    Endpoint("hcx", SiteName.SOURCE),
    Endpoint("vcenter", SiteName.SOURCE),
    Endpoint("nsx", SiteName.SOURCE),
    Endpoint("hcx", SiteName.DESTINATION),
    Endpoint("vcenter", SiteName.DESTINATION),
    Endpoint("nsx", SiteName.DESTINATION),
    Endpoint("vmc", None),
    Endpoint("csp", None),
    CONTROL,
)


@cache
def products() -> dict[str, Product]:
    """Return every product by name.

    They are imported when first asked for, so that the server can also be used with other products.
    """
    from hcx_sim.hcx.product import PRODUCT as HCX
    from hcx_sim.nsx.product import PRODUCT as NSX
    from hcx_sim.vcenter.product import PRODUCT as VCENTER
    from hcx_sim.vmc.product import CSP, VMC

    return {product.name: product for product in (HCX, NSX, VMC, CSP, VCENTER)}
