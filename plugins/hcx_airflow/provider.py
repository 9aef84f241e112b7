"""The Airflow provider of this distribution: connection types with their forms, and extra links."""

from __future__ import annotations

from hcx_airflow.documents import Arguments

_TEXT: Arguments = {"type": ["string", "null"]}
_SWITCH_OFF: Arguments = {"type": ["boolean", "null"], "default": False}
_SWITCH_ON: Arguments = {"type": ["boolean", "null"], "default": True}
_SECONDS: Arguments = {"type": ["number", "null"], "exclusiveMinimum": 0}
_PEM: Arguments = {"type": ["string", "null"], "format": "multiline"}


def _field(label: str, schema: Arguments, description: str) -> Arguments:
    return {"label": label, "schema": dict(schema), "description": description}


def _common_fields() -> Arguments:
    return {
        "ca_file": _field("CA file", _TEXT, "Path on the workers of a PEM file with the CA certificates to trust."),
        "ca_pem": _field("CA (PEM)", _PEM, "The CA certificates to trust, as text instead of a file."),
        "pinned_pem": _field("Pinned certificate (PEM)", _PEM, "Trust only this certificate of the endpoint."),
        "verify": _field("Verify TLS", _SWITCH_ON, "If off, any certificate is accepted. For test environments only."),
        "simulated": _field("Simulated site", _SWITCH_OFF, "A simulated site that live waves may change."),
        "connect_seconds": _field("Connect time-out (s)", _SECONDS, "To open a connection. Default: 10."),
        "read_seconds": _field("Read time-out (s)", _SECONDS, "Between two parts of a response. Default: 60."),
        "total_seconds": _field("Total time-out (s)", _SECONDS, "For a whole response. Default: 300."),
        "attempts": _field(
            "Attempts",
            {"type": ["integer", "null"], "minimum": 1, "maximum": 20},
            "Maximum number of tries per call if errors are temporary. Default: 4.",
        ),
    }  # fmt: skip


def _connection_type(
    conn_type: str,
    hook: str,
    name: str,
    fields: Arguments,
    labels: dict[str, str],
    examples: dict[str, str],
    hidden: tuple[str, ...] = ("schema",),
) -> Arguments:
    return {
        "connection-type": conn_type,
        "hook-class-name": f"hcx_airflow.hooks.{hook}",
        "hook-name": name,
        "conn-fields": {**fields, **_common_fields()},
        "ui-field-behaviour": {
            "hidden-fields": list(hidden),
            "relabeling": {"host": "Address", **labels},
            "placeholders": examples,
        },
    }


def _hcx() -> Arguments:
    return _connection_type(
        "hcx",
        "hcx.HcxHook",
        "VMware HCX",
        {
            "version": _field("HCX version", _TEXT, "For example 4.11.3. If empty, it is read from the manager."),
            "cancel_path": _field(
                "Cancel path", _TEXT, "API path of the graceful cancel, if it differs from the default."
            ),
        },
        {},
        {"host": "https://hcx.example.org", "login": "administrator@vsphere.local"},
    )


def _nsx_policy() -> Arguments:
    return _connection_type(
        "nsx_policy",
        "nsx_policy.NsxPolicyHook",
        "VMware NSX Policy",
        {
            "enforcement_point": _field("Enforcement point", _TEXT, "Name of the enforcement point. Default: default."),
            "tier1_id": _field("Tier-1 id", _TEXT, "Parent of fixed segments, if there are any."),
            "session_login": _field("Session log-in", _SWITCH_ON, "If off, user and password are sent with each call."),
        },
        {},
        {"host": "https://nsx.example.org", "login": "admin"},
    )


def _vmc() -> Arguments:
    return _connection_type(
        "vmc",
        "vmc.VmcHook",
        "VMware Cloud on AWS",
        {
            "sddc_id": _field("SDDC id", _TEXT, "The SDDC whose NSX a wave works on."),
            "org_id": _field("Organisation id", _TEXT, "Needed if the token gives access to several."),
            "csp_url": _field("Log-in address", _TEXT, "Default: https://console.cloud.vmware.com."),
            "oauth_app": _field("OAuth app", _SWITCH_OFF, "Login and password are the id and secret of an OAuth app."),
        },
        {"login": "OAuth app id", "password": "API token (or OAuth app secret)"},
        {"host": "https://vmc.vmware.com"},
    )


def _vsphere() -> Arguments:
    return _connection_type(
        "vsphere",
        "vsphere.VsphereHook",
        "VMware vSphere",
        {},
        {},
        {"host": "https://vcenter.example.org", "login": "administrator@vsphere.local"},
    )


def _twins() -> Arguments:
    return _connection_type(
        "hcx_twin",
        "twin.TwinControlHook",
        "hcx-sim twins",
        {},
        {"password": "Control token"},
        {"host": "https://twins.example.org:7443"},
        hidden=("schema", "login"),
    )


def get_provider_info() -> Arguments:
    """Return the provider's description; the entry point ``apache_airflow_provider`` names this function."""
    return {
        "package-name": "hcx-waves",
        "name": "hcx-waves",
        "description": "VMware HCX migration waves as Airflow DAGs.",
        "connection-types": [_hcx(), _nsx_policy(), _vmc(), _vsphere(), _twins()],
        "extra-links": [
            "hcx_airflow.ui.links.HcxLink",
            "hcx_airflow.ui.links.NsxLink",
            "hcx_airflow.ui.links.VcenterLink",
            "hcx_airflow.ui.links.GuideLink",
        ],
    }
