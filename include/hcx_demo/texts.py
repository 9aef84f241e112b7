"""Texts that several views print: durations, addresses, logins."""

from __future__ import annotations

from collections.abc import Mapping

_MINUTE, _HOUR = 60, 3600


def duration(seconds: float) -> str:
    """Return a duration for people: ``8.4 s``, ``12 min 05 s``, ``2 h 03 min``."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"


def virtual(seconds: float) -> str:
    """Return a duration of the simulated sites, marked as virtual time."""
    return f"{duration(seconds)} (virtual)"


def logins(ui_url: str, passwords: Mapping[str, str], file: str) -> str:
    """Return the address of Airflow's UI and its users with their passwords."""
    users = "\n".join(f"    {name:<14} {password}" for name, password in passwords.items())
    return f"Airflow UI: {ui_url}\n{users}\n    (kept in {file}, which only you can read)"
