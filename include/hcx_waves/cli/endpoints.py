"""Open the clients of an endpoints document; the one place where its secrets are in plain text."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from hcx_waves.clients.bundle import ClientOptions, SiteClients, open_sites
from hcx_waves.doctor.document import Endpoints


def open_document(document: Endpoints, options: ClientOptions) -> AbstractContextManager[SiteClients]:
    """Return the clients of a document; those of the source's NSX only if it has one.

    :raises EndpointsError: if a product that is needed is missing.
    """
    has_nsx = document.source.nsx is not None or bool(document.vmc and document.vmc.source_sddc_id)
    return open_sites(_revealed(document), options=options, source_has_nsx=has_nsx)


def _revealed(document: Endpoints) -> dict[str, Any]:
    """Return the document with its secrets in plain text, which the clients need; nothing else may use it."""

    def login(site: str, product: str) -> dict[str, str] | None:
        found = getattr(getattr(document, site), product)
        if found is None:
            return None
        return {"url": found.url, "username": found.username, "password": found.password.get_secret_value()}

    body: dict[str, Any] = {
        site: {product: login(site, product) for product in ("hcx", "vcenter", "nsx")}
        for site in ("source", "destination")
    }
    body["ca_file"] = None if document.ca_file is None else str(document.ca_file)
    if document.vmc is not None:
        cloud = document.vmc
        body["vmc"] = {**cloud.model_dump(), "refresh_token": cloud.refresh_token.get_secret_value()}
    return body
