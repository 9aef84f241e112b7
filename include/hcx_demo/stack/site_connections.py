"""Write the Airflow connections of wave files to simulated sites: ``python -m hcx_demo.stack.site_connections``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hcx_demo.errors import DemoError
from hcx_demo.stack.connections import wave_connections
from hcx_waves.wavefile.sets import load_waves


def site_connections(waves: Path, endpoints: Path) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """Return the connections of all wave files of a folder by id, with secrets, and what was left out and why.

    :param waves: the folder.
    :param endpoints: the endpoints document that ``hcx-sim serve`` has written.
    """
    document = json.loads(endpoints.read_text())
    # Other machines use the connections without the file.
    named = document.pop("ca_file", None)
    trust = {"ca_pem": (endpoints.parent / named).read_text(encoding="ascii")} if named else {}
    found: dict[str, Mapping[str, Any]] = {}
    found_files = load_waves(sorted(waves.glob("*.yaml")))
    left_out = [str(problem) for problem in found_files.problems]
    for file in found_files.files:
        try:
            made = wave_connections(file.wave.connections, document)
        except DemoError as error:
            left_out.append(f"{file.wave.name}: {error}")
            continue
        found.update({conn_id: {**one, "extra": {**one["extra"], **trust}} for conn_id, one in made.items()})
    return found, left_out


def main() -> int:
    """Write the connections that airflow connections import reads; arguments: waves, endpoints, file to write."""
    waves, endpoints, out = map(Path, sys.argv[1:4])
    made, left_out = site_connections(waves, endpoints)
    for one in left_out:
        sys.stderr.write(f"left out: {one}\n")
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(made, file)
    sys.stdout.write(f"connections to the simulated sites: {', '.join(sorted(made))}\n")
    return 0 if made else 1


if __name__ == "__main__":
    sys.exit(main())
