"""A user's command for a physical router: ``router_command.py act|check|undo FILE``.

FILE is JSON: the simulator's control address, its token, the CA file, world and network. ``check`` ends with 0 if
the gateway is off and with 1 if it is on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import requests


def main(action: str, file: str) -> int:
    """Act as told."""
    facts = json.loads(Path(file).read_text())
    with requests.Session() as http:
        http.trust_env = False
        http.verify = facts["ca_file"]
        http.headers["Authorization"] = f"Bearer {facts['token']}"
        base = f"{facts['url']}/worlds/{facts['world']}/gateways"
        if action == "check":
            listed = http.get(base, timeout=300).json()["gateways"]
            [gateway] = [one for one in listed if one["network"] == facts["network"] and one["site"] == "source"]
            sys.stdout.write(f"connected: {gateway['connected']}\n")
            return 1 if gateway["connected"] else 0
        body = {"connected": action == "undo", "site": "source"}
        answer = http.post(f"{base}/{facts['network']}", json=body, timeout=300)
        sys.stdout.write(f"done by {facts['token']}\n")
        return 0 if answer.ok else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
