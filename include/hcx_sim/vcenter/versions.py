"""API versions: what a vCenter of some release offers, and the one that a request is written in.

The list comes from pyVmomi's own version tables; ``SmartConnect`` probes ``vimServiceVersions.xml`` and takes the
newest one that it knows itself. [C nsx-vsphere 4.2]
"""

from __future__ import annotations

from functools import cache
from xml.sax.saxutils import escape

from pyVmomi import VmomiSupport

NAMESPACE = "urn:vim25"


def _numbers(version_id: str) -> tuple[int, ...]:
    """Return ``8.0.3.1`` as comparable numbers; () for ids that are no release, such as ``2.5u2`` or a hash."""
    parts = version_id.split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


@cache
def offered(release: str) -> tuple[str, ...]:
    """Return the version ids that a vCenter of ``release`` (``8.0.3``) offers, newest first.

    A release newer than pyVmomi knows offers what pyVmomi knows; one that cannot be read offers everything.
    """
    limit = _numbers(release)
    ids = [VmomiSupport.versionIdMap[version] for version in VmomiSupport.GetServiceVersions("vim25")]
    known = [each for each in ids if _numbers(each)]
    kept = [each for each in known if not limit or _numbers(each)[: len(limit)] <= limit]
    return tuple(kept) or (known[-1],)


def service_versions_xml(release: str) -> bytes:
    """Return the body of ``/sdk/vimServiceVersions.xml``."""
    newest, *prior = offered(release)
    rows = "".join(f"<version>{escape(each)}</version>" for each in prior)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<namespaces version="1.0">'
        f"<namespace><name>{NAMESPACE}</name><version>{escape(newest)}</version>"
        f"<priorVersions>{rows}</priorVersions></namespace></namespaces>"
    ).encode()


@cache
def version_of_action(soap_action: str, release: str) -> str:
    """Return pyVmomi's version name (``vim.version.v8_0_3_0``) for a SOAPAction such as ``"urn:vim25/8.0.3.0"``.

    An action without a version, or with one that this vCenter does not offer, gets the newest that it offers.
    """
    wanted = soap_action.strip().strip('"').removeprefix("urn:")
    newest: str = VmomiSupport.versionMap[f"vim25/{offered(release)[0]}"]
    version: str | None = VmomiSupport.versionMap.get(wanted)
    if "/" not in wanted or version is None:
        return newest
    return version if VmomiSupport.IsChildVersion(newest, version) else newest
