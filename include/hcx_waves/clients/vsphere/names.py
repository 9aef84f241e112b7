r"""Names of inventory objects on the wire and as a person writes them.

vCenter escapes ``%``, ``/`` and ``\``, and only these, in the names of managed entities. [D nsx-vsphere 4.1]
"""

from __future__ import annotations

_DECODE = (("%2f", "/"), ("%2F", "/"), ("%5c", "\\"), ("%5C", "\\"), ("%25", "%"))


def decoded(name: str) -> str:
    """Return a name as a person typed it. The percent sign comes last, so that nothing is decoded twice."""
    for code, character in _DECODE:
        name = name.replace(code, character)
    return name
