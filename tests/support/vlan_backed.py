"""A source segment that is VLAN-backed: NSX shows it and its ports, and a physical router has its gateway."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hcx_waves.wavefile.segments import Hook
from support import router_command
from support.site_pair import SitePair
from support.waves import SEED_SEGMENT, scenario

PATH = "/infra/segments/seed-net"
VLAN_BACKED = scenario(
    sites={"source": {"nsx": "onprem"}, "destination": {"nsx": "vmc"}},
    networks=[
        {
            "name": "seed-net",
            "subnet": "192.168.1.0/24",
            "kind": "flexible",
            "stretched": True,
            "segment_body": {"vlan_ids": ["120"]},
        }
    ],
)
CONNECTIONS = {
    "source": {"hcx": "hcx_source", "nsx": "nsx_source", "vcenter": "vcenter_source"},
    "destination": {"vmc": "vmc_destination", "vcenter": "vcenter_destination"},
}


def commands(pair: SitePair, folder: Path) -> dict[str, Any]:
    """Return the commands of a hook that switch the physical router."""
    file = folder / "router.json"
    facts = {**pair.endpoints["control"], "ca_file": pair.ca_file, "world": pair.world_id, "network": "seed-net"}
    file.write_text(json.dumps(facts))
    program = (sys.executable, str(Path(router_command.__file__)))
    return {name: [*program, name, str(file)] for name in ("act", "check", "undo")}


def hook(pair: SitePair, folder: Path) -> Hook:
    """Return a hook that switches the physical router."""
    return Hook.model_validate({**commands(pair, folder), "timeout": "60s"})


def segment(pair: SitePair, folder: Path) -> dict[str, Any]:
    """Return the segment of a wave file, with a hook."""
    return {**SEED_SEGMENT, "disconnect": "hook", "hook": {**commands(pair, folder), "timeout": "60s"}}
