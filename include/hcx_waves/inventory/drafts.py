"""VMs while they are collected from rows: matched by identity, filled by column, made into models at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from hcx_waves.inventory.model import EstateDisk, EstateNic, EstateVm
from hcx_waves.inventory.problems import FilePlace, ImportProblem, InventoryRemark, remark
from hcx_waves.inventory.secret_words import names_a_secret
from hcx_waves.model.base import problems_in
from hcx_waves.model.spelling import KnownNames, one_spelling
from hcx_waves.redaction.secrets import without_tokens


@dataclass
class VmDraft:
    """A VM of which not everything has been read yet."""

    key: str
    name: str
    place: FilePlace
    fields: dict[str, Any] = field(default_factory=dict)
    nics: list[EstateNic] = field(default_factory=list)
    disks: list[EstateDisk] = field(default_factory=list)

    def fill(self, **values: Any) -> None:
        """Add what is known; what is known already stays."""
        for name, value in values.items():
            if value not in (None, "") and self.fields.get(name) in (None, ""):
                self.fields[name] = value


@dataclass
class Collected:
    """What has been read so far: VMs, problems and remarks."""

    drafts: dict[str, VmDraft] = field(default_factory=dict)
    problems: list[ImportProblem] = field(default_factory=list)
    remarks: list[InventoryRemark] = field(default_factory=list)

    def add(self, draft: VmDraft) -> bool:
        """Add a VM; one of the same identity is a problem. Return whether it was added."""
        other = self.drafts.get(draft.key)
        if other is None:
            self.drafts[draft.key] = draft
            return True
        self.problems.append(
            ImportProblem(draft.place, f'is the same VM as in {other.place} ("{draft.key}"): delete one of the rows')
        )
        return False

    def refuse(self, place: FilePlace, message: str) -> None:
        """Note a problem."""
        self.problems.append(ImportProblem(place, message))

    def note(self, kind: str, place: FilePlace, message: str) -> None:
        """Note a remark."""
        self.remarks.append(remark(kind, place, message))

    def keeps_secret(self, place: FilePlace, text: str) -> bool:
        """Whether a text holds what looks like a secret; noted by its place, and never kept."""
        if not text or not (names_a_secret(text) or without_tokens(text) != text):
            return False
        self.note("secret", place, "holds what looks like a password or key; it is not stored. Change it and delete it")
        return True

    def models(self) -> list[EstateVm]:
        """Return the VMs, by key; what no VM can be called or have is a problem."""
        found = []
        for draft in sorted(self.drafts.values(), key=lambda one: one.key):
            try:
                found.append(
                    EstateVm(
                        key=draft.key,
                        name=draft.name,
                        nics=tuple(draft.nics),
                        disks=tuple(draft.disks),
                        **draft.fields,
                    )
                )
            except ValidationError as error:
                self.refuse(draft.place, problems_in(error, 3))
        return found


class Matcher:
    """Finds the VM that a row of another sheet or list means, or says why none or several fit."""

    def __init__(self, drafts: Iterable[VmDraft]) -> None:
        self._by: dict[tuple[str, str], list[VmDraft]] = defaultdict(list)
        for draft in drafts:
            uuid = draft.fields.get("instance_uuid")
            ids = {("name", one_spelling(draft.name).casefold()), ("key", draft.key)}
            ids |= {("moref", str(draft.fields["moref"]))} if draft.fields.get("moref") else set()
            ids |= {("uuid", str(uuid).lower())} if uuid else set()
            ids |= {("mac", nic.mac) for nic in draft.nics if nic.mac}
            for one in ids:
                self._by[one].append(draft)
        self._names = KnownNames({draft.name for found in self._by.values() for draft in found})

    def find(
        self, *, name: str = "", key: str = "", moref: str = "", uuid: str = "", macs: Iterable[str] = ()
    ) -> list[VmDraft]:
        """Return the VMs that fit: by the first of these that any VM has."""
        asked = [("key", key), ("uuid", uuid.lower()), ("moref", moref)]
        asked += [("mac", mac) for mac in macs]
        asked += [("name", one_spelling(name).casefold())]
        for one in asked:
            found = self._by.get(one, []) if one[1] else []
            if len(found) > 1 and name:
                exact = [draft for draft in found if one_spelling(draft.name) == one_spelling(name)]
                found = exact if len(exact) == 1 and one[0] != "name" else found
            if found:
                return found
        return []

    def hint(self, name: str) -> str:
        """Return what a name that is not known may have meant."""
        return self._names.hint(name, "VMs")
