"""Jobs, interconnect tasks, service meshes, appliances and their health (hcx 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, Field

from hcx_waves.clients.hcx.values import HcxModel, Instant
from hcx_waves.clients.hcx.wire import HcxCalls
from hcx_waves.clients.json_values import as_mapping
from hcx_waves.clients.transport_wire import path_segment


class Job(HcxModel):
    """``/jobs/{id}`` [D+C hcx 6]. A failed job may say that it is done or not ([? hcx 9.7] on the real one).

    ``isDone`` and ``didFail`` have to be there: a job that does not say whether it has failed has not ended well.
    """

    job_id: str | None = None
    is_queued: bool | None = None
    is_done: bool
    did_fail: bool
    is_cancelled: bool | None = None
    is_rolled_back: bool | None = None
    percent_complete: float | None = None
    created_at: Instant = Field(default=None, validation_alias=AliasChoices("createTimeEpoch", "created_at"))
    started_at: Instant = Field(default=None, validation_alias=AliasChoices("startTime", "started_at"))
    ended_at: Instant = Field(default=None, validation_alias=AliasChoices("endTime", "ended_at"))
    error_message: str | None = Field(default=None, validation_alias=AliasChoices("errorMessage", "message"))
    state: str | None = None
    """HCX's own word, which only PowerCLI shows; its values are published nowhere [? hcx 6]."""
    job_data: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more will happen; a failure counts even without ``isDone``."""
        return self.is_done or self.did_fail or bool(self.is_cancelled)

    @property
    def is_success(self) -> bool:
        """Whether the job ended well."""
        return self.is_done and not (self.did_fail or self.is_cancelled or self.is_rolled_back)


class ServiceStatus(HcxModel):
    """One service of a mesh: ``up`` is the only healthy word seen [C hcx 9.6]."""

    service_name: str = ""
    status: str = ""
    reason: tuple[Any, ...] = ()

    @property
    def is_up(self) -> bool:
        """Whether the service says that it is up."""
        return self.status.lower() == "up"


class MeshStatus(HcxModel):
    """The health part of a mesh."""

    timestamp: Instant = None
    services: tuple[ServiceStatus, ...] = ()


class ServiceMesh(HcxModel):
    """A service mesh [D+C hcx 6].

    ``last_task`` is not updated when the task ends and can read RUNNING for weeks [C hcx 7]: poll the task.
    """

    service_mesh_id: str = Field(validation_alias=AliasChoices("serviceMeshId", "servicemeshId", "id"))
    name: str = ""
    state: str | None = None
    is_local_mesh: bool | None = None
    services: tuple[Any, ...] = ()
    switch_pair_count: tuple[Any, ...] = ()
    last_task: dict[str, Any] = Field(default_factory=dict, validation_alias="lastTaskDetails")
    status: MeshStatus = Field(default_factory=MeshStatus)

    @property
    def service_names(self) -> tuple[str, ...]:
        """The names of the services, whether listed as texts or as objects."""
        return tuple(
            str(entry.get("name") or entry.get("serviceName") or "") if isinstance(entry, Mapping) else str(entry)
            for entry in self.services
        )


class ApplianceHealth(HcxModel):
    """``status.summary`` of an appliance; the words are published nowhere [? hcx 9.6]."""

    overall_status: str = ""
    reasons: tuple[Any, ...] = ()


class ApplianceStatus(HcxModel):
    """The health part of an appliance."""

    summary: ApplianceHealth = Field(default_factory=ApplianceHealth)


class Appliance(HcxModel):
    """An interconnect or network extension appliance [C hcx 6]."""

    appliance_id: str
    appliance_name: str = ""
    appliance_type: str = ""
    service_mesh_id: str | None = Field(
        default=None, validation_alias=AliasChoices("serviceMeshId", "servicemeshId", "service_mesh_id")
    )
    network_extension_count: int | None = None
    appliance_version: dict[str, Any] = Field(default_factory=dict)
    peer_appliances: tuple[Any, ...] = ()
    status: ApplianceStatus = Field(default_factory=ApplianceStatus)

    @property
    def version_text(self) -> str:
        """The version as ``major.minor.patch.build``, as far as it is given."""
        parts = (self.appliance_version.get(name) for name in ("major", "minor", "patch", "build"))
        return ".".join(str(part) for part in parts if part is not None)


class UplinkService(HcxModel):
    """Whether an uplink is good enough for a service."""

    service_type: str = ""
    status: str = ""


class UplinkMetric(HcxModel):
    """What was measured on one uplink pair: bandwidth in kbit/s, latency and loss as measured."""

    uplink_name: str = ""
    remote_uplink_name: str = ""
    upload_kbps: float | None = None
    download_kbps: float | None = None
    latency: float | None = None
    loss_rate: float | None = None
    services: tuple[UplinkService, ...] = ()

    @classmethod
    def of_wire(cls, data: Mapping[str, Any]) -> UplinkMetric:
        """Flatten ``measuredData`` of 9.1 [C hcx 6]; what is missing or of another shape stays None."""
        measured = as_mapping(data.get("measuredData"))
        bandwidth = as_mapping(measured.get("maxAvailableBandwidth"))
        rates = as_mapping(bandwidth.get("value"))
        return cls.model_validate(
            {
                "uplinkName": data.get("uplinkName"),
                "remoteUplinkName": data.get("remoteUplinkName"),
                "uploadKbps": rates.get("uploadKbps"),
                "downloadKbps": rates.get("downloadKbps"),
                "latency": as_mapping(measured.get("latency")).get("value"),
                "lossRate": as_mapping(measured.get("lossRate")).get("value"),
                "services": bandwidth.get("services"),
            }
        )


class MeshHealth(HcxModel):
    """The underlay of one mesh."""

    service_mesh_id: str | None = None
    uplinks: tuple[UplinkMetric, ...] = ()


class InterconnectCalls(HcxCalls):
    """Reads of jobs, tasks and the interconnect."""

    def job(self, job_id: str) -> Job:
        """Read a job.

        :raises NotFound: if there is none of this id.
        """
        answer = self._get(f"/jobs/{path_segment(job_id)}")
        return answer.parse(Job, {"jobId": job_id, **answer.mapping()})

    def service_meshes(self, vc_guid: str | None = None) -> tuple[ServiceMesh, ...]:
        """List the service meshes.

        :param vc_guid: the vCenter, which newer managers ask for (see ``metainfo``).
        """
        return self._get("/interconnect/serviceMesh", {"vcGuid": vc_guid}).parse_items(ServiceMesh)

    def appliances(
        self,
        *,
        appliance_type: str | None = None,
        endpoint_id: str | None = None,
        service_mesh_id: str | None = None,
        vc_guid: str | None = None,
    ) -> tuple[Appliance, ...]:
        """Query appliances.

        :param appliance_type: ``HCX-WAN-IX`` or ``HCX-NET-EXT``.
        """
        wanted = {
            "applianceType": appliance_type,
            "endpointId": endpoint_id,
            "serviceMeshId": service_mesh_id,
        }
        body = {"filter": {name: value for name, value in wanted.items() if value is not None}}
        answer = self._ask("/interconnect/appliances/query", body, {"vcGuid": vc_guid})
        return answer.parse_items(Appliance)

    def underlay_health(self, vc_guid: str | None = None) -> tuple[MeshHealth, ...]:
        """Read bandwidth, latency and loss per mesh, 9.1 [C hcx 6].

        :raises NotFound: on a manager that does not offer it.
        """
        answer = self._get("/interconnect/underlay/serviceMeshHealth", {"vcGuid": vc_guid})
        meshes = []
        for item in answer.items():
            metrics = item.get("uplinkMetrics")
            uplinks = [UplinkMetric.of_wire(one) for one in metrics or [] if isinstance(one, Mapping)]
            data = {"serviceMeshId": item.get("serviceMeshId") or item.get("servicemeshId"), "uplinks": uplinks}
            meshes.append(answer.parse(MeshHealth, data))
        return tuple(meshes)
