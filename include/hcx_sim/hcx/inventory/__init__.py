"""Inventory queries: what the managers know of the vCenters of both sites. [C] hcx-api 3.2."""
