"""The endpoints document: where the products are and how to log in.

Its shape is an interface: ``{"ca_file", "speed", "control", "source": {"hcx", "vcenter", "nsx"}, "destination":
{same}, "vmc": {...}}``. ``hcx-sim serve`` writes one; for a real site pair one is written by hand, without
``control`` and with what there is of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from hcx_waves.model.bounded_json import UnreadableJsonError, read_json_file

MOST_BYTES = 1024 * 1024
"""The largest document that is read, and the largest file of authorities that it may name."""


class DocumentError(Exception):
    """The endpoints document cannot be used; the message says why, without any of its values."""


class _Part(BaseModel):
    # Members that a later simulator adds must not break an older doctor.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Login(_Part):
    """Address and account of one product."""

    url: str
    username: str
    password: SecretStr

    def revealed(self) -> dict[str, str]:
        """Return address, account and password in plain text."""
        return {"url": self.url, "username": self.username, "password": self.password.get_secret_value()}


class SiteLogins(_Part):
    """The products of one site, as far as there are any."""

    hcx: Login | None = None
    vcenter: Login | None = None
    nsx: Login | None = None

    def revealed(self) -> dict[str, Any]:
        """Return the log-ins in plain text by product, None for products that are not named."""
        logins = {"hcx": self.hcx, "vcenter": self.vcenter, "nsx": self.nsx}
        return {product: None if login is None else login.revealed() for product, login in logins.items()}


class Vmc(_Part):
    """VMware Cloud on AWS."""

    url: str
    csp_url: str
    refresh_token: SecretStr
    org_id: str | None = None
    source_sddc_id: str | None = None
    destination_sddc_id: str | None = None


class Endpoints(_Part):
    """The whole document. ``speed`` is the simulator's, None for the real thing."""

    ca_file: Path | None = None
    speed: float | None = None
    source: SiteLogins = SiteLogins()
    destination: SiteLogins = SiteLogins()
    vmc: Vmc | None = None

    def secrets(self) -> tuple[str, ...]:
        """Return every secret in it, so that output can be searched for them."""
        logins = [login for site in (self.source, self.destination) for login in (site.hcx, site.vcenter, site.nsx)]
        found = [login.password.get_secret_value() for login in logins if login is not None]
        if self.vmc is not None:
            found.append(self.vmc.refresh_token.get_secret_value())
        return tuple(secret for secret in found if secret)

    @property
    def source_has_nsx(self) -> bool:
        """Whether the document names an NSX for the source, by itself or through VMware Cloud."""
        return self.source.nsx is not None or bool(self.vmc and self.vmc.source_sddc_id)

    def revealed(self) -> dict[str, Any]:
        """Return the document with its secrets in plain text, which the clients need; nothing else may use it."""
        body: dict[str, Any] = {
            "source": self.source.revealed(),
            "destination": self.destination.revealed(),
            "ca_file": None if self.ca_file is None else str(self.ca_file),
        }
        if self.vmc is not None:
            body["vmc"] = {**self.vmc.model_dump(), "refresh_token": self.vmc.refresh_token.get_secret_value()}
        return body


@dataclass(frozen=True)
class _Problem:
    """One thing wrong with the document."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


def load_endpoints(path: Path) -> Endpoints:
    """Read and check an endpoints document. A relative ``ca_file`` is looked for beside the document.

    :raises DocumentError: naming every problem at once.
    """
    try:
        body = read_json_file(path, MOST_BYTES)
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from error
    except UnreadableJsonError as error:
        raise DocumentError(f"{path} is not valid JSON: {error}") from error
    try:
        endpoints = Endpoints.model_validate(body)
    except ValidationError as error:
        problems = [_Problem(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors(include_input=False)]
        # The chain would show the values.
        raise DocumentError(f"{path}: " + "; ".join(map(str, problems))) from None
    if endpoints.ca_file is not None and not endpoints.ca_file.is_absolute():
        endpoints = endpoints.model_copy(update={"ca_file": path.parent / endpoints.ca_file})
    return endpoints
