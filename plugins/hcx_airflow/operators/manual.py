"""The gate for a source gateway that a person switches off by hand."""

from __future__ import annotations

from typing import Any

from hcx_airflow.operators.gates import WaveGate
from hcx_airflow.runs.gates import CONFIRM_DISCONNECTED


class ConfirmDisconnectedGate(WaveGate):
    """Show the instructions, and wait until somebody says that it is done; the step after it checks.

    :param segment: the segment's name.
    """

    def __init__(self, *, segment: str, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "gate": CONFIRM_DISCONNECTED, "segment": segment})
