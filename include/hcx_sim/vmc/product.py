"""What the server needs to know about the simulated VMware Cloud and its sign-in service."""

from __future__ import annotations

from hcx_sim.http.context import Product
from hcx_sim.vmc import csp, service, tokens

VMC = Product(service.VMC, service.app, service.coverage, service.install, service.failure, reroute=service.reroute)
CSP = Product(tokens.CSP, csp.app, csp.coverage, tokens.install, csp.failure)
