"""The fields of a connection's extra. Unknown fields are refused, so that a typo does not pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hcx_airflow.errors import ConnectionSettingsError
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport_retry import RetryPolicy
from hcx_waves.clients.transport_wire import TransportSettings
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json


class Extras(BaseModel):
    """What every connection may say in its extra."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ca_file: Path | None = None
    """PEM file of the authorities to trust instead of the system's."""
    ca_pem: str | None = None
    """The same as text."""
    pinned_pem: str | None = None
    """The endpoint's own certificate as PEM text."""
    verify: bool = True
    """False accepts any certificate; for laboratories only."""
    simulated: bool = False
    """Whether this leads to a simulated site, which live waves otherwise refuse."""
    connect_seconds: float | None = Field(default=None, gt=0)
    """To open a connection."""
    read_seconds: float | None = Field(default=None, gt=0)
    """Between two pieces of an answer."""
    total_seconds: float | None = Field(default=None, gt=0)
    """For a whole answer."""
    attempts: int | None = Field(default=None, ge=1, le=20)
    """Calls in all when a condition is transient."""

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, data: Any) -> Any:
        # Airflow's form stores a field that was left alone as null or as an empty text.
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None and value != ""}
        return data

    @model_validator(mode="after")
    def _check_trust(self) -> Self:
        self.tls()
        return self

    def tls(self) -> TlsSettings:
        """Return what to trust."""
        return TlsSettings(verify=self.verify, ca_file=self.ca_file, ca_pem=self.ca_pem, pinned_pem=self.pinned_pem)

    def settings(self) -> TransportSettings:
        """Return the bounds of calls; what is not set is as the client has it."""
        names = ("connect_seconds", "read_seconds", "total_seconds")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        retry = RetryPolicy() if self.attempts is None else RetryPolicy(attempts=self.attempts)
        return TransportSettings(**given, retry=retry)


class HcxExtras(Extras):
    """Of an HCX manager."""

    version: str | None = None
    """The manager's version, to skip asking for it: ``4.11.3``."""
    cancel_path: str | None = None
    """Path of the graceful cancel, which no source documents."""


class NsxExtras(Extras):
    """Of an NSX manager."""

    enforcement_point: str = "default"
    """Its name in the policy tree."""
    tier1_id: str | None = None
    """Parent of fixed segments, where there are any."""
    session_login: bool = True
    """Log in once and keep the session; False sends user and password with each call."""


class VmcExtras(Extras):
    """Of VMware Cloud on AWS."""

    org_id: str | None = None
    """The organisation, if the token reaches several."""
    sddc_id: str | None = None
    """The SDDC whose NSX this leads to."""
    csp_url: str | None = None
    """Base of the log-in, if not VMware's own."""
    oauth_app: bool = False
    """Whether login and password are an OAuth app's id and secret; else the password is an API token."""


class VsphereExtras(Extras):
    """Of a vCenter."""


Read = TypeVar("Read", bound=Extras)


def read_extras(kind: type[Read], conn_id: str, text: str | None) -> Read:
    """Read a connection's extra.

    :param text: JSON, or nothing.
    :raises ConnectionSettingsError: naming the connection and every field that is wrong, without values.
    """
    try:
        data = read_json(text) if text else {}
    except UnreadableJsonError as error:
        raise ConnectionSettingsError(
            conn_id, f"its extra is not valid JSON: {error}. Correct it under Admin, Connections"
        ) from None
    if not isinstance(data, dict):
        raise ConnectionSettingsError(conn_id, "its extra is not a JSON object. Correct it under Admin, Connections")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(_problem(dict(detail), kind) for detail in error.errors(include_input=False))
        # The chain would show the values.
        raise ConnectionSettingsError(
            conn_id, f"its extra is not valid: {problems}. Correct it under Admin, Connections"
        ) from None


def _problem(detail: dict[str, Any], kind: type[Extras]) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"unknown field {place} (known fields: {', '.join(sorted(kind.model_fields))})"
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
