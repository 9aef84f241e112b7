"""The two untyped shapes of this layer: JSON that is stored or sent, and arguments of Airflow's own classes."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

Document = dict[str, JsonValue]
"""A JSON object, before it is read into a model or after it was written from one."""
Arguments = dict[str, Any]
"""Keyword arguments of a class of Airflow, or of a client."""
