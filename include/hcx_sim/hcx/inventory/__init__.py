"""Inventory queries: what the managers know of the vCenters of both sites. [C hcx 3.2]"""
