"""The inventory document: what is known of an estate before anything is planned, whatever files it came from.

``read_inventory(paths, roles)`` reads exports and lists into an :class:`InventoryDocument`, or refuses them with every
problem. Nothing is guessed: what is ambiguous is listed.
"""

from hcx_waves.inventory.document import inventory_schema_text, inventory_text, load_inventory
from hcx_waves.inventory.model import EstateFlow, EstateVm, InventoryDocument
from hcx_waves.inventory.problems import ImportProblem, ImportRefusedError, InventoryRemark
from hcx_waves.inventory.read import read_inventory

__all__ = [
    "EstateFlow",
    "EstateVm",
    "ImportProblem",
    "ImportRefusedError",
    "InventoryDocument",
    "InventoryRemark",
    "inventory_schema_text",
    "inventory_text",
    "load_inventory",
    "read_inventory",
]
