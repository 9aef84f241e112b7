"""Read and write the model's parameters as files, and as settings of a twin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.model.bounded_json import UnreadableJsonError, read_bounded
from hcx_waves.model.digest import digest_of
from hcx_waves.model.formatting import size
from hcx_waves.wavefile.yaml_tree import refusal_in

_LARGEST_FILE = 1024 * 1024


class ParametersError(ValueError):
    """A parameters file that cannot be used; one problem a line."""


def load_parameters(path: Path | None = None) -> ModelParameters:
    """Read parameters from a YAML or JSON file; what it leaves out has its default.

    :param path: None for the defaults alone.
    :raises ParametersError: if the file cannot be read, is no such document, or names what does not exist.
    """
    if path is None:
        return ModelParameters()
    try:
        text = read_bounded(path, _LARGEST_FILE).decode("utf-8")
        refused = refusal_in(text)
        if refused is not None:
            raise ParametersError(f"{path}: {refused}")
        document = yaml.safe_load(text)
    except UnreadableJsonError:
        raise ParametersError(f"{path}: larger than {size(_LARGEST_FILE)}") from None
    except OSError as error:
        raise ParametersError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from error
    except UnicodeDecodeError as error:
        raise ParametersError(f"{path}: is not a text in UTF-8") from error
    except yaml.YAMLError as error:
        raise ParametersError(f"{path}: is neither YAML nor JSON: {_words(error)}") from error
    try:
        return ModelParameters.model_validate({} if document is None else document)
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, one['loc'])) or 'document'}: {_message(one)}" for one in error.errors()]
        raise ParametersError("\n".join(lines)) from error


def _words(error: yaml.YAMLError) -> str:
    """Say in one line where a text breaks."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem} at line {mark.line + 1}, column {mark.column + 1}"
    return str(error).replace("\n", " ")


def _message(detail: Any) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return "is not a parameter"
    return "must be a mapping of names to values" if kind in ("model_type", "dict_type") else str(detail["msg"])


def dump_parameters(parameters: ModelParameters, *, all_values: bool = False) -> str:
    """Return parameters as YAML that :func:`load_parameters` reads.

    :param all_values: whether values that equal their default are written as well.
    """
    document = parameters.model_dump(mode="json") if all_values else _differing(parameters)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def parameters_digest(parameters: ModelParameters) -> str | None:
    """Return a SHA-256 (hex) of parameters; None for the defaults."""
    document = _differing(parameters)
    document.pop("source", None)
    return digest_of(document) if document else None


def _differing(parameters: ModelParameters) -> dict[str, Any]:
    """Return what is not as by default, each value whole."""
    found: dict[str, Any] = {}
    written, usual = parameters.model_dump(mode="json"), ModelParameters().model_dump(mode="json")
    for part, values in written.items():
        if isinstance(values, dict):
            values = {name: value for name, value in values.items() if value != usual[part][name]}
        if values and values != usual[part]:
            found[part] = values
    return found


def simulator_settings(parameters: ModelParameters) -> dict[str, Any]:
    """Return the partial ``settings`` of a simulated world that behaves as the parameters say.

    By value: names and kinds are those of hcx-sim's ``WorldSettings``. Bandwidth between the sites, change rates
    and failures are :func:`simulator_assumptions`; what people and Airflow take is not the simulator's.
    """
    hcx = {
        "migration_bits_per_second": parameters.transfer.migration_bits_per_second,
        "appliance_bits_per_second": parameters.transfer.appliance_bits_per_second,
        "rpo_seconds": parameters.transfer.rpo_seconds,
        "max_concurrent_per_manager": parameters.limits.replications_per_manager,
        "max_concurrent_per_mesh": parameters.limits.replications_per_mesh,
        "max_switchover_seconds": parameters.limits.max_switchover_seconds,
        "missed_window": parameters.migration.missed_window,
        "cancel_seconds": parameters.migration.rollback_seconds,
    }
    durations = {
        "queue_seconds": parameters.migration.queue,
        "rav_switchover": parameters.migration.rav_switchover,
        "vmotion_overhead": parameters.migration.vmotion_overhead,
        "bulk_switchover": parameters.migration.bulk_switchover,
        "stun": parameters.migration.stun,
        "extend_seconds": parameters.network.extend,
        "unextend_seconds": parameters.network.unextend,
    }
    spelled = {name: json.loads(duration.model_dump_json()) for name, duration in durations.items()}
    return {"hcx": {**hcx, **spelled}, "nsx": {"realisation_seconds": parameters.network.realisation_seconds}}


def simulator_assumptions(parameters: ModelParameters) -> dict[str, Any]:
    """Return the ``assumptions`` of a simulated world: what a snapshot does not know, how nights vary, what fails."""
    transfer, failures = parameters.transfer, parameters.failures
    return {
        "link_bits_per_second": transfer.link_bits_per_second,
        "mesh_link_bits_per_second": dict(transfer.mesh_link_bits_per_second),
        "bandwidth_sigma": transfer.bandwidth_sigma,
        "change_bytes_per_second": transfer.change_bytes_per_second,
        "change_sigma": transfer.change_sigma,
        "base_sync_failure": failures.base_sync,
        "switchover_failure": failures.switchover,
        "unextend_failure": failures.unextend,
    }
