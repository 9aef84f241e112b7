"""All entries of the guide by id, and where they are to be read."""

from __future__ import annotations

import os

from hcx_waves.guide.errors import ERRORS
from hcx_waves.guide.findings import FINDINGS
from hcx_waves.guide.gates import GATES
from hcx_waves.guide.model import Entry, Family
from hcx_waves.guide.outcomes import OUTCOMES
from hcx_waves.guide.stalls import STALLS
from hcx_waves.guide.tools import DOCTOR, PROBE

BASE_VARIABLE = "HCX_WAVES_GUIDE_URL"
DEFAULT_BASE = "docs/guide"
FAMILIES: tuple[Family, ...] = (STALLS, GATES, OUTCOMES, ERRORS, FINDINGS, DOCTOR, PROBE)
_FAMILY_OF = {entry_id: family for family in FAMILIES for entry_id in family.entries}


def entry(entry_id: str) -> Entry:
    """Return the entry of an id.

    :raises KeyError: if there is none.
    """
    return _FAMILY_OF[entry_id].entries[entry_id]


def has_entry(entry_id: str) -> bool:
    """Whether the guide explains an id."""
    return entry_id in _FAMILY_OF


def base_url() -> str:
    """Return where the guide is: the address that the environment names, else its folder in the project."""
    return (os.environ.get(BASE_VARIABLE) or DEFAULT_BASE).rstrip("/")


def url_of(entry_id: str) -> str:
    """Return where an id is explained; of one without an entry, the guide's first page."""
    family = _FAMILY_OF.get(entry_id)
    return f"{base_url()}/README.md" if family is None else f"{base_url()}/{family.name}.md#{anchor(entry_id)}"


def anchor(entry_id: str) -> str:
    """Return the anchor of an entry's heading, as GitHub and most renderers make it."""
    return entry_id.lower().replace(" ", "-")
