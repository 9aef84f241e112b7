"""Which privileges the logged-in account holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from hcx_waves.clients.errors import ClientError, PermissionDenied, ValidationFailed, VendorFault
from hcx_waves.clients.vsphere.session import Live, VsphereSession

# What the client's own calls need: views and the session (View), properties of inventory objects (Read)
# [D nsx-vsphere 4.1]. Changes are HCX's, with an account of its own.
READ_PRIVILEGES = ("System.View", "System.Read")


def check_privileges(session: VsphereSession, privileges: Sequence[str]) -> Mapping[str, bool] | None:
    """Ask which privileges the account holds on the root folder.

    :returns: privilege id to whether it is held; None if this vCenter does not say, neither by session nor
        by user (a missing method, or no right to ask).
    :raises ClientError: if the question fails for another reason (connection, session).
    """
    for ask in (_by_session, _by_user):
        try:
            return session.read("HasPrivilegeOnEntities", "AuthorizationManager", partial(ask, privileges))
        except ClientError as error:
            if not _is_unanswerable(error):
                raise
    return None


def _by_session(privileges: Sequence[str], live: Live) -> Mapping[str, bool]:
    content = live.content
    manager = content.authorizationManager
    return _granted(manager.HasPrivilegeOnEntities([content.rootFolder], live.user.key, list(privileges)))


def _by_user(privileges: Sequence[str], live: Live) -> Mapping[str, bool]:
    content = live.content
    manager = content.authorizationManager
    return _granted(manager.HasUserPrivilegeOnEntities([content.rootFolder], live.user.userName, list(privileges)))


def _granted(answer: Any) -> Mapping[str, bool]:
    return {entry.privId: bool(entry.isGranted) for found in answer or () for entry in found.privAvailability}


def _is_unanswerable(error: ClientError) -> bool:
    """Whether vCenter cannot or will not answer the question (as opposed to: could not be asked)."""
    return type(error) in (VendorFault, PermissionDenied, ValidationFailed) and error.vendor_code is not None
