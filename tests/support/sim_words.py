"""What of an answer is compared with a sample by value: things of the world, and words that are the vendor's own.

A sample's other values are invented and only their types are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from support import contract
from support.contract import Sample

_FLAG = re.compile(r"is[A-Z]\w*|didFail")
# Words that a source has; words that a sample's notes call ours or invented are not here.
WORDS: dict[str, frozenset[str]] = {
    "hcx": frozenset({
        "MIGRATION_COMPLETE", "MIGRATION_FAILED", "TRANSFER_FAILED", "MIGRATION_CANCELLED",
        "MIGRATING", "MIGRATED", "MIGRATE_FAILED", "MIGRATE_CANCELED", "COMPLETED",
        "COMMITTED", "UPDATE_FAILED", "QUEUED", "RUNNING", "SUCCESS", "FAILED",
        "HCX-WAN-IX", "HCX-NET-EXT", "NsxtSegment", "VirtualMachine", "RAV", "vSphereReplication", "VC",
        "Mobility group with same name exist.", "Login failure", "HCX API", "1.0",
    }),
    "nsx": frozenset({
        "ROUTED", "DISCONNECTED", "EXTENDED", "ROUTED_AND_EXTENDED", "ON", "OFF", "Segment", "SegmentPort",
        "GatewayPolicy", "Rule", "ALLOW", "UP", "success", "pending", "in_progress", "failed",
        "REALIZED", "UNREALIZED", "ERROR", "SUCCESS", "IN_PROGRESS", "ATTACHED", "REGULAR", "VM_RUNNING", "VM_TOOLS",
        "BAD_REQUEST", "NOT_FOUND", "FORBIDDEN",
        "The credentials were incorrect or the account specified has been locked.",
    }),
    "vmc": frozenset({"READY", "AWS"}),
    "csp": frozenset({"bearer"}),
    "vcenter": frozenset({
        "poweredOn", "poweredOff", "connected", "guestToolsRunning", "notConfigured", "success", "nsx", "standard",
        "nsx.LogicalSwitch", "vim.fault.ConcurrentAccess", "vim.fault.NotAuthenticated", "vim.fault.NoPermission",
        "vmodl.query.InvalidProperty", "vmodl.fault.ManagedObjectNotFound", "config.noSuchThing", "info.state",
    }),
}  # fmt: skip
# Codes that clients act on (nsx-vsphere 2.6); the others in the samples are ours.
CODES = frozenset({503040, 500030, 500045, 500105, 60515, 255, 403, 98, 202, 607})
# Placeholders of which a world has many, or whose value is a matter of taste.
LOOSE_PLACEHOLDERS = frozenset({"username", "window_start_ms", "window_end_ms"})


@dataclass(frozen=True)
class Comparison:
    """One sample's template against answers.

    :param known: values of placeholders; the others are not compared.
    :param loose: dotted paths that are not compared; elements of lists are written ``name[]``.

    One element of a list has to agree with the sample's first one; a required list that is empty in the sample has to
    be empty, but for warnings, which refuse nothing. What is absent is not compared: whether it may be absent is a
    matter of the sample's required fields.
    """

    sample: Sample
    known: Mapping[str, str | int]
    loose: frozenset[str] = frozenset()

    def differences(self, actual: Any) -> list[str]:
        """Where an answer says something else than the sample, one line each."""
        return list(self._walk(self.sample.response.body, actual, ""))

    def _walk(self, expected: Any, actual: Any, at: str) -> Iterator[str]:
        if at in self.loose or actual is None:
            return
        if isinstance(expected, Mapping) and isinstance(actual, Mapping):
            for key, item in expected.items():
                if key in actual:
                    yield from self._walk(item, actual[key], f"{at}.{key}" if at else key)
        elif isinstance(expected, list) and isinstance(actual, list):
            yield from self._list(expected, actual, at)
        else:
            wanted = self._wanted(expected, at.rpartition(".")[2].removesuffix("[]"))
            if wanted is not None and actual != wanted:
                yield f"{at}: {actual!r} instead of {wanted!r}"

    def _list(self, expected: list[Any], actual: list[Any], at: str) -> Iterator[str]:
        if expected and actual:
            yield from min((list(self._walk(expected[0], item, f"{at}[]")) for item in actual), key=len)
        elif actual and at in self.sample.required_fields and not at.endswith("warnings"):
            yield f"{at}: {len(actual)} elements where none is expected"

    def _wanted(self, expected: Any, name: str) -> Any:
        """The value that a leaf has to have, None when any of its type will do."""
        if isinstance(expected, str):
            names = contract.placeholders_in(expected)
            if names and not expected.startswith(("{", "/")):
                return None  # prose in which the world is only mentioned
            if names:
                known = names <= self.known.keys() and not names & LOOSE_PLACEHOLDERS
                return contract.fill(expected, self.known) if known else None
            return expected if expected in WORDS[self.sample.system] else None
        if isinstance(expected, int) and (_FLAG.fullmatch(name) or (name == "error_code" and expected in CODES)):
            return expected
        return None
