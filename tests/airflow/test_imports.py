"""Parsing a DAG stays cheap: no client and no procedure is imported for it."""

from __future__ import annotations

import subprocess
import sys

PARSE = """
import importlib, pkgutil, sys
import hcx_airflow
for name in ("operators", "sensors", "triggers", "gates", "hooks", "ui"):
    package = importlib.import_module(f"hcx_airflow.{name}")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"hcx_airflow.{name}.{module.name}")
heavy = ("pyVmomi", "hcx_waves.clients.hcx", "hcx_waves.clients.vsphere", "hcx_waves.cutover", "hcx_waves.migration")
print(sorted(name for name in heavy if name in sys.modules))
"""


def test_importing_every_step_imports_no_client() -> None:
    command = [sys.executable, "-c", PARSE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    assert done.stdout.splitlines()[-1] == "[]"
