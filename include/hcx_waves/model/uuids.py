"""UUIDs as tools write them, read into the one form that vCenter shows."""

from __future__ import annotations

import re

CANONICAL = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_VMX = r"([0-9a-fA-F]{2} ){7}[0-9a-fA-F]{2}[- ]([0-9a-fA-F]{2} ){7}[0-9a-fA-F]{2}"
PATTERN = rf"^(\{{?{CANONICAL}\}}?|{_VMX}|[0-9a-fA-F]{{32}})$"
"""How a UUID may be written: as vCenter does, in braces, as a VMX file does (``50 12 a3 c4 ...``), or without signs."""


def plain_uuid(text: str) -> str:
    """Return a UUID as vCenter shows it; a text that already is one, and any other text, as it is."""
    if re.fullmatch(CANONICAL, text) or not re.match(PATTERN, text.strip()):
        return text
    digits = re.sub(r"[^0-9a-fA-F]", "", text).lower()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def byte_swapped(uuid: str) -> str:
    """Return a UUID with the bytes of its first three parts in the other order, as guests and SMBIOS tools show it."""
    digits = uuid.replace("-", "").lower()
    parts = (digits[:8], digits[8:12], digits[12:16])
    swapped = ["".join(reversed([part[place : place + 2] for place in range(0, len(part), 2)])) for part in parts]
    return "-".join((*swapped, digits[16:20], digits[20:]))
