"""Reading scenario documents: shipped by name, from a YAML or JSON file, or given as a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hcx_sim.scenario.schema import Scenario

_SIZE_LIMIT_BYTES = 64 * 1024 * 1024


class ScenarioError(ValueError):
    """A scenario cannot be used; the message lists every problem, one a line."""


def shipped_scenarios() -> list[str]:
    """Return the names of the scenarios that come with the simulator."""
    folder = files("hcx_sim.scenario") / "scenarios"
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def load_scenario(source: str | Path | Mapping[str, Any]) -> Scenario:
    """Return the scenario of that name, in that file, or of that dictionary.

    Raises :class:`ScenarioError` with every problem when it is unknown, unreadable or invalid.
    """
    if isinstance(source, Mapping):
        return _validate(dict(source), "document")
    shipped = files("hcx_sim.scenario") / "scenarios" / f"{source}.yaml"
    if str(source).replace("-", "").isalnum() and shipped.is_file():
        return _validate(_parse(shipped.read_text(encoding="utf-8"), str(source)), str(source))
    path = Path(source)
    if not path.is_file():
        names = ", ".join(shipped_scenarios())
        raise ScenarioError(f"{source}: no such file, and no shipped scenario of that name (there are: {names})")
    if path.stat().st_size > _SIZE_LIMIT_BYTES:
        raise ScenarioError(f"{path}: larger than {_SIZE_LIMIT_BYTES // 2**20} MiB")
    return _validate(_parse(path.read_text(encoding="utf-8"), str(path)), str(path))


def _parse(text: str, origin: str) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 - both choices are safe loaders
    except yaml.YAMLError as error:
        raise ScenarioError(f"{origin}: {error}") from error
    except RecursionError:
        raise ScenarioError(f"{origin}: is nested too deep") from None


def _validate(document: Any, origin: str) -> Scenario:
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        lines = [f"{origin}: {'.'.join(map(str, e['loc'])) or 'scenario'}: {e['msg']}" for e in error.errors()]
        raise ScenarioError("\n".join(lines)) from error
