"""The managers of a vCenter and the helpers of its objects, by the ids that it gives them. [C nsx-vsphere 4.2]"""

from __future__ import annotations

from pyVmomi import VmomiSupport, vim

# Member of the service content -> id and wire type. A local account manager is of hosts only.
CONTENT = {
    "propertyCollector": ("propertyCollector", "PropertyCollector"),
    "viewManager": ("ViewManager", "ViewManager"),
    "setting": ("VpxSettings", "OptionManager"),
    "userDirectory": ("UserDirectory", "UserDirectory"),
    "sessionManager": ("SessionManager", "SessionManager"),
    "authorizationManager": ("AuthorizationManager", "AuthorizationManager"),
    "serviceManager": ("ServiceMgr", "ServiceManager"),
    "perfManager": ("PerfMgr", "PerformanceManager"),
    "scheduledTaskManager": ("ScheduledTaskManager", "ScheduledTaskManager"),
    "alarmManager": ("AlarmManager", "AlarmManager"),
    "eventManager": ("EventManager", "EventManager"),
    "taskManager": ("TaskManager", "TaskManager"),
    "extensionManager": ("ExtensionManager", "ExtensionManager"),
    "customizationSpecManager": ("CustomizationSpecManager", "CustomizationSpecManager"),
    "guestCustomizationManager": ("GuestCustomizationManager", "VirtualMachineGuestCustomizationManager"),
    "customFieldsManager": ("CustomFieldsManager", "CustomFieldsManager"),
    "diagnosticManager": ("DiagMgr", "DiagnosticManager"),
    "licenseManager": ("LicenseManager", "LicenseManager"),
    "searchIndex": ("SearchIndex", "SearchIndex"),
    "fileManager": ("FileManager", "FileManager"),
    "datastoreNamespaceManager": ("DatastoreNamespaceManager", "DatastoreNamespaceManager"),
    "virtualDiskManager": ("virtualDiskManager", "VirtualDiskManager"),
    "virtualizationManager": ("VirtualizationManager", "VirtualizationManager"),
    "snmpSystem": ("SnmpSystem", "HostSnmpSystem"),
    "vmProvisioningChecker": ("ProvChecker", "VirtualMachineProvisioningChecker"),
    "vmCompatibilityChecker": ("CompatChecker", "VirtualMachineCompatibilityChecker"),
    "ovfManager": ("OvfManager", "OvfManager"),
    "ipPoolManager": ("IpPoolManager", "IpPoolManager"),
    "dvSwitchManager": ("DVSManager", "DistributedVirtualSwitchManager"),
    "hostProfileManager": ("HostProfileManager", "HostProfileManager"),
    "clusterProfileManager": ("ClusterProfileManager", "ClusterProfileManager"),
    "complianceManager": ("MoComplianceManager", "ProfileComplianceManager"),
    "localizationManager": ("LocalizationManager", "LocalizationManager"),
    "storageResourceManager": ("StorageResourceManager", "StorageResourceManager"),
    "guestOperationsManager": ("guestOperationsManager", "GuestOperationsManager"),
    "overheadMemoryManager": ("OverheadMemoryManager", "OverheadMemoryManager"),
    "certificateManager": ("certificateManager", "CertificateManager"),
    "ioFilterManager": ("IoFilterManager", "IoFilterManager"),
    "vStorageObjectManager": ("VStorageObjectManager", "VcenterVStorageObjectManager"),
    "hostSpecManager": ("HostSpecificationManager", "HostSpecificationManager"),
    "cryptoManager": ("CryptoManager", "CryptoManagerKmip"),
    "healthUpdateManager": ("HealthUpdateManager", "HealthUpdateManager"),
    "failoverClusterConfigurator": ("FailoverClusterConfigurator", "FailoverClusterConfigurator"),
    "failoverClusterManager": ("FailoverClusterManager", "FailoverClusterManager"),
    "tenantManager": ("TenantManager", "TenantTenantManager"),
    "siteInfoManager": ("SiteInfoManager", "SiteInfoManager"),
    "storageQueryManager": ("StorageQueryManager", "StorageQueryManager"),
    "directPathProfileManager": ("DirectPathProfileManager", "DirectPathProfileManager"),
}
GUEST_OPERATIONS = {
    "authManager": ("guestOperationsAuthManager", "GuestAuthManager"),
    "fileManager": ("guestOperationsFileManager", "GuestFileManager"),
    "processManager": ("guestOperationsProcessManager", "GuestProcessManager"),
    "guestWindowsRegistryManager": ("guestOperationsWindowsRegistryManager", "GuestWindowsRegistryManager"),
    "aliasManager": ("guestOperationsAliasManager", "GuestAliasManager"),
}
SINGLETONS = {
    "ServiceInstance": "ServiceInstance",
    **dict(CONTENT.values()),
    **dict(GUEST_OPERATIONS.values()),
}


def _host_systems() -> dict[str, str]:
    """Return the wire types of a host's configuration managers by the member that names them."""
    return {
        info.name: info.type._wsdlName
        for info in vim.host.ConfigManager._GetPropertyList()
        if issubclass(info.type, VmomiSupport.ManagedObject)
    }


HOST_SYSTEMS = _host_systems()
# Prefix of the id -> wire type. The rest of the id, behind the first hyphen, is the object whose helper it is.
HELPERS = {"envbrowser": "EnvironmentBrowser", "datastoreBrowser": "HostDatastoreBrowser", **HOST_SYSTEMS}


def helper_id(prefix: str, owner_id: str) -> str:
    """Return the id of an object's helper."""
    return f"{prefix}-{owner_id}"
