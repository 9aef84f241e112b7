"""Random valid wave files, as documents, for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""For properties: a busy machine is no counter-example."""

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Co", "Cn")),
    min_size=1,
    max_size=12,
)
"""Names of all sorts, such as ``007``, ``1e3``, ``true`` and ``~``; templates and patterns are not names."""
AWKWARD = st.sampled_from(
    ["007", "1e3", "true", "~", "null", "22:00", "no", "0x1F", "1_000", "a: b", "# a", "-", "[a]", "é", "東京"]
)
PLAIN_NAMES = st.one_of(NAMES, AWKWARD).filter(
    lambda name: not any(mark in name for mark in ("{{", "{%", "{#", "*", "?"))
)
WAVE_NAMES = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8})?", fullmatch=True)
LENGTHS = st.builds(
    "{}{}".format, st.integers(1, 900).map(lambda number: f"{number}m"), st.sampled_from(["", "30s", "1s"])
)
OPTIONS = st.dictionaries(
    st.sampled_from(["remove_snapshots", "remove_isos", "retain_mac", "upgrade_hardware", "retain_tags"]), st.booleans()
)
PLACES = st.fixed_dictionaries(
    {},
    optional={
        "migration": st.sampled_from(["RAV", "Bulk", "vMotion", "Cold"]),
        "folder": PLAIN_NAMES,
        "service_mesh": PLAIN_NAMES,
        "disk_format": st.sampled_from(["thin", "sameAsSource"]),
        "options": OPTIONS,
    },
)


def _unlike(names: st.SearchStrategy[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(names, min_size=1, max_size=most, unique_by=lambda name: name.casefold())


@st.composite
def vms(draw: st.DrawFn) -> list[Any]:
    """VMs by name alone or with settings."""
    return [name if draw(st.booleans()) else {"name": name, **draw(PLACES)} for name in draw(_unlike(PLAIN_NAMES, 6))]


@st.composite
def segments(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Segments of each policy, with names whose task ids differ."""
    found = []
    for number, name in enumerate(draw(_unlike(WAVE_NAMES, 4))):
        policy = draw(st.sampled_from(["now", "later", "never"]))
        segment: dict[str, Any] = {"name": f"{name}-{number}", "cutover": policy}
        if policy == "now":
            segment["cutover_window"] = {"opens": "+10d", "lasts": draw(LENGTHS)}
            segment |= draw(st.fixed_dictionaries({}, optional={"delete_source": st.booleans()}))
        if policy == "later":
            segment["cut_by"] = "the-last-one"
        found.append(segment)
    return found


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Documents of valid wave files."""
    document: dict[str, Any] = {
        "name": draw(WAVE_NAMES),
        "description": draw(PLAIN_NAMES),
        "time_zone": draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"])),
        "connections": {
            "source": {"hcx": "hcx_a", "nsx": "nsx_a", "vcenter": "vc_a"},
            "destination": {"vmc": "vmc_b", "vcenter": "vc_b"},
        },
        "defaults": {"resource_pool": draw(PLAIN_NAMES), "datastore": draw(PLAIN_NAMES), **draw(PLACES)},
        "vms": draw(vms()),
        "segments": draw(segments()),
    }
    names = [vm if isinstance(vm, str) else vm["name"] for vm in document["vms"]]
    optional = {
        "start_tolerance": LENGTHS,
        "switchover_window": LENGTHS.map(lambda length: {"opens": "+1h", "lasts": length}),
        "switchover_order": st.permutations(names),
        "cleanup": st.fixed_dictionaries({"hold": LENGTHS, "delete_source": st.booleans()}),
        "gates": _unlike(PLAIN_NAMES, 3).map(lambda users: {"approve_wave": {"approvers": users}}),
        "limits": st.integers(0, 99).map(lambda number: {"max_failed_vms": number}),
        "options": st.booleans().map(lambda stop: {"stop_before_cutover": stop}),
    }
    return document | draw(st.fixed_dictionaries({}, optional=optional))
