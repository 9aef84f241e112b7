"""Airflow connections of a wave, by id; addresses and credentials live in the connections alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import model_validator

from hcx_waves.model.base import BrokenRule, DomainModel, refuse
from hcx_waves.model.names import ConnectionId


class SiteConnections(DomainModel):
    """The managers of one site; NSX is reached either directly or through VMware Cloud."""

    hcx: ConnectionId | None = None
    """The HCX manager. Needed at the source, which all HCX calls go to."""
    nsx: ConnectionId | None = None
    """NSX Manager, for a site with NSX of its own."""
    vmc: ConnectionId | None = None
    """VMware Cloud on AWS, for an SDDC."""
    vcenter: ConnectionId
    """vCenter Server."""

    @property
    def network(self) -> ConnectionId | None:
        """The connection that leads to NSX, or None."""
        return self.nsx or self.vmc

    def used(self) -> dict[str, ConnectionId]:
        """Return the connections that are given, by product."""
        given = {"hcx": self.hcx, "nsx": self.nsx, "vmc": self.vmc, "vcenter": self.vcenter}
        return {product: connection for product, connection in given.items() if connection is not None}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.nsx is not None and self.vmc is not None:
            refuse([BrokenRule(("vmc",), "nsx is given as well: an SDDC's NSX is reached through vmc alone")])
        return self


class Connections(DomainModel):
    """The connections of both sites."""

    source: SiteConnections
    """The site that the VMs leave."""
    destination: SiteConnections
    """The site that they come to."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(list(self._broken()))
        return self

    def _broken(self) -> Iterator[BrokenRule]:
        if self.source.hcx is None:
            yield BrokenRule(("source",), "needs hcx: the manager that all HCX calls go to")
        if self.destination.network is None:
            yield BrokenRule(("destination",), "needs nsx or vmc: HCX extends networks to NSX segments")
        there = self.source.used()
        for product, connection in self.destination.used().items():
            twin = next((other for other, used in there.items() if used == connection), None)
            if twin is not None:
                yield BrokenRule(("destination", product), f'"{connection}" is the source\'s {twin} connection already')
