"""Data objects for properties that are read of thousands of VMs, made without pyVmomi's checks.

The constructor of a pyVmomi data object looks at every member it has and checks every one that is given, under a
lock; a VM's devices are some thirty such objects. The members given here are right by construction.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _template(kind: Any) -> dict[str, Any]:
    return dict(vars(kind()))


def build(kind: Any, **members: Any) -> Any:
    """Return an instance of a data object type; the caller answers for names and types of ``members``.

    Members that are not given are as the constructor leaves them.
    """
    made = kind.__new__(kind)
    vars(made).update(_template(kind))
    vars(made).update(members)
    return made
