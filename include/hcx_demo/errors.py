"""Errors of the demo."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on. The message says why and what to do, and holds no secret."""


class PortLostError(DemoError):
    """Another program took the chosen port before Airflow did."""
