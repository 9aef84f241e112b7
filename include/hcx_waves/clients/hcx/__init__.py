"""The HCX Manager client and its vocabulary."""

from hcx_waves.clients.hcx.client import HcxClient
from hcx_waves.clients.hcx.extensions import (
    ExtensionRemoval,
    ExtensionRequest,
    MonVirtualMachine,
    NetworkExtension,
)
from hcx_waves.clients.hcx.groups import GroupSchedule
from hcx_waves.clients.hcx.intents import (
    Entity,
    GroupDraft,
    HcxMigrationOptions,
    HcxMigrationType,
    HcxNetworkMapping,
    MigrationIntent,
    Placement,
    Schedule,
    SiteRef,
    Storage,
)
from hcx_waves.clients.hcx.interconnect import (
    Appliance,
    Job,
    MeshHealth,
    ServiceMesh,
    UplinkMetric,
)
from hcx_waves.clients.hcx.inventory import (
    CloudConfig,
    HcxSite,
    InventoryEntity,
    InventoryNetwork,
    InventoryVm,
    ResourceContainer,
)
from hcx_waves.clients.hcx.migrations import (
    GroupIntents,
    Migration,
    MobilityGroup,
    ScheduleResult,
    Submission,
    SubmittedGroup,
    SubmittedMigration,
)
from hcx_waves.clients.hcx.session import HcxVersion, Metainfo
from hcx_waves.clients.hcx.state import TERMINAL_PHASES, MigrationState, Phase

__all__ = [
    "TERMINAL_PHASES",
    "Appliance",
    "CloudConfig",
    "Entity",
    "ExtensionRemoval",
    "ExtensionRequest",
    "GroupDraft",
    "GroupIntents",
    "GroupSchedule",
    "HcxClient",
    "HcxMigrationOptions",
    "HcxMigrationType",
    "HcxNetworkMapping",
    "HcxSite",
    "HcxVersion",
    "InventoryEntity",
    "InventoryNetwork",
    "InventoryVm",
    "Job",
    "MeshHealth",
    "Metainfo",
    "Migration",
    "MigrationIntent",
    "MigrationState",
    "MobilityGroup",
    "MonVirtualMachine",
    "NetworkExtension",
    "Phase",
    "Placement",
    "ResourceContainer",
    "Schedule",
    "ScheduleResult",
    "ServiceMesh",
    "SiteRef",
    "Storage",
    "Submission",
    "SubmittedGroup",
    "SubmittedMigration",
    "UplinkMetric",
]
