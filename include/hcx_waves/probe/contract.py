"""The contract of the products' answers, as it is made of the contract samples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from hcx_waves.redaction import Vocabulary

_PLACEHOLDER = re.compile(r"\{[a-z0-9_]+\}")
_LOGIN_SERVICE = "csp"


class CallFacts(BaseModel):
    """What is known of one call and of its answer.

    :ivar effect: ``read``, ``change`` or ``login``.
    :ivar section: of the vendor pages, such as ``hcx 4.5``; empty if they do not describe it.
    :ivar required: dotted paths that each answer has; ``[]`` is every element of a list.
    :ivar types: the JSON types that a path may have.
    :ivar words: the words that a path may have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str
    call: str
    method: str
    path: str
    query: dict[str, str] = {}
    effect: Literal["read", "change", "login"] = "read"
    section: str = ""
    confidence: str = ""
    sources: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    status: tuple[int, ...] = (200,)
    headers: tuple[str, ...] = ()
    content_type: str | None = None
    required: tuple[str, ...] = ()
    types: dict[str, tuple[str, ...]] = {}
    words: dict[str, tuple[str, ...]] = {}

    @property
    def key(self) -> str:
        """System and call, by which the contract samples name it."""
        return f"{self.system}.{self.call}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as a pattern; each placeholder is one step."""
        parts = (re.escape(part) for part in _PLACEHOLDER.split(self.path.rstrip("/")))
        return re.compile("[^/]+".join(parts))


@dataclass(frozen=True)
class Contract:
    """All calls by their keys, and what is the vendors' own."""

    calls: Mapping[str, CallFacts]
    vocabulary: Vocabulary

    def of_request(self, system: str, method: str, path: str, query: Mapping[str, Any]) -> CallFacts | None:
        """Return the call that a request is, None if the contract knows none.

        :param system: ``vmc`` stands for VMware's log-in service as well.
        """
        found = [
            one
            for one in self.calls.values()
            if one.method == method
            and (one.system == system or (system == "vmc" and one.system == _LOGIN_SERVICE))
            and one.query.items() <= query.items()
            and one.pattern.fullmatch(path.rstrip("/"))
        ]
        # The path with fewer placeholders says more: /segments/state is no segment.
        return min(found, key=lambda one: (one.path.count("{"), -len(one.query)), default=None)


@cache
def load_contract() -> Contract:
    """Read the contract that is shipped with the package."""
    content = resources.files(__package__).joinpath("contract.json").read_bytes()
    document = _Document.model_validate_json(content)
    vocabulary = Vocabulary(
        words=frozenset(document.words),
        members=frozenset(document.members),
        path_steps=frozenset(document.path_steps),
    )
    return Contract({one.key: one for one in document.calls}, vocabulary)


class _Document(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: tuple[CallFacts, ...]
    words: tuple[str, ...]
    members: tuple[str, ...]
    path_steps: tuple[str, ...]
