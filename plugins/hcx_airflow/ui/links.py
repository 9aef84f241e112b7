"""Links from a task to the HCX, NSX and vCenter that it used.

They lead to the managers and no further: of the pages of single objects only vCenter's for a VM is known, and no task
is about one VM. HCX and NSX lead from there to their start pages by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperatorLink
from typing_extensions import override

from hcx_waves.guide.entries import base_url

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey


class ManagerLink(BaseOperatorLink):
    """A link to a manager. Airflow asks for it in the worker when the task has ended, and keeps the answer."""

    name = "Manager"
    page: ClassVar[str] = ""

    @override
    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        return self.address(getattr(operator, "pages", None) or {})

    def address(self, pages: Mapping[str, str]) -> str:
        """Return where the link leads; empty, which Airflow does not show, unless that is a web page."""
        address = pages.get(self.page)
        return address if isinstance(address, str) and address.startswith("https://") else ""


class HcxLink(ManagerLink):
    """To the source's HCX manager."""

    name = "HCX"
    page: ClassVar[str] = "hcx"


class NsxLink(ManagerLink):
    """To the destination's NSX."""

    name = "NSX"
    page: ClassVar[str] = "nsx"


class VcenterLink(ManagerLink):
    """To the destination's vCenter."""

    name = "vCenter"
    page: ClassVar[str] = "vcenter"


class GuideLink(ManagerLink):
    """To the guide, if the environment says where it is served."""

    name = "Guide"

    @override
    def address(self, pages: Mapping[str, str]) -> str:
        del pages
        base = base_url()
        return f"{base}/README.md" if base.startswith("https://") else ""


LINKS: tuple[ManagerLink, ...] = (HcxLink(), NsxLink(), VcenterLink(), GuideLink())
